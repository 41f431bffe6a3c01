"""Answers with files that are written while they are read from the journal, so that they are never in memory at once."""

from collections.abc import AsyncIterator

from aiohttp import web
from aiohttp.hdrs import METH_HEAD

from nbsweep.core.errors import NbsweepError
from nbsweep.service.web.pages.site import HEADERS

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
    response = web.StreamResponse(headers=_headers(name, kind))
    await response.prepare(request)
    if request.method == METH_HEAD:
        return response
    try:
        await response.write(first.encode())
        async for piece in pieces:
            await response.write(piece.encode())
    except NbsweepError:
        if request.transport is not None:
            request.transport.abort()
        return response
    await response.write_eof()
    return response


def _headers(name: str, kind: str) -> dict[str, str]:
    return {
        **HEADERS,
        "Content-Type": kind,
        "Content-Disposition": f'attachment; filename="{name}"',
        "X-Content-Type-Options": "nosniff",
        "Server": "nbsweep",
    }
