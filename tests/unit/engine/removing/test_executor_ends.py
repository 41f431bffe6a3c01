import asyncio
from datetime import timedelta

import anyio
import pytest

from builders import NOON, fleet, notebook, removal
from nbsweep.core.errors import (
    AnswerLost,
    Forbidden,
    JournalError,
    SweepEnding,
    Unauthorized,
    Unreachable,
    WrongAddress,
)
from nbsweep.core.events.removal import RemovalFinished
from nbsweep.core.events.sweep import SweepStopping
from nbsweep.core.lifecycle import Removal, State
from nbsweep.core.model import Status
from nbsweep.core.pacing import Rate
from nbsweep.engine.options import SurveyFacts
from nbsweep.engine.removing.executor import Executor
from nbsweep.testing import LOST_BEFORE, NO_FAULT, Fault, Pace
from unit.engine.world import FORGOTTEN, World, carry_out, carry_out_until_error, options, virtual_time, world

pytestmark = virtual_time

ENDINGS = [Unauthorized("bad key"), Forbidden("not allowed"), WrongAddress("no such address"), Unreachable("away")]


def stop_after(scene: World, seconds: float) -> None:
    """Ask for a shutdown after so many seconds."""
    asyncio.get_running_loop().call_later(seconds, scene.shutdown.begun.set)


def hurry_after(scene: World, seconds: float) -> None:
    """Ask for haste after so many seconds."""
    asyncio.get_running_loop().call_later(seconds, scene.shutdown.hurried.set)


# ---- what ends everything -------------------------------------------------------------------------------------------------


async def test_a_delete_without_effect_does_not_keep_an_interrupted_sweep_from_its_end() -> None:
    """Its answer was lost, and no look shows anything: once it cannot arrive any more it is spared, and nobody looks again."""
    scene = world(*fleet(3), pace=Pace(deletion_s=5))
    scene.cloud.inject("delete", LOST_BEFORE, notebook_id="nb1")
    stop_after(scene, 1)
    removals = await carry_out(scene, options(workers=3, drain=timedelta(seconds=600)), *fleet(3))
    assert (removals["nb1"].state, removals["nb1"].requests) == (State.SPARED, 1)
    assert removals["nb1"].end_reason == "its DELETE shows no effect, and an interruption has stopped the sweep"
    assert scene.clock.steady_s() < 60
    assert len([line for line in scene.story if line == "show nb1"]) < 15


@pytest.mark.parametrize("error", ENDINGS)
async def test_an_account_that_refuses_us_ends_the_sweep_with_all_that_was_done_written_down(error: SweepEnding) -> None:
    """The third look is refused: the two accepted ones are followed to their end, nothing more is sent, the rest is spared."""
    scene = world(*fleet(6))
    scene.cloud.inject("show", Fault(error), notebook_id="nb3")
    ended_by, journaled = await carry_out_until_error(scene, options(workers=1), *fleet(6))
    assert ended_by is error
    assert scene.cloud.sent("delete") == ["nb1", "nb2"]
    assert [done.state for done in journaled.values()] == [State.DELETED] * 2 + [State.SPARED] * 4
    assert {journaled[f"nb{number}"].end_reason for number in range(3, 7)} == {"interrupted before its DELETE"}
    assert len(scene.telemetry.of(RemovalFinished)) == 6


@pytest.mark.parametrize("error", ENDINGS)
async def test_a_delete_that_the_account_may_not_send_ends_the_sweep(error: SweepEnding) -> None:
    """The cloud has refused it, so it has failed; no other DELETE is tried, and what was accepted is followed to its end."""
    scene = world(*fleet(4))
    scene.cloud.inject("delete", Fault(error), notebook_id="nb2")
    ended_by, journaled = await carry_out_until_error(scene, options(workers=1), *fleet(4))
    assert ended_by is error
    assert scene.cloud.sent("delete") == ["nb1", "nb2"]
    assert [done.state for done in journaled.values()] == [State.DELETED, State.FAILED, State.SPARED, State.SPARED]
    assert journaled["nb2"].end_reason == str(error)


async def test_a_cloud_that_never_settles_what_was_requested_does_not_keep_an_ended_sweep() -> None:
    """The account refuses a DELETE while another's answer is lost, which shows no effect for as long as it may arrive."""
    scene = world(*fleet(3))
    scene.cloud.inject("delete", Fault(AnswerLost("lost")), notebook_id="nb1")
    scene.cloud.inject("delete", Fault(Forbidden("not you")), notebook_id="nb2")
    ended_by, journaled = await carry_out_until_error(scene, options(workers=1), *fleet(3))
    assert isinstance(ended_by, Forbidden)
    assert [done.state for done in journaled.values()] == [State.SPARED, State.FAILED, State.SPARED]
    assert scene.cloud.sent("delete") == ["nb1", "nb2"]


async def test_an_account_that_refuses_the_poller_ends_the_sweep() -> None:
    """What is accepted stays so in the journal."""
    scene = world(notebook())
    scene.cloud.inject("show", NO_FAULT, Fault(Unauthorized("the key was withdrawn")))
    ended_by, journaled = await carry_out_until_error(scene, options(), notebook())
    assert isinstance(ended_by, Unauthorized)
    assert journaled["nb1"].state is State.ACCEPTED


async def test_without_a_journal_no_delete_leaves() -> None:
    """REQUESTED cannot be written: that ends the sweep, and the DELETE is never sent."""
    scene = world(*fleet(3))
    scene.journal.fault = lambda row: JournalError("disk full") if row.state is State.REQUESTED else None
    ended_by, journaled = await carry_out_until_error(scene, options(), *fleet(3))
    assert isinstance(ended_by, JournalError)
    assert scene.cloud.sent("delete") == []
    assert {done.state for done in journaled.values()} == {State.SPARED}


async def test_a_journal_that_stays_broken_is_what_ended_the_sweep() -> None:
    """The first write after the plan fails, and so does the last: no DELETE, and the rows stay PLANNED."""
    scene = world(*fleet(3))
    scene.journal.fault = lambda row: JournalError("disk full") if row.state is not State.PLANNED else None
    ended_by, journaled = await carry_out_until_error(scene, options(), *fleet(3))
    assert isinstance(ended_by, JournalError)
    assert scene.cloud.sent("delete") == []
    assert {done.state for done in journaled.values()} == {State.PLANNED}


async def test_a_journal_that_breaks_behind_a_delete_keeps_it_requested() -> None:
    """ACCEPTED cannot be written: the sweep ends, and REQUESTED on disk is what the next run begins with."""
    scene = world(*fleet(3))
    scene.journal.fault = lambda row: JournalError("disk full") if row.state is State.ACCEPTED else None
    ended_by, journaled = await carry_out_until_error(scene, options(workers=1), *fleet(3))
    assert isinstance(ended_by, JournalError)
    assert scene.cloud.sent("delete") == ["nb1"]
    assert [done.state for done in journaled.values()] == [State.REQUESTED, State.SPARED, State.SPARED]


async def test_a_bug_is_raised_as_one_and_nothing_planned_stays_open() -> None:
    """Something that no port promises comes out as it is."""
    scene = world(*fleet(3))
    scene.cloud.inject("show", Fault(ZeroDivisionError("a bug")), notebook_id="nb2")
    with pytest.raises(ExceptionGroup) as caught:
        await carry_out(scene, options(workers=1), *fleet(3))
    assert caught.group_contains(ZeroDivisionError)
    assert [done.state for done in (await scene.journaled()).values()] == [State.ACCEPTED, State.SPARED, State.SPARED]


# ---- shutdown -------------------------------------------------------------------------------------------------------------


async def test_a_shutdown_takes_no_more_and_follows_what_is_accepted_to_its_end() -> None:
    """One DELETE in five seconds, stopped at 12: those of 0, 5 and 10 s end DELETED, the other seven are spared."""
    scene = world(*fleet(10), pace=Pace(delete_rate=Rate(1, 5.0)))
    stop_after(scene, 12)
    removals = await carry_out(scene, options(workers=1), *fleet(10))
    assert scene.cloud.accepted == ["nb1", "nb2", "nb3"]
    assert [done.state for done in removals.values()] == [State.DELETED] * 3 + [State.SPARED] * 7
    assert {removals[f"nb{number}"].end_reason for number in range(4, 11)} == {"interrupted before its DELETE"}
    [told] = scene.telemetry.of(SweepStopping)
    assert (told.following, told.drain_s) == (3, 60)


async def test_a_shutdown_ends_as_soon_as_everything_has_an_end() -> None:
    """Deletions end by 22 s; the drain of a minute is a limit and no wait."""
    scene = world(*fleet(2))
    stop_after(scene, 1)
    await carry_out(scene, options(), *fleet(2))
    assert scene.clock.now() - NOON <= timedelta(seconds=30)


async def test_a_shutdown_leaves_unfinished_what_outlasts_its_limit() -> None:
    """Deletions of an hour, stopped at 10 s, drained for 60: over at 70 s, with ACCEPTED in the journal for the next run."""
    scene = world(*fleet(2), pace=Pace(deletion_s=3600))
    stop_after(scene, 10)
    removals = await carry_out(scene, options(), *fleet(2))
    assert {done.state for done in removals.values()} == {State.ACCEPTED}
    assert scene.clock.now() - NOON == timedelta(seconds=70)
    assert len(await scene.journal.unfinished("research")) == 2


async def test_a_second_signal_hurries() -> None:
    """Stopped at 10 s, hurried at 15: over at 15."""
    scene = world(*fleet(2), pace=Pace(deletion_s=3600))
    stop_after(scene, 10)
    hurry_after(scene, 15)
    removals = await carry_out(scene, options(), *fleet(2))
    assert {done.state for done in removals.values()} == {State.ACCEPTED}
    assert scene.clock.now() - NOON == timedelta(seconds=15)


async def test_a_sweep_that_is_stopped_before_it_begins_sends_nothing() -> None:
    """Everything is spared, without a single call."""
    scene = world(*fleet(5))
    scene.shutdown.begun.set()
    removals = await carry_out(scene, options(), *fleet(5))
    assert {done.state for done in removals.values()} == {State.SPARED}
    assert scene.cloud.calls == []


async def test_a_shutdown_sends_no_unanswered_delete_again() -> None:
    """Its answer was lost before the stop: where the drain ends before it may be given up, it stays open for the next run."""
    scene = world(notebook())
    scene.cloud.inject("delete", LOST_BEFORE)
    stop_after(scene, 2)
    removals = await carry_out(scene, options(drain=timedelta(seconds=20)), notebook())
    assert scene.cloud.sent("delete") == ["nb1"]
    assert removals["nb1"].state is State.REQUESTED
    assert scene.clock.now() - NOON == timedelta(seconds=22)


async def test_a_shutdown_repeats_no_failed_deletion() -> None:
    """A retry would be allowed, but not now."""
    scene = world(notebook())
    scene.cloud.inject("delete", Fault(ends_in=Status.DELETE_FAILED))
    stop_after(scene, 2)
    removals = await carry_out(scene, options(), notebook())
    done = removals["nb1"]
    assert (done.state, done.failures, scene.cloud.accepted) == (State.FAILED, 1, ["nb1"])


async def test_a_shutdown_deletes_nothing_that_it_has_only_stopped() -> None:
    """The stop is done when the shutdown has begun: spared, as far as it got."""
    scene = world(notebook(status=Status.RUNNING))
    stop_after(scene, 2)
    removals = await carry_out(scene, options(FORGOTTEN), notebook(status=Status.RUNNING))
    assert (removals["nb1"].state, scene.cloud.sent("delete")) == (State.SPARED, [])


# ---- cancellation ---------------------------------------------------------------------------------------------------------


async def cancelled_after(scene: World, seconds: float) -> dict[str, Removal]:
    """Execute three removals, one worker, and cancel from outside; gives what the journal has then."""
    executor = Executor(scene.ports, options(workers=1), SurveyFacts({}), scene.shutdown)
    await scene.journal.write([removal(number) for number in (1, 2, 3)])
    with anyio.move_on_after(seconds):
        await executor.execute([removal(number) for number in (1, 2, 3)])
    return await scene.journaled()


async def test_a_cancelled_sweep_gives_the_planned_ones_an_end() -> None:
    """The last write survives the cancellation, even when it takes a second."""
    scene = world(*fleet(3), pace=Pace(answer_s=2))
    scene.cloud.inject("delete", Fault(then=lambda: setattr(scene.journal, "write_s", 1.0)))
    journaled = await cancelled_after(scene, 5)
    assert [done.state for done in journaled.values()] == [State.REQUESTED, State.SPARED, State.SPARED]


async def test_a_cancelled_sweep_waits_for_its_last_write_no_longer_than_three_seconds() -> None:
    """A journal that hangs does not keep the process from ending."""
    scene = world(*fleet(3), pace=Pace(answer_s=2))
    scene.cloud.inject("delete", Fault(then=lambda: setattr(scene.journal, "write_s", 3600.0)))
    journaled = await cancelled_after(scene, 5)
    assert [done.state for done in journaled.values()] == [State.REQUESTED, State.PLANNED, State.PLANNED]
    assert scene.clock.now() - NOON == timedelta(seconds=8)


async def test_a_delete_that_never_left_is_taken_back_by_the_last_write() -> None:
    """It waits for its lane when all is cancelled: whoever looks later need not wonder what has become of it."""
    scene = world(*fleet(3))
    scene.cloud.inject("delete", Fault(lane_s=3600))
    journaled = await cancelled_after(scene, 5)
    assert scene.cloud.sent("delete") == []
    assert [(done.state, done.requests) for done in journaled.values()] == [(State.SPARED, 0)] * 3
    assert scene.story.count("REQUESTED nb1") == 1


async def test_an_end_whose_write_was_cancelled_is_the_end_that_is_written_last() -> None:
    """nb1 has vanished, and the sweep is cancelled while that is being written: it gets no other end, and is told of once."""
    scene = world(*fleet(3)[1:])
    scene.journal.write_s = 1.0
    journaled = await cancelled_after(scene, 0.5)
    assert [done.state for done in journaled.values()] == [State.SPARED, State.SPARED, State.SPARED]
    assert journaled["nb1"].end_reason == "vanished: somebody else deleted it before its DELETE"
    told = [event.end_reason for event in scene.telemetry.of(RemovalFinished)]
    assert sorted(told) == sorted(done.end_reason for done in journaled.values())
