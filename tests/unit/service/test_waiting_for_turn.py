"""Targets that wait for the turn of their account, in virtual time. Each target here has a world and an account of its own."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial

import anyio

from builders import NOON, fleet, notebook, removal
from nbsweep.core import lifecycle
from nbsweep.core.control.requests import Pause, Resumption
from nbsweep.core.events.service import TargetMadeUp, TargetSkipped, TargetWaiting
from nbsweep.core.lifecycle import State
from nbsweep.core.model import Status
from nbsweep.core.planning.brakes import Brakes
from nbsweep.core.saved_plan.build import saved_target
from nbsweep.engine.coordination.account_turns import AccountTurns
from nbsweep.engine.report import Run
from nbsweep.engine.saved_plan import PlanConstraint
from nbsweep.engine.survey import Area
from nbsweep.engine.sweep import Sweeper
from nbsweep.service.control import Answer, Phase
from nbsweep.service.plans.plan_orders import PlanOrder
from nbsweep.service.targets.due_times import DueTimes
from nbsweep.service.targets.runner_options import RunnerOptions
from nbsweep.service.targets.target_runner import TargetRunner
from nbsweep.settings.schedule import ScheduleSettings
from nbsweep.testing import Pace
from unit.engine.world import World, options, virtual_time, world

pytestmark = virtual_time
LONG = Pace(deletion_s=300)
PAUSE = Pause("second", NOON, "alice", "moving house")


def runner(scene: World, name: str, turns: AccountTurns, account: str = "") -> TargetRunner:
    """Return the runner of a target, whose account is called like it unless another is given."""
    numbers = iter(range(1, 10_000))
    sweeper = Sweeper(Area(name, None, ("NOTEBOOK",)), scene.ports, options(), Brakes(None, None), scene.shutdown)
    runner_options = RunnerOptions(False, lambda dry: Run(f"{name}{next(numbers)}", "service", dry), lambda _: None)  # noqa: FBT003  # it deletes
    return TargetRunner(sweeper, runner_options, ask_turn=lambda _, begin: turns.ask(account or name, begin))


@asynccontextmanager
async def at_work(*runners: TargetRunner) -> AsyncIterator[None]:
    """Let them look after their targets, and stop them in the end."""
    async with anyio.create_task_group() as group:
        for each in runners:
            group.start_soon(each.run)
        await asyncio.sleep(1)
        yield
        for each in runners:
            each.stop()


@asynccontextmanager
async def second_waits(one: World, other: World) -> AsyncIterator[tuple[TargetRunner, TargetRunner]]:
    """Let the target `first` be swept for five minutes, and the target `second` be at work."""
    turns = AccountTurns(1)
    first, second = runner(one, "first", turns), runner(other, "second", turns)
    async with at_work(first, second):
        first.due()
        await asyncio.sleep(1)
        assert first.phase is Phase.SWEEPING
        yield first, second


async def test_a_target_waits_until_another_account_has_ended_and_says_so() -> None:
    """Five minutes of waiting without a call, and then it is swept: whether it was due or somebody asked for it."""
    for request in (TargetRunner.due, lambda each: each.ask("alice (page)")):
        one, other = world(*fleet(2), pace=LONG), world(*fleet(2))
        async with second_waits(one, other) as (first, second):
            request(second)
            await asyncio.sleep(200)
            assert (second.phase, second.state().accounts_ahead) == (Phase.WAITING_FOR_TURN, 0)
            assert (other.cloud.calls, first.phase) == ([], Phase.SWEEPING)
            await asyncio.sleep(200)
            assert (second.phase, second.state().accounts_ahead) == (Phase.WAITING, None)
        assert len(other.cloud.accepted) == 2
        assert [told.accounts_ahead for told in other.telemetry.of(TargetWaiting)] == [0]
        assert one.telemetry.of(TargetWaiting) == []


async def test_a_request_while_it_waits_is_served_by_the_same_sweep() -> None:
    """It was due, then somebody asks, then it is due again: one sweep, and the second due time is told as skipped."""
    one, other = world(*fleet(2), pace=LONG), world(*fleet(2))
    async with second_waits(one, other) as (_, second):
        second.due()
        await asyncio.sleep(10)
        assert (second.ask("alice (page)"), second.ask("alice (page)")) == (Answer.ACCEPTED, Answer.BUSY)
        second.due()
        await asyncio.sleep(600)
    assert len(await other.journal.runs(10)) == 1
    [skipped] = other.telemetry.of(TargetSkipped)
    assert skipped.why == "the sweep of the due time before it still waits for its turn"


async def test_targets_of_one_account_are_swept_together() -> None:
    """Both begin at once, although only one account may be swept at a time."""
    turns, one, other = AccountTurns(1), world(*fleet(2), pace=LONG), world(*fleet(2), pace=LONG)
    first, second = runner(one, "first", turns, "same"), runner(other, "second", turns, "same")
    async with at_work(first, second):
        first.due()
        second.due()
        await asyncio.sleep(10)
        assert (first.phase, second.phase) == (Phase.SWEEPING, Phase.SWEEPING)


async def test_what_a_crash_left_is_followed_in_turn_also_while_paused() -> None:
    """The recovery of a start counts as a sweep: the second one waits for the first, and is starting meanwhile."""
    turns, one, other = AccountTurns(1), *(world(notebook(1, status=Status.DELETING)) for _ in range(2))
    for scene, gone_s in ((one, 100), (other, 200)):
        left = lifecycle.accept(lifecycle.request(removal(1), NOON, timedelta(minutes=30)), NOON)
        await scene.journal.write([left])
        scene.cloud.at(scene.clock.steady_s() + gone_s, partial(scene.cloud.vanish, "nb1"))
    first, second = (runner(scene, "research", turns, account) for scene, account in ((one, "a"), (other, "b")))
    await other.journal.control.pause(Pause("research", NOON, "alice", ""))
    async with at_work(first, second):
        await asyncio.sleep(50)
        assert (second.phase, second.state().accounts_ahead, other.cloud.calls) == (Phase.STARTING, 0, [])
        await asyncio.sleep(400)
        assert second.phase is Phase.WAITING
    assert [(await scene.journaled())["nb1"].state for scene in (one, other)] == [State.DELETED] * 2


async def test_a_pause_while_it_waits_gives_its_place_up() -> None:
    """It is told as skipped at once, and nothing is kept for the time after the pause; a third target is next."""
    one, other = world(*fleet(2), pace=LONG), world(*fleet(2))
    async with second_waits(one, other) as (_, second):
        second.due()
        await asyncio.sleep(10)
        await second.pause.begin(PAUSE)
        await asyncio.sleep(1)
        assert (second.phase, second.state().accounts_ahead) == (Phase.WAITING, None)
        [skipped] = other.telemetry.of(TargetSkipped)
        assert skipped.why == "it is paused by alice since 2026-03-01 12:00Z: moving house"
        await second.pause.end(Resumption("second", NOON, "carol"))
        await asyncio.sleep(1000)
    assert other.cloud.calls == []


async def test_a_runner_that_stops_gives_its_place_up_and_owes_its_sweep() -> None:
    """As a reload does: the next runner begins what was due, and what somebody asked for."""
    for request in (TargetRunner.due, lambda each: each.ask("alice (page)")):
        one, other = world(*fleet(2), pace=LONG), world(*fleet(2))
        async with second_waits(one, other) as (_, second):
            request(second)
            await asyncio.sleep(10)
            second.stop()
            await asyncio.sleep(1)
            assert (second.is_owed, second.state().accounts_ahead) == (True, None)
            await asyncio.sleep(1000)
            assert other.cloud.calls == []


async def test_an_approved_plan_that_had_no_turn_before_a_stop_is_told_and_not_kept() -> None:
    """Another configuration may not permit it: whoever approved it carries it out again."""
    one, other = world(*fleet(2), pace=LONG), world(*fleet(2))
    async with second_waits(one, other) as (_, second):
        saved = saved_target(await second.plan(), await second.sweeper.identity())
        before = len(other.cloud.calls)
        second.ask("bob", PlanOrder(PlanConstraint("the plan 7", "7", NOON + timedelta(days=1), saved), "bob"))
        await asyncio.sleep(10)
        second.stop()
        await asyncio.sleep(1)
        assert not second.is_owed
    [skipped] = other.telemetry.of(TargetSkipped)
    assert skipped.why == "the service stopped or reloaded before the plan 7 had its turn: carry it out again"
    assert len(other.cloud.calls) == before


async def test_a_cancelled_service_frees_the_turn() -> None:
    """Nobody is left waiting for a runner that is no more."""
    turns, one, other = AccountTurns(1), world(*fleet(2), pace=LONG), world(*fleet(2))
    first, second = runner(one, "first", turns), runner(other, "second", turns)
    async with at_work(second):
        async with anyio.create_task_group() as group:
            group.start_soon(first.run)
            await asyncio.sleep(1)
            first.due()
            await asyncio.sleep(1)
            second.due()
            await asyncio.sleep(1)
            assert second.phase is Phase.WAITING_FOR_TURN
            group.cancel_scope.cancel()
        await asyncio.sleep(60)
    assert len(other.cloud.accepted) == 2


async def test_a_sweep_that_was_due_and_had_no_turn_is_made_up_for_by_the_next_process() -> None:
    """Due at 15:00, it waits behind another account when the service ends at 15:02: the next one begins it, once."""
    turns, one, other = AccountTurns(1), world(*fleet(2), pace=Pace(deletion_s=7200)), world(*fleet(2))
    first, second = runner(one, "first", turns), scheduled(other, turns)
    async with at_work(first, second):
        await asyncio.sleep(3 * 3600 - 60)
        first.due()
        await asyncio.sleep(60)
        second.due()
        await asyncio.sleep(120)
        assert second.phase is Phase.WAITING_FOR_TURN
        second.stop()
    free = AccountTurns(1)
    async with at_work(scheduled(other, free)):
        await asyncio.sleep(60)
    assert len(other.cloud.accepted) == 2
    assert len(other.telemetry.of(TargetMadeUp)) == 1


def scheduled(scene: World, turns: AccountTurns) -> TargetRunner:
    """Return a runner that knows its due times: each day at 15:00; the world begins at noon."""
    mine = runner(scene, "second", turns)
    schedule = ScheduleSettings(cron="0 15 * * *", misfire_grace=timedelta(hours=4))
    mine.due_times = DueTimes("second", schedule, scene.journal, scene.clock)
    return mine
