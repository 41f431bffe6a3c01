import asyncio
from datetime import timedelta

import anyio
import pytest
from msgspec.structs import replace

from builders import NOON, ago, fleet, notebook, removal, run_record, target_lease
from nbsweep.core import lifecycle
from nbsweep.core.errors import AnswerLost, Forbidden
from nbsweep.core.events.removal import RecoveryFinished, RecoveryStarted, RemovalFinished, RemovalsLeftAlone
from nbsweep.core.lease import Holder
from nbsweep.core.lifecycle import Removal, State
from nbsweep.core.model import Status
from nbsweep.engine.options import LeaseOptions
from nbsweep.engine.recovery import close_crashed_runs, recover, report_left_alone
from nbsweep.testing import Fault
from unit.engine.world import AREA, FOR_EVER_S, IDENTITY, POLLING, World, virtual_time, world

pytestmark = virtual_time

DEADLINE = timedelta(minutes=30)


def planned(number: int = 1) -> Removal:
    """Return a planned removal in the project that the fake cloud shows."""
    return removal(number, project=IDENTITY.project)


def requested(number: int = 1, **before: float) -> Removal:
    """Return a removal that was requested so long before, one minute when nothing is said."""
    return lifecycle.request(planned(number), ago(**before or {"minutes": 1}), DEADLINE)


def accepted(number: int = 1, **before: float) -> Removal:
    """Return a removal that was accepted so long before."""
    moment = ago(**before or {"minutes": 1})
    return lifecycle.accept(lifecycle.request(planned(number), moment, DEADLINE), moment, "request-7")


async def recovered(scene: World, *left: Removal, stop: anyio.Event | None = None) -> dict[str, Removal]:
    """Recover from what an earlier run has left; gives the removals that were brought to an end."""
    await scene.journal.write(left)
    scene.story.clear()
    with anyio.fail_after(FOR_EVER_S):
        ended = await recover("research", IDENTITY, scene.ports, POLLING, stop or anyio.Event())
    assert scene.cloud.sent("delete") == scene.cloud.sent("stop") == []
    journaled = await scene.journaled()
    assert all(journaled[one.notebook_id] == one for one in ended)
    return {one.notebook_id: one for one in ended}


async def test_nothing_left_is_nothing_done() -> None:
    """No call, no event."""
    scene = world(notebook())
    assert await recovered(scene) == {}
    assert scene.cloud.calls == []
    assert scene.telemetry.records == []


@pytest.mark.parametrize("state", [State.PLANNED, State.STOPPING])
async def test_what_was_never_requested_is_spared(state: State) -> None:
    """There was no DELETE; the new run decides anew. Not even a look is needed."""
    scene = world(notebook(status=Status.RUNNING))
    left = planned() if state is State.PLANNED else lifecycle.stop(planned(), ago(minutes=1), DEADLINE)
    ended = await recovered(scene, left)
    assert (ended["nb1"].state, ended["nb1"].end_reason) == (State.SPARED, "an earlier run was interrupted before its DELETE")
    assert scene.cloud.calls == []


@pytest.mark.parametrize("left", [requested(), accepted()])
async def test_what_is_gone_meanwhile_is_deleted(left: Removal) -> None:
    """We had asked for it, and a look proves it."""
    ended = await recovered(world(), left)
    assert (ended["nb1"].state, ended["nb1"].requests) == (State.DELETED, 1)


@pytest.mark.parametrize("left", [requested(), accepted()])
async def test_what_is_still_being_deleted_is_followed_to_its_end(left: Removal) -> None:
    """A minute later it is gone."""
    scene = world(notebook(status=Status.DELETING))
    scene.cloud.at(scene.clock.steady_s() + 60, lambda: scene.cloud.vanish("nb1"))
    ended = await recovered(scene, left)
    assert ended["nb1"].state is State.DELETED
    assert ended["nb1"].ended_at
    assert ended["nb1"].ended_at >= NOON + timedelta(seconds=60)


async def test_a_delete_that_shows_no_effect_is_not_sent_again() -> None:
    """Requested a minute ago, and still STOPPED: it was lost with the process. Spared; this run decides again."""
    ended = await recovered(world(notebook()), requested())
    assert ended["nb1"].state is State.SPARED
    assert "shows no effect" in ended["nb1"].end_reason


async def test_a_delete_of_just_now_is_given_time_to_show() -> None:
    """The process died a second after it was sent; reads may be stale, and at 20 s DELETING shows after all."""
    scene = world(notebook())
    scene.cloud.at(scene.clock.steady_s() + 20, lambda: scene.cloud.change("nb1", status=Status.DELETING))
    scene.cloud.at(scene.clock.steady_s() + 90, lambda: scene.cloud.vanish("nb1"))
    ended = await recovered(scene, requested(seconds=1))
    assert ended["nb1"].state is State.DELETED


async def test_a_repeated_delete_of_just_now_is_given_time_to_show() -> None:
    """The first DELETE was lost two minutes ago, the second was sent a second before the process died: that one counts."""
    scene = world(notebook())
    scene.cloud.at(scene.clock.steady_s() + 20, lambda: scene.cloud.change("nb1", status=Status.DELETING))
    scene.cloud.at(scene.clock.steady_s() + 90, lambda: scene.cloud.vanish("nb1"))
    twice = lifecycle.request(requested(minutes=2), ago(seconds=1), DEADLINE)
    ended = await recovered(scene, twice)
    assert ended["nb1"].state is State.DELETED


async def test_a_failed_deletion_is_reported_and_not_repeated() -> None:
    """DELETE_FAILED, an hour after it was accepted."""
    ended = await recovered(world(notebook(status=Status.DELETE_FAILED, fail_reason="disk is stuck")), accepted(hours=1))
    done = ended["nb1"]
    assert (done.state, done.failures, done.end_reason) == (State.FAILED, 1, "DELETE_FAILED: disk is stuck")


async def test_the_deadline_is_that_of_the_journal() -> None:
    """Accepted 29 minutes before, and DELETING for ever: one minute is left of its half hour."""
    ended = await recovered(world(notebook(status=Status.DELETING)), accepted(minutes=29))
    done = ended["nb1"]
    assert done.state is State.TIMED_OUT
    assert done.ended_at
    assert timedelta(minutes=1) <= done.ended_at - NOON <= timedelta(minutes=1, seconds=30)


async def test_a_deadline_that_passed_while_nobody_ran_still_gets_a_look() -> None:
    """A day later: what is gone is DELETED, what is still DELETING is TIMED_OUT."""
    scene = world(notebook(2, status=Status.DELETING))
    ended = await recovered(scene, accepted(1, days=1), accepted(2, days=1))
    assert (ended["nb1"].state, ended["nb2"].state) == (State.DELETED, State.TIMED_OUT)


async def test_looks_that_fail_are_repeated() -> None:
    """Two answers are lost, the third is the proof."""
    scene = world()
    scene.cloud.inject("show", *[Fault(AnswerLost("no answer"))] * 2)
    assert (await recovered(scene, accepted()))["nb1"].state is State.DELETED


async def test_an_interrupted_recovery_leaves_the_rest_to_the_next() -> None:
    """Stopped after seven seconds: what is PLANNED and what is gone has an end, what is DELETING stays as it is."""
    scene = world(notebook(3, status=Status.DELETING))
    stop = anyio.Event()
    asyncio.get_running_loop().call_later(7, stop.set)
    ended = await recovered(scene, planned(1), accepted(2), accepted(3), stop=stop)
    assert {key: one.state for key, one in ended.items()} == {"nb1": State.SPARED, "nb2": State.DELETED}
    assert scene.clock.now() - NOON == timedelta(seconds=7)
    [left] = await scene.journal.unfinished("research")
    assert (left.notebook_id, left.state) == ("nb3", State.ACCEPTED)
    scene.cloud.vanish("nb3")
    second = await recover("research", IDENTITY, scene.ports, POLLING, anyio.Event())
    assert [one.state for one in second] == [State.DELETED]


async def test_an_account_that_refuses_us_ends_it() -> None:
    """What it found out before is in the journal."""
    scene = world()
    scene.cloud.inject("show", Fault(Forbidden("not allowed")), notebook_id="nb2")
    with pytest.raises((Forbidden, ExceptionGroup)):
        await recovered(scene, planned(1), accepted(2))
    journaled = await scene.journaled()
    assert (journaled["nb1"].state, journaled["nb2"].state) == (State.SPARED, State.ACCEPTED)


ELSEWHERE = AREA.identity("f" * 32).project


@pytest.mark.parametrize(
    "changes",
    [
        {"project": ELSEWHERE},
        {"project": ELSEWHERE, "target": "teaching"},
        {"feature": "DEFAULT", "target": "teaching"},
        {"project": "", "target": "teaching"},
    ],
    ids=["moved", "another target", "not covered", "another target of an older version"],
)
async def test_only_its_own_target_is_touched(changes: dict[str, str]) -> None:
    """What is in another project, or not covered by the target, is no business of its sweep's; least of all its end."""
    scene = world()
    other = replace(accepted(2), **changes)
    await scene.journal.write([other])
    assert set(await recovered(scene, accepted(1))) == {"nb1"}
    assert await scene.journal.unfinished() == (other,)
    assert "nb2" not in scene.cloud.sent("show")


async def test_what_the_target_left_under_its_earlier_name_is_followed() -> None:
    """A target is what it covers; the removal keeps the run and the name that it was planned under."""
    scene = world()
    left = replace(accepted(1), target="old-name")
    found = await recovered(scene, left)
    assert (found["nb1"].state, found["nb1"].target, found["nb1"].run_id) == (State.DELETED, "old-name", "run1")


async def test_what_the_target_left_in_a_workspace_that_it_covers_no_more_is_followed_by_its_name() -> None:
    """Nobody else would."""
    scene = world()
    await scene.journal.write([replace(accepted(1), workspace_id="w9", feature="DEFAULT")])
    assert set(await recovered(scene)) == {"nb1"}


async def test_where_the_project_is_not_on_record_not_existing_proves_nothing() -> None:
    """An older nbsweep has written it; it may be in the project that the target was then, and is not called deleted."""
    scene = world()
    found = await recovered(scene, replace(accepted(1), project=""), replace(requested(2), project=""))
    assert {removal.state for removal in found.values()} == {State.TIMED_OUT}
    assert all("did not record its project" in removal.end_reason for removal in found.values())
    assert {removal.project for removal in found.values()} == {""}


async def test_where_the_project_is_not_on_record_the_notebook_itself_shows_it() -> None:
    """It is there, so it is in this project; from then on its absence proves what it always does."""
    scene = world(notebook(1, status=Status.DELETING))
    scene.cloud.at(scene.clock.steady_s() + 60, lambda: scene.cloud.vanish("nb1"))
    found = await recovered(scene, replace(accepted(1), project=""))
    assert (found["nb1"].state, found["nb1"].project) == (State.DELETED, IDENTITY.project)


async def test_where_nobody_can_tell_the_project_now_it_is_left_to_the_next_run() -> None:
    """The question by id went unanswered; nothing is concluded from that, and what is known comes to its end."""
    scene = world()
    scene.cloud.inject("show", Fault(AnswerLost("no answer")), notebook_id="nb1")
    unknown = replace(accepted(1), project="")
    assert set(await recovered(scene, unknown, accepted(2))) == {"nb2"}
    assert await scene.journal.unfinished() == (unknown,)


async def test_what_was_never_begun_is_spared_though_its_project_is_not_on_record() -> None:
    """The journal alone says so."""
    scene = world()
    found = await recovered(scene, removal(1))
    assert (found["nb1"].state, scene.cloud.sent("show")) == (State.SPARED, [])


async def test_what_nobody_follows_is_told() -> None:
    """By what its target was called and its project, unless somebody is sweeping it now."""
    scene = world()
    alive, dead = (Holder(owner, "vm", "m", pid, pid) for pid, owner in enumerate(("alive", "dead"), 1))
    how = LeaseOptions(Holder("me", "vm", "m", 9, 9), timedelta(seconds=60), lambda holder: holder is alive)
    moved, swept, gone = (replace(accepted(1), project=AREA.identity(name * 32).project, target=name) for name in "abc")
    await scene.journal.write([moved, swept, gone, accepted(2)])
    for holder, name in ((alive, "b"), (dead, "c")):
        identity = AREA.identity(name * 32)
        await scene.journal.leases.take(
            target_lease(target=name, holder=holder, project=identity.project, extent=identity.extent), None
        )
    await report_left_alone({"research": IDENTITY, "a": IDENTITY}, scene.ports, how)
    told = scene.telemetry.of(RemovalsLeftAlone)
    assert [(event.left_target, event.removals) for event in told] == [("a", 1), ("c", 1)]
    assert "target a is another project now" in told[0].problem
    assert "no target of the configuration covers them" in told[1].problem


async def test_recovery_is_told() -> None:
    """How many there were, each end, and the sum."""
    scene = world(*fleet(1))
    await recovered(scene, planned(1), accepted(2))
    assert [event.unfinished for event in scene.telemetry.of(RecoveryStarted)] == [2]
    assert len(scene.telemetry.of(RemovalFinished)) == 2
    [finished] = scene.telemetry.of(RecoveryFinished)
    assert finished.counts == {"deleted": 1, "failed": 0, "timed_out": 0, "spared": 1}


async def test_a_run_that_crashed_is_closed_with_what_it_had_planned() -> None:
    """The journal calls it running for ever otherwise; the run that recovers, and another target's, are left as they are."""
    scene = world()
    for run_id, target in (("old", "research"), ("now", "research"), ("old", "teaching")):
        await scene.journal.open_run(run_record(run_id, target=target))
    await scene.journal.write([removal(1, run_id="old"), removal(2, run_id="old"), removal(3, run_id="old", target="teaching")])
    await close_crashed_runs("research", IDENTITY, "now", scene.ports)
    closed = {(run.run_id, run.target): (run.outcome, run.planned) for run in await scene.journal.runs(9)}
    assert closed == {
        ("old", "research"): ("interrupted", 2),
        ("now", "research"): ("running", 0),
        ("old", "teaching"): ("running", 0),
    }
