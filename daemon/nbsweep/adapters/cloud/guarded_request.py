"""What has to be added to aiohttp's way of sending a request and of reading its answer."""

import os
import re
import socket
import ssl
from collections.abc import Callable

import aiohttp
from aiohttp import ClientHandlerType, ClientMiddlewareType, ClientRequest, ClientResponse
from aiohttp.connector import Connection

from nbsweep.core.ports import unheeded

ANSWER_LIMIT_BYTES = 8 * 2**20
"""A page of fifty rows has some hundred thousand bytes."""
QUOTED = re.compile(r"\bb['\"].*", re.DOTALL)
"""What aiohttp's errors quote of bytes that are no HTTP: it may be the header with a token, or a notebook's row."""


class ConnectionBroken(aiohttp.ClientError):
    """The connection ended after the request had been sent."""


class GuardedRequest(ClientRequest):
    """Asks whether it may still leave once it has a connection, right before its first byte: getting one takes its time."""

    may_leave: Callable[[], object] = staticmethod(unheeded)
    """Raises when it may not."""

    async def send(self, conn: Connection) -> ClientResponse:
        """Send it, unless it may not leave any more; the connection is closed then."""
        self.may_leave()
        return await super().send(conn)


def guarded_by(may_leave: Callable[[], object]) -> ClientMiddlewareType:
    """Return a middleware that calls `may_leave` right before the first byte of a request."""

    async def guard(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
        request.may_leave = may_leave  # type: ignore[attr-defined]  # every session makes GuardedRequests
        return await send_once(request, handler)

    return guard


async def send_once(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
    """Keep aiohttp from sending again on its own, past the lanes, when a connection that was kept alive breaks."""
    try:
        return await handler(request)
    except aiohttp.ClientConnectorError:
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        message = f"the connection broke: {error}"
        raise ConnectionBroken(message) from error


async def read_body(response: ClientResponse) -> bytes:
    """Read a body of bounded size; what counts is how much it is unpacked, and aiohttp unpacks it piece by piece."""
    content = response.content
    body = await content.readany()
    if not content.at_eof():
        body = await _read_on(content, bytearray(body))
    if len(body) > ANSWER_LIMIT_BYTES:
        message = "the answer is larger than any that the API gives"
        raise aiohttp.ClientPayloadError(message)
    return body


async def _read_on(content: aiohttp.StreamReader, body: bytearray) -> bytes:
    """Read the rest of a body that did not come at once, up to the first piece too many."""
    while len(body) <= ANSWER_LIMIT_BYTES and (piece := await content.readany()):
        body += piece
    return bytes(body)


def words_of(error: Exception) -> str:
    """Describe a failure of the transport on one line, without quoting any received data."""
    cause = error.__cause__ or error
    if isinstance(cause, ssl.SSLError):
        return _words_of_tls(cause)
    if isinstance(cause, OSError) and not isinstance(cause, socket.gaierror) and (cause.errno or 0) > 0:
        return os.strerror(cause.errno or 0)
    text = getattr(cause, "strerror", None) or getattr(cause, "verify_message", None) or str(cause) or type(cause).__name__
    return " ".join(QUOTED.sub("", str(text)).split()).rstrip(" :")


def _words_of_tls(error: ssl.SSLError) -> str:
    """Describe a TLS error in OpenSSL's words; its number is not one of the operating system."""
    if verify_message := getattr(error, "verify_message", ""):
        return str(verify_message).rstrip(".")
    words = (error.reason or "the connection cannot be encrypted").replace("_", " ").lower()
    plain = words in ("wrong version number", "record layer failure", "packet length too long")
    return f"{words}; does the server speak plain HTTP on this port?" if plain else words
