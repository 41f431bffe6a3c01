"""Serves the HTTP API on an address."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
from aiohttp import web

from nbsweep.core.errors import NbsweepError
from nbsweep.service.web.access.connections import Connections
from nbsweep.service.web.address import Address
from nbsweep.service.web.app import ADDRESS, CONNECTIONS

SHUTDOWN_S = 2.0
"""Time in seconds that open requests get at shutdown before they are cancelled."""
CLEANUP_S = SHUTDOWN_S + 1.0
BACKLOG = 128
"""Number of connections that may wait for acceptance."""


@asynccontextmanager
async def serve_web(app: web.Application, listen: str) -> AsyncIterator[str]:
    """Serve on an address and yield the bound address. On exit no task and no socket is left.

    Raises:
        NbsweepError: it cannot be listened on.
    """
    address = Address.of(listen)
    if address.host != app[ADDRESS].host:
        message = f"the application was built for {app[ADDRESS].host}, and its token rules do not fit {address.host}"
        raise ValueError(message)
    runner = web.AppRunner(
        app, access_log=None, shutdown_timeout=SHUTDOWN_S, handler_cancellation=True, logger=_nobodys_logger()
    )
    await runner.setup()
    try:
        async with _listening(runner, app[CONNECTIONS], address) as bound:
            yield bound
    finally:
        # Sockets are closed in any case, within a time limit.
        with anyio.move_on_after(CLEANUP_S, shield=True):
            await runner.cleanup()


async def require_listenable(listen: str) -> None:
    """Check that the address can be listened on.

    Raises:
        NbsweepError: it cannot be listened on.
    """
    address = Address.of(listen)
    try:
        listener = await anyio.create_tcp_listener(local_host=address.host, local_port=address.port)
    except OSError as error:
        raise _refused(address, error) from error
    await listener.aclose()


def _refused(address: Address, error: OSError) -> NbsweepError:
    advice = "Check service.listen (or --listen of a worker), and whether another process listens there"
    return NbsweepError(f"{address} cannot be listened on: {error.strerror or error}. {advice}")


@asynccontextmanager
async def _listening(runner: web.AppRunner, connections: Connections, address: Address) -> AsyncIterator[str]:
    """Listen on an address and return the bound address."""
    if runner.server is None:
        raise ValueError("the runner has not been set up")
    admit = connections.admitting(runner.server)
    try:
        listening = await asyncio.get_running_loop().create_server(admit, address.host, address.port, backlog=BACKLOG)
    except OSError as error:
        raise _refused(address, error) from error
    try:
        async with anyio.create_task_group() as group:
            group.start_soon(connections.close_idle, name="idle-connections")
            yield str(Address(address.host, listening.sockets[0].getsockname()[1]))
            group.cancel_scope.cancel()
    finally:
        listening.close()


def _nobodys_logger() -> logging.Logger:
    """Return a logger that writes nothing: malformed requests are common, and their content must not reach a log."""
    logger = logging.Logger("nbsweep.web")  # noqa: LOG001 - one of its own: what is global is left alone
    logger.disabled = True
    return logger
