"""Reads the bodies of requests: JSON documents and forms, small and strictly checked."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any, TypeVar
from urllib.parse import parse_qsl

import msgspec
from aiohttp import web

from nbsweep.documents.base import Document
from nbsweep.service.web.errors import Code, Refused
from nbsweep.service.web.messages import message

BODY_S = 10.0
"""Seconds in which a body must arrive."""
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
MOST_FIELDS = 10
"""Number of fields of a form."""

Body = TypeVar("Body", bound=Document)


async def read_body(request: web.Request) -> bytes:
    """Read the body within the time limit.

    Raises:
        Refused: it did not arrive in time.
    """
    try:
        async with asyncio.timeout(BODY_S):
            return await request.read()
    except TimeoutError:
        said = message("the body of the request did not arrive within %(seconds)s s", seconds=f"{BODY_S:g}")
        raise Refused(Code.BAD_REQUEST, said) from None


async def read_json(request: web.Request, kind: type[Body], *, optional: bool = False) -> Body:
    """Read the body as a document. An optional body may be empty, and is then the document without any field.

    Raises:
        Refused: it is not JSON, or is no such document.
    """
    body = await read_body(request)
    if optional and not body:
        return kind()
    _require_type(request, JSON)
    try:
        # A repeated key has no meaning; msgspec would take its last value.
        json.loads(body, object_pairs_hook=_without_repetition)
        return msgspec.json.decode(body, type=kind)
    except _RepeatedKeyError:
        raise Refused(Code.BAD_REQUEST, "a key of the body is repeated") from None
    except msgspec.ValidationError as error:
        raise Refused(Code.BAD_REQUEST, f"the body is not as described: {error}") from None
    except (ValueError, RecursionError):
        raise Refused(Code.BAD_REQUEST, "the body is not JSON in UTF-8") from None


async def read_form(request: web.Request) -> Mapping[str, str]:
    """Read the body as a form, each of whose fields is there once.

    Raises:
        Refused: it is no such form.
    """
    body = await read_body(request)
    _require_type(request, FORM)
    try:
        fields = parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS)
    except ValueError:
        raise Refused(Code.BAD_REQUEST, message("the body is not a form in UTF-8")) from None
    if len(dict(fields)) < len(fields):
        raise Refused(Code.BAD_REQUEST, message("a field of the form is repeated"))
    return dict(fields)


def _require_type(request: web.Request, media_type: str) -> None:
    charset = (request.charset or "utf-8").lower()
    if request.content_type != media_type or charset not in ("utf-8", "utf8"):
        raise Refused(Code.WRONG_TYPE, f"the body must be {media_type} in UTF-8, and Content-Type must say so")


class _RepeatedKeyError(Exception):
    """An object of a JSON document has a key twice."""


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _RepeatedKeyError
    return found
