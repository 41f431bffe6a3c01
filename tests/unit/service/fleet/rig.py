"""A worker's view of one account, on fakes in virtual time."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from msgspec.structs import replace

from builders import fence_holder
from nbsweep.core.due_sweeps.model import SCHEDULE, DueSweep
from nbsweep.core.fences.port import CallFence
from nbsweep.core.planning.brakes import Brakes
from nbsweep.core.ports import Journal
from nbsweep.core.saved_plan.model import SavedPlan
from nbsweep.engine.coordination.fence import FenceOptions
from nbsweep.engine.report import Run
from nbsweep.engine.survey import Area
from nbsweep.engine.sweep import Sweeper
from nbsweep.service.fleet.account_sweeps import AccountSweeps
from nbsweep.service.targets.runner_options import RunnerOptions
from unit.engine.world import World, options

A_MINUTE = timedelta(seconds=60)
ACCOUNT = "cloud/1234"


class RecordingLanes:
    """The lanes of an account, which record what they are told."""

    def __init__(self, learned: str = "") -> None:
        """Begin with what is left for the next holder."""
        self.learned = learned
        self.recalled: list[str] = []
        self.fences: list[bool] = []
        """Whether calls could leave when each fence was given."""

    def recall(self, memory: str, age_s: float) -> bool:
        """Record what another process had learned."""
        assert age_s >= 0
        self.recalled.append(memory)
        return True

    def remembered(self) -> str:
        """Return what was learned."""
        return self.learned

    @property
    def fence(self) -> CallFence | None:
        """Return nothing: no call asks."""
        return None

    @fence.setter
    def fence(self, fence: CallFence | None) -> None:
        self.fences.append(fence is None or fence.left_s() > 0)


def sweeper(scene: World, target: str = "research") -> Sweeper:
    """Return a sweeper of a world's target."""
    return Sweeper(Area(target, None, ("NOTEBOOK",)), scene.ports, options(), Brakes(None, None), scene.shutdown)


def account_sweeps(
    *sweepers: Sweeper,
    owner: str = "w1",
    lanes: RecordingLanes | None = None,
    is_certain: bool = True,
    require_valid: Callable[[SavedPlan], None] = lambda _: None,
) -> AccountSweeps:
    """Return the sweeps of an account with these targets, as the process of this owner has them."""
    numbers = iter(range(1, 10_000))
    runner_options = RunnerOptions(
        dry_run=False,
        new_run=lambda dry: Run(f"{owner}-run{next(numbers)}", f"{owner} (worker)", dry),
        next_run=lambda _: None,
    )
    return AccountSweeps(
        ACCOUNT,
        {each.area.target: each for each in sweepers},
        is_certain,
        lanes or RecordingLanes(),
        runner_options,
        FenceOptions(fence_holder(owner), A_MINUTE),
        sweepers[0].shutdown,
        require_valid,
    )


async def add_due(journal: Journal, target: str = "research", **changes: Any) -> DueSweep:
    """Record that a sweep is due now, and return it."""
    now = await journal.now()
    due = replace(DueSweep(target, ACCOUNT, now, SCHEDULE, now), **changes)
    assert await journal.due_sweeps.add(due)
    return due
