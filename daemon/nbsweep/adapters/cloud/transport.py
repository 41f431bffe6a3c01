"""Sends one call: waits for credentials and lane, sends the request, and reads the answer; repeats it if credentials expired.

`client.py` decides what the answer means, and whether the call is retried.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, NamedTuple

import aiohttp
from msgspec import Struct
from yarl import URL

from nbsweep.adapters.cloud.auth.credentials import Credentials
from nbsweep.adapters.cloud.auth.signing import Proof, Request, encode_query
from nbsweep.adapters.cloud.clock_skew import ClockSkew
from nbsweep.adapters.cloud.guarded_request import guarded_by, read_body
from nbsweep.adapters.cloud.limiter import Lane, Lanes
from nbsweep.adapters.cloud.responses import ErrorResponse, lost
from nbsweep.adapters.cloud.route import Route
from nbsweep.adapters.cloud.session import NotSent, failure
from nbsweep.core.errors import CloudError, FactsTooOld, Unreachable
from nbsweep.core.events.http import HttpAnswered, HttpRequest
from nbsweep.core.freshness import Freshness
from nbsweep.core.planning.brakes import judge_skew
from nbsweep.core.ports import Clock, Telemetry, unheeded

TURNS = 3
"""How often a call waits for its lane again because its credentials expired meanwhile; then it is sent anyway."""


SUCCESS = range(200, 300)
CODE_KEY = b"error_code"
REFUSAL_BYTES = 512
"""The largest body that is searched for an error, which may come with status 200 (ModelArts API, section 12, E2)."""


class ApiCall(NamedTuple):
    """A call to be made."""

    lane: Lane
    method: str
    path: str
    query: Sequence[tuple[str, str]] = ()
    changes: bool = False
    """Whether the call changes something, so that it is sent again only if it certainly had no effect."""
    facts: Freshness | None = None
    """How long the facts behind the call are fresh; None for a call that may be sent at any time."""
    leaving: Callable[[], object] = unheeded
    """Called right before the call is sent."""


class Response(NamedTuple):
    """The answer to a call, with any status."""

    at_s: float
    proof: Proof
    status: int
    headers: Mapping[str, str]
    body: bytes


class ProjectEndpoint(Struct, frozen=True):
    """The address and the headers for calls to one project."""

    base: URL
    host: str
    path: str
    """The prefix of all paths."""
    headers: Mapping[str, str]
    """The headers of every request; all are signed."""

    @classmethod
    def of(cls, base_url: str, project_id: str) -> "ProjectEndpoint":
        """Build the endpoint of a project."""
        base = URL(base_url)
        headers = {"Content-Type": "application/json", "X-Project-Id": project_id}
        return cls(base, base.raw_authority, f"/v1/{project_id}", headers)

    def url(self, path: str, query: Sequence[tuple[str, str]]) -> URL:
        """Return the address of a call, encoded as it is signed."""
        url = self.base.with_path(path, encoded=True)
        return URL(f"{url}?{encode_query(query)}", encoded=True) if query else url


class Tools(Struct, frozen=True):
    """The parts that all transports of a client share."""

    session: aiohttp.ClientSession
    lanes: Lanes
    clock: Clock
    telemetry: Telemetry
    route: Route = Route()


@dataclass(slots=True)
class Transport:
    """Sends calls to one project."""

    base_url: str
    find_project: Callable[[], Awaitable[str]]
    """Returns the project's id. Called before the first call, and again only if it failed."""
    credentials: Credentials
    tools: Tools
    _endpoint: ProjectEndpoint | None = None
    clock_skew: ClockSkew = field(init=False)
    """The clock skew according to the answers."""
    request_options: Mapping[str, Any] = field(init=False, repr=False)
    """Options for aiohttp; the address of a proxy may contain a password."""

    def __post_init__(self) -> None:
        """Start without answers."""
        self.clock_skew = ClockSkew(self.tools.clock)
        self.request_options = self.tools.route.to(self.base_url)

    async def project(self) -> str:
        """Return the project's id, after looking it up if necessary."""
        return (self._endpoint or await self._find_endpoint()).headers["X-Project-Id"]

    async def send(self, call: ApiCall) -> Response:
        """Send a call when its turn comes; send it again after a refusal that new credentials may resolve.

        Raises:
            FactsTooOld: it was not sent, because it could not leave in time.
            AnswerLost: it was sent, and whether it did its work is unknown.
            TransientError: there was no answer.
            SweepEnding: it can neither be sent now nor later; `FenceLost` if another process calls on the account.
        """
        sent = await self._send(call)
        if sent.status in SUCCESS and CODE_KEY not in sent.body[:REFUSAL_BYTES]:
            return sent
        error = ErrorResponse.read(sent.status, sent.headers, sent.body).error()
        return await self._send(call) if await self.credentials.refused(error, sent.proof) else sent

    async def _send(self, call: ApiCall) -> Response:
        if (fence := self.tools.lanes.fence) is not None:
            await fence.ensure()
        endpoint = self._endpoint or await self._find_endpoint()
        proof, sent_s = await self._wait_turn(call)
        # Checked here, before the call counts against the quota, and again once it has a connection.
        self._require_permitted(call)
        path, sending = endpoint.path + call.path, self.tools.clock.read()
        self.tools.telemetry.emit(HttpRequest(call.lane, call.method, path, sent_s))
        sent: Response | None = None
        try:
            response = await self._request(call, endpoint, path, proof)
            try:
                self.clock_skew.note(response.headers.get("Date", ""), sending)
                sent = Response(sent_s, proof, response.status, response.headers, await read_body(response))
            finally:
                response.release()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise _failed_to_answer(call, self.base_url, error) from error
        finally:
            # Also for a cancelled call, because it counts against the quota.
            self._emit_answered(call, sent_s, sent)
        return sent

    def _require_permitted(self, call: ApiCall) -> None:
        """Check that a call may leave now.

        Raises:
            NotSent: it is in doubt whether this process may call; the next attempt asks the journal first.
            FactsTooOld: the facts behind the call are not fresh.
        """
        if (fence := self.tools.lanes.fence) is not None and fence.left_s() <= 0:
            raise NotSent("held back, because it is not certain that this process may call on the account")
        self._require_fresh(call)

    def _require_fresh(self, call: ApiCall) -> None:
        """Check that the facts behind a call are fresh, by clocks that agree.

        Raises:
            FactsTooOld: they are not.
        """
        if call.facts is None:
            return
        if call.facts.left_s(self.tools.clock.read()) < 0:
            message = "held back, because the facts behind it had become older than removal.fresh_for, or the machine slept"
            raise FactsTooOld(message)
        skew_s = self.clock_skew.skew_s()
        # An unknown skew stops a sweep earlier; this check uses what later answers have shown.
        if skew_s is not None and (refusal := judge_skew(skew_s)):
            raise FactsTooOld(f"held back: {refusal.message}")

    def _emit_answered(self, call: ApiCall, sent_s: float, sent: Response | None) -> None:
        duration_s = round(self.tools.clock.steady_s() - sent_s, 6)
        status, code = (sent.status if sent else None), ""
        # A success is not searched for a code, to save time in every call.
        if sent and sent.status >= HTTPStatus.BAD_REQUEST:
            code = ErrorResponse.read(sent.status, sent.headers, sent.body).code
        self.tools.telemetry.emit(HttpAnswered(call.lane, call.method, status, code, duration_s))

    async def _find_endpoint(self) -> ProjectEndpoint:
        """Look up the project, and store its endpoint."""
        self._endpoint = ProjectEndpoint.of(self.base_url, await self.find_project())
        return self._endpoint

    async def _wait_turn(self, call: ApiCall) -> tuple[Proof, float]:
        """Wait until the call may leave with credentials that are valid then."""
        proof, sent_s = await self._wait_once(call)
        for _ in range(TURNS - 1):
            if sent_s < proof.ends_s:
                break
            proof, sent_s = await self._wait_once(call)
        return proof, sent_s

    async def _wait_once(self, call: ApiCall) -> tuple[Proof, float]:
        # Renew before the lane: a call that waited for a renewal after its turn would be sent too close to the next call.
        proof = await self.credentials.ready()
        return proof, await self.tools.lanes.acquire(call.lane)

    def _request(self, call: ApiCall, endpoint: ProjectEndpoint, path: str, proof: Proof) -> Awaitable[aiohttp.ClientResponse]:
        def may_leave() -> None:
            self._require_permitted(call)
            call.leaving()

        proven = proof.headers(Request(call.method, endpoint.host, path, call.query, endpoint.headers), self.tools.clock.now())
        return self.tools.session.request(
            call.method,
            endpoint.url(path, call.query),
            headers={**endpoint.headers, **proven, "Host": endpoint.host},
            allow_redirects=False,
            timeout=self._timeout(call),
            middlewares=(guarded_by(may_leave),) if call.facts or self.tools.lanes.fence else None,
            **self.request_options,
        )

    def _timeout(self, call: ApiCall) -> aiohttp.ClientTimeout:
        """Return a timeout that ends the connection attempt before the facts behind the call are too old."""
        timeout = self.tools.session.timeout
        left_s = call.facts.left_s(self.tools.clock.read()) if call.facts else float("inf")
        if left_s >= (timeout.total or left_s):
            return timeout
        return aiohttp.ClientTimeout(total=timeout.total, connect=max(left_s, 0.001), ceil_threshold=timeout.ceil_threshold)


def _failed_to_answer(call: ApiCall, base_url: str, error: Exception) -> CloudError:
    """Return the error for a failure of the transport of this call."""
    found = failure(base_url, error)
    return found if isinstance(found, Unreachable | NotSent) or not call.changes else lost(found, call.method)
