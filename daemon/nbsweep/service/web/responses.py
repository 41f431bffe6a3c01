"""Writes documents as responses. The rows of a series are written piece by piece, so that memory stays bounded."""

from collections.abc import AsyncIterator
from http import HTTPStatus
from itertools import islice

import msgspec
from aiohttp import web
from anyio.lowlevel import checkpoint

from nbsweep.documents.plans_and_runs import Document, Series

ROWS_AT_ONCE = 200
"""Number of rows that are written before other tasks run: sweeps continue while a client reads."""


def json_answer(document: Document, status: HTTPStatus = HTTPStatus.OK) -> web.Response:
    """Send a document as the JSON response."""
    streams = any(isinstance(value, Series) for value in document.values())
    body = _streamed(document) if streams else msgspec.json.encode(document)
    return web.Response(body=body, status=status, content_type="application/json")


async def _streamed(document: Document) -> AsyncIterator[bytes]:
    begin = b"{"
    for key, value in document.items():
        yield begin + msgspec.json.encode(key) + b":"
        if isinstance(value, Series):
            async for piece in _listed(value):
                yield piece
        else:
            yield msgspec.json.encode(value)
        begin = b","
    yield b"}"


async def _listed(series: Series) -> AsyncIterator[bytes]:
    rows = iter(series)
    begin = b"["
    while some := list(islice(rows, ROWS_AT_ONCE)):
        yield begin + b",".join(msgspec.json.encode(row) for row in some)
        begin = b","
        await checkpoint()
    yield b"[]" if begin == b"[" else b"]"
