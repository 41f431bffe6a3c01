"""The client: one method per API call, with retries and the mapping of answers to errors. The only module that retries.

A read is retried if the failure may be temporary. A DELETE or a stop is retried only if it certainly had no effect: the
connection could not be made, or the gateway throttled the call. Otherwise its effect is unknown, and the caller has to look.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
from msgspec.structs import replace

from nbsweep.adapters.cloud import wire
from nbsweep.adapters.cloud.auth.credentials import Credentials
from nbsweep.adapters.cloud.auth.iam import iam_of
from nbsweep.adapters.cloud.auth.projects import project_finder
from nbsweep.adapters.cloud.dialect import EVERYBODYS, OLDEST_FIRST, OWN, Dialect, Variant, allows_another
from nbsweep.adapters.cloud.limiter import Lane, Lanes, Throttle
from nbsweep.adapters.cloud.permissions import CALLS, reach
from nbsweep.adapters.cloud.responses import (
    ErrorResponse,
    Throttled,
    TransientError,
    has_error_code,
    lost,
    objection,
    with_skew,
)
from nbsweep.adapters.cloud.retrying import RetriesExhausted, retried
from nbsweep.adapters.cloud.route import Route
from nbsweep.adapters.cloud.session import Connect, NotSent, by_tcp, open_session
from nbsweep.adapters.cloud.transport import ApiCall, Response, Tools, Transport
from nbsweep.adapters.cloud.users import IamUsers
from nbsweep.core.errors import AnswerLost, CloudError, Forbidden, Gone, MalformedAnswer, Rejected, Unreachable
from nbsweep.core.events.http import DialectFound, HttpRetried, HttpThrottled, ScopeNarrowed
from nbsweep.core.freshness import Freshness
from nbsweep.core.listing.paging import Paging
from nbsweep.core.model import Notebook, Page, Scope
from nbsweep.core.notices.contacts import IamUser
from nbsweep.core.pacing import LaneState
from nbsweep.core.permissions import DEFAULT_WORKSPACE, Action, Probe, probe_of
from nbsweep.core.ports import Clock, Telemetry, unheeded
from nbsweep.settings import TargetSettings

SUCCESS = range(200, 300)
NARROWED = ScopeNarrowed(
    permission="modelarts:notebook:listAllNotebooks",
    message="everybody's notebooks may not be listed, so that only the caller's own are seen, and only they can be deleted; "
    "grant modelarts:notebook:listAllNotebooks to see all, or set scope: own to accept this",
)


def no_such_listing(error: CloudError) -> ScopeNarrowed:
    """Return the event for a cloud that has no listing of all notebooks."""
    return ScopeNarrowed(
        permission="",
        message="there is no listing of everybody's notebooks, so that only the caller's own are seen, and only they can be "
        f"deleted; set scope: own to accept this ({error})",
    )


def _listing_error(error: CloudError) -> CloudError:
    """Return the error that a refused listing means: "not found" is about the listing, because the call names no notebook."""
    if not isinstance(error, Gone):
        return error
    return Rejected(f"there is no such listing: {error.answer}", **error.details)


@dataclass(slots=True)
class CloudClient:
    """One account's notebooks over HTTP; see the port `Cloud` for what each method promises."""

    transport: Transport
    users: IamUsers
    dialect: Dialect = field(default_factory=Dialect)

    def lanes_state(self) -> tuple[LaneState, ...]:
        """Return the present rates of the account's lanes, and the limits that they have learned."""
        return self.transport.tools.lanes.state()

    def clock_skew_s(self) -> float | None:
        """Return the least number of seconds by which this machine's clock is ahead of the cloud's, by the latest answers."""
        return self.transport.clock_skew.skew_s()

    async def workspaces(self) -> tuple[str, ...]:
        """List the ids of all workspaces that the caller may see."""
        try:
            return await self._workspaces(("filter_accessible", "true"))
        except (Rejected, MalformedAnswer):
            # The stack does not know the filter, or counts the workspaces that it leaves out.
            return await self._workspaces()

    async def _workspaces(self, *filters: tuple[str, str]) -> tuple[str, ...]:
        query = (*filters, ("limit", "1000"), ("offset", "0"))
        return wire.read_workspace_ids((await self._call(ApiCall(Lane.LIST, "GET", "/workspaces", query))).body)

    async def page(self, scope: Scope, offset: int, status: str | None = None) -> Page:
        """Read one page of a listing."""
        page = await self._list(scope, offset, status)
        if self.dialect.ignored_workspace(page, scope):
            page = await self._list(scope, offset, status)
        return page if offset else await self._first_page(page, scope, status)

    async def _first_page(self, page: Page, scope: Scope, status: str | None) -> Page:
        """Return the first page of a listing; read it again if the cloud's pages are smaller than requested."""
        before = self.dialect.paging.size
        while self.dialect.fell_short(page):
            page = await self._list(scope, 0, status)
        if self.dialect.paging.size != before:
            self._emit_dialect("page-size", str(self.dialect.paging.size), self.dialect.paging.describe())
        return page

    def paging(self) -> Paging:
        """Return what is known about the pages of listings."""
        return self.dialect.paging

    def found_paging(self, paging: Paging) -> None:
        """Store what was found out about the pages of listings."""
        self.dialect.paging = paging
        self._emit_dialect("offsets", paging.offsets, paging.describe())

    def _emit_dialect(self, aspect: str, value: str, message: str) -> None:
        self.transport.tools.telemetry.emit(DialectFound(aspect, value, message))

    async def _list(self, scope: Scope, offset: int, status: str | None) -> Page:
        """Read a page by the variant of the call that this cloud accepts, which the first page shows."""
        refused: dict[Variant, CloudError] = {}
        while (variant := self.dialect.next_variant(refused)) is not None:
            query = self.dialect.query(scope, offset, status, variant.sort)
            try:
                answer = await self._call(ApiCall(Lane.LIST, "GET", variant.listing, query))
            except CloudError as error:
                refused[variant] = error
                if not allows_another(variant, error):
                    break
            else:
                page = wire.read_page(answer.body)
                self._settle(variant, refused)
                return replace(page, oldest_first=self.dialect.conclusive)
        raise _listing_error([*refused.values()][-1])

    def _settle(self, variant: Variant, refused: Mapping[Variant, CloudError]) -> None:
        """Use that variant from now on, and report unusual variants."""
        if not self.dialect.settle(variant):
            return
        everybodys = next((error for other, error in refused.items() if other.listing != variant.listing), None)
        if everybodys is not None:
            self.transport.tools.telemetry.emit(NARROWED if isinstance(everybodys, Forbidden) else no_such_listing(everybodys))
            self._emit_dialect("listing", "own", str(everybodys))
        if variant.sort != OLDEST_FIRST:
            self._emit_dialect(
                "sort", variant.sort_name, f"the listing is not sorted by create_at there, but so: {variant.sort_name}"
            )

    async def show(self, notebook_id: str) -> Notebook:
        """Read one notebook."""
        answer = await self._call(ApiCall(Lane.SHOW, "GET", _path_of(notebook_id)))
        notebook = wire.read_notebook(answer.body)
        if notebook.id != notebook_id:
            message = f"the cloud was asked for {notebook_id} and answered with another notebook"
            raise MalformedAnswer(message)
        return notebook

    async def stop(self, notebook_id: str, *, facts: Freshness) -> Notebook | None:
        """Stop a running notebook; return the notebook in the answer, or None if the answer is empty (204)."""
        sent = await self._call(ApiCall(Lane.DELETE, "POST", f"{_path_of(notebook_id)}/stop", changes=True, facts=facts))
        _check_accepted("stop", sent, notebook_id)
        shown = wire.read_row(sent.body, listed=False) if sent.body else None
        return shown if isinstance(shown, Notebook) else None

    async def delete_turn(self) -> None:
        """Wait until the next DELETE may be prepared."""
        await self.transport.tools.lanes.acquire_early(Lane.DELETE)

    async def delete(self, notebook_id: str, *, facts: Freshness, leaving: Callable[[], object] = unheeded) -> str:
        """Delete a notebook and its storage permanently; return the gateway's request id. The answer may be empty (204)."""
        call = ApiCall(Lane.DELETE, "DELETE", _path_of(notebook_id), changes=True, facts=facts, leaving=leaving)
        sent = await self._call(call)
        _check_accepted("DELETE", sent, notebook_id)
        return sent.headers.get("X-Request-Id", "")

    async def reach(self) -> float | None:
        """Call the address without credentials; return how far this machine's clock is ahead of the cloud's."""
        return await reach(self.transport)

    async def project(self) -> str:
        """Return the project's id."""
        try:
            return await self.transport.project()
        except NotSent as error:
            raise Unreachable(error.problem, advice=error.advice) from error

    async def user(self, user_id: str) -> IamUser | None:
        """Return a user of IAM, or None if IAM says that there is no such user; see `IamUsers.user` for the errors."""
        return await self.users.user(user_id)

    async def probe(self, action: Action, workspace_id: str = DEFAULT_WORKSPACE) -> Probe:
        """Check whether an action is allowed, on a notebook that cannot exist; see `permissions` for why this is harmless."""
        try:
            await self._call(CALLS[action](workspace_id, self.dialect.workspace))
        except CloudError as error:
            return probe_of(error, action)
        return Probe(allowed=True)

    async def _call(self, call: ApiCall) -> Response:
        """Make a call until its answer is final or the attempts are used up."""

        def on_failure(error: TransientError, failures: int, wait_s: float) -> None:
            event = HttpRetried(call.lane, call.method, call.path, failures, round(wait_s, 3), str(error))
            self.transport.tools.telemetry.emit(event)

        try:
            return await retried(lambda: self._once(call), on_failure)
        except RetriesExhausted as end:
            raise _exhausted(call, end) from end.__cause__

    async def _once(self, call: ApiCall) -> Response:
        """Wait for the lane, send, read the answer."""
        sent = await self.transport.send(call)
        if sent.status in SUCCESS and not has_error_code(sent.body):
            return sent
        raise self._refused(call, sent.at_s, ErrorResponse.read(sent.status, sent.headers, sent.body))

    def _refused(self, call: ApiCall, sent_s: float, answer: ErrorResponse) -> CloudError:
        """Return the error that a refusal means for this call, and slow down the lane after a 429."""
        error = answer.error()
        if isinstance(error, Throttled):
            refusal = Throttle(sent_s, error.limit.rate, error.limit.shared, error.retry_after_s)
            per_s = self.transport.tools.lanes.refused(call.lane, refusal)
            self.transport.tools.telemetry.emit(
                HttpThrottled(call.lane, error.limit.words, error.retry_after_s, round(per_s, 3))
            )
        elif call.changes and (isinstance(error, TransientError) or answer.status in SUCCESS):
            return lost(error, call.method)
        return with_skew(error, self.clock_skew_s() or 0)


def _exhausted(call: ApiCall, end: RetriesExhausted) -> CloudError:
    """Return the error for a call that failed and is not tried again."""
    error = end.__cause__
    if isinstance(error, NotSent):
        return Unreachable(error.problem, advice=error.advice)
    if not isinstance(error, TransientError):
        return Unreachable(str(error))
    problem = f"{call.method} {call.path} failed {end.attempts} times, the last time so: {error.problem}"
    return AnswerLost(problem, advice=error.advice, **error.details)


def _check_accepted(order: str, sent: Response, notebook_id: str) -> None:
    """Check that a successful answer to an order confirms it; an answer without a body, as with 204, does.

    Raises:
        AnswerLost: the answer does not confirm the order.
    """
    if sent.body and (problem := objection(sent.body, notebook_id)):
        message = f"whether the {order} did its work is unknown: the cloud answered HTTP {sent.status}, and {problem}"
        raise AnswerLost(message, http_status=sent.status, request_id=sent.headers.get("X-Request-Id", ""))


def _path_of(notebook_id: str) -> str:
    """Return the path of a notebook; refuse an id that could lead to another path."""
    if not wire.NOTEBOOK_ID.fullmatch(notebook_id):
        message = "no notebook can have such an id"
        raise Rejected(message)
    return f"/notebooks/{notebook_id}"


@asynccontextmanager
async def open_client(
    target: TargetSettings,
    credentials: Credentials,
    lanes: Lanes,
    clock: Clock,
    telemetry: Telemetry,
    connect: Connect = by_tcp,
) -> AsyncIterator[CloudClient]:
    """Open the connections to one target's project."""
    timeout_s = target.limits.request_timeout.total_seconds()
    timeout = aiohttp.ClientTimeout(total=timeout_s, sock_connect=min(10.0, timeout_s), ceil_threshold=float("inf"))
    async with open_session(timeout, target.limits.concurrency, connect) as session:
        iam = iam_of(target, session, clock)
        find_project = project_finder(target, credentials, iam)
        transport = Transport(
            target.base_url, find_project, credentials, Tools(session, lanes, clock, telemetry, Route.of(target))
        )
        dialect = Dialect(listing=EVERYBODYS if target.scope == "all" else OWN)
        yield CloudClient(transport, IamUsers(credentials, iam), dialect)
