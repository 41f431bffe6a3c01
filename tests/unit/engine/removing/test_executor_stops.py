from datetime import timedelta

import pytest
from msgspec.structs import replace

from builders import NOON, notebook
from nbsweep.core.errors import AlreadyStopped, Gone, Rejected
from nbsweep.core.events.removal import RemovalStopping
from nbsweep.core.judging.rules import Policy, Running
from nbsweep.core.lifecycle import State
from nbsweep.core.matching.conditions import AllOf, TextIs
from nbsweep.core.matching.globs import Glob
from nbsweep.core.model import Notebook, Status
from nbsweep.testing import LOST_AFTER, LOST_BEFORE, Fault
from unit.engine.world import FORGOTTEN, IDLE, World, carry_out, options, virtual_time, world

pytestmark = virtual_time

RUNNING_TOO_LONG = Policy("runs", AllOf((TextIs("status", (Glob("RUNNING"),)), *FORGOTTEN.match.parts)), Running.STOP)


def running() -> Notebook:
    """Return a running notebook that was not used for 200 days."""
    return notebook(status=Status.RUNNING)


def later(scene: World, seconds: float, status: Status) -> None:
    """Let the owner bring the notebook into a state after so many seconds."""
    scene.cloud.at(scene.clock.steady_s() + seconds, lambda: scene.cloud.change("nb1", status=status))


async def test_what_runs_is_stopped_and_then_deleted() -> None:
    """Stopped within ten seconds, seen so at 12.5 s, looked at once more, and then deleted."""
    scene = world(running())
    removals = await carry_out(scene, options(FORGOTTEN), running())
    assert scene.story[:9] == [
        "PLANNED nb1",
        "show nb1",
        "STOPPING nb1",
        "stop nb1",
        "show nb1",
        "show nb1",
        "show nb1",
        "REQUESTED nb1",
        "delete nb1",
    ]
    done = removals["nb1"]
    assert (done.state, done.requests, done.status_before) == (State.DELETED, 1, Status.RUNNING)
    assert len(scene.telemetry.of(RemovalStopping)) == 1


async def test_what_our_own_stop_changes_speaks_against_nothing() -> None:
    """The policy asks for one that runs; stopped by us and dated anew, it still is that one."""
    scene = world(running())
    removals = await carry_out(scene, options(RUNNING_TOO_LONG), running())
    assert removals["nb1"].state is State.DELETED


async def test_what_is_protected_while_it_stops_is_spared() -> None:
    """The tag comes during the stop: no DELETE."""
    scene = world(running())
    scene.cloud.at(scene.clock.steady_s() + 8, lambda: scene.cloud.change("nb1", tags={"keep": "yes"}))
    removals = await carry_out(scene, options(FORGOTTEN), running())
    assert scene.cloud.sent("delete") == []
    assert (removals["nb1"].state, removals["nb1"].end_reason) == (State.SPARED, "protected by kept-tags: tags.keep yes (*)")


async def test_a_stop_that_never_arrived_is_ordered_again() -> None:
    """Its answer was lost, and half a minute later the notebook still runs: another stop, and then the DELETE."""
    scene = world(running())
    scene.cloud.inject("stop", LOST_BEFORE)
    removals = await carry_out(scene, options(FORGOTTEN), running())
    assert scene.cloud.sent("stop") == ["nb1", "nb1"]
    assert (removals["nb1"].state, scene.cloud.accepted) == (State.DELETED, ["nb1"])


async def test_a_stop_that_arrived_though_its_answer_was_lost_is_not_ordered_again() -> None:
    """The notebook is seen to stop; that is answer enough."""
    scene = world(running())
    scene.cloud.inject("stop", LOST_AFTER)
    removals = await carry_out(scene, options(FORGOTTEN), running())
    assert scene.cloud.sent("stop") == ["nb1"]
    assert removals["nb1"].state is State.DELETED


async def test_one_that_stopped_by_itself_meanwhile_is_deleted() -> None:
    """`already stopped` is what the stop was for."""
    scene = world(running())
    stopped = Fault(AlreadyStopped("it is stopped"), then=lambda: scene.cloud.change("nb1", status=Status.STOPPED))
    scene.cloud.inject("stop", stopped)
    removals = await carry_out(scene, options(FORGOTTEN), running())
    assert removals["nb1"].state is State.DELETED


async def test_one_that_is_gone_when_its_stop_arrives_was_not_deleted_by_us() -> None:
    """There was no DELETE of ours."""
    scene = world(running())
    scene.cloud.inject("stop", Fault(Gone("gone"), then=lambda: scene.cloud.vanish("nb1")))
    removals = await carry_out(scene, options(FORGOTTEN), running())
    assert scene.cloud.sent("delete") == []
    assert removals["nb1"].state is State.SPARED


async def test_one_that_cannot_be_stopped_has_failed() -> None:
    """The cloud refuses the stop for good, and there is no DELETE without it."""
    scene = world(running())
    scene.cloud.inject("stop", Fault(Rejected("the cloud refused: HTTP 400 ModelArts.6361")))
    removals = await carry_out(scene, options(FORGOTTEN), running())
    assert scene.cloud.sent("delete") == []
    assert removals["nb1"].state is State.FAILED
    assert removals["nb1"].end_reason == "it could not be stopped: the cloud refused: HTTP 400 ModelArts.6361"


async def test_an_owner_who_starts_it_again_after_our_stop_is_heard() -> None:
    """It is STARTING when it is looked at: somebody needs it."""
    scene = world(running())
    later(scene, 11, Status.STARTING)
    removals = await carry_out(scene, options(FORGOTTEN), running())
    assert (scene.cloud.sent("stop"), scene.cloud.sent("delete")) == (["nb1"], [])
    assert removals["nb1"].state is State.SPARED


async def test_an_owner_who_has_it_running_again_after_our_stop_is_heard() -> None:
    """The stop was accepted and done; one that runs after that was started by somebody, and is not stopped a second time."""
    scene = world(running())
    later(scene, 11, Status.RUNNING)
    removals = await carry_out(scene, options(FORGOTTEN), running())
    assert (scene.cloud.sent("stop"), scene.cloud.sent("delete")) == (["nb1"], [])
    assert removals["nb1"].state is State.SPARED


async def test_an_owner_who_starts_it_between_the_last_look_and_the_delete_is_heard() -> None:
    """6304 after our stop: it was stopped, and somebody has started it since."""
    scene = world(running())

    seen_stopped: list[str] = []

    def start_it() -> None:
        now = scene.cloud.truth("nb1")
        if now and now.status is Status.STOPPED:
            seen_stopped.append("by the poller" if not seen_stopped else "by the worker")
            if len(seen_stopped) > 1:
                scene.cloud.change("nb1", status=Status.RUNNING)

    scene.cloud.inject("show", *[Fault(then=start_it)] * 10)
    removals = await carry_out(scene, options(FORGOTTEN), running())
    assert (scene.cloud.sent("stop"), scene.cloud.accepted) == (["nb1"], [])
    assert removals["nb1"].state is State.SPARED


async def test_a_stop_that_never_ends_times_out() -> None:
    """STOPPING for ever: TIMED_OUT at the deadline, and no DELETE."""
    scene = world(running())
    scene.cloud.inject("stop", Fault(ends_in=Status.STOPPING))
    removals = await carry_out(scene, options(FORGOTTEN), running())
    done = removals["nb1"]
    assert (done.state, scene.cloud.sent("delete")) == (State.TIMED_OUT, [])
    assert done.ended_at
    assert timedelta(minutes=30) <= done.ended_at - NOON <= timedelta(minutes=30, seconds=30)


async def test_stops_without_effect_come_to_an_end() -> None:
    """It runs on whatever is ordered: by the deadline that is over, and there was no DELETE."""
    scene = world(running())
    scene.cloud.inject("stop", *[Fault(ends_in=Status.RUNNING)] * 500)
    removals = await carry_out(scene, options(FORGOTTEN, deadline=timedelta(minutes=5)), running())
    done = removals["nb1"]
    assert (done.ended, scene.cloud.sent("delete")) == (True, [])
    assert done.ended_at
    assert done.ended_at - NOON <= timedelta(minutes=6)


# ---- 6304: it runs after all ----------------------------------------------------------------------------------------------


async def test_one_that_must_be_stopped_first_is_spared_where_the_policy_skips_it() -> None:
    """Started after the second look; the next look finds it in use, and the policy does not match it any more."""
    scene = world(notebook())
    scene.cloud.inject("show", Fault(then=lambda: scene.cloud.change("nb1", status=Status.RUNNING)))
    removals = await carry_out(scene, options(IDLE), notebook())
    assert (scene.cloud.sent("stop"), scene.cloud.accepted) == ([], [])
    assert removals["nb1"].state is State.SPARED
    assert removals["nb1"].end_reason == "policy idle does not match any more: idle 0s (over 14d)"


async def test_one_that_must_be_stopped_first_is_stopped_where_the_policy_matches_it_running() -> None:
    """Started after the second look, but the policy goes by age alone and says `running: stop`: stopped, then deleted."""
    scene = world(notebook())
    scene.cloud.inject("show", Fault(then=lambda: scene.cloud.change("nb1", status=Status.RUNNING)))
    removals = await carry_out(scene, options(FORGOTTEN), notebook())
    assert scene.cloud.sent("stop") == ["nb1"]
    assert (removals["nb1"].state, scene.cloud.accepted) == (State.DELETED, ["nb1"])


async def test_one_that_runs_by_now_is_decided_on_anew_before_it_is_stopped() -> None:
    """Idle by the policy, until its owner started it after the second look: it is not idle now, so neither stop nor DELETE."""
    scene = world(notebook())
    scene.cloud.inject("show", Fault(then=lambda: scene.cloud.change("nb1", status=Status.RUNNING)))
    removals = await carry_out(scene, options(replace(IDLE, running=Running.STOP)), notebook())
    assert (scene.cloud.sent("stop"), scene.cloud.accepted) == ([], [])
    assert removals["nb1"].state is State.SPARED


@pytest.mark.parametrize("tags", [{"keep": "yes"}, None])
async def test_one_that_runs_by_now_and_is_protected_is_not_even_stopped(tags: dict[str, str] | None) -> None:
    """Its owner started it and tagged it; a stop would already lose what is in its memory."""
    scene = world(notebook())
    scene.cloud.inject("show", Fault(then=lambda: scene.cloud.change("nb1", status=Status.RUNNING, tags=tags)))
    removals = await carry_out(scene, options(FORGOTTEN), notebook())
    assert (scene.cloud.sent("stop"), scene.cloud.accepted) == ([], [])
    assert removals["nb1"].state is State.SPARED
