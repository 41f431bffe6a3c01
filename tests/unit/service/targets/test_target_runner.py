import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import anyio
import pytest
from msgspec.structs import replace

from builders import NOON, fleet, notebook, removal
from nbsweep.core import lifecycle
from nbsweep.core.control.requests import Pause, Resumption
from nbsweep.core.errors import JournalError, Unreachable
from nbsweep.core.events.service import TargetBackedOff, TargetMadeUp, TargetPaused, TargetRestored, TargetSkipped
from nbsweep.core.lease import Holder, TargetLease
from nbsweep.core.lifecycle import State
from nbsweep.core.model import Status
from nbsweep.core.planning.brakes import Brakes
from nbsweep.engine.options import LeaseOptions
from nbsweep.engine.report import Run
from nbsweep.engine.survey import Area
from nbsweep.engine.sweep import Sweeper
from nbsweep.service.control import Answer, Phase
from nbsweep.service.targets.due_times import DueTimes
from nbsweep.service.targets.runner_options import RunnerOptions, wait_s
from nbsweep.service.targets.target_runner import TargetRunner
from nbsweep.settings.schedule import ScheduleSettings
from nbsweep.testing import Fault, Pace
from unit.engine.world import World, approve, options, virtual_time, world

pytestmark = virtual_time
PAUSE = Pause("research", NOON, "alice", "moving house")
AWAY = Fault(Unreachable("the cloud cannot be reached"))


def runner(scene: World, *, dry_run: bool = False) -> TargetRunner:
    """Return a runner of the world's one target, whose schedule comes round a day after the beginning."""
    numbers = iter(range(1, 10_000))
    sweeper = Sweeper(Area("research", None, ("NOTEBOOK",)), scene.ports, options(), Brakes(None, None), scene.shutdown)
    runner_options = RunnerOptions(
        dry_run, lambda dry: Run(f"run{next(numbers)}", "service", dry), lambda _: NOON + timedelta(days=1)
    )
    return TargetRunner(sweeper, runner_options)


@asynccontextmanager
async def at_work(busy: TargetRunner) -> AsyncIterator[None]:
    """Let it look after its target, and stop it in the end."""
    async with anyio.create_task_group() as group:
        group.start_soon(busy.run)
        yield
        busy.stop()


async def look_for_pause(scene: World, mine: TargetRunner) -> None:
    """Do what the journal watch does every few seconds."""
    await mine.pause.record()
    mine.pause.note(await scene.journal.control.pause_of(mine.name))


async def runs(scene: World) -> list[tuple[str, str]]:
    """List the runs in the journal with their outcomes, the oldest first."""
    return [(record.run_id, record.outcome) for record in reversed(await scene.journal.runs(1000))]


async def test_nothing_is_swept_before_it_is_wanted() -> None:
    """A day goes by without a call; then the schedule comes round, and the fleet goes."""
    scene = world(*fleet(3))
    mine = runner(scene)
    async with at_work(mine):
        await asyncio.sleep(86_400)
        assert (scene.cloud.calls, mine.phase) == ([], Phase.WAITING)
        mine.due()
        await asyncio.sleep(60)
        assert len(scene.cloud.accepted) == 3
        assert (mine.phase, mine.attempts.failures, mine.attempts.problem) == (Phase.WAITING, 0, "")
        assert mine.attempts.last_success is not None


async def test_what_a_crash_left_is_followed_to_its_end_before_anything_else() -> None:
    """The service has just begun and nothing is due: the removal of an earlier run gets its end all the same."""
    scene = world(notebook(1, status=Status.DELETING))
    left = lifecycle.accept(lifecycle.request(removal(1), NOON, timedelta(minutes=30)), NOON)
    await scene.journal.write([left])
    scene.cloud.at(scene.clock.steady_s() + 8, lambda: scene.cloud.vanish("nb1"))
    mine = runner(scene)
    async with at_work(mine):
        await asyncio.sleep(1)
        assert mine.phase is Phase.STARTING
        await asyncio.sleep(60)
    assert (await scene.journaled())["nb1"].state is State.DELETED
    assert (scene.cloud.accepted, mine.phase) == ([], Phase.WAITING)


async def test_a_sweep_that_is_due_while_another_is_under_way_is_not_started() -> None:
    """It is told, and that is all; the next time is the schedule's next."""
    scene = world(*fleet(2), pace=Pace(deletion_s=300))
    mine = runner(scene)
    async with at_work(mine):
        await asyncio.sleep(1)
        mine.due()
        await asyncio.sleep(60)
        mine.due()
        await asyncio.sleep(600)
    assert [skipped.why for skipped in scene.telemetry.of(TargetSkipped)] == ["the previous sweep is still in progress"]
    assert await runs(scene) == [("run2", "finished")]


async def test_a_target_that_fails_is_left_alone_for_longer_each_time() -> None:
    """The cloud is away for ten minutes: tries at 0, 30, 90, 210, 450 s, and at 930 s all is well again, by itself."""
    scene = world(*fleet(2))
    scene.cloud.inject("workspaces", *[AWAY] * 5)
    mine = runner(scene)
    async with at_work(mine):
        await asyncio.sleep(1)
        began_s = scene.clock.steady_s()
        mine.due()
        await asyncio.sleep(100)
        assert (mine.phase, mine.attempts.failures) == (Phase.BACKING_OFF, 3)
        assert mine.attempts.problem == "the cloud cannot be reached"
        await asyncio.sleep(1000)
        assert (mine.phase, mine.attempts.failures, mine.attempts.problem) == (Phase.WAITING, 0, "")
    tries = [call.at_s - began_s for call in scene.cloud.calls if call.kind == "workspaces"]
    assert tries == pytest.approx([0, 30, 90, 210, 450, 930], abs=1)
    assert [told.wait_s for told in scene.telemetry.of(TargetBackedOff)] == [30, 60, 120, 240, 480]
    assert [told.failures for told in scene.telemetry.of(TargetRestored)] == [5]
    assert sorted(scene.cloud.accepted) == ["nb1", "nb2"]


async def test_the_schedule_does_not_cut_a_wait_short_but_a_person_does() -> None:
    """After a failure the schedule comes round within the wait, in vain; somebody who asks is served at once."""
    scene = world(*fleet(2))
    scene.cloud.inject("workspaces", AWAY)
    mine = runner(scene)
    async with at_work(mine):
        await asyncio.sleep(1)
        mine.due()
        await asyncio.sleep(5)
        mine.due()
        await asyncio.sleep(5)
        assert (mine.phase, len(scene.cloud.sent("workspaces"))) == (Phase.BACKING_OFF, 1)
        assert mine.ask("alice (page)") is Answer.ACCEPTED
        await asyncio.sleep(1)
        assert len(scene.cloud.sent("workspaces")) == 2


async def test_a_paused_target_is_not_swept_until_it_is_resumed() -> None:
    """Neither by its schedule nor by a failure's second try; its state shows no next run."""
    scene = world(*fleet(2))
    mine = runner(scene)
    async with at_work(mine):
        await asyncio.sleep(1)
        await mine.pause.begin(PAUSE)
        mine.due()
        await asyncio.sleep(3600)
        assert (scene.cloud.calls, mine.state().next_run) == ([], None)
        await mine.pause.end(Resumption("research", NOON, "carol"))
        mine.due()
        await asyncio.sleep(60)
    assert len(scene.cloud.accepted) == 2
    assert mine.state().next_run == NOON + timedelta(days=1)


async def test_a_pause_is_known_to_the_next_process_before_its_schedule_comes_round() -> None:
    """The second runner stands for a restart; it is due at once, before it has read anything."""
    scene = world(*fleet(2))
    first = runner(scene)
    async with at_work(first):
        await asyncio.sleep(1)
        await first.pause.begin(PAUSE)
    second = runner(scene)
    second.due()
    async with at_work(second):
        await asyncio.sleep(3600)
        assert (scene.cloud.accepted, second.state().paused) == ([], True)
        await second.pause.end(Resumption("research", NOON, "carol"))
        second.due()
        await asyncio.sleep(60)
    assert len(scene.cloud.accepted) == 2


async def test_a_pause_that_cannot_be_read_keeps_the_fleet() -> None:
    """In doubt nothing is swept: the target fails and backs off, until the journal can be read again."""
    scene = world(*fleet(2))
    mine = runner(scene)
    asked: list[str] = []

    async def unreadable(target: str) -> None:
        asked.append(target)
        if len(asked) < 4:
            raise JournalError("the journal is locked")

    scene.journal.control.pause_of = unreadable  # type: ignore[method-assign]
    async with at_work(mine):
        await asyncio.sleep(1)
        assert mine.ask("alice (page)") is Answer.ACCEPTED
        await asyncio.sleep(20)
        assert (scene.cloud.calls, mine.attempts.failures, mine.attempts.problem) == ([], 1, "the journal is locked")
        await asyncio.sleep(200)
    assert len(scene.cloud.accepted) == 2


async def test_a_sweep_that_somebody_requested_is_theirs_on_record_and_the_scheduled_ones_are_of_the_service() -> None:
    """The name and the way of the request are those of its run; a later sweep by the schedule does not keep them."""
    scene = world(*fleet(2))
    mine = runner(scene)
    async with at_work(mine):
        await asyncio.sleep(1)
        mine.ask("alice (page)")
        await asyncio.sleep(60)
        mine.due()
        await asyncio.sleep(60)
    assert [record.started_by for record in reversed(await scene.journal.runs(10))] == ["alice (page)", "service"]


async def test_a_sweep_requested_while_paused_is_refused_and_not_kept_for_later() -> None:
    """After the pause, only a new request or the schedule begins a sweep."""
    scene = world(*fleet(2))
    mine = runner(scene)
    async with at_work(mine):
        await asyncio.sleep(1)
        await mine.pause.begin(PAUSE)
        assert mine.ask("alice (page)") is Answer.PAUSED
        await mine.pause.end(Resumption("research", NOON, "carol"))
        await asyncio.sleep(3600)
        assert scene.cloud.accepted == []
        assert mine.ask("alice (page)") is Answer.ACCEPTED
        await asyncio.sleep(60)
    assert len(scene.cloud.accepted) == 2


async def test_a_pause_that_cannot_be_recorded_holds_until_it_is_recorded_or_taken_back() -> None:
    """A look into the journal does not find it there, records it, and takes nothing back."""
    scene = world(*fleet(2))
    mine = runner(scene)
    record, away = scene.journal.control.pause, True

    async def locked(pause: Pause) -> None:
        if away:
            raise JournalError("the journal is locked")
        await record(pause)

    scene.journal.control.pause = locked  # type: ignore[method-assign]
    async with at_work(mine):
        await asyncio.sleep(1)
        with pytest.raises(JournalError):
            await mine.pause.begin(PAUSE)
        with pytest.raises(JournalError):
            await look_for_pause(scene, mine)
        mine.due()
        await asyncio.sleep(3600)
        assert (scene.cloud.calls, mine.state().paused) == ([], True)
        away = False
        await look_for_pause(scene, mine)
        assert (mine.state().pause, await scene.journal.control.pauses()) == (PAUSE, (PAUSE,))
        await mine.pause.end(Resumption("research", NOON, "carol"))
        await look_for_pause(scene, mine)
        assert (mine.state().pause, await scene.journal.control.pauses()) == (None, ())


async def test_each_pause_is_logged_also_one_that_replaces_another() -> None:
    """The same pause, seen again, is not."""
    scene = world(*fleet(1))
    mine = runner(scene)
    for pause in (PAUSE, replace(PAUSE, reason="still moving")):
        await scene.journal.control.pause(pause)
        await look_for_pause(scene, mine)
        await look_for_pause(scene, mine)
    assert [event.pause for event in scene.telemetry.of(TargetPaused)] == [
        "paused by alice since 2026-03-01 12:00Z: moving house",
        "paused by alice since 2026-03-01 12:00Z: still moving",
    ]


async def test_a_pause_with_an_end_ends_by_itself() -> None:
    """Until then nothing is swept and there is no next run; afterwards there is."""
    scene = world(*fleet(2))
    mine = runner(scene)
    async with at_work(mine):
        await asyncio.sleep(1)
        await mine.pause.begin(replace(PAUSE, until=NOON + timedelta(hours=2)))
        await asyncio.sleep(7100)
        assert (mine.ask("alice (page)"), mine.state().paused, mine.state().next_run) == (Answer.PAUSED, True, None)
        await asyncio.sleep(200)
        assert (mine.ask("alice (page)"), mine.state().paused) == (Answer.ACCEPTED, False)
        await asyncio.sleep(60)
    assert len(scene.cloud.accepted) == 2


async def test_a_skipped_sweep_says_who_has_paused_the_target_and_why() -> None:
    """The log line has all that a person needs to decide whether to resume it."""
    scene = world(*fleet(2))
    mine = runner(scene)
    async with at_work(mine):
        await asyncio.sleep(1)
        await mine.pause.begin(PAUSE)
        mine.due()
    (skipped,) = scene.telemetry.of(TargetSkipped)
    assert skipped.why == "it is paused by alice since 2026-03-01 12:00Z: moving house"


async def test_the_last_success_of_an_earlier_process_is_known_at_once() -> None:
    """From the journal, whatever became of the sweeps after it."""
    scene = world(*fleet(1))
    first = runner(scene)
    async with at_work(first):
        await asyncio.sleep(1)
        first.due()
        await asyncio.sleep(60)
    scene.cloud.inject("workspaces", AWAY)
    second = runner(scene)
    async with at_work(second):
        await asyncio.sleep(1)
        assert second.attempts.last_success == first.attempts.last_success is not None
        second.due()
        await asyncio.sleep(10)
        assert (second.attempts.failures, second.attempts.last_success) == (1, first.attempts.last_success)


async def test_in_dry_run_nothing_is_deleted() -> None:
    """`mode: dry-run`: the sweep is in the journal, and the fleet is there."""
    scene = world(*fleet(2))
    mine = runner(scene, dry_run=True)
    async with at_work(mine):
        await asyncio.sleep(1)
        mine.due()
        await asyncio.sleep(60)
    assert (await runs(scene), scene.cloud.accepted) == ([("run2", "dry-run")], [])


async def test_a_sweep_that_a_brake_refuses_is_neither_a_failure_nor_a_success() -> None:
    """Nothing is tried again before it is due, and the last success stays what it was: somebody has to look."""
    scene = world(*fleet(2))
    mine = runner(scene)
    mine.sweeper.brakes = Brakes(max_deletions=1, max_share=None)
    async with at_work(mine):
        await asyncio.sleep(1)
        mine.due()
        await asyncio.sleep(3600)
        assert (mine.phase, mine.attempts.failures, mine.attempts.last_success) == (Phase.WAITING, 0, None)
    assert (await runs(scene), scene.cloud.accepted) == ([("run2", "refused")], [])


async def test_a_journal_that_is_away_is_no_bug(monkeypatch: pytest.MonkeyPatch) -> None:
    """It cannot be asked whether somebody else still sweeps the target: that is a failure, in the journal's own words."""
    scene = world(*fleet(2))
    mine = runner(scene)
    other = TargetLease("research", Holder("other", "host", "", 1, 1), "cron", scene.clock.now(), scene.clock.now())
    mine.sweeper.options = replace(
        options(), lease=LeaseOptions(Holder("me", "host", "", 2, 2), timedelta(minutes=10), lambda _: None)
    )
    await scene.journal.leases.take(other, None)
    async with at_work(mine):
        await asyncio.sleep(1)
        mine.due()
        await asyncio.sleep(1)
        assert mine.phase is Phase.HELD_ELSEWHERE

        async def away() -> None:
            raise JournalError("its server is away")

        monkeypatch.setattr(scene.journal.leases, "all", away)
        await asyncio.sleep(60)
        assert (mine.phase, mine.attempts.problem) == (Phase.BACKING_OFF, "its server is away")


async def test_a_bug_in_one_sweep_ends_nothing_but_that_sweep() -> None:
    """It counts as a failure, with what it was in its problem."""
    scene = world(*fleet(2))
    scene.cloud.inject("workspaces", Fault(ZeroDivisionError("by nought")))
    mine = runner(scene)
    async with at_work(mine):
        await asyncio.sleep(1)
        mine.due()
        await asyncio.sleep(5)
        assert (mine.phase, mine.attempts.problem) == (Phase.BACKING_OFF, "a bug in nbsweep: ZeroDivisionError: by nought")
        await asyncio.sleep(600)
    assert len(scene.cloud.accepted) == 2


async def test_a_request_while_a_sweep_is_about_to_begin_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The journal is read before the sweep begins: a second click meanwhile is no second sweep."""
    scene = world(*fleet(2), pace=Pace(deletion_s=5))
    mine, control = runner(scene), scene.journal.control
    answers: list[Answer] = []
    pause_of = control.pause_of

    async def reading(target: str) -> Pause | None:
        if not answers:
            answers.append(mine.ask("alice (page)"))
        return await pause_of(target)

    async with at_work(mine):
        await asyncio.sleep(1)
        monkeypatch.setattr(control, "pause_of", reading)
        assert mine.ask("alice (page)") is Answer.ACCEPTED
        await asyncio.sleep(60)
    assert answers == [Answer.BUSY]
    assert len(scene.cloud.accepted) == 2


async def test_asking_twice_is_asking_once() -> None:
    """Nor is there anything to ask for while a sweep is under way."""
    scene = world(*fleet(2), pace=Pace(deletion_s=300))
    mine = runner(scene)
    async with at_work(mine):
        await asyncio.sleep(1)
        assert (mine.ask("alice (page)"), mine.ask("alice (page)")) == (Answer.ACCEPTED, Answer.BUSY)
        await asyncio.sleep(10)
        assert mine.ask("alice (page)") is Answer.BUSY


async def test_a_plan_can_be_made_at_any_time() -> None:
    """It changes nothing, and says what would go."""
    scene = world(*fleet(3))
    mine = runner(scene)
    async with at_work(mine):
        plan = await mine.plan()
    assert len(plan.items) == 3
    assert scene.cloud.accepted == []


@pytest.mark.parametrize(("failures", "seconds"), [(0, 0), (1, 30), (2, 60), (5, 480), (8, 3600), (100, 3600), (5000, 3600)])
def test_waits_double_up_to_an_hour(failures: int, seconds: float) -> None:
    """The first is half a minute."""
    assert wait_s(failures) == seconds


# ---- times that pass while nobody is there --------------------------------------------------------------------------------


def daily(scene: World, *, grace: timedelta = timedelta(hours=1), dry_run: bool = False) -> TargetRunner:
    """Return a runner that knows its due times: each day at 15:00; the world begins at noon."""
    mine = runner(scene, dry_run=dry_run)
    schedule = ScheduleSettings(cron="0 15 * * *", misfire_grace=grace)
    mine.due_times = DueTimes("research", schedule, scene.journal, scene.clock)
    return mine


async def lived(mine: TargetRunner, seconds: float) -> None:
    """Let it be there for so long, and then be gone."""
    async with at_work(mine):
        await asyncio.sleep(seconds)


@pytest.mark.parametrize(
    ("grace", "away_s", "made_up"),
    [(timedelta(hours=1), 120, True), (timedelta(minutes=1), 180, False), (timedelta(hours=1), 2 * 3600, False)],
)
async def test_a_time_that_passed_between_two_processes_is_made_up_for(
    grace: timedelta,
    away_s: float,
    made_up: bool,  # noqa: FBT001  # a parameter of the test
) -> None:
    """Stopped at 14:59 and started after 15:00: swept once within the grace, and told as missed after it."""
    scene = world(*fleet(2))
    await lived(daily(scene, grace=grace), 2 * 3600 + 59 * 60)
    assert scene.cloud.accepted == []
    await asyncio.sleep(away_s)
    await lived(daily(scene, grace=grace), 600)
    assert len(scene.cloud.accepted) == (2 if made_up else 0)
    assert [told.due for told in scene.telemetry.of(TargetMadeUp)] == ["2026-03-01T15:00:00+00:00"] * made_up
    assert len(scene.telemetry.of(TargetSkipped)) == (not made_up)
    told = len(scene.telemetry.of(TargetMadeUp)) + len(scene.telemetry.of(TargetSkipped))
    await lived(daily(scene, grace=grace), 600)
    assert len(scene.telemetry.of(TargetMadeUp)) + len(scene.telemetry.of(TargetSkipped)) == told


async def test_what_another_run_has_done_since_need_not_be_made_up_for() -> None:
    """Somebody swept by hand at 15:01; a dry run would not have counted."""
    for dry, sweeps in ((False, 1), (True, 2)):
        scene = world(*fleet(2))
        await lived(daily(scene), 2 * 3600 + 59 * 60)
        await asyncio.sleep(120)
        await runner(scene).sweeper.sweep(Run("by-hand", "ops", dry), approve)
        await lived(daily(scene), 600)
        assert len(await scene.journal.runs(10)) == sweeps


async def test_a_first_start_and_a_paused_target_make_up_for_nothing() -> None:
    """Nobody expected anything of a service that was not there before."""
    scene = world(*fleet(2))
    await asyncio.sleep(3 * 3600 + 60)
    await lived(daily(scene), 600)
    assert (scene.cloud.accepted, scene.telemetry.of(TargetSkipped)) == ([], [])
    await scene.journal.control.pause(PAUSE)
    await asyncio.sleep(24 * 3600)
    await lived(daily(scene), 600)
    assert (scene.cloud.accepted, len(scene.telemetry.of(TargetSkipped))) == ([], 1)
