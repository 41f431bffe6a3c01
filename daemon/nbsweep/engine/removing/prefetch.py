"""The walk: reads the planned notebooks again, page by page from the last page of a listing to the first, ahead of the workers.

A deletion on a later page does not shift the rows of an earlier page. A page is read if that is cheaper than reading its
planned notebooks one by one. A planned notebook that the walk did not find, or found without a fact that a rule needs, is read
by id.
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
from nbsweep.core.judging.rules import Rules
from nbsweep.core.judging.verdict import Reason
from nbsweep.core.lifecycle import Removal
from nbsweep.core.model import PAGE_SIZE, Notebook, Scope
from nbsweep.core.policy import judge
from nbsweep.core.ports import Ports
from nbsweep.engine.shutdown import StopConditions

WORTH_A_PAGE = 2
"""The number of planned notebooks from which a page is cheaper than one read for each."""
AHEAD_S = 1.5
"""How long before the workers run out of observations the next page is read; a longer time would let facts grow old."""
LEAST_AHEAD = 10
FRESH_SHARE = 0.8
"""The share of `fresh_for` after which a notebook is read again: its DELETE must still leave in time."""


class Observation(Struct, frozen=True):
    """A notebook as an answer showed it."""

    notebook: Notebook
    looked_at: ClockReading
    """When the request began; the facts are at most as new as that."""


@dataclass(slots=True)
class Prefetcher:
    """Walks over a plan once, and keeps each observation until a worker takes it."""

    ports: Ports
    positions: Mapping[str, int]
    """The row of each notebook in its listing when the survey read it, from 0, by notebook id."""
    feed: Callable[[Removal], None]
    """Passes a removal to the workers."""
    stopping: StopConditions
    """Whether any more removals are begun."""
    rules: Rules
    _observations: dict[str, Observation] = field(default_factory=dict)
    _worth_it: bool = True
    """False once the listing turned out to lack facts that rules need: its pages then decide nothing."""
    _waiting: int = 0
    _taken_s: deque[float] = field(default_factory=lambda: deque(maxlen=LEAST_AHEAD))
    """When the last few removals were taken, in seconds of the steady clock."""
    _moved: anyio.Event = field(default_factory=anyio.Event)

    async def walk(self, removals: Iterable[Removal]) -> None:
        """Walk ahead of the workers; an error that affects the whole account ends the sweep."""
        try:
            await self.run(removals)
        except SweepEnding as error:
            self.stopping.end_with(error)

    async def run(self, removals: Iterable[Removal]) -> None:
        """Pass every removal to the workers, page by page.

        Raises:
            SweepEnding: an error affects the whole account; all removals have been passed on by then.
        """
        pages = self._by_page(removals)
        try:
            while pages:
                await self._until_few_wait()
                (scope, page), group = pages[0]
                if len(group) >= WORTH_A_PAGE and page >= 0 and self._worth_it and not self.stopping.no_more:
                    await self._read_page(scope, page, {removal.notebook_id for removal in group})
                pages.pop(0)
                self._hand_over(group)
        finally:
            for _, group in pages:
                self._hand_over(group)

    async def observe(self, notebook_id: str, fresh_for: timedelta) -> Observation:
        """Return the walk's observation of a notebook if it is fresh, or read the notebook by its id.

        An observation from before the two clocks diverged is never fresh: the machine may have slept since.

        Raises:
            CloudError: as `Cloud.show` does.
        """
        looked_at = self.ports.clock.read()
        observation = self.take(notebook_id)
        if observation and Freshness(observation.looked_at, FRESH_SHARE * fresh_for.total_seconds()).left_s(looked_at) > 0:
            return observation
        return Observation(await self.ports.cloud.show(notebook_id), looked_at)

    def take(self, notebook_id: str) -> Observation | None:
        """Return and forget the walk's observation of a notebook; None if the walk has not found it."""
        self._waiting = max(0, self._waiting - 1)
        self._taken_s.append(self.ports.clock.steady_s())
        self._moved.set()
        return self._observations.pop(notebook_id, None)

    def _by_page(self, removals: Iterable[Removal]) -> list[tuple[tuple[Scope, int], list[Removal]]]:
        """Group removals by page, the last page first; removals with an unknown row come last."""
        size = self.ports.cloud.paging().size
        groups: dict[tuple[Scope, int], list[Removal]] = defaultdict(list)
        for removal in removals:
            position = self.positions.get(removal.notebook_id, -1)
            groups[Scope(removal.workspace_id, removal.feature), position // size].append(removal)
        return sorted(groups.items(), key=lambda item: -item[0][1])

    async def _read_page(self, scope: Scope, page: int, planned: set[str]) -> None:
        """Read one page, and keep its planned notebooks. If the page cannot be read, they are read by id."""
        looked_at = self.ports.clock.read()
        offset = page * self.ports.cloud.paging().size
        try:
            seen = await self.ports.cloud.page(scope, offset)
        except SweepEnding:
            raise
        except CloudError:
            return
        found = [row for row in seen.rows if isinstance(row, Notebook) and row.id in planned]
        moment = Moment(self.ports.clock.now())
        rows = [row for row in found if judge(row, self.rules, moment).reason is not Reason.UNKNOWN_FACT]
        self._worth_it = bool(rows) or not found
        self._observations |= {row.id: Observation(row, looked_at) for row in rows}
        self.ports.telemetry.emit(WalkPage(scope.workspace_id, scope.feature, offset, len(planned), len(rows)))

    def _hand_over(self, group: list[Removal]) -> None:
        for removal in group:
            self._waiting += 1
            self.feed(removal)

    async def _until_few_wait(self) -> None:
        while self._waiting > self._ahead():
            self._moved = anyio.Event()
            await self._moved.wait()

    def _ahead(self) -> int:
        """Return how many removals may wait for a worker when the next page is read: those taken while that page is read."""
        if len(self._taken_s) < LEAST_AHEAD:
            return LEAST_AHEAD
        lasted_s = max(self._taken_s[-1] - self._taken_s[0], 1e-3)
        return min(PAGE_SIZE, max(LEAST_AHEAD, round(AHEAD_S * LEAST_AHEAD / lasted_s)))
