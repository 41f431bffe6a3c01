"""One method per API call; the session, the retries, and what an answer means. The only place that retries.

Reads are tried again when a failure may pass. A DELETE or a stop is tried again only when it was certainly not done: the
connection could not be made, or the gateway throttled it. Otherwise whether it did its work is unknown, and the caller has to
look.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
import stamina

from nbsweep.adapters.cloud import wire
from nbsweep.adapters.cloud.answers import Answer, Passing, Throttled, lost
from nbsweep.adapters.cloud.credentials import Credentials
from nbsweep.adapters.cloud.dialect import Dialect
from nbsweep.adapters.cloud.limiter import Lane, Lanes, Refusal
from nbsweep.adapters.cloud.sending import Call, Place, Sender, Tools
from nbsweep.adapters.cloud.session import NotSent, open_session
from nbsweep.core.errors import (
    AnswerLost,
    CloudError,
    MalformedAnswer,
    Rejected,
    Unauthorized,
    Unreachable,
    Unsortable,
)
from nbsweep.core.events import HttpRetried, HttpThrottled
from nbsweep.core.model import Notebook, Page, Scope
from nbsweep.core.ports import Clock, Telemetry
from nbsweep.settings import TargetSettings

TRIES = 6
TRIES_WHEN_THROTTLED = 20
"""A 429 says nothing against the call itself, only that others were before it."""
WAIT_FIRST_S = 0.2
WAIT_MOST_S = 5.0
SUCCESS = range(200, 300)
SKEW_TOLD_S = 60.0


@dataclass(frozen=True, slots=True)
class _Success:
    body: bytes
    request_id: str


@dataclass(slots=True)
class CloudClient:
    """One account's notebooks over HTTP; see the port `Cloud` for what each method promises."""

    sender: Sender
    dialect: Dialect = field(default_factory=Dialect)

    @property
    def skew_s(self) -> float | None:
        """How far this machine's clock was ahead of the cloud's at the last answer; None when that is not known."""
        return self.sender.skew_s

    async def workspaces(self) -> tuple[str, ...]:
        """List the ids of all workspaces that the caller may see."""
        answer = await self._call(Call(Lane.LIST, "GET", "/workspaces", (("limit", "1000"), ("offset", "0"))))
        return wire.read_workspace_ids(answer.body)

    async def page(self, scope: Scope, offset: int, status: str | None = None) -> Page:
        """Read one page of a listing."""
        page = await self._list(scope, offset, status)
        return await self._list(scope, offset, status) if self.dialect.misheard(page, scope) else page

    async def _list(self, scope: Scope, offset: int, status: str | None) -> Page:
        path = "/notebooks/all" if self.sender.place.everybody else "/notebooks"
        try:
            answer = await self._call(Call(Lane.LIST, "GET", path, self.dialect.query(scope, offset, status)))
        except Unsortable:
            self.dialect.unsorted()
            answer = await self._call(Call(Lane.LIST, "GET", path, self.dialect.query(scope, offset, status)))
        return wire.read_page(answer.body)

    async def show(self, notebook_id: str) -> Notebook:
        """Read one notebook."""
        answer = await self._call(Call(Lane.SHOW, "GET", _path_of(notebook_id)))
        notebook = wire.read_notebook(answer.body)
        if notebook.id != notebook_id:
            message = f"the cloud was asked for {notebook_id} and answered with another notebook"
            raise MalformedAnswer(message)
        return notebook

    async def stop(self, notebook_id: str) -> None:
        """Order a running notebook to stop."""
        await self._call(Call(Lane.DELETE, "POST", f"{_path_of(notebook_id)}/stop", changes=True))

    async def delete_turn(self) -> None:
        """Wait for a turn to prepare a DELETE."""
        await self.sender.tools.lanes.admit(Lane.DELETE)

    async def delete(self, notebook_id: str, *, not_after_s: float) -> str:
        """Delete a notebook and its storage for good; gives the gateway's request id. The answer may have no body (204)."""
        call = Call(Lane.DELETE, "DELETE", _path_of(notebook_id), changes=True, not_after_s=not_after_s)
        return (await self._call(call)).request_id

    async def _call(self, call: Call) -> _Success:
        """Make a call until it is answered for good, or the tries are used up."""
        tries = _Tries()
        retries = stamina.retry_context(
            on=tries,
            attempts=None,
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
                        if tries.left_for(error):
                            self._tell_retry(call, error, attempt.num, attempt.next_wait)
                        raise
        except Passing as error:
            raise _final(call, error, tries.made) from error
        raise AssertionError  # a retry context either returns or raises; this line tells the type checker so

    async def _once(self, call: Call) -> _Success:
        """Wait for the lane, send, read the answer."""
        sent = await self.sender.send(call)
        if sent.status in SUCCESS:
            return _Success(sent.body, sent.headers.get("X-Request-Id", ""))
        raise self._refused(call, sent.at_s, Answer.read(sent.status, sent.headers, sent.body))

    def _refused(self, call: Call, sent_s: float, answer: Answer) -> CloudError:
        """Say what a refusal means for this call, and let the lane slow down when it was too fast."""
        error = answer.error()
        if isinstance(error, Throttled):
            refusal = Refusal(sent_s, error.limit.rate, error.limit.shared, error.retry_after_s)
            per_s = self.sender.tools.lanes.refused(call.lane, refusal)
            self.sender.tools.telemetry.emit(HttpThrottled(call.lane, error.limit.words, error.retry_after_s, round(per_s, 3)))
        elif isinstance(error, Passing) and call.changes:
            return lost(error, call.method)
        elif isinstance(error, Unauthorized) and abs(self.skew_s or 0) > SKEW_TOLD_S:
            return _with_skew(error, self.skew_s or 0)
        return error

    def _tell_retry(self, call: Call, error: Passing, attempt: int, wait_s: float) -> None:
        self.sender.tools.telemetry.emit(HttpRetried(call.lane, call.method, call.path, attempt, round(wait_s, 3), str(error)))


def _path_of(notebook_id: str) -> str:
    """Give a notebook's address; an id that would lead anywhere else is no notebook's."""
    if not wire.NOTEBOOK_ID.fullmatch(notebook_id):
        message = "no notebook can have such an id"
        raise Rejected(message)
    return f"/notebooks/{notebook_id}"


class _Tries:
    """Decides on another try of one call: a few after failures that may pass, many after 429s."""

    def __init__(self) -> None:
        self.made = 0
        self._throttled = 0

    def left_for(self, error: Passing) -> bool:
        """Tell whether there is another try after this error, which is not yet counted."""
        if isinstance(error, Throttled):
            return self._throttled + 1 < TRIES_WHEN_THROTTLED
        return self.made - self._throttled + 1 < TRIES

    def __call__(self, error: Exception) -> bool | float:
        """Count an error, and give how long to wait; after a first 429 nothing, for the lane itself is slower by then."""
        if not isinstance(error, Passing):
            return False
        again = self.left_for(error)
        self.made += 1
        if not (again and isinstance(error, Throttled)):
            return again
        self._throttled += 1
        return min(WAIT_FIRST_S * 2**self._throttled, WAIT_MOST_S) if self._throttled > 1 else 0.0


def _with_skew(error: Unauthorized, skew_s: float) -> Unauthorized:
    """Name the clock, which is the likeliest reason."""
    far = f"{abs(skew_s) / 60:.0f} minutes" if abs(skew_s) >= 2 * SKEW_TOLD_S else f"{abs(skew_s):.0f} seconds"
    message = f"{error}; it is {far} {'ahead of' if skew_s > 0 else 'behind'} the cloud's"
    return Unauthorized(message, code=error.code, http_status=error.http_status, request_id=error.request_id)


def _final(call: Call, error: Passing, tries: int) -> CloudError:
    """Say what it means that the tries are used up."""
    if isinstance(error, NotSent):
        return Unreachable(str(error))
    message = f"{call.method} {call.path} failed {tries} times, the last time so: {error}"
    return AnswerLost(message, code=error.code, http_status=error.http_status, request_id=error.request_id)


@asynccontextmanager
async def open_client(
    target: TargetSettings, credentials: Credentials, lanes: Lanes, clock: Clock, telemetry: Telemetry
) -> AsyncIterator[CloudClient]:
    """Open the connections to one target's project."""
    stamina.instrumentation.set_on_retry_hooks([])  # `http.retried` says it, and knows which notebook it is about
    timeout_s = target.limits.request_timeout.total_seconds()
    timeout = aiohttp.ClientTimeout(total=timeout_s, sock_connect=min(10.0, timeout_s), ceil_threshold=float("inf"))
    async with open_session(timeout, target.limits.concurrency) as session:
        place = Place(target.base_url, target.project_id, everybody=target.scope == "all")
        yield CloudClient(Sender(place, credentials, Tools(session, lanes, clock, telemetry)))
