"""A stream of events that tells a page when something has changed while a target is swept, so that it is read again at once.

The events hold nothing themselves: the page is the only place where facts are shown. Without a stream, a page is read again
every few seconds; without a script, by hand.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256

import anyio
import msgspec
from aiohttp import web
from aiohttp.hdrs import METH_HEAD

from nbsweep.core.errors import JournalError
from nbsweep.core.ports import Journal
from nbsweep.service.control import Control, Phase
from nbsweep.service.web.access.visitors import Needs
from nbsweep.service.web.errors import Code, Refused
from nbsweep.service.web.pages.routing import PageRoute, Visit
from nbsweep.service.web.pages.streaming import begin_stream, write_in_time

PATH = "/events"
MOST_STREAMS = 16
"""Streams at the same time; each holds one of the connections."""
LASTS_S = 600.0
"""A stream ends after this time; the browser opens another one, which is checked as the first was."""
LOOKS_EVERY_S = 1.0
SAYS_SOMETHING_EVERY_S = 15.0
"""A line is sent at least so often, so that a connection that is gone is noticed, and proxies keep it."""
KIND = "text/event-stream; charset=utf-8"
CHANGE, NOTHING = b"event: change\ndata: -\n\n", b": nothing new\n\n"


@dataclass(slots=True)
class Pulse:
    """A digest of everything that changes while targets are swept, read at most once a second for all streams."""

    control: Control
    journal: Journal
    _read_s: float = float("-inf")
    _digest: bytes = b""

    async def digest(self) -> bytes:
        """Return the digest as it is now; while the journal cannot be read, it stays what it was."""
        if anyio.current_time() - self._read_s >= LOOKS_EVERY_S:
            self._read_s = anyio.current_time()
            try:
                self._digest = await self._read()
            except JournalError:
                return self._digest
        return self._digest

    async def _read(self) -> bytes:
        states = self.control.targets()
        sweeping = [state.name for state in states if state.phase is Phase.SWEEPING]
        runs = [run.run_id for run in (await self.journal.last_runs(sweeping)).values()] if sweeping else []
        return sha256(msgspec.json.encode([states, await self.journal.run_counts(runs) if runs else ()])).digest()


@dataclass(slots=True)
class EventsPage:
    """Sends the events, until the service ends."""

    pulse: Pulse
    _closed: anyio.Event = field(default_factory=anyio.Event)
    _streams: int = 0

    def section(self) -> None:
        """Return None: there is nothing to navigate to."""

    def routes(self) -> Sequence[PageRoute]:
        """Return the route."""
        return (PageRoute("GET", PATH, self.stream, Needs.READING),)

    async def close(self, _app: web.Application) -> None:
        """End all streams: the service stops, and would wait for them."""
        self._closed.set()

    async def stream(self, visit: Visit) -> web.StreamResponse:
        """Send an event whenever something has changed.

        Raises:
            Refused: there are too many streams.
        """
        if self._streams >= MOST_STREAMS:
            raise Refused(Code.TOO_MANY_REQUESTS, "too many pages are watching; the page is read again every few seconds")
        self._streams += 1
        try:
            return await self._stream(visit.request)
        finally:
            self._streams -= 1

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        response = await begin_stream(request, KIND)
        if request.method != METH_HEAD:
            with anyio.move_on_after(LASTS_S):
                await self._tell(request, response)
        return response

    async def _tell(self, request: web.Request, response: web.StreamResponse) -> None:
        known, silent_s = await self.pulse.digest(), 0.0
        while not self._closed.is_set():
            with anyio.move_on_after(LOOKS_EVERY_S):
                await self._closed.wait()
            now, silent_s = await self.pulse.digest(), silent_s + LOOKS_EVERY_S
            line = CHANGE if now != known else NOTHING if silent_s >= SAYS_SOMETHING_EVERY_S else b""
            if line:
                await write_in_time(request, response, line)
            known, silent_s = now, 0.0 if line else silent_s
