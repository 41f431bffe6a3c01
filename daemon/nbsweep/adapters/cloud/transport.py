"""What has to be added to aiohttp's way of sending a request and of reading its answer."""

import os
import socket

import aiohttp
from aiohttp import ClientHandlerType, ClientRequest, ClientResponse

ANSWER_LIMIT_BYTES = 32 * 2**20


class ConnectionBroken(aiohttp.ClientError):
    """The connection ended after the request had been sent."""


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
    """Read a body of bounded size."""
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > ANSWER_LIMIT_BYTES:
            message = "the answer is larger than any that the API gives"
            raise aiohttp.ClientPayloadError(message)
    return bytes(body)


def words_of(error: Exception) -> str:
    """Say in a few words what a failure of the transport was."""
    cause = error.__cause__ or error
    if isinstance(cause, OSError) and not isinstance(cause, socket.gaierror) and (cause.errno or 0) > 0:
        return os.strerror(cause.errno or 0)
    text = getattr(cause, "strerror", None) or getattr(cause, "verify_message", None) or str(cause) or type(cause).__name__
    return str(text)
