"""Extends aiohttp: checks right before sending, no hidden retries, bounded bodies, and messages without received data."""

from collections.abc import Callable

import aiohttp
from aiohttp import ClientHandlerType, ClientMiddlewareType, ClientRequest, ClientResponse
from aiohttp.connector import Connection

from nbsweep.core.ports import unheeded

ANSWER_LIMIT_BYTES = 8 * 2**20
"""Much more than a page of fifty rows, which has about a hundred thousand bytes."""


class ConnectionBroken(aiohttp.ClientError):
    """The connection ended after the request had been sent."""


class GuardedRequest(ClientRequest):
    """A request that checks right before its first byte whether it may be sent, because getting a connection takes time."""

    may_leave: Callable[[], object] = staticmethod(unheeded)
    """Raises an error if the request may not be sent."""

    async def send(self, conn: Connection) -> ClientResponse:
        """Send the request; if it may not be sent any more, the connection is closed."""
        self.may_leave()
        return await super().send(conn)


def guarded_by(may_leave: Callable[[], object]) -> ClientMiddlewareType:
    """Return a middleware that calls `may_leave` right before the first byte of a request."""

    async def guard(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        request.may_leave = may_leave  # type: ignore[attr-defined]  # every session makes GuardedRequests
        return await send_once(request, handler)

    return guard


async def send_once(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
    """Send a request once: aiohttp would send it again, without the lanes, after a kept-alive connection breaks."""
    try:
        return await handler(request)
    except aiohttp.ClientConnectorError:
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        message = f"the connection broke: {error}"
        raise ConnectionBroken(message) from error


async def read_body(response: ClientResponse) -> bytes:
    """Read a body of bounded size. The decompressed size counts; aiohttp decompresses it piece by piece."""
    content = response.content
    body = await content.readany()
    if not content.at_eof():
        body = await _read_on(content, bytearray(body))
    if len(body) > ANSWER_LIMIT_BYTES:
        message = "the answer is larger than any that the API gives"
        raise aiohttp.ClientPayloadError(message)
    return body


async def _read_on(content: aiohttp.StreamReader, body: bytearray) -> bytes:
    """Read the rest of a body that did not arrive at once, up to the first piece beyond the limit."""
    while len(body) <= ANSWER_LIMIT_BYTES and (piece := await content.readany()):
        body += piece
    return bytes(body)
