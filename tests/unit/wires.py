"""A session without sockets, whose answers a test makes up; and whatever may come over a wire, for hypothesis."""

import json
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from email.utils import format_datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Self, cast

import aiohttp
from aiohttp import ClientMiddlewareType
from hypothesis import settings
from hypothesis import strategies as st
from multidict import CIMultiDict
from yarl import URL

from nbsweep.adapters.cloud.auth.iam import Iam
from nbsweep.adapters.cloud.auth.signing import AccessKey
from nbsweep.adapters.cloud.client import CloudClient
from nbsweep.adapters.cloud.limiter import Lane, Lanes
from nbsweep.adapters.cloud.session import IAM_TIMEOUT, AuthClient
from nbsweep.adapters.cloud.transport import Tools, Transport
from nbsweep.adapters.cloud.users import IamUsers
from nbsweep.core.pacing import Rate
from nbsweep.core.ports import Clock
from nbsweep.testing import RecordingTelemetry

if TYPE_CHECKING:
    from nbsweep.adapters.cloud.guarded_request import GuardedRequest

PROJECT = "0123456789abcdef0123456789abcdef"
KEY = AccessKey("AK", "the-secret-key", "the-security-token")
ENDPOINT = "http://cloud.invalid"

fuzzing = settings(max_examples=60, deadline=None, database=None, derandomize=True)
"""The same examples in every run, so that what fails once fails again."""


# ---- the wire --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Said:
    """An answer."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass
class _Content:
    """A body that comes at once."""

    body: bytes

    async def readany(self) -> bytes:
        """Read what there is."""
        body, self.body = self.body, b""
        return body

    def at_eof(self) -> bool:
        """Return whether that was all."""
        return not self.body


class _Response:
    """As much of aiohttp's response as is looked at; also the request that leads to it, which can be awaited or entered."""

    def __init__(self, said: Said, date: str, guards: Sequence[ClientMiddlewareType]) -> None:
        self.status = said.status
        self.headers = CIMultiDict({"Date": date, **said.headers})
        self.content = _Content(said.body)
        self._guards = guards

    def release(self) -> None:
        """Give the connection back, of which there is none."""

    def __await__(self) -> Generator[None, None, Self]:
        yield
        for guard in self._guards:
            yield from guard(cast("aiohttp.ClientRequest", SimpleNamespace()), self._leave).__await__()
        return self

    async def _leave(self, request: aiohttp.ClientRequest) -> aiohttp.ClientResponse:
        cast("GuardedRequest", request).may_leave()
        return cast("aiohttp.ClientResponse", self)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_raised: object) -> None:
        pass


Answering = Callable[[str, URL], Said]
"""Answers a request by its method and address."""


@dataclass
class Session:
    """As much of aiohttp's session as is used."""

    answer: Answering
    clock: Clock
    timeout: aiohttp.ClientTimeout = field(default_factory=aiohttp.ClientTimeout)

    def request(self, method: str, url: str | URL, **options: Any) -> _Response:
        """Answer a request; the clock there is that of who asks."""
        date = format_datetime(self.clock.now().replace(microsecond=0), usegmt=True)
        return _Response(self.answer(method, URL(url)), date, options.get("middlewares") or ())

    def get(self, url: str | URL, **options: Any) -> _Response:
        """Answer a GET."""
        return self.request("GET", url, **options)

    @property
    def as_aiohttp(self) -> aiohttp.ClientSession:
        """Pass for the real one."""
        return cast("aiohttp.ClientSession", self)


def client_of(answer: Answering, clock: Clock, telemetry: RecordingTelemetry) -> CloudClient:
    """Return the real client of a cloud that answers so; its lanes hinder nobody."""
    lanes = Lanes(dict.fromkeys(Lane, Rate(10_000, 1.0)), None, clock)

    async def project() -> str:
        return PROJECT

    session = Session(answer, clock).as_aiohttp
    users = IamUsers(KEY, Iam(AuthClient(session, ENDPOINT, IAM_TIMEOUT, clock)))
    return CloudClient(Transport(ENDPOINT, project, KEY, Tools(session, lanes, clock, telemetry)), users)


# ---- what may come over it -------------------------------------------------------------------------------------------------

numbers = st.one_of(
    st.integers(),
    st.floats(),
    st.sampled_from([0, -1, 2**31, 2**53, 2**63, 2**64, 10**30, -(10**30), 1e300, 5e-324, 253_402_300_800_000]),
)
texts = st.one_of(
    st.text(max_size=20), st.sampled_from(["", "0", "null", "NaN", "../all", "STOPPED", "\ud800", "\x00", "é" * 300])
)
scalars = st.one_of(st.none(), st.booleans(), numbers, texts)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3), max_leaves=8
)
"""Anything that JSON can say, and some that it cannot."""


def json_bytes(value: Any) -> bytes:
    """Write it down as servers do, half characters and NaN included."""
    return json.dumps(value).encode()


statuses = st.one_of(
    st.sampled_from([200, 201, 202, 204, 301, 400, 401, 403, 404, 408, 409, 429, 500, 502, 503, 504]), st.integers(100, 999)
)
codes = st.sampled_from([
    "ModelArts.6309", "ModelArts.6404", "APIGW.0101", "APIGW.0301", "APIGW.0307", "APIGW.0308", "APIG.0308", "ModelArts.6303",
    "ModelArts.6304", "ModelArts.6307", "ModelArts.6357", "ModelArts.6653", "ModelArts.0010", "ModelArts.0108",
])  # fmt: skip
limits = st.builds("policy {} over ratelimit,limit:{},time:{} {}".format, texts, numbers, numbers, texts)
errors = st.fixed_dictionaries({"error_code": codes | values, "error_msg": limits | values}).map(json_bytes)
bodies = st.one_of(st.binary(max_size=60), values.map(json_bytes), errors, st.sampled_from([b"[" * 3000, b'{"a":' * 3000]))
headers = st.dictionaries(
    st.sampled_from(["Retry-After", "Date", "X-Request-Id", "X-Subject-Token"]),
    st.sampled_from(
        ["", "0", "-1", "1e9", "9" * 400, "soon", "Thu, 32 Foo 99999 99:99:99 GMT", "Sun, 06 Nov 1994 08:49:37 GMT"]
    )
    | st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=20),
    max_size=3,
)
answers = st.builds(Said, statuses, bodies, headers)
