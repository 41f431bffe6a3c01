"""Opens HTTP sessions, makes the calls that fetch keys and tokens, and maps failures of the transport to errors.

Sessions do not read proxies from the environment: `route.py` selects the proxy. Calls to the metadata server use no proxy.
"""

import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp
from msgspec import Struct
from yarl import URL

from nbsweep import __version__
from nbsweep.adapters.cloud.guarded_request import GuardedRequest, read_body, send_once
from nbsweep.adapters.cloud.responses import ErrorResponse, TransientError
from nbsweep.adapters.cloud.route import STRAIGHT
from nbsweep.adapters.network import unreadable_certificates, words_of
from nbsweep.core.errors import Unreachable
from nbsweep.core.ports import Clock

IAM_TIMEOUT = aiohttp.ClientTimeout(total=10, sock_connect=5, ceil_threshold=float("inf"))
LONGEST_HEADER_BYTES = 32_768
"""The longest header, because a token is sent in one (ModelArts API, section 5.1)."""
KEEP_ALIVE_S = 60.0

Connect = Callable[[int], aiohttp.BaseConnector]
"""Builds a connector with a limit on open connections."""


def by_tcp(connections: int) -> aiohttp.BaseConnector:
    """Open connections over the network."""
    return aiohttp.TCPConnector(limit=connections, keepalive_timeout=KEEP_ALIVE_S)


NETWORK = "Check the endpoint, the region and the network"


class NotSent(TransientError):
    """The request never left this machine, so any request may be sent again."""


class NoSuchName(NotSent):
    """The name of the server does not resolve."""


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to a call for credentials."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    sent_at: datetime
    """The time of the answer by the clock of the server, or of this machine if the answer has no Date."""

    def words(self) -> ErrorResponse:
        """Parse it as an error answer."""
        return ErrorResponse.read(self.status, self.headers, self.body)


@asynccontextmanager
async def open_session(
    limits: aiohttp.ClientTimeout, connections: int, connect: Connect = by_tcp
) -> AsyncIterator[aiohttp.ClientSession]:
    """Open a session that sends nothing twice and keeps no cookies."""
    async with aiohttp.ClientSession(
        connector=connect(connections),
        timeout=limits,
        headers={"User-Agent": f"nbsweep/{__version__}", "X-Language": "en-us", "Accept-Encoding": "gzip"},
        cookie_jar=aiohttp.DummyCookieJar(),
        middlewares=(send_once,),
        request_class=GuardedRequest,
        max_line_size=LONGEST_HEADER_BYTES,
        max_field_size=LONGEST_HEADER_BYTES,
        trust_env=False,
    ) as session:
        yield session


class AuthClient(Struct, frozen=True):
    """Makes single calls to a server that issues credentials."""

    session: aiohttp.ClientSession
    url: str
    timeout: aiohttp.ClientTimeout
    clock: Clock
    request_options: Mapping[str, Any] = STRAIGHT
    """Options for aiohttp: proxy and trusted certificates."""

    async def ask(self, method: str, path: str, headers: Mapping[str, str], body: bytes | None = None) -> Reply:
        """Make a call, and return its answer with any status.

        Raises:
            NotSent: there was no answer, so that the call that needs the credentials was not sent.
            Unreachable: the server is not trusted.
        """
        request = self.session.request(
            method,
            URL(f"{self.url}{path}", encoded=True),
            headers=headers,
            data=body,
            allow_redirects=False,
            timeout=self.timeout,
            **self.request_options,
        )
        try:
            async with request as response:
                sent_at = read_date(response.headers.get("Date", "")) or self.clock.now()
                return Reply(response.status, response.headers, await read_body(response), sent_at)
        except (aiohttp.ClientError, TimeoutError) as error:
            found = failure(self.url, error)
            raise (
                found if isinstance(found, Unreachable | NotSent) else NotSent(found.problem, advice=found.advice)
            ) from error


def read_date(text: str) -> datetime | None:
    """Parse a Date header; return None if it is invalid."""
    try:
        return parsedate_to_datetime(text).astimezone(UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def failure(url: str, error: Exception) -> Unreachable | TransientError:
    """Return the error for a failure of the transport."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError | aiohttp.ClientSSLError | ssl.SSLError):
        advice = f"Check the endpoint, ca_file, and the certificates that this machine trusts{unreadable_certificates()}"
        return Unreachable(f"{url} is not trusted: {words_of(error)}", advice=advice)
    if isinstance(error, aiohttp.ClientHttpProxyError | aiohttp.ClientProxyConnectionError):
        said = f"it answered HTTP {error.status}" if isinstance(error, aiohttp.ClientHttpProxyError) else words_of(error)
        advice = "Check proxy, HTTPS_PROXY and NO_PROXY"
        return NotSent(f"{url} cannot be reached through the proxy: {said}", advice=advice)
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return NoSuchName(f"{url} cannot be reached: {words_of(error)}", advice=NETWORK)
    if isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError | aiohttp.InvalidURL):
        return NotSent(f"{url} cannot be reached: {words_of(error)}", advice=NETWORK)
    problem = "no answer within the time limit" if isinstance(error, TimeoutError) else f"no answer: {words_of(error)}"
    return TransientError(f"{url} gave {problem}")
