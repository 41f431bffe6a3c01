"""What a worker reports about itself in the journal."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

import anyio
from msgspec.structs import replace

from nbsweep.core.errors import JournalError
from nbsweep.core.ports import Journal
from nbsweep.core.workers.model import BEAT_EVERY, FORGOTTEN_AFTER, WorkerRecord


@dataclass(slots=True)
class WorkerPresence:
    """The report of one worker."""

    journal: Journal
    plain: WorkerRecord
    """The record without what changes."""
    accounts: set[str] = field(default_factory=set)
    """The accounts of the jobs that the worker carries out."""
    refused: Mapping[str, int] = field(default_factory=dict)
    """The number of jobs that wait for another configuration, by its digest."""

    async def keep(self, stop: anyio.Event) -> None:
        """Report the worker every few seconds until it stops; set `stop` if an administrator wants it to."""
        with suppress(JournalError):
            await self.journal.workers.forget(await self.journal.now() - FORGOTTEN_AFTER)
        while True:
            with suppress(JournalError):
                if await self.journal.workers.beat(self._record(await self.journal.now(), draining=stop.is_set())):
                    stop.set()
            with anyio.move_on_after(BEAT_EVERY.total_seconds()):
                await stop.wait()
            if stop.is_set():
                await anyio.sleep(BEAT_EVERY.total_seconds() / 10)

    async def say_stopped(self) -> None:
        """Record that the worker stops normally, if the journal can be written."""
        with suppress(JournalError):
            now = await self.journal.now()
            await self.journal.workers.beat(replace(self._record(now, draining=True), stopped_at=now))

    def _record(self, now: datetime, *, draining: bool) -> WorkerRecord:
        return replace(
            self.plain, beat_at=now, accounts=tuple(sorted(self.accounts)), refused=dict(self.refused), draining=draining
        )
