"""Writes documents as responses. The rows of a series are written piece by piece, so that memory stays bounded."""

from collections.abc import AsyncIterator, Mapping
from http import HTTPStatus
from itertools import islice
from typing import TypeGuard

import msgspec
from aiohttp import web
from anyio.lowlevel import checkpoint

from nbsweep.documents.base import Document, Series, members

ROWS_AT_ONCE = 200
"""Number of rows that are written before other tasks run: sweeps continue while a client reads."""


def json_answer(document: Document | Mapping[str, object], status: HTTPStatus = HTTPStatus.OK) -> web.Response:
    """Send a document as the JSON response."""
    body = _streamed(document) if _has_series(document) else msgspec.json.encode(document)
    return web.Response(body=body, status=status, content_type="application/json")


def _has_series(document: Document | Mapping[str, object]) -> TypeGuard[Document]:
    return isinstance(document, Document) and any(isinstance(value, Series) for _, value in members(document))


async def _streamed(document: Document) -> AsyncIterator[bytes]:
    begin = b"{"
    for key, value in members(document):
        yield begin + msgspec.json.encode(key) + b":"
        if isinstance(value, Series):
            async for piece in _listed(value):
                yield piece
        else:
            yield msgspec.json.encode(value)
        begin = b","
    yield b"}"


async def _listed(series: Series[Document]) -> AsyncIterator[bytes]:
    rows = iter(series)
    begin = b"["
    while some := list(islice(rows, ROWS_AT_ONCE)):
        yield begin + b",".join(msgspec.json.encode(row) for row in some)
        begin = b","
        await checkpoint()
    yield b"[]" if begin == b"[" else b"]"
