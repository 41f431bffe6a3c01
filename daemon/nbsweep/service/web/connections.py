"""Connections to the API: so many at once, and none for long without a request. Idle ones make room for others.

aiohttp closes a connection that is idle between two requests, but waits for ever for the first one, and for the rest of one.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import anyio

MOST_CONNECTIONS = 64
IDLE_S = 30.0
"""How long a connection may be without a request that is being worked on: before its first one, and while an answer is read."""
LOOKS_EVERY_S = 1.0

Visitor = Any
"""aiohttp's protocol of one connection; `transport` is None before it is made, and once it is lost."""


class TurnedAway(asyncio.Protocol):
    """A connection for which there is no room."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Close it at once."""
        if isinstance(transport, asyncio.Transport):
            transport.abort()


class Connections:
    """Who is connected, since when without a request, and who is being served."""

    def __init__(self) -> None:
        """Begin with nobody."""
        self._idle_since_s: dict[Visitor, float] = {}
        self._served: set[Visitor] = set()

    @contextmanager
    def serving(self, visitor: Visitor) -> Iterator[None]:
        """Take note that a request is being worked on, which nothing but its own end ends."""
        self._served.add(visitor)
        try:
            yield
        finally:
            self._served.discard(visitor)
            if visitor in self._idle_since_s:
                self._idle_since_s[visitor] = anyio.current_time()

    def admitting(self, make: Callable[[], asyncio.BaseProtocol]) -> Callable[[], asyncio.BaseProtocol]:
        """Make what admits connections: in the place of the one that has been idle for the longest, where they are too many."""

        def admit() -> asyncio.BaseProtocol:
            self._forget_lost()
            if len(self._idle_since_s) >= MOST_CONNECTIONS:
                idle = [visitor for visitor in self._idle_since_s if visitor not in self._served]
                if not idle:
                    return TurnedAway()
                self._close(min(idle, key=self._idle_since_s.__getitem__))
            visitor = make()
            self._idle_since_s[visitor] = anyio.current_time()
            return visitor

        return admit

    async def close_idle(self) -> None:
        """Close again and again what has been idle for too long."""
        while True:
            await anyio.sleep(LOOKS_EVERY_S)
            self._forget_lost()
            latest_s = anyio.current_time() - IDLE_S
            for visitor, since_s in list(self._idle_since_s.items()):
                if since_s < latest_s and visitor not in self._served:
                    self._close(visitor)

    def _close(self, visitor: Visitor) -> None:
        del self._idle_since_s[visitor]
        if visitor.transport is not None:
            visitor.transport.abort()

    def _forget_lost(self) -> None:
        made_s = anyio.current_time() - LOOKS_EVERY_S
        for visitor, since_s in list(self._idle_since_s.items()):
            if visitor.transport is None and since_s < made_s:
                del self._idle_since_s[visitor]
