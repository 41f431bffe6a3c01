"""Follows every removal that the cloud is at work on to its end; one tick serves all of them.

A tick first lists what the cloud calls DELETING, a page for fifty: who is on such a page is not at its end. Absence from it is
a hint and no more, so who is missing is asked for by id, and only that answer counts.
"""

from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import anyio

from nbsweep.core import lifecycle
from nbsweep.core.errors import CloudError, Gone, SweepEnding
from nbsweep.core.events import PollFailed, PollTick
from nbsweep.core.lifecycle import Removal, State, Step
from nbsweep.core.model import Notebook, Scope, Status
from nbsweep.core.pacing import next_interval
from nbsweep.core.ports import Ports
from nbsweep.engine.orders import Patience

Report = Callable[[Removal, Step, Notebook | None], Awaitable[None]]
"""Called once for each removal that needs no more waiting; the poller has let go of it by then."""

WORTH_A_PAGE = 2
"""From so many in one scope on, a page is cheaper than asking one by one."""


@dataclass(slots=True)
class Poller:
    """Looks at everything it follows, again and again, until each has come to something."""

    ports: Ports
    patience: Patience
    report: Report
    following: dict[str, Removal] = field(default_factory=dict)
    _arrived: anyio.Event = field(default_factory=anyio.Event)

    def follow(self, removal: Removal) -> None:
        """Begin to follow a removal, or go on with its newer value."""
        self.following[removal.notebook_id] = removal
        self._arrived.set()

    async def run(self) -> None:
        """Tick until cancelled.

        Raises:
            SweepEnding: nothing can be seen on this account any more.
        """
        interval = self.patience.interval
        while True:
            if not self.following:
                self._arrived = anyio.Event()
                await self._arrived.wait()
                interval = self.patience.interval
            await anyio.sleep(interval.total_seconds())
            before = len(self.following)
            ended = await self.tick()
            interval = next_interval(interval, self.patience.interval, self.patience.max_interval, ended=ended)
            self.ports.telemetry.emit(PollTick(before, ended, interval.total_seconds()))

    async def tick(self) -> int:
        """Look at everything once; gives how many came to something."""
        removals = list(self.following.values())
        deleting = await self._list_deleting(removals)
        before = len(removals)
        for removal in removals:
            if removal.notebook_id in deleting:
                await self._see(removal, deleting[removal.notebook_id])
        async with anyio.create_task_group() as group:
            for removal in removals:
                if removal.notebook_id not in deleting:
                    group.start_soon(self._ask, removal)
        return before - sum(removal.notebook_id in self.following for removal in removals)

    async def _list_deleting(self, removals: list[Removal]) -> dict[str, Notebook]:
        """List what is DELETING in every scope in which several are followed."""
        by_scope: dict[Scope, int] = defaultdict(int)
        for removal in removals:
            if removal.state is not State.STOPPING:
                by_scope[Scope(removal.workspace_id, removal.feature)] += 1
        found: dict[str, Notebook] = {}
        for scope, followed in by_scope.items():
            if followed >= WORTH_A_PAGE:
                found |= await self._list_scope(scope, pages=followed)
        return found

    async def _list_scope(self, scope: Scope, *, pages: int) -> dict[str, Notebook]:
        """Read the DELETING rows of one scope; no more pages than asking one by one would cost."""
        found: dict[str, Notebook] = {}
        offset = 0
        try:
            for _ in range(pages):
                page = await self.ports.cloud.page(scope, offset, Status.DELETING)
                found |= {row.id: row for row in page.rows if isinstance(row, Notebook) and row.status is Status.DELETING}
                offset += len(page.rows)
                if not page.rows or offset >= page.total:
                    break
        except SweepEnding:
            raise
        except CloudError as error:
            self.ports.telemetry.emit(PollFailed(str(error)))
        return found

    async def _ask(self, removal: Removal) -> None:
        """Ask for one notebook by id."""
        with self.ports.telemetry.bound(notebook_id=removal.notebook_id, policy=removal.policy):
            try:
                seen = await self.ports.cloud.show(removal.notebook_id)
            except Gone:
                await self._see(removal, None)
            except SweepEnding:
                raise
            except CloudError as error:
                self.ports.telemetry.emit(PollFailed(str(error)))
                await self._check_deadline(removal)
            else:
                await self._see(removal, seen)

    async def _see(self, removal: Removal, seen: Notebook | None) -> None:
        """Draw the conclusion from a look."""
        removal = lifecycle.note_sight(removal, seen)
        step = lifecycle.follow(removal, seen, self.ports.clock.now(), self.patience.grace)
        if step is Step.WAIT:
            self.following[removal.notebook_id] = removal
            return
        await self._let_go(removal, step, seen)

    async def _check_deadline(self, removal: Removal) -> None:
        """End what cannot be looked at when its time is up."""
        if removal.deadline is not None and self.ports.clock.now() >= removal.deadline:
            await self._let_go(removal, Step.TIMED_OUT, None)

    async def _let_go(self, removal: Removal, step: Step, seen: Notebook | None) -> None:
        del self.following[removal.notebook_id]
        await self.report(removal, step, seen)
