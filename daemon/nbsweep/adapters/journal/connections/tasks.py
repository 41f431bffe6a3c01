"""Uses connections of a synchronous engine from asynchronous tasks.

This is the little that the journal needs of `sqlalchemy.ext.asyncio`, which would import the whole ORM at every start.
The driver is asynchronous all the same; what is called through `spawned` waits for it without holding up the event loop.
"""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from sqlalchemy import Connection, Engine, RowMapping, Select
from sqlalchemy.util import greenlet_spawn as spawned

from nbsweep.adapters.journal.connections.outage import outlasting

__all__ = ["ask", "connected", "spawned"]


@asynccontextmanager
async def connected(engine: Engine, patience_s: float = 0.0) -> AsyncIterator[Connection]:
    """Yield a connection; it is returned to the pool however its use ends. An outage is waited for up to `patience_s`."""
    connection = await outlasting(partial(spawned, engine.connect), patience_s)
    try:
        yield connection
    finally:
        await _to_the_end(spawned(connection.close))


async def ask(engine: Engine, query: Select[Any]) -> Sequence[RowMapping]:
    """Run a query on a connection of its own, and return its rows."""
    async with connected(engine) as connection:
        return await spawned(_fetch, connection, query)


def _fetch(connection: Connection, query: Select[Any]) -> Sequence[RowMapping]:
    return connection.execute(query).mappings().all()


async def _to_the_end(work: Coroutine[Any, Any, None]) -> None:
    """Wait for `work` even if this task is cancelled meanwhile, once or repeatedly."""
    task = asyncio.create_task(work)
    cancelled = None
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError as cancellation:
            cancelled = cancellation
    if cancelled is not None:
        raise cancelled from task.exception()
    task.result()
