"""Sends messages by HTTP: one request each, no redirects, bounded answers; a failure of the transport is a receipt too."""

import ssl
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

import aiohttp
import msgspec
from msgspec import Struct
from msgspec.structs import replace
from pydantic import SecretStr
from yarl import URL

from nbsweep import __version__
from nbsweep.adapters.channels.sender import Attempt, later, misconfigured, refused
from nbsweep.adapters.channels.wording import parts_of_url, said
from nbsweep.adapters.network import proxy_of_environment, unreadable_certificates, words_of
from nbsweep.core.ports import Clock

TIMEOUT = aiohttp.ClientTimeout(total=30, connect=10, ceil_threshold=float("inf"))
ANSWER_LIMIT_BYTES = 65_536
LONGEST_WAIT = timedelta(days=1)
"""The longest time that another side may ask for."""
WAIT_HEADERS = ("Retry-After", "x-ogw-ratelimit-reset")
REFUSALS = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNPROCESSABLE_ENTITY})
"""Answers about the message; other answers with 4xx are about the address or the key."""
PASSING = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS})


class Answer(Struct, frozen=True):
    """A whole answer."""

    status: int
    body: bytes
    retry_after: timedelta | None = None

    @property
    def ok(self) -> bool:
        """Whether the status is 2xx."""
        return HTTPStatus.OK <= self.status < HTTPStatus.MULTIPLE_CHOICES

    @property
    def document(self) -> dict[str, Any]:
        """The JSON object of the body; empty if it is none."""
        try:
            found = msgspec.json.decode(self.body)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return {}
        return found if isinstance(found, dict) else {}

    @property
    def words(self) -> str:
        """The status and the beginning of the body, for people; may hold secrets."""
        return f"HTTP {self.status} {self.body[:1000].decode(errors='replace')}".strip()


Read = Callable[[Answer], Attempt]
"""Decides what an answer means."""


class Route(Struct, frozen=True):
    """How the server of a channel is reached."""

    proxy: SecretStr | None = None
    trust: ssl.SSLContext | None = None
    """None for the certificates that this machine trusts."""

    def options(self, url: str) -> Mapping[str, Any]:
        """Return the options of aiohttp for a request to an address."""
        proxy = self.proxy.get_secret_value() if self.proxy is not None else proxy_of_environment(url)
        options: dict[str, Any] = {"proxy": URL(proxy)} if proxy and proxy != "none" else {}
        return options | {"ssl": self.trust} if self.trust is not None else options


@dataclass(frozen=True, slots=True)
class Poster:
    """Sends the messages of one channel."""

    session: aiohttp.ClientSession = field(repr=False)
    clock: Clock = field(repr=False)
    route: Route = field(repr=False)

    async def post(
        self, url: str, body: bytes, read: Read, headers: Mapping[str, str] | None = None, hidden: Iterable[str] = ()
    ) -> Attempt:
        """Send a message, and return what the answer means; `hidden` are further secrets that the other side may repeat."""
        try:
            answer = await self._ask(url, body, headers or {})
        except (aiohttp.ClientError, OSError, ValueError) as error:
            attempt = _without_answer(error)
        else:
            attempt = (
                _redirected(answer) if HTTPStatus.MULTIPLE_CHOICES <= answer.status < HTTPStatus.BAD_REQUEST else read(answer)
            )
        detail = said(attempt.receipt.detail, (*parts_of_url(url), *hidden))
        return replace(attempt, receipt=replace(attempt.receipt, detail=detail))

    async def _ask(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        request = self.session.post(
            URL(url, encoded=True),
            data=body,
            headers={"Content-Type": "application/json; charset=utf-8", **headers},
            allow_redirects=False,
            **self.route.options(url),
        )
        async with request as response:
            wait = _wait_of(response.headers, self.clock.now())
            return Answer(response.status, await _body_of(response), wait)


async def _body_of(response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    while piece := await response.content.readany():
        body += piece
        if len(body) > ANSWER_LIMIT_BYTES:
            raise aiohttp.ClientPayloadError("the answer is larger than any that is expected")
    return bytes(body)


def _wait_of(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    """Return the time that the other side asks for, as seconds or as a date; None if it asks for none."""
    text = next((headers[name].strip() for name in WAIT_HEADERS if name in headers), "")
    try:
        wait = timedelta(seconds=int(text)) if text.isdecimal() else parsedate_to_datetime(text).astimezone(UTC) - now
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
    return min(max(wait, timedelta(0)), LONGEST_WAIT)


def _redirected(answer: Answer) -> Attempt:
    return misconfigured(
        f"HTTP {answer.status}: the address redirects, and redirects are not followed; configure the new address"
    )


def _without_answer(error: Exception) -> Attempt:
    if isinstance(error, aiohttp.ClientConnectorCertificateError | aiohttp.ClientSSLError | ssl.SSLError):
        return misconfigured(
            f"the server is not trusted: {words_of(error)}; check ca_file, and the certificates that this machine trusts"
            f"{unreadable_certificates()}"
        )
    if isinstance(error, aiohttp.InvalidURL):
        return misconfigured("the address is not valid")
    if isinstance(error, TimeoutError):
        return later("no whole answer within the time limit")
    if isinstance(error, aiohttp.ClientConnectorError | aiohttp.ClientProxyConnectionError | aiohttp.ClientHttpProxyError):
        return later(f"the server cannot be reached: {words_of(error)}")
    return later(f"no whole answer: {words_of(error)}")


def by_status(answer: Answer) -> Attempt:
    """Return what an answer with an error means by its status alone."""
    if answer.status in PASSING or answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        throttled = answer.status == HTTPStatus.TOO_MANY_REQUESTS
        return later(answer.words, answer.retry_after, throttled=throttled)
    if answer.ok:
        return later(f"{answer.words}: not an answer of the service that was expected; is it a proxy's?")
    return refused(answer.words) if answer.status in REFUSALS else misconfigured(answer.words)


@asynccontextmanager
async def open_http() -> AsyncIterator[aiohttp.ClientSession]:
    """Open a session that keeps no cookies and no connections."""
    async with aiohttp.ClientSession(
        # A kept connection may be closed by the other side at the moment of the next message.
        connector=aiohttp.TCPConnector(limit=32, force_close=True),
        timeout=TIMEOUT,
        headers={"User-Agent": f"nbsweep/{__version__}"},
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=False,
    ) as session:
        yield session
