"""Group commit: all changes that are waiting when the disk becomes free are written in one transaction.

A durable commit takes milliseconds, so a thousand writers with a commit each would wait for seconds. Therefore there is a short
time between commits in which more writers join, unless many are waiting already.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Self
from uuid import uuid4

import anyio
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from nbsweep.adapters.journal.address import JournalAddress
from nbsweep.adapters.journal.connections.outage import is_outage, outlasting
from nbsweep.adapters.journal.connections.tasks import connected, spawned
from nbsweep.adapters.journal.dialects import Timeouts, commit, forget, make_marker
from nbsweep.adapters.journal.errors import concerns_all, explain
from nbsweep.adapters.journal.transaction import AnyChange, Change
from nbsweep.core.errors import JournalError

if TYPE_CHECKING:
    from nbsweep.adapters.journal.connections.postgresql import Marker

CREDIT_S = 1.0
"""How much of that time a quiet period saves up, so that a few successive writes do not wait."""
ENOUGH = 16
"""The number of waiting writers that triggers a commit at once."""


@dataclass(slots=True, eq=False)
class _Waiting:
    change: AnyChange
    settled: anyio.Event = field(default_factory=anyio.Event)
    failure: Exception | None = None


class GroupWriter:
    """Writes to the database: one task commits all queued changes, and wakes the waiting callers."""

    def __init__(self, engine: Engine, address: JournalAddress, timeouts: Timeouts) -> None:
        """Store the engine, the address of the journal, and the time limit for closing."""
        self._engine = engine
        self._address = address
        self._close_s = timeouts.close_s
        self._patience_s = timeouts.patience_s
        self._commit_every_s = timeouts.commit_every_s
        self._key = f"commit/{uuid4().hex}"
        self._queued: list[_Waiting] = []
        self._taken: list[_Waiting] = []
        self._wake = anyio.Event()
        self._pressed = anyio.Event()
        """Set if the next commit must not wait: many callers are waiting, or the journal is being closed."""
        self._slot_s = float("-inf")
        self._ended = anyio.Event()
        self._closed = False
        self._tasks = anyio.create_task_group()
        # Shielded, because cancelled tasks still write their last changes. Closing ends this task.
        self._life = anyio.CancelScope(shield=True)

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        self._tasks.start_soon(self._run, name="journal writer")
        return self

    async def __aexit__(self, *raised: object) -> None:
        self._closed = True
        self._wake.set()
        self._pressed.set()
        try:
            with anyio.move_on_after(self._close_s, shield=True):
                await self._ended.wait()
        finally:
            self._life.cancel()
            # The task group must not wrap an exception of the caller.
            await self._tasks.__aexit__(None, None, None)
            self._fail_unwritten()

    def _fail_unwritten(self) -> None:
        too_slow = JournalError(
            f"The journal {self._address.place} was closed, and this could not be written in time: check the disk."
        )
        self._settle([*self._taken, *self._queued], too_slow)

    def check_open(self) -> None:
        """Raise if the journal is closed.

        Raises:
            JournalError: it was.
        """
        if self._closed:
            raise JournalError(f"The journal {self._address.place} was closed already.")

    async def write(self, change: AnyChange) -> None:
        """Write a change, and return when it is committed. If the caller is cancelled, the change is still written.

        Raises:
            JournalError: the change could not be written, not even a part of it.
            NbsweepError: what a procedure or a guard raised; nothing of the change was written.
        """
        self.check_open()
        if isinstance(change, Change) and not change.items:
            return
        waiting = _Waiting(change)
        self._queued.append(waiting)
        self._wake.set()
        if len(self._queued) >= ENOUGH:
            self._pressed.set()
        await waiting.settled.wait()
        if waiting.failure is not None:
            raise explain(waiting.failure, self._address) from waiting.failure

    async def _run(self) -> None:
        with self._life:
            try:
                # One connection for all commits: getting one from the pool would cost more than the commit.
                async with connected(self._engine, self._patience_s) as connection:
                    await self._write_all(connection)
                    with suppress(SQLAlchemyError):
                        await forget(connection, self._key)
            except Exception as failure:  # noqa: BLE001  # raised in each waiting caller
                self._closed = True
                self._settle([*self._taken, *self._queued], failure)
        self._ended.set()

    async def _write_all(self, connection: Connection) -> None:
        while self._queued or not self._closed:
            await self._wake.wait()
            await self._keep_distance()
            self._taken, self._queued = self._queued, []
            await self._write_together(connection, self._taken)
            self._taken = []

    async def _keep_distance(self) -> None:
        """Wait a short time, so that more writers share the commit."""
        with anyio.move_on_at(self._slot_s):
            await self._pressed.wait()
        now_s = anyio.current_time()
        # Early commits do not delay the following ones.
        self._slot_s = min(max(self._slot_s, now_s - CREDIT_S), now_s) + self._commit_every_s
        self._wake = anyio.Event()
        if not self._closed:
            self._pressed = anyio.Event()

    async def _write_together(self, connection: Connection, batch: Sequence[_Waiting]) -> None:
        changes, marker = [waiting.change for waiting in batch], make_marker(connection, self._key)
        try:
            await outlasting(partial(self._commit, connection, changes, marker), self._patience_s)
        except Exception as failure:  # noqa: BLE001  # raised in each waiting caller
            if len(batch) == 1 or concerns_all(failure):
                self._settle(batch, failure)
            else:
                await self._write_one_by_one(connection, batch)
        else:
            self._settle(batch, None)

    @staticmethod
    async def _commit(connection: Connection, changes: Sequence[AnyChange], marker: "Marker | None") -> None:
        try:
            await commit(connection, changes, marker)
        except Exception as failure:
            if marker and is_outage(failure) and not connection.invalidated:
                # The next attempt uses another connection, even if the driver considers this one usable.
                await spawned(connection.invalidate)
            raise

    async def _write_one_by_one(self, connection: Connection, batch: Sequence[_Waiting]) -> None:
        # One of the changes cannot be stored; the others must not fail with it.
        for waiting in batch:
            await self._write_together(connection, [waiting])

    @staticmethod
    def _settle(batch: Sequence[_Waiting], failure: Exception | None) -> None:
        for waiting in batch:
            if not waiting.settled.is_set():
                waiting.failure = failure
                waiting.settled.set()
