"""Sweeps with windows: DELETEs leave only inside one, and the end of a window ends what was not begun."""

import asyncio
from collections import Counter
from datetime import timedelta

from msgspec.structs import replace

from builders import NOON, fleet, over, policy
from nbsweep.core.judging.verdict import Reason
from nbsweep.core.lifecycle import State
from nbsweep.core.pacing import Rate
from nbsweep.core.planning.brakes import Brakes
from nbsweep.core.report import Report
from nbsweep.core.windows.window import Window
from nbsweep.engine.report import Run
from nbsweep.engine.sweep import Sweeper
from nbsweep.testing import Pace
from unit.engine.world import AREA, World, approve, options, virtual_time, world

FREE = Brakes(max_deletions=None, max_share=None, max_fleet_drop=None)
IDLE = policy(over("idle", days=14), name="idle")


async def swept(scene: World, window: Window) -> Report:
    """Sweep once under a policy with this window."""
    how = options(replace(IDLE, windows=(window,)), workers=1)
    return await Sweeper(AREA, scene.ports, how, FREE, scene.shutdown).sweep(Run("run1", "test", dry_run=False), approve)


def window(begins_in: timedelta, ends_in: timedelta) -> Window:
    """Return a daily window that begins and ends so long after noon."""
    return Window(opens=(NOON + begins_in).time(), closes=(NOON + ends_in).time())


@virtual_time
async def test_nothing_is_deleted_outside_a_window() -> None:
    """The plan says how many wait."""
    scene = world(*fleet(3))
    report = await swept(scene, window(timedelta(hours=1), timedelta(hours=2)))
    assert report.plan is not None
    assert report.plan.kept == {Reason.OUTSIDE_WINDOW: 3}
    assert not scene.cloud.sent("delete")


@virtual_time
async def test_inside_a_window_all_goes() -> None:
    """As without one."""
    scene = world(*fleet(3))
    report = await swept(scene, window(timedelta(hours=-1), timedelta(hours=1)))
    assert Counter(removal.state for removal in report.removals) == {State.DELETED: 3}


@virtual_time
async def test_the_end_of_a_window_leaves_what_was_not_begun_and_follows_the_rest() -> None:
    """A DELETE every ten seconds, and a window that ends after a minute: what was accepted by then is deleted."""
    scene = world(*fleet(20), pace=Pace(delete_rate=Rate(1, 10.0)))
    report = await swept(scene, window(timedelta(0), timedelta(minutes=1)))
    ends = Counter(removal.state for removal in report.removals)
    assert ends[State.DELETED] == len(scene.cloud.sent("delete")) < 10
    assert ends[State.DELETED] + ends[State.SPARED] == 20
    spared = {removal.end_reason for removal in report.removals if removal.state is State.SPARED}
    assert any("window" in reason for reason in spared)
    assert all("window" in reason for reason in spared)
    await asyncio.sleep(0)
