"""Error responses, all in one form: `{"error": {"code", "message"}}`."""

import traceback
from collections.abc import Mapping
from enum import StrEnum
from http import HTTPStatus
from pathlib import PurePath

import msgspec
from aiohttp import web

from nbsweep.core.errors import GrantRefused, JournalError, NbsweepError, UsageError
from nbsweep.core.events.service import WebFailed
from nbsweep.core.exemptions.links import PATH
from nbsweep.core.ports import Telemetry
from nbsweep.documents.base import Document
from nbsweep.service.control import UnknownTargetError
from nbsweep.service.web.messages import Message, english_of, message

LONGEST_PATH = 200
"""Longest part of a request path that a message repeats: callers choose the length of a path."""


class Code(StrEnum):
    """The kind of an error, for programs."""

    BAD_REQUEST = "bad-request"
    UNAUTHORIZED = "unauthorized"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not-found"
    METHOD_NOT_ALLOWED = "method-not-allowed"
    CONFLICT = "conflict"
    TOO_LARGE = "too-large"
    WRONG_TYPE = "wrong-type"
    TOO_MANY_ATTEMPTS = "too-many-attempts"
    TOO_MANY_REQUESTS = "too-many-requests"
    INTERNAL = "internal"
    CLOUD_FAILED = "cloud-failed"
    JOURNAL_FAILED = "journal-failed"
    NOT_READY = "not-ready"


STATUS: Mapping[Code, HTTPStatus] = {
    Code.BAD_REQUEST: HTTPStatus.BAD_REQUEST,
    Code.UNAUTHORIZED: HTTPStatus.UNAUTHORIZED,
    Code.FORBIDDEN: HTTPStatus.FORBIDDEN,
    Code.NOT_FOUND: HTTPStatus.NOT_FOUND,
    Code.METHOD_NOT_ALLOWED: HTTPStatus.METHOD_NOT_ALLOWED,
    Code.CONFLICT: HTTPStatus.CONFLICT,
    Code.TOO_LARGE: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    Code.WRONG_TYPE: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    Code.TOO_MANY_ATTEMPTS: HTTPStatus.TOO_MANY_REQUESTS,
    Code.TOO_MANY_REQUESTS: HTTPStatus.TOO_MANY_REQUESTS,
    Code.INTERNAL: HTTPStatus.INTERNAL_SERVER_ERROR,
    Code.CLOUD_FAILED: HTTPStatus.BAD_GATEWAY,
    Code.JOURNAL_FAILED: HTTPStatus.SERVICE_UNAVAILABLE,
    Code.NOT_READY: HTTPStatus.SERVICE_UNAVAILABLE,
}


class ErrorDetail(Document, frozen=True):
    """The code of an error, for programs, and its message, for people."""

    code: Code
    message: str


class ErrorDocument(Document, frozen=True):
    """An error response."""

    error: ErrorDetail


class Refused(Exception):
    """A request that gets an error response."""

    def __init__(self, code: Code, said: str | Message, headers: Mapping[str, str] | None = None) -> None:
        """Take the code, what happened, and further headers of the response. A text is in English on all pages."""
        super().__init__(english_of(said) if isinstance(said, Message) else said)
        self.code = code
        self.message = said if isinstance(said, Message) else None
        self.headers = dict(headers or {})


class FieldRefused(GrantRefused):
    """A field of a form that is wrong."""

    def __init__(self, field: str, said: Message) -> None:
        """Take the field, and what is wrong with it."""
        super().__init__(field, english_of(said))
        self.message = said


def error_answer(refusal: Refused) -> web.Response:
    """Return the response of an error."""
    document = ErrorDocument(ErrorDetail(refusal.code, str(refusal)))
    return web.Response(
        body=msgspec.json.encode(document),
        status=STATUS[refusal.code],
        headers=refusal.headers,
        content_type="application/json",
    )


def failure_of(error: NbsweepError, target: str) -> Refused:
    """Return the error response for a target that could not be asked."""
    code = Code.JOURNAL_FAILED if isinstance(error, JournalError) else Code.CLOUD_FAILED
    return Refused(code, f"{target}: {error}")


def refusal_of(request: web.Request, error: Exception, telemetry: Telemetry) -> Refused:
    """Return the error response for an exception. The response to a bug reveals no details."""
    if isinstance(error, Refused):
        return error
    known = _of_http(request, error) if isinstance(error, web.HTTPException) else _of_ours(error)
    if known:
        return known
    telemetry.emit(WebFailed(request.method, logged_path(request), f"{type(error).__name__}: {error}", _place(error)))
    return Refused(Code.INTERNAL, message("internal error: a bug in nbsweep; see its log"))


def _of_ours(error: Exception) -> Refused | None:
    match error:
        case UnknownTargetError():
            return Refused(Code.NOT_FOUND, message("no target has that name; GET /api/v1/targets lists them"))
        case JournalError():
            return Refused(Code.JOURNAL_FAILED, str(error))
        case UsageError():
            return Refused(Code.BAD_REQUEST, str(error))
        case NbsweepError():
            return Refused(Code.CLOUD_FAILED, str(error))
        case ConnectionError() | web.RequestPayloadError():
            return Refused(Code.BAD_REQUEST, message("the body of the request cannot be read"))
    return None


def _of_http(request: web.Request, error: web.HTTPException) -> Refused:
    match error:
        case web.HTTPNotFound():
            return Refused(Code.NOT_FOUND, message("not found; GET /api/v1/openapi.json lists the addresses"))
        case web.HTTPMethodNotAllowed():
            allowed = ", ".join(sorted(error.allowed_methods))
            said = message("%(method)s is not allowed here; allowed: %(allowed)s", method=request.method, allowed=allowed)
            return Refused(Code.METHOD_NOT_ALLOWED, said, {"Allow": allowed})
        case web.HTTPRequestEntityTooLarge():
            return Refused(Code.TOO_LARGE, message("the body of the request is too large"))
    return Refused(Code.BAD_REQUEST, f"invalid request: {error.reason}")


def logged_path(request: web.Request) -> str:
    """Return the part of a request path that may be logged. The query and the token of a link may be a secret."""
    return f"{PATH}***" if PATH in request.path else request.path[:LONGEST_PATH]


def _place(error: Exception) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    return f"{PurePath(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
