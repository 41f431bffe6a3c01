"""What `serve` does in a fleet for all targets: it leads if no other process does, and reads what is open."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter

import anyio

from nbsweep.core.errors import HeldElsewhere, JournalError
from nbsweep.core.events.fleet import LeadershipBegun, LeadershipEnded
from nbsweep.core.fences.model import CRON
from nbsweep.core.ports import Clock, Journal, Telemetry
from nbsweep.engine.coordination.fence import FenceGuard, FenceOptions
from nbsweep.service.fleet.dispatched_target import DispatchedTarget
from nbsweep.service.fleet.queue import SweepQueue
from nbsweep.service.fleet.reading import read_due
from nbsweep.service.fleet.reaper import REAPS, defer_what_is_due
from nbsweep.service.marks_at_start import count_marks_at_start

_target = attrgetter("sweep.target")
LOOKS_EVERY_S = 2.0
"""How often the open sweeps are read."""
TRIES_AGAIN_AFTER_S = 5.0


@dataclass(slots=True)
class Dispatcher:
    """The tasks of `serve` in a fleet that concern all targets."""

    targets: Mapping[str, DispatchedTarget]
    journal: Journal
    clock: Clock
    telemetry: Telemetry
    fence_options: FenceOptions
    queue: SweepQueue

    async def lead(self, given_up: anyio.Event) -> None:
        """Start what is due while this process holds the fence `cron`, which it waits for, until it is told to give up."""
        while not given_up.is_set():
            try:
                await self._lead_once(given_up)
            except* (JournalError, HeldElsewhere):
                # Any other error is a bug, which must not be tried again in silence.
                pass
            with anyio.move_on_after(TRIES_AGAIN_AFTER_S):
                await given_up.wait()

    async def _lead_once(self, given_up: anyio.Event) -> None:
        guard = FenceGuard(CRON, self.journal.fences, self.clock, self.telemetry, self.fence_options)
        async with guard.held(given_up):
            self.telemetry.emit(LeadershipBegun())
            try:
                await self._look()
                for target in self.targets.values():
                    await target.lead()
                async with anyio.create_task_group() as group:
                    group.start_soon(_end_with, guard.lost, group.cancel_scope)
                    group.start_soon(_end_with, given_up, group.cancel_scope)
                    await self._keep_deferring()
            finally:
                for target in self.targets.values():
                    target.leading = False
                self.telemetry.emit(LeadershipEnded())

    async def _keep_deferring(self) -> None:
        while True:
            with suppress(JournalError):
                await defer_what_is_due(self.queue, self.journal, self.targets.keys())
            await anyio.sleep(self.fence_options.lasts.total_seconds() / REAPS)

    async def watch(self) -> None:
        """Read every few seconds what is open, until cancelled."""
        while True:
            with suppress(JournalError):
                await self._look()
            await anyio.sleep(LOOKS_EVERY_S)

    async def _look(self) -> None:
        due = await read_due(self.journal, self.fence_options.lasts)
        by_target = {name: list(each) for name, each in groupby(sorted(due, key=_target), key=_target)}
        for name, target in self.targets.items():
            before, target.open = target.open, by_target.get(name, ())
            if before and not target.open:
                await target.read_last_success()
                # The survey was that of a worker.
                rules = target.sweeper.options.rules
                await count_marks_at_start(self.journal, self.clock, self.telemetry, [name], rules)


async def _end_with(event: anyio.Event, scope: anyio.CancelScope) -> None:
    await event.wait()
    scope.cancel()
