"""Group commit: whatever is waiting to be written when the disk becomes free goes into one transaction.

A commit that survives a power failure costs milliseconds; a thousand writers that shared none of them would wait for seconds.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Self

import anyio
from sqlalchemy import Connection, Engine
from sqlalchemy.sql.dml import UpdateBase

from nbsweep.adapters.journal.connection import connected, spawned
from nbsweep.adapters.journal.dialects import Limits
from nbsweep.adapters.journal.rows import Row
from nbsweep.adapters.journal.trouble import concerns_all, explain
from nbsweep.core.errors import JournalError

_CHUNK = 1000
"""Rows for one call of the driver: between two of them the event loop gets its turn."""


@dataclass(frozen=True, slots=True, eq=False)
class Change:
    """A statement, and the rows that it is for."""

    statement: UpdateBase
    rows: Sequence[Row]
    unmatched: str = ""
    """What to say when not every row met one in the table; empty when they need not."""


@dataclass(slots=True, eq=False)
class _Waiting:
    change: Change
    settled: anyio.Event = field(default_factory=anyio.Event)
    failure: Exception | None = None


class GroupWriter:
    """The only way into the database: one task that takes all that is queued, commits it, and wakes those who wait for it."""

    def __init__(self, engine: Engine, place: str, limits: Limits) -> None:
        """Take the engine to write through, what people call the journal, and how long closing may take."""
        self._engine = engine
        self._place = place
        self._close_s = limits.close_s
        self._queued: list[_Waiting] = []
        self._taken: list[_Waiting] = []
        self._wake = anyio.Event()
        self._ended = anyio.Event()
        self._closed = False
        self._tasks = anyio.create_task_group()
        # Shielded: the last words of what is being cancelled are still to be written. Closing ends it.
        self._life = anyio.CancelScope(shield=True)

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        self._tasks.start_soon(self._run, name="journal writer")
        return self

    async def __aexit__(self, *raised: object) -> None:
        self._closed = True
        self._wake.set()
        try:
            with anyio.move_on_after(self._close_s, shield=True):
                await self._ended.wait()
        finally:
            self._life.cancel()
            # What was raised in the journal's user goes on its own way; the task group would wrap it.
            await self._tasks.__aexit__(None, None, None)
            self._give_up()

    def _give_up(self) -> None:
        too_slow = JournalError(f"The journal {self._place} was closed, and this could not be written in time: check the disk.")
        self._settle([*self._taken, *self._queued], too_slow)

    def check_open(self) -> None:
        """Let nobody use a journal that was closed.

        Raises:
            JournalError: it was.
        """
        if self._closed:
            raise JournalError(f"The journal {self._place} was closed already.")

    async def write(self, change: Change) -> None:
        """Write, and come back when it is committed; whoever is cancelled meanwhile has written all the same.

        Raises:
            JournalError: it could not be written; nothing of it was.
        """
        self.check_open()
        waiting = _Waiting(change)
        self._queued.append(waiting)
        self._wake.set()
        await waiting.settled.wait()
        if waiting.failure is not None:
            raise explain(waiting.failure, self._place) from waiting.failure

    async def _run(self) -> None:
        with self._life:
            # One connection for all: taking one from the pool for each commit would cost more than the commit.
            async with connected(self._engine) as connection:
                while self._queued or not self._closed:
                    await self._wake.wait()
                    self._wake = anyio.Event()
                    self._taken, self._queued = self._queued, []
                    await self._write_together(connection, self._taken)
                    self._taken = []
        self._ended.set()

    async def _write_together(self, connection: Connection, batch: Sequence[_Waiting]) -> None:
        try:
            await spawned(_commit, connection, [waiting.change for waiting in batch])
        except Exception as failure:  # noqa: BLE001  # raised in each of those who wait
            if len(batch) == 1 or concerns_all(failure):
                self._settle(batch, failure)
            else:
                await self._write_apart(connection, batch)
        else:
            self._settle(batch, None)

    async def _write_apart(self, connection: Connection, batch: Sequence[_Waiting]) -> None:
        # One of them holds something that cannot be stored; that must not be the others' trouble.
        for waiting in batch:
            await self._write_together(connection, [waiting])

    @staticmethod
    def _settle(batch: Sequence[_Waiting], failure: Exception | None) -> None:
        for waiting in batch:
            if not waiting.settled.is_set():
                waiting.failure = failure
                waiting.settled.set()


def _commit(connection: Connection, changes: Sequence[Change]) -> None:
    with connection.begin():
        # Neighbours of the same statement go together, and in order: of two states of one removal the later one stays.
        for _, same in groupby(changes, key=lambda change: id(change.statement)):
            _execute(connection, list(same))


def _execute(connection: Connection, changes: Sequence[Change]) -> None:
    first = changes[0]
    rows = [row for change in changes for row in change.rows]
    for start in range(0, len(rows), _CHUNK):
        chunk = rows[start : start + _CHUNK]
        result = connection.execute(first.statement, chunk)
        if first.unmatched and result.rowcount != len(chunk):
            raise JournalError(first.unmatched)
