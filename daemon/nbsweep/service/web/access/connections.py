"""Limits the connections to the API: their number, and the time without a request. Idle connections make room for new ones.

aiohttp closes a connection that is idle between two requests, but waits without a limit for the first request or its rest.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import anyio
from aiohttp.base_protocol import BaseProtocol

MOST_CONNECTIONS = 64
IDLE_S = 30.0
"""Seconds that a connection may stay open without a request in progress: before the first one, or while a response is read."""
LOOKS_EVERY_S = 1.0


class TurnedAway(asyncio.Protocol):
    """A connection above the limit, which is closed at once."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Close the connection."""
        if isinstance(transport, asyncio.Transport):
            transport.abort()


class Connections:
    """The open connections: since when each is idle, and which ones have a request in progress.

    The `transport` of a connection is None before the connection is made and after it is lost.
    """

    def __init__(self) -> None:
        """Start without connections."""
        self._idle_since_s: dict[BaseProtocol, float] = {}
        self._served: set[BaseProtocol] = set()

    @contextmanager
    def serving(self, connection: BaseProtocol) -> Iterator[None]:
        """Mark a connection as busy while its request is in progress, so that it is not closed as idle."""
        self._served.add(connection)
        try:
            yield
        finally:
            self._served.discard(connection)
            if connection in self._idle_since_s:
                self._idle_since_s[connection] = anyio.current_time()

    def admitting(self, make: Callable[[], BaseProtocol]) -> Callable[[], asyncio.BaseProtocol]:
        """Return a factory of protocols. If there are too many connections, the longest idle one is closed."""

        def admit() -> asyncio.BaseProtocol:
            self._forget_lost()
            if len(self._idle_since_s) >= MOST_CONNECTIONS:
                idle = [connection for connection in self._idle_since_s if connection not in self._served]
                if not idle:
                    return TurnedAway()
                self._close(min(idle, key=self._idle_since_s.__getitem__))
            connection = make()
            self._idle_since_s[connection] = anyio.current_time()
            return connection

        return admit

    async def close_idle(self) -> None:
        """Close connections that have been idle for too long, until cancelled."""
        while True:
            await anyio.sleep(LOOKS_EVERY_S)
            self._forget_lost()
            latest_s = anyio.current_time() - IDLE_S
            for connection, since_s in list(self._idle_since_s.items()):
                if since_s < latest_s and connection not in self._served:
                    self._close(connection)

    def _close(self, connection: BaseProtocol) -> None:
        del self._idle_since_s[connection]
        if connection.transport is not None:
            connection.transport.abort()

    def _forget_lost(self) -> None:
        made_s = anyio.current_time() - LOOKS_EVERY_S
        for connection, since_s in list(self._idle_since_s.items()):
            if connection.transport is None and since_s < made_s:
                del self._idle_since_s[connection]
