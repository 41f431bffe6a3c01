"""The second looks by page, from the last page of a listing to its first, just ahead of the workers.

What is deleted on a later page cannot shift what is still to be seen on an earlier one. A page is read where that is cheaper
than asking one by one; a planned notebook that the walk did not meet, or met without a fact that a rule asks for, is asked
for by id.
"""

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

import anyio
from msgspec import Struct

from nbsweep.core.errors import CloudError, SweepEnding
from nbsweep.core.events.removal import WalkPage
from nbsweep.core.facts import Moment
from nbsweep.core.freshness import ClockReading, Freshness
from nbsweep.core.lifecycle import Removal
from nbsweep.core.model import PAGE_SIZE, Notebook, Scope
from nbsweep.core.policy import Reason, Rules, judge
from nbsweep.core.ports import Ports
from nbsweep.engine.shutdown import StopConditions

WORTH_A_PAGE = 2
"""From so many planned notebooks on, a page is cheaper than asking one by one."""
AHEAD_S = 1.5
"""How long before the workers run out of what has been seen the next page is asked for; more would let facts grow old."""
LEAST_AHEAD = 10
FRESH_SHARE = 0.8
"""Of `fresh_for`: what was seen longer ago is asked for again, for its DELETE must still leave in time."""


class Observation(Struct, frozen=True):
    """A notebook as a page has shown it."""

    notebook: Notebook
    looked_at: ClockReading
    """When it was asked for; its facts are no younger."""


@dataclass(slots=True)
class Prefetcher:
    """Walks over a plan once, and keeps what it sees until a worker takes it."""

    ports: Ports
    positions: Mapping[str, int]
    """By notebook id: which row of its listing it was, from 0, when the survey saw it."""
    feed: Callable[[Removal], None]
    """Hands a removal to the workers."""
    stopping: StopConditions
    """Whether it still makes sense to look."""
    rules: Rules
    _sights: dict[str, Observation] = field(default_factory=dict)
    _worth_it: bool = True
    """False once the listing has turned out to leave out what rules ask for: its pages then decide nothing."""
    _waiting: int = 0
    _taken_s: deque[float] = field(default_factory=lambda: deque(maxlen=LEAST_AHEAD))
    """When the last few were taken, of the steady clock."""
    _moved: anyio.Event = field(default_factory=anyio.Event)

    async def walk(self, removals: Iterable[Removal]) -> None:
        """Walk ahead of the workers; an account that lets nothing be seen any more ends the sweep."""
        try:
            await self.run(removals)
        except SweepEnding as error:
            self.stopping.end_with(error)

    async def run(self, removals: Iterable[Removal]) -> None:
        """Feed every removal to the workers, each page's when its turn comes.

        Raises:
            SweepEnding: nothing more can be seen on this account; all removals have been fed by then.
        """
        pages = self._by_page(removals)
        try:
            while pages:
                await self._until_few_wait()
                (scope, page), group = pages[0]
                if len(group) >= WORTH_A_PAGE and page >= 0 and self._worth_it and not self.stopping.no_more:
                    await self._look(scope, page, {removal.notebook_id for removal in group})
                pages.pop(0)
                self._hand_over(group)
        finally:
            for _, group in pages:
                self._hand_over(group)

    async def observe(self, notebook_id: str, fresh_for: timedelta) -> Observation:
        """Give what the walk has seen of a notebook lately, else ask for it by its id.

        What was seen before the clocks have parted is never fresh: the machine may have slept since.

        Raises:
            CloudError: as `Cloud.show` does.
        """
        looked_at = self.ports.clock.read()
        sight = self.take(notebook_id)
        if sight and Freshness(sight.looked_at, FRESH_SHARE * fresh_for.total_seconds()).left_s(looked_at) > 0:
            return sight
        return Observation(await self.ports.cloud.show(notebook_id), looked_at)

    def take(self, notebook_id: str) -> Observation | None:
        """Give what the walk has seen of a notebook, once; None when it has not met it."""
        self._waiting = max(0, self._waiting - 1)
        self._taken_s.append(self.ports.clock.steady_s())
        self._moved.set()
        return self._sights.pop(notebook_id, None)

    def _by_page(self, removals: Iterable[Removal]) -> list[tuple[tuple[Scope, int], list[Removal]]]:
        """Put removals that stand on one page together, the last page first; those of unknown place come last."""
        size = self.ports.cloud.paging().size
        groups: dict[tuple[Scope, int], list[Removal]] = defaultdict(list)
        for removal in removals:
            position = self.positions.get(removal.notebook_id, -1)
            groups[Scope(removal.workspace_id, removal.feature), position // size].append(removal)
        return sorted(groups.items(), key=lambda item: -item[0][1])

    async def _look(self, scope: Scope, page: int, wanted: set[str]) -> None:
        """Read one page, and keep what is planned on it. A page that cannot be read costs nothing but questions."""
        looked_at = self.ports.clock.read()
        offset = page * self.ports.cloud.paging().size
        try:
            seen = await self.ports.cloud.page(scope, offset)
        except SweepEnding:
            raise
        except CloudError:
            return
        met = [row for row in seen.rows if isinstance(row, Notebook) and row.id in wanted]
        moment = Moment(self.ports.clock.now())
        rows = [row for row in met if judge(row, self.rules, moment).reason is not Reason.UNKNOWN_FACT]
        self._worth_it = bool(rows) or not met
        self._sights |= {row.id: Observation(row, looked_at) for row in rows}
        self.ports.telemetry.emit(WalkPage(scope.workspace_id, scope.feature, offset, len(wanted), len(rows)))

    def _hand_over(self, group: list[Removal]) -> None:
        for removal in group:
            self._waiting += 1
            self.feed(removal)

    async def _until_few_wait(self) -> None:
        while self._waiting > self._ahead():
            self._moved = anyio.Event()
            await self._moved.wait()

    def _ahead(self) -> int:
        """Say how many may be waiting for a worker when the next page is read: what is taken while that page is on its way."""
        if len(self._taken_s) < LEAST_AHEAD:
            return LEAST_AHEAD
        lasted_s = max(self._taken_s[-1] - self._taken_s[0], 1e-3)
        return min(PAGE_SIZE, max(LEAST_AHEAD, round(AHEAD_S * LEAST_AHEAD / lasted_s)))
