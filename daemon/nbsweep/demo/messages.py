"""Receives the messages of the demo's channels, and shows the latest ones."""

from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

MOST_SHOWN = 20
NONE_YET = "No message was sent since the start. Owners and operators get their messages here.\n"


@dataclass(slots=True)
class Inbox:
    """The latest messages."""

    latest: deque[str] = field(default_factory=lambda: deque(maxlen=MOST_SHOWN))

    async def receive(self, request: web.Request) -> web.Response:
        """Accept a message."""
        data = (await request.json())["data"]
        to = data.get("to") or "the operators"
        self.latest.appendleft(f"To: {to}\nSubject: {data['subject']}\n\n{data['text']}\n")
        return web.Response(text="ok")

    async def show(self, _request: web.Request) -> web.Response:
        """Show the latest messages as text, the newest first."""
        return web.Response(text=f"{'-' * 72}\n".join(self.latest) or NONE_YET)


@asynccontextmanager
async def receiving_messages() -> AsyncIterator[str]:
    """Receive messages on a free port of loopback, and yield the address."""
    inbox, app = Inbox(), web.Application()
    app.add_routes([web.post("/{channel}", inbox.receive), web.get("/", inbox.show)])
    async with on_loopback(app) as url:
        yield url


@asynccontextmanager
async def on_loopback(app: web.Application) -> AsyncIterator[str]:
    """Serve an application on a free port of loopback, and yield its address."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
