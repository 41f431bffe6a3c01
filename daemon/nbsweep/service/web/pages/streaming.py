"""Answers with files that are written while they are read from the journal, so that they are never in memory at once."""

from collections.abc import AsyncIterator, Mapping
from types import MappingProxyType

import anyio
from aiohttp import web
from aiohttp.hdrs import METH_HEAD

from nbsweep.core.errors import NbsweepError
from nbsweep.service.web.pages.site import HEADERS

SLOWEST_S = 30.0
"""Seconds within which a client must take a piece of a stream."""
CSV = "text/csv; charset=utf-8"
JSON_LINES = "application/jsonl; charset=utf-8"


async def stream_file(request: web.Request, name: str, kind: str, pieces: AsyncIterator[str]) -> web.StreamResponse:
    """Send the pieces of a file as a download.

    The first piece is made before anything is sent, so that an error until then is told as any other. After that, an error
    closes the connection in the middle of the file, which browsers tell as a failed download.

    Raises:
        NbsweepError: the first piece could not be made.
    """
    first = await anext(pieces, "")
    response = await begin_stream(request, kind, {"Content-Disposition": f'attachment; filename="{name}"'})
    if request.method == METH_HEAD:
        return response
    try:
        await write_in_time(request, response, first.encode())
        async for piece in pieces:
            await write_in_time(request, response, piece.encode())
    except NbsweepError:
        if request.transport is not None:
            request.transport.abort()
        return response
    await response.write_eof()
    return response


async def begin_stream(
    request: web.Request, kind: str, headers: Mapping[str, str] = MappingProxyType({})
) -> web.StreamResponse:
    """Send the headers of a stream of this media type; the guard cannot add any to it later."""
    own = {"Content-Type": kind, "X-Content-Type-Options": "nosniff", "X-Accel-Buffering": "no", "Server": "nbsweep"}
    response = web.StreamResponse(headers={**HEADERS, **own, **headers})
    await response.prepare(request)
    return response


async def write_in_time(request: web.Request, response: web.StreamResponse, piece: bytes) -> None:
    """Send a piece of a stream. A client that does not take it in time is cut off, so that it does not hold a connection.

    Raises:
        ConnectionResetError: the client is cut off, or has gone.
    """
    with anyio.move_on_after(SLOWEST_S):
        await response.write(piece)
        return
    if request.transport is not None:
        request.transport.abort()
    raise ConnectionResetError
