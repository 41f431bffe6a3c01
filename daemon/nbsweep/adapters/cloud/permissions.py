"""Calls that check permissions and reachability without changing anything."""

from collections.abc import Callable, Mapping

import aiohttp
from yarl import URL

from nbsweep.adapters.cloud.clock_skew import ClockSkew
from nbsweep.adapters.cloud.dialect import EVERYBODYS, OWN
from nbsweep.adapters.cloud.guarded_request import read_body
from nbsweep.adapters.cloud.limiter import Lane
from nbsweep.adapters.cloud.session import failure
from nbsweep.adapters.cloud.transport import ApiCall, Transport
from nbsweep.core.errors import Unreachable
from nbsweep.core.events.http import HttpRequest
from nbsweep.core.permissions import Action

NOTHING = "/notebooks/00000000-0000-0000-0000-000000000000"
"""The nil UUID, which by definition (RFC 9562, section 5.9) identifies nothing.

The cloud creates ids of notebooks as random UUIDs of version 4, in which two digits are never zero, so no notebook can have
this id. A DELETE of it is harmless. The id is a constant, and these calls do not share code with the DELETEs of a sweep, so
that no mistake about an id can turn a check into a deletion.
"""
LEAST_ROWS = "10"
"""The smallest page size that the API accepts (ModelArts API, section 1.1)."""


def _listing(path: str, workspace_id: str, spelling: str) -> ApiCall:
    # Without a sort key, because the cloud may not accept one.
    query = (("feature", "NOTEBOOK"), ("limit", LEAST_ROWS), ("offset", "0"), (spelling, workspace_id))
    return ApiCall(Lane.LIST, "GET", path, query)


# None of these calls is marked as a change, so that they are retried after a lost answer, which is harmless.
CALLS: Mapping[Action, Callable[[str, str], ApiCall]] = {
    Action.LIST_ALL: lambda workspace_id, spelling: _listing(EVERYBODYS, workspace_id, spelling),
    Action.LIST_OWN: lambda workspace_id, spelling: _listing(OWN, workspace_id, spelling),
    Action.GET: lambda *_: ApiCall(Lane.SHOW, "GET", NOTHING),
    Action.DELETE: lambda *_: ApiCall(Lane.DELETE, "DELETE", NOTHING),
    Action.STOP: lambda *_: ApiCall(Lane.DELETE, "POST", f"{NOTHING}/stop"),
    Action.LIST_WORKSPACES: lambda *_: ApiCall(Lane.LIST, "GET", "/workspaces", (("limit", "1"), ("offset", "0"))),
}


async def reach(transport: Transport) -> float | None:
    """Call the address without credentials and accept any answer; return how far this machine's clock is ahead.

    Raises:
        Unreachable: there was no answer.
    """
    tools, dates = transport.tools, ClockSkew(transport.tools.clock)
    sent_s, sent = await tools.lanes.acquire(Lane.SHOW), tools.clock.read()
    tools.telemetry.emit(HttpRequest(Lane.SHOW, "GET", "/", sent_s))
    try:
        async with tools.session.get(
            URL(f"{transport.base_url}/"), allow_redirects=False, **transport.request_options
        ) as response:
            dates.note(response.headers.get("Date", ""), sent)
            await read_body(response)
    except (aiohttp.ClientError, TimeoutError) as error:
        found = failure(transport.base_url, error)
        raise Unreachable(found.problem, advice=found.advice) from error
    return dates.skew_s()
