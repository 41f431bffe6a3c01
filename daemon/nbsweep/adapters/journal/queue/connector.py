"""Lets procrastinate use the connections of the journal.

So a dropped connection and a restart of the server are waited for as in the journal, nothing belongs to a session (before the
server may stand a PgBouncer in transaction mode), and the connections of a process are bounded in one place.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from procrastinate.connector import BaseAsyncConnector, Notify
from procrastinate.sql import queries
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from nbsweep.adapters.journal.address import JournalAddress
from nbsweep.adapters.journal.connections.outage import outlasting
from nbsweep.adapters.journal.connections.postgresql import limit_stall
from nbsweep.adapters.journal.connections.tasks import connected, spawned
from nbsweep.adapters.journal.errors import journal_errors

RAISED = "P0001"
"""The SQLSTATE of RAISE in a function: https://www.postgresql.org/docs/current/errcodes-appendix.html"""

Row = dict[str, Any]
Work = Callable[[Connection], Sequence[Row]]


class JournalConnector(BaseAsyncConnector):
    """Runs the queries of procrastinate, and those of the queue, each in a transaction of its own."""

    def __init__(self, engine: Engine, address: JournalAddress, patience_s: float) -> None:
        """Take the engine of the journal, its address, and how long an outage may last."""
        self._engine = engine
        self._address = address
        self._patience_s = patience_s

    async def perform(self, work: Work) -> Sequence[Row]:
        """Do work in one transaction, which may begin anew after an outage; return its rows.

        Raises:
            JournalError: the database cannot be used.
        """
        with journal_errors(self._address):
            return await outlasting(partial(self._once, work), self._patience_s)

    async def _once(self, work: Work) -> Sequence[Row]:
        def together(connection: Connection) -> Sequence[Row]:
            with connection.begin():
                limit_stall(connection)
                return work(connection)

        async with connected(self._engine) as connection:
            return await spawned(together, connection)

    async def open_async(self, pool: object = None) -> None:
        """Do nothing: the journal is open."""

    async def close_async(self) -> None:
        """Do nothing: the journal closes the connections."""

    async def execute_query_async(self, query: str, **arguments: Any) -> None:
        """Run a statement; to finish a job that is not running any more is no error, because it was reaped meanwhile."""
        finishing = query == queries["finish_job"]

        def work(connection: Connection) -> Sequence[Row]:
            try:
                connection.exec_driver_sql(query, arguments)
            except DBAPIError as error:
                if not (finishing and getattr(error.orig, "sqlstate", None) == RAISED):
                    raise
            return ()

        await self.perform(work)

    async def execute_query_one_async(self, query: str, **arguments: Any) -> Row:
        """Run a query, and return its first row."""
        rows = await self.execute_query_all_async(query, **arguments)
        return rows[0]

    async def execute_query_all_async(self, query: str, **arguments: Any) -> list[Row]:
        """Run a query, and return its rows."""
        return list(await self.perform(partial(fetch, query=query, arguments=arguments)))

    async def listen_notify(self, on_notification: Notify, channels: Iterable[str]) -> None:
        """Do nothing: LISTEN belongs to a session, and workers ask often enough."""


def fetch(connection: Connection, query: str, arguments: Mapping[str, Any]) -> list[Row]:
    """Run a query inside a transaction, and return its rows by the names of their columns."""
    return [dict(row) for row in connection.exec_driver_sql(query, dict(arguments)).mappings()]
