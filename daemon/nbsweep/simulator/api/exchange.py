"""Calls and answers, independent of the web server."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import parse_qsl

import msgspec

from nbsweep.simulator.api.auth import Caller
from nbsweep.simulator.api.faults import Subject
from nbsweep.simulator.refusals import ApiError, bad_parameter
from nbsweep.simulator.vocabulary import Kind

_Shape = TypeVar("_Shape")

JSON = "application/json"
HTML_502 = b"<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body><h1>502 Bad Gateway</h1></body>\r\n</html>\r\n"


@dataclass(frozen=True)
class Answer:
    """The answer to a call."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = JSON
    error_code: str | None = None


@dataclass(frozen=True, kw_only=True)
class Call:
    """One authenticated request."""

    subject: Subject
    #: Null for calls that need no authentication.
    caller: Caller | None
    parameters: Mapping[str, str]
    #: Names in lower case.
    headers: Mapping[str, str]
    body: bytes
    #: The cloud's time.
    at_s: float

    @property
    def notebook_id(self) -> str:
        """The notebook that the path names."""
        return self.subject.notebook_id or ""


Handler = Callable[[Call], Answer]


@dataclass(frozen=True)
class Route:
    """One API: its path, kind, permission and handler."""

    method: str
    path: str
    kind: Kind
    handler: Handler
    #: The name of the flag in Permissions that a caller needs.
    permission: str | None = None
    #: Whether a caller must authenticate.
    authenticated: bool = True


def json_answer(status: int, content: Any, headers: dict[str, str] | None = None) -> Answer:
    """Return an answer with a JSON body."""
    return Answer(status, msgspec.json.encode(content), headers or {})


def error_answer(error: ApiError, request_id: str, gateway_prefix: str) -> Answer:
    """Return the answer of a refusal; the gateway's bodies have a request id, those of ModelArts do not."""
    code = error.code.replace("APIGW.", f"{gateway_prefix}.")
    content = {"error_code": code, "error_msg": error.message}
    if error.code.startswith("APIGW."):
        content["request_id"] = request_id
    return Answer(error.status, msgspec.json.encode(content), error_code=code)


def read_body(call: Call, shape: type[_Shape]) -> _Shape:
    """Read a JSON body."""
    try:
        return msgspec.json.decode(call.body, type=shape)
    except msgspec.DecodeError as error:
        raise bad_parameter("the request body") from error


def parameters_of(target: str) -> dict[str, str]:
    """Return the query of a path; the last value of a repeated name."""
    return dict(parse_qsl(target.partition("?")[2], keep_blank_values=True))
