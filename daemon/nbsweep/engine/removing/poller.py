"""Follows every removal that is under way to its end; one tick serves all of them.

A removal has ended if an answer about that notebook says so, or if the notebook is missing from a snapshot of the listing that
began after its DELETE was accepted. Absence from anything less is only a hint.
"""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import anyio

from nbsweep.core import lifecycle
from nbsweep.core.errors import CloudError, Gone, SweepEnding
from nbsweep.core.events.removal import PollFailed, PollTick
from nbsweep.core.freshness import ClockReading
from nbsweep.core.lifecycle import Removal, State, Step
from nbsweep.core.model import PAGE_SIZE, Notebook, Scope
from nbsweep.core.pacing import PollInterval
from nbsweep.core.ports import Ports
from nbsweep.engine.options import PollOptions
from nbsweep.engine.removing.batch_lookup import BatchLookup, CallBudget

OnArrival = Callable[[Removal, Step, Notebook | None], Awaitable[None]]
"""Called once for each removal that needs no more waiting; the poller no longer follows it by then."""


OnRead = Callable[[str, Notebook, ClockReading], None]
"""Called for each read of a followed notebook: with its id, the notebook, and when the request began."""

SOON_S = 0.5
"""How long an early tick waits, in seconds, so that several requests for one share it."""
SEEN_AT_ONCE = 100
"""Number of ends that share a commit; more would only take memory."""


@dataclass(slots=True)
class Poller:
    """Reads the notebooks of the removals it follows at intervals, until each removal needs no more waiting."""

    ports: Ports
    polling: PollOptions
    report: OnArrival
    on_read: OnRead = lambda *_: None
    following: dict[str, Removal] = field(default_factory=dict)
    _since: dict[str, tuple[datetime, float]] = field(default_factory=dict)
    """When the order of each removal was about to leave, or the poller began to follow it, by both clocks."""
    _arrived: anyio.Event = field(default_factory=anyio.Event)
    _hurried: anyio.Event = field(default_factory=anyio.Event)
    _accepted: int = 0
    """DELETEs accepted since the last tick."""
    _let_go_of: int = 0
    """Removals that needed no more waiting, since the beginning."""
    _budget: CallBudget = field(init=False)
    _lookup: BatchLookup = field(init=False)
    _interval: PollInterval = field(init=False)

    def __post_init__(self) -> None:
        """Build the lookup and the interval."""
        self._budget = CallBudget(self.ports.clock.steady_s())
        self._lookup = BatchLookup(self.ports, self._budget, self.polling.max_interval.total_seconds())
        self._interval = PollInterval(self.polling.interval, self.polling.max_interval)

    def expect(self, notebook_id: str) -> None:
        """Record that an order is about to leave, so that a clock that is set meanwhile shortens no wait."""
        self._since[notebook_id] = self.ports.clock.now(), self.ports.clock.steady_s()

    def follow(self, removal: Removal) -> None:
        """Follow a removal, or replace it by its newer value."""
        self.following[removal.notebook_id] = removal
        if removal.notebook_id not in self._since:
            self.expect(removal.notebook_id)
        self._accepted += removal.state is State.ACCEPTED
        self._arrived.set()

    def look_soon(self) -> None:
        """Make the next tick come soon, because an answer contradicts itself."""
        self._hurried.set()

    async def run(self) -> None:
        """Tick until cancelled.

        Raises:
            SweepEnding: an error affects the whole account.
        """
        interval = self.polling.interval
        while True:
            if not self.following:
                self._arrived = anyio.Event()
                await self._arrived.wait()
                interval = self.polling.interval
            await self._pause(interval.total_seconds())
            before = len(self.following)
            ended = await self.tick()
            interval = self._next_interval(ended)
            self.ports.telemetry.emit(PollTick(before, ended, interval.total_seconds()))

    async def _pause(self, interval_s: float) -> None:
        """Wait for the next tick, which `look_soon` may bring forward."""
        with anyio.move_on_after(interval_s):
            await self._hurried.wait()
            await anyio.sleep(SOON_S)
        self._hurried = anyio.Event()

    async def tick(self) -> int:
        """Read every followed notebook once; return how many removals need no more waiting."""
        # A few late DELETEs do not compete with a lookup.
        self._budget.busy = self._accepted * PAGE_SIZE > len(self.following)
        self._budget.deletes += self._accepted
        self._accepted = 0
        before = self._let_go_of
        pages, by_id = self._split(self.following.values())
        for scope, group in pages.items():
            by_id += await self._look_up(scope, group)
        async with anyio.create_task_group() as asking:
            for removal in by_id:
                asking.start_soon(self._read_by_id, removal)
        return self._let_go_of - before

    def _split(self, removals: Iterable[Removal]) -> tuple[dict[Scope, list[Removal]], list[Removal]]:
        """Split removals into those looked up in listings and those read by id: in doubt, or past their deadline."""
        now = self.ports.clock.now()
        pages: dict[Scope, list[Removal]] = defaultdict(list)
        by_id = []
        for removal in removals:
            late = removal.deadline is not None and now >= removal.deadline
            if removal.state is State.ACCEPTED and not late:
                pages[Scope(removal.workspace_id, removal.feature)].append(removal)
            else:
                by_id.append(removal)
        return pages, by_id

    async def _look_up(self, scope: Scope, removals: list[Removal]) -> list[Removal]:
        """Look up the removals of one scope and act on the result; return those that have to be read by id."""
        looked_at = self.ports.clock.read()
        try:
            found = await self._lookup.look_up(scope, frozenset(removal.notebook_id for removal in removals))
        except SweepEnding:
            raise
        except CloudError as error:
            self.ports.telemetry.emit(PollFailed(str(error)))
            return removals
        known = [removal for removal in removals if removal.notebook_id in found.gone or removal.notebook_id in found.seen]
        reads = [(removal, found.seen.get(removal.notebook_id)) for removal in known]
        for start in range(0, len(reads), SEEN_AT_ONCE):
            async with anyio.create_task_group() as group:
                for removal, seen in reads[start : start + SEEN_AT_ONCE]:
                    if (step := self._conclude(removal, seen, looked_at)) is not Step.WAIT:
                        group.start_soon(self._let_go, removal, step, seen)
        return [removal for removal in removals if removal.notebook_id in found.ask]

    async def _read_by_id(self, removal: Removal) -> None:
        """Read one notebook by id."""
        looked_at = self.ports.clock.read()
        with self.ports.telemetry.bound(notebook_id=removal.notebook_id, policy=removal.policy):
            try:
                seen = await self.ports.cloud.show(removal.notebook_id)
            except Gone:
                await self._see(removal, None, looked_at)
            except SweepEnding:
                raise
            except CloudError as error:
                self.ports.telemetry.emit(PollFailed(str(error)))
                await self._check_deadline(removal)
            else:
                await self._see(removal, seen, looked_at)

    async def _see(self, removal: Removal, seen: Notebook | None, looked_at: ClockReading) -> None:
        if (step := self._conclude(removal, seen, looked_at)) is not Step.WAIT:
            await self._let_go(removal, step, seen)

    def _conclude(self, removal: Removal, seen: Notebook | None, looked_at: ClockReading) -> Step:
        """Return the step that follows from a read, and record the read; its facts may be as old as `looked_at`."""
        removal = self.following[removal.notebook_id] = lifecycle.note_deleting(removal, seen)
        if seen is not None:
            self.on_read(removal.notebook_id, seen, looked_at)
        step = lifecycle.follow(removal, seen, looked_at.wall, self._grace(removal, looked_at.wall))
        if step is Step.GONE and removal.accepted_at is not None:
            self._interval.note_end(self.ports.clock.now() - removal.accepted_at)
        return step

    def _grace(self, removal: Removal, looked_at: datetime) -> timedelta:
        """Return how long reads may be stale; a clock that was set forward meanwhile does not shorten that."""
        since, since_s = self._since[removal.notebook_id]
        most = timedelta(seconds=self.ports.clock.steady_s() - since_s)
        return self.polling.grace + max(looked_at - since - most, timedelta(0))

    async def _check_deadline(self, removal: Removal) -> None:
        """Time out a removal whose notebook cannot be read after its deadline."""
        if removal.deadline is not None and self.ports.clock.now() >= removal.deadline:
            await self._let_go(removal, Step.TIMED_OUT, None)

    async def _let_go(self, removal: Removal, step: Step, seen: Notebook | None) -> None:
        removal = self.following.pop(removal.notebook_id)
        del self._since[removal.notebook_id]
        self._let_go_of += 1
        await self.report(removal, step, seen)

    def _next_interval(self, ended: int) -> timedelta:
        now = self.ports.clock.now()
        ages = [now - removal.accepted_at for removal in self.following.values() if removal.accepted_at is not None]
        return self._interval.next_interval(ages, ended=ended)
