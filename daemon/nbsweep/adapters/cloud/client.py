"""One method per API call; the session, the retries, and what an answer means. The only place that retries.

Reads are tried again when a failure may pass. A DELETE or a stop is tried again only when it was certainly not done: the
connection could not be made, or the gateway throttled it. Otherwise whether it did its work is unknown, and the caller has to
look.
"""

import ssl
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
import stamina
from yarl import URL

from nbsweep import __version__
from nbsweep.adapters.cloud import wire
from nbsweep.adapters.cloud.answers import Answer, Passing, Throttled, lost
from nbsweep.adapters.cloud.limiter import Lane, Lanes
from nbsweep.adapters.cloud.signing import AccessKey, Request, encode_query, sign
from nbsweep.adapters.cloud.transport import read_body, send_once, words_of
from nbsweep.core.errors import (
    AnswerLost,
    CloudError,
    FactsTooOld,
    MalformedAnswer,
    Rejected,
    Unreachable,
    Unsortable,
)
from nbsweep.core.events import HttpRequest, HttpRetried, HttpThrottled
from nbsweep.core.model import Notebook, Page, Scope
from nbsweep.core.ports import Clock, Telemetry
from nbsweep.settings import TargetSettings

PAGE_SIZE = 50
"""The largest that the API takes (API notes, section 1.1)."""
TRIES = 6
WAIT_FIRST_S = 0.2
WAIT_MOST_S = 5.0
SUCCESS = range(200, 300)


@dataclass(frozen=True, slots=True)
class _Call:
    lane: Lane
    method: str
    path: str
    query: Sequence[tuple[str, str]] = ()
    changes: bool = False
    """Whether it changes something, so that it must not be sent again unless it was certainly not done."""
    not_after_s: float = float("inf")


@dataclass(frozen=True, slots=True)
class _Success:
    body: bytes
    request_id: str


@dataclass(frozen=True, slots=True)
class Place:
    """Which project, where, and which of its notebooks."""

    base_url: str
    project_id: str
    everybody: bool = True
    """List everybody's notebooks, not only the caller's."""


@dataclass(frozen=True, slots=True)
class Tools:
    """What the client works with."""

    session: aiohttp.ClientSession
    lanes: Lanes
    clock: Clock
    telemetry: Telemetry


@dataclass(slots=True)
class CloudClient:
    """One account's notebooks over HTTP; see the port `Cloud` for what each method promises."""

    place: Place
    key: AccessKey
    tools: Tools
    sort: tuple[tuple[str, str], ...] = field(default=(("sort_dir", "ASC"), ("sort_key", "create_at")))
    """Oldest first, so that new notebooks only ever join at the end; dropped when the API does not take the key."""

    async def workspaces(self) -> tuple[str, ...]:
        """List the ids of all workspaces that the caller may see."""
        answer = await self._call(_Call(Lane.LIST, "GET", "/workspaces", (("limit", "1000"), ("offset", "0"))))
        return wire.read_workspace_ids(answer.body)

    async def page(self, scope: Scope, offset: int, status: str | None = None) -> Page:
        """Read one page of a listing."""
        query = [
            ("feature", scope.feature),
            ("limit", str(PAGE_SIZE)),
            ("offset", str(offset)),
            ("workspace_id", scope.workspace_id),
            *([("status", status)] if status else []),
        ]
        path = "/notebooks/all" if self.place.everybody else "/notebooks"
        try:
            answer = await self._call(_Call(Lane.LIST, "GET", path, (*query, *self.sort)))
        except Unsortable:
            self.sort = ()
            answer = await self._call(_Call(Lane.LIST, "GET", path, query))
        return wire.read_page(answer.body)

    async def show(self, notebook_id: str) -> Notebook:
        """Read one notebook."""
        answer = await self._call(_Call(Lane.SHOW, "GET", _path_of(notebook_id)))
        notebook = wire.read_notebook(answer.body)
        if notebook.id != notebook_id:
            message = f"the cloud was asked for {notebook_id} and answered with another notebook"
            raise MalformedAnswer(message)
        return notebook

    async def stop(self, notebook_id: str) -> None:
        """Order a running notebook to stop."""
        await self._call(_Call(Lane.DELETE, "POST", f"{_path_of(notebook_id)}/stop", changes=True))

    async def delete_turn(self) -> None:
        """Wait for a turn to prepare a DELETE."""
        await self.tools.lanes.admit(Lane.DELETE)

    async def delete(self, notebook_id: str, *, not_after_s: float) -> str:
        """Delete a notebook and its storage for good; gives the gateway's request id. The answer may have no body (204)."""
        call = _Call(Lane.DELETE, "DELETE", _path_of(notebook_id), changes=True, not_after_s=not_after_s)
        return (await self._call(call)).request_id

    async def _call(self, call: _Call) -> _Success:
        """Make a call until it is answered for good, or the tries are used up."""
        retries = stamina.retry_context(
            on=_may_pass,
            attempts=TRIES,
            timeout=None,
            wait_initial=WAIT_FIRST_S,
            wait_max=WAIT_MOST_S,
            wait_jitter=WAIT_FIRST_S,
        )
        try:
            async for attempt in retries:
                with attempt:
                    try:
                        return await self._once(call)
                    except Passing as error:
                        if attempt.num < TRIES:
                            self._tell_retry(call, error, attempt.num, attempt.next_wait)
                        raise
        except Passing as error:
            raise _final(call, error) from error
        raise AssertionError  # a retry context either returns or raises; this line tells the type checker so

    async def _once(self, call: _Call) -> _Success:
        """Wait for the lane, send, read the answer."""
        sent_s = await self.tools.lanes.enter(call.lane)
        if sent_s > call.not_after_s:
            message = "the DELETE was held back, because the facts behind it had become older than removal.fresh_for"
            raise FactsTooOld(message)
        path = f"/v1/{self.place.project_id}{call.path}"
        self.tools.telemetry.emit(HttpRequest(call.lane, call.method, path, sent_s))
        try:
            status, headers, body = await self._send(call, path)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise _failed_to_answer(call, self.place.base_url, error) from error
        if status in SUCCESS:
            return _Success(body, headers.get("X-Request-Id", ""))
        raise self._refused(call, Answer.read(status, headers, body))

    async def _send(self, call: _Call, path: str) -> tuple[int, Mapping[str, str], bytes]:
        base = URL(self.place.base_url)
        query = encode_query(call.query)
        url = URL(f"{self.place.base_url}{path}?{query}" if query else f"{self.place.base_url}{path}", encoded=True)
        headers = {"Content-Type": "application/json", "X-Project-Id": self.place.project_id}
        host = base.raw_authority
        signed = sign(Request(call.method, host, path, call.query, headers), self.key, self.tools.clock.now())
        request = self.tools.session.request(
            call.method,
            url,
            headers={**headers, **signed, "Host": host},
            allow_redirects=False,
            timeout=self._timeout(call),
        )
        async with request as response:
            return response.status, response.headers, await read_body(response)

    def _timeout(self, call: _Call) -> aiohttp.ClientTimeout:
        """Give up on a connection by the time at which the facts behind the call would be too old to send it."""
        timeout = self.tools.session.timeout
        left_s = call.not_after_s - self.tools.clock.steady_s()
        if left_s >= (timeout.total or left_s):
            return timeout
        return aiohttp.ClientTimeout(total=timeout.total, connect=max(left_s, 0.001), ceil_threshold=timeout.ceil_threshold)

    def _refused(self, call: _Call, answer: Answer) -> CloudError:
        """Say what a refusal means for this call, and let the lane pause when it was too fast."""
        error = answer.error()
        if isinstance(error, Throttled):
            self.tools.lanes.pause(call.lane, error.pause_s)
            self.tools.telemetry.emit(HttpThrottled(call.lane, error.pause_s, error.limit))
        elif isinstance(error, Passing) and call.changes:
            return lost(error, call.method)
        return error

    def _tell_retry(self, call: _Call, error: Passing, attempt: int, wait_s: float) -> None:
        self.tools.telemetry.emit(HttpRetried(call.lane, call.method, call.path, attempt, round(wait_s, 3), str(error)))


def _path_of(notebook_id: str) -> str:
    """Give a notebook's address; an id that would lead anywhere else is no notebook's."""
    if not wire.NOTEBOOK_ID.fullmatch(notebook_id):
        message = "no notebook can have such an id"
        raise Rejected(message)
    return f"/notebooks/{notebook_id}"


def _may_pass(error: Exception) -> bool | float:
    """Decide on another try; after a 429 the pause of the lane is wait enough."""
    return 0.0 if isinstance(error, Throttled) else isinstance(error, Passing)


class _NoConnection(Passing):
    """The request never left this machine."""


def _failed_to_answer(call: _Call, base_url: str, error: Exception) -> CloudError:
    """Say what a failure of the transport means."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError | aiohttp.ClientSSLError | ssl.SSLError):
        message = (
            f"{base_url} is not trusted: {words_of(error)}. Check the endpoint, and the certificates that this machine trusts"
        )
        return Unreachable(message)
    if isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError | aiohttp.InvalidURL):
        return _NoConnection(f"{base_url} cannot be reached: {words_of(error)}. Check the endpoint, the region and the network")
    problem = "no answer within the time limit" if isinstance(error, TimeoutError) else f"no answer: {words_of(error)}"
    passing = Passing(f"{base_url} gave {problem}")
    return lost(passing, call.method) if call.changes else passing


def _final(call: _Call, error: Passing) -> CloudError:
    """Say what it means that the tries are used up."""
    if isinstance(error, _NoConnection):
        return Unreachable(str(error))
    message = f"{call.method} {call.path} failed {TRIES} times, the last time so: {error}"
    return AnswerLost(message, code=error.code, http_status=error.http_status, request_id=error.request_id)


@asynccontextmanager
async def open_client(
    target: TargetSettings, key: AccessKey, lanes: Lanes, clock: Clock, telemetry: Telemetry
) -> AsyncIterator[CloudClient]:
    """Open the connections to one target's project."""
    stamina.instrumentation.set_on_retry_hooks([])  # `http.retried` says it, and knows which notebook it is about
    limits = target.limits
    timeout_s = limits.request_timeout.total_seconds()
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=limits.concurrency, keepalive_timeout=60),
        timeout=aiohttp.ClientTimeout(total=timeout_s, sock_connect=min(10.0, timeout_s), ceil_threshold=float("inf")),
        headers={"User-Agent": f"nbsweep/{__version__}", "X-Language": "en-us"},
        cookie_jar=aiohttp.DummyCookieJar(),
        middlewares=(send_once,),
    ) as session:
        place = Place(target.base_url, target.project_id, everybody=target.scope == "all")
        yield CloudClient(place, key, Tools(session, lanes, clock, telemetry))
