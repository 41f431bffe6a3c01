"""A connection that the server drops costs one more attempt, whatever the journal was doing with it."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from builders import removal, run_record
from journal_calls import CALLS, make
from nbsweep.adapters.journal import Timeouts, open_journal
from nbsweep.core.errors import JournalError
from postgresql.conftest import Server

PATIENT = Timeouts(patience_s=30, commit_every_s=0.0)


class Dropper:
    """Ends the connection of the next statement just before it is sent."""

    def __init__(self, server: Server) -> None:
        """Take the server whose connections are ended."""
        self._server = server
        self.armed = False
        self.dropped = 0

    def drop(self, _connection: Any, cursor: Any, *_: object) -> None:
        """End the connection of this statement if it is the next one."""
        if not self.armed:
            return
        self.armed = False
        self.dropped += 1
        pid = cursor._connection.info.backend_pid if hasattr(cursor, "_connection") else cursor.connection.info.backend_pid  # noqa: SLF001
        with self._server.connected() as administrator:
            administrator.execute("SELECT pg_terminate_backend(%s, 10000)", [pid])


@pytest.fixture
def dropper(server: Server) -> Iterator[Dropper]:
    """Return what ends connections; it ends none until it is armed."""
    found = Dropper(server)
    event.listen(Engine, "before_cursor_execute", found.drop)
    yield found
    event.remove(Engine, "before_cursor_execute", found.drop)


async def test_every_call_of_the_journal_outlives_the_end_of_its_connection(address: str, dropper: Dropper) -> None:
    """Those that read and those that write."""
    failed: dict[str, str] = {}
    async with open_journal(address, PATIENT) as journal:
        for each in CALLS:
            dropper.armed = True
            before = dropper.dropped
            try:
                await make(journal, each)
            except JournalError as error:
                failed[f"{each.part}.{each.method}"] = str(error)
            assert dropper.dropped == before + 1, each
    assert failed == {}


async def test_a_journal_is_opened_although_the_first_connection_is_dropped(address: str, dropper: Dropper) -> None:
    """The server answered, so it is there."""
    dropper.armed = True
    async with open_journal(address, PATIENT) as journal:
        assert dropper.dropped == 1
        await journal.open_run(run_record())
        await journal.write([removal(1)])
        assert len(await journal.removals("run1")) == 1
