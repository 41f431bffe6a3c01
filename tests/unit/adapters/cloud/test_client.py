import asyncio
import gzip
import socket
import time
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import anyio
import pytest
import stamina
from aiohttp import web

from fresh import good_for
from nbsweep.adapters.clock import SystemClock
from nbsweep.adapters.cloud import guarded_request
from nbsweep.adapters.cloud.auth.signing import AccessKey
from nbsweep.adapters.cloud.client import CloudClient, open_client
from nbsweep.adapters.cloud.limiter import Lane, Lanes
from nbsweep.core.errors import (
    AnswerLost,
    CloudError,
    FactsTooOld,
    Forbidden,
    Gone,
    MalformedAnswer,
    Rejected,
    Unauthorized,
    Unreachable,
    WrongAddress,
)
from nbsweep.core.events.http import DialectFound, HttpAnswered, HttpRequest, HttpRetried, HttpThrottled, ScopeNarrowed
from nbsweep.core.model import Notebook, Scope, Status
from nbsweep.core.pacing import Rate
from nbsweep.settings import LimitSettings, TargetSettings
from nbsweep.simulator import (
    AccessKey as SimulatedKey,
)
from nbsweep.simulator import (
    AccessOptions,
    DialectOptions,
    FleetOptions,
    NotebookSpec,
    SimulatorOptions,
    running_simulator,
)
from nbsweep.testing import RecordingTelemetry

PROJECT = "0123456789abcdef0123456789abcdef"
KEY = AccessKey("AK", "the-secret-key", "the-security-token")
SCOPE = Scope("0", "NOTEBOOK")
NOTEBOOK = b'{"id":"nb1","status":"STOPPED"}'
THROTTLED = b'{"error_code":"APIGW.0308","error_msg":"policy user over ratelimit,limit:5,time:1 minute"}'
BROKEN = b'{"error_code":"ModelArts.0010","error_msg":"System error."}'
HTML = b"<html><body>502 Bad Gateway</body></html>"

Reply = Callable[[web.Request], Awaitable[web.StreamResponse]]
Waits = Callable[[], None]


def says(status: int, body: bytes = b"", **headers: str) -> Reply:
    """Answer so."""

    async def reply(_request: web.Request) -> web.StreamResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.Response(status=status, body=body, headers=named)

    return reply


async def resets(request: web.Request) -> web.StreamResponse:
    """Break the connection without an answer."""
    assert request.transport
    request.transport.abort()
    return web.Response()


async def breaks_off(request: web.Request) -> web.StreamResponse:
    """Begin an answer, and break the connection in the middle of it."""
    response = web.StreamResponse(headers={"Content-Length": "1000"})
    await response.prepare(request)
    await response.write(b'{"id":')
    assert request.transport
    request.transport.abort()
    return response


async def hangs(_request: web.Request) -> web.StreamResponse:
    """Take longer than anybody waits."""
    await asyncio.sleep(5)
    return web.Response()


OK = says(200, NOTEBOOK, X_Request_Id="request-7")
TROUBLES = {
    "500": says(500, BROKEN),
    "502 in HTML": says(502, HTML),
    "503": says(503),
    "504": says(504, b'{"error_code":"APIGW.0201","error_msg":"Backend timeout."}'),
    "408": says(408),
    "reset": resets,
    "broken off": breaks_off,
    "hang": hangs,
}
UNANSWERED = pytest.mark.parametrize("trouble", TROUBLES.values(), ids=TROUBLES)


@dataclass
class Desk:
    """A client, a server that answers to order, and what has arrived there."""

    cloud: CloudClient
    telemetry: RecordingTelemetry
    requests: list[web.Request] = field(default_factory=list)
    arrived_s: list[float] = field(default_factory=list)

    @property
    def methods(self) -> list[str]:
        """List what has arrived."""
        return [request.method for request in self.requests]


@asynccontextmanager
async def serving(replies: Iterable[Reply], port: int = 0) -> AsyncIterator[tuple[str, list[web.Request], list[float]]]:
    """Answer one request after the other so, all further ones like the last."""
    waiting = list(replies)
    requests: list[web.Request] = []
    arrived_s: list[float] = []

    async def handle(request: web.Request) -> web.StreamResponse:
        arrived_s.append(time.monotonic())
        requests.append(request)
        reply = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        return await reply(request)

    app = web.Application()
    app.router.add_route("*", "/{anything:.*}", handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.01, handler_cancellation=True)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}", requests, arrived_s
    finally:
        await runner.cleanup()


@asynccontextmanager
async def calling(url: str, telemetry: RecordingTelemetry, key: AccessKey = KEY, **limits: Any) -> AsyncIterator[CloudClient]:
    """Open a client whose lanes hinder nobody."""
    given = {"request_timeout": timedelta(seconds=0.25), **limits}
    target = TargetSettings(name="test", endpoint=url, project_id=PROJECT, limits=LimitSettings(**given))
    clock = SystemClock()
    lanes = Lanes(dict.fromkeys(Lane, Rate(10_000, 1.0)), None, clock)
    async with open_client(target, key, lanes, clock, telemetry) as cloud:
        yield cloud


@asynccontextmanager
async def desk(*replies: Reply, **limits: Any) -> AsyncIterator[Desk]:
    """Open a client of a server that answers so."""
    telemetry = RecordingTelemetry()
    async with serving(replies) as (url, requests, arrived_s), calling(url, telemetry, **limits) as cloud:
        yield Desk(cloud, telemetry, requests, arrived_s)


@asynccontextmanager
async def without_waits() -> AsyncIterator[None]:
    """Let retries come at once, as many of them as ever."""
    with stamina.set_testing(True, attempts=6):
        yield


async def delete(cloud: CloudClient) -> str:
    """Delete on facts of now."""
    return await cloud.delete("nb1", facts=good_for(10))


def is_one_sentence(error: Exception) -> bool:
    """Return whether people can read it: no line ends, no names of classes, no numbers of the operating system."""
    text = str(error)
    return not any(mark in text for mark in ("\n", "Errno", "object at 0x", "ClientConnector", "Error(", "ssl:", "('"))


# ---- reads ----------------------------------------------------------------------------------------------------------------


@UNANSWERED
async def test_a_read_is_tried_again(trouble: Reply) -> None:
    """The failure passes, and the second answer counts; the retry is told."""
    async with without_waits(), desk(trouble, OK) as at:
        assert await at.cloud.show("nb1") == Notebook("nb1", Status.STOPPED)
        assert at.methods == ["GET", "GET"]
        assert [event.attempt for event in at.telemetry.of(HttpRetried)] == [1]


async def test_a_throttled_read_is_tried_again() -> None:
    """After the pause that the gateway asks for; the lane hears of it."""
    async with desk(says(429, THROTTLED, Retry_After="0"), OK) as at:
        assert await at.cloud.show("nb1") == Notebook("nb1", Status.STOPPED)
        [told] = at.telemetry.of(HttpThrottled)
        assert (told.lane, told.retry_after_s, told.limit) == ("show", 0, "limit:5,time:1 minute")


async def test_the_client_tells_what_its_lanes_have_learned() -> None:
    """A limit that the gateway has named for all calls together, which nobody had configured."""
    async with desk(says(429, THROTTLED, Retry_After="0"), OK) as at:
        assert {state.lane for state in at.cloud.lanes_state()} == {"delete", "show", "list"}
        await at.cloud.show("nb1")
        assert at.cloud.lanes_state()[-1].lane == "total"
        assert at.cloud.lanes_state()[-1].learned_limit == "5/m"


async def test_retries_wait_and_not_all_alike() -> None:
    """Between 0.2 and 0.4 s for the first; those who failed together do not come back together."""
    async with desk(*[says(500, BROKEN)] * 5, OK) as at:
        async with anyio.create_task_group() as group:
            for _ in range(5):
                group.start_soon(at.cloud.show, "nb1")
        again_s = [arrived - max(at.arrived_s[:5]) for arrived in at.arrived_s[5:]]
        assert len(again_s) == 5
        assert min(again_s) >= 0.19
        assert max(again_s) <= 0.6
        assert max(again_s) - min(again_s) > 0.002


@pytest.mark.parametrize("trouble", [says(500, BROKEN), says(502, HTML), resets])
async def test_a_read_that_never_succeeds_is_given_up(trouble: Reply) -> None:
    """Six tries, and then it says what the last one met."""
    async with without_waits(), desk(trouble) as at:
        with pytest.raises(AnswerLost) as caught:
            await at.cloud.show("nb1")
        assert len(at.requests) == 6
        assert is_one_sentence(caught.value)
        assert "GET /notebooks/nb1 failed 6 times" in str(caught.value)


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (401, "APIGW.0301", Unauthorized),
        (403, "ModelArts.0108", Forbidden),
        (404, "APIGW.0101", WrongAddress),
        (404, "", WrongAddress),
        (400, "ModelArts.6309", Gone),
        (400, "ModelArts.0104", Rejected),
    ],
)
async def test_a_clear_refusal_is_not_tried_again(status: int, code: str, kind: type[Exception]) -> None:
    """Once is enough."""
    body = f'{{"error_code":"{code}","error_msg":"no"}}'.encode() if code else b""
    async with without_waits(), desk(says(status, body)) as at:
        with pytest.raises(kind):
            await at.cloud.show("nb1")
        assert at.methods == ["GET"]


async def test_a_malformed_answer_is_not_tried_again() -> None:
    """The cloud has answered; asking again would show the same."""
    async with without_waits(), desk(says(200, b"<html></html>")) as at:
        with pytest.raises(MalformedAnswer):
            await at.cloud.show("nb1")
        assert at.methods == ["GET"]


@pytest.mark.parametrize("body", [b'{"id":"nb2","status":"STOPPED"}', b'{"id":"NB1","status":"STOPPED"}'])
async def test_another_notebook_in_the_answer_is_malformed(body: bytes) -> None:
    """Its facts must not decide about the one that was asked for."""
    async with desk(says(200, body)) as at:
        with pytest.raises(MalformedAnswer):
            await at.cloud.show("nb1")


async def test_every_try_goes_through_its_lane() -> None:
    """What the server counts is what the lanes have let pass."""
    async with without_waits(), desk(says(500, BROKEN), resets, OK) as at:
        await at.cloud.show("nb1")
        assert [event.lane for event in at.telemetry.of(HttpRequest)] == ["show"] * 3
        assert len(at.requests) == 3


@pytest.mark.parametrize(
    ("reply", "status", "code"),
    [
        (OK, 200, ""),
        (says(204), 204, ""),
        (says(400, b'{"error_code":"ModelArts.6309","error_msg":"The instance does not exist."}'), 400, "ModelArts.6309"),
        (says(401, b'{"error_code":"APIG.0301","error_msg":"Incorrect IAM authentication information"}'), 401, "APIGW.0301"),
        (says(502, HTML), 502, ""),
        (resets, None, ""),
        (breaks_off, None, ""),
        (hangs, None, ""),
    ],
)
async def test_what_came_of_a_call_is_told_once(reply: Reply, status: int | None, code: str) -> None:
    """Its status and the cloud's own code for it; null where there was no answer, or not all of it."""
    async with desk(reply) as at:
        with suppress(CloudError):
            await delete(at.cloud)
        [told] = at.telemetry.of(HttpAnswered)
        assert (told.lane, told.method, told.status, told.error_code) == ("delete", "DELETE", status, code)
        assert 0 < told.duration_s < 5
        assert told.duration_s == round(told.duration_s, 6)
        assert at.telemetry.names().index("http.request") < at.telemetry.names().index("http.answered")


async def test_every_call_that_leaves_is_told_to_be_over() -> None:
    """Each try is a call of its own, the throttled ones included."""
    async with without_waits(), desk(says(500, BROKEN), says(429, THROTTLED, Retry_After="0"), resets, OK) as at:
        await at.cloud.show("nb1")
        assert [(event.status, event.error_code) for event in at.telemetry.of(HttpAnswered)] == [
            (500, "ModelArts.0010"),
            (429, "APIGW.0308"),
            (None, ""),
            (200, ""),
        ]
        assert len(at.telemetry.of(HttpRequest)) == 4


async def test_a_call_that_cannot_be_made_is_told_to_be_over_too() -> None:
    """It had its turn in the lane."""
    telemetry = RecordingTelemetry()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        async with without_waits(), calling(f"http://127.0.0.1:{taken.getsockname()[1]}", telemetry) as cloud:
            with pytest.raises(Unreachable):
                await cloud.show("nb1")
    assert {event.status for event in telemetry.of(HttpAnswered)} == {None}
    assert len(telemetry.of(HttpAnswered)) == len(telemetry.of(HttpRequest))


async def test_a_call_that_is_cancelled_is_told_to_be_over() -> None:
    """It was sent, and counts against the quota."""
    async with desk(hangs) as at:
        with anyio.move_on_after(0.05):
            await at.cloud.show("nb1")
        assert [event.status for event in at.telemetry.of(HttpAnswered)] == [None]


async def test_a_delete_that_is_held_back_was_no_call() -> None:
    """It never left, so that nothing came of it."""
    async with desk(OK) as at:
        with pytest.raises(FactsTooOld):
            await at.cloud.delete("nb1", facts=good_for(-1))
        assert at.telemetry.of(HttpAnswered) == []


# ---- changes --------------------------------------------------------------------------------------------------------------


@UNANSWERED
async def test_a_delete_without_an_answer_is_not_sent_again(trouble: Reply) -> None:
    """It may have done its work; the caller has to look."""
    async with without_waits(), desk(trouble, OK) as at:
        with pytest.raises(AnswerLost):
            await delete(at.cloud)
        await asyncio.sleep(0.02)
        assert at.methods == ["DELETE"]


@UNANSWERED
async def test_a_stop_without_an_answer_is_not_sent_again(trouble: Reply) -> None:
    """Likewise."""
    async with without_waits(), desk(trouble, OK) as at:
        with pytest.raises(AnswerLost):
            await at.cloud.stop("nb1", facts=good_for(10))
        assert at.methods == ["POST"]


@UNANSWERED
async def test_a_delete_over_a_kept_connection_is_not_sent_again_either(trouble: Reply) -> None:
    """Aiohttp itself would repeat a DELETE when a connection that was kept alive breaks."""
    async with without_waits(), desk(OK, trouble, OK) as at:
        await at.cloud.show("nb1")
        with pytest.raises(AnswerLost):
            await delete(at.cloud)
        await asyncio.sleep(0.02)
        assert at.methods == ["GET", "DELETE"]


async def test_a_delete_over_a_connection_that_was_closed_meanwhile_arrives_once_or_is_lost() -> None:
    """The server has hung up since; whatever comes of it, there is no second DELETE."""
    telemetry = RecordingTelemetry()
    replies = [says(200, NOTEBOOK, Connection="close"), OK]
    async with serving(replies) as (url, requests, _), without_waits(), calling(url, telemetry) as cloud:
        await cloud.show("nb1")
        assert await delete(cloud) == "request-7"
        assert [request.method for request in requests] == ["GET", "DELETE"]


async def test_a_throttled_delete_is_sent_again() -> None:
    """429 means that it was certainly not done."""
    async with desk(says(429, THROTTLED, Retry_After="0"), OK) as at:
        assert await delete(at.cloud) == "request-7"
        assert at.methods == ["DELETE", "DELETE"]


async def test_a_throttled_delete_does_not_outlive_its_facts() -> None:
    """A pause of a second; when it is over the facts are too old, and it is not sent again."""
    async with desk(says(429, b"", Retry_After="1"), OK) as at:
        with pytest.raises(FactsTooOld):
            await at.cloud.delete("nb1", facts=good_for(0.5))
        assert at.methods == ["DELETE"]


async def test_a_delete_that_is_throttled_for_ever_is_held_back_when_its_facts_are_too_old() -> None:
    """It was never done, so it may be tried again; but not on facts that have grown old meanwhile."""
    async with desk(says(429, b"", Retry_After="0")) as at:
        with pytest.raises(FactsTooOld):
            await at.cloud.delete("nb1", facts=good_for(0.5))
        assert 2 <= len(at.methods) <= 4


async def test_a_refused_connection_is_tried_again_by_a_delete_too() -> None:
    """The request never left this machine; the server comes up a moment later and gets it once."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    async with calling(f"http://127.0.0.1:{port}", RecordingTelemetry()) as cloud:
        asking = asyncio.create_task(delete(cloud))
        await asyncio.sleep(0.05)
        async with serving([OK], port) as (_, requests, _):
            assert await asking == "request-7"
            assert [request.method for request in requests] == ["DELETE"]


@pytest.mark.parametrize(("status", "body"), [(204, b""), (200, b""), (200, b'{"id":"nb1","status":"DELETING"}'), (202, b"")])
async def test_a_delete_is_accepted_with_and_without_a_body(status: int, body: bytes) -> None:
    """204 has none, and nobody tries to read it."""
    async with desk(says(status, body, X_Request_Id="request-9")) as at:
        assert await delete(at.cloud) == "request-9"


async def test_a_delete_is_not_led_elsewhere() -> None:
    """A redirection is refused; nothing is sent to where it points."""
    async with desk(says(307, b"", Location="/elsewhere"), OK) as at:
        with pytest.raises(Rejected):
            await delete(at.cloud)
        assert at.methods == ["DELETE"]


async def test_a_delete_that_waits_for_a_connection_does_not_outlive_its_facts() -> None:
    """The only connection is taken by a slow read; by the time it is free the facts are too old, and no DELETE arrives."""
    begun = asyncio.Event()

    async def slow(_request: web.Request) -> web.StreamResponse:
        begun.set()
        await asyncio.sleep(0.4)
        return web.Response(body=NOTEBOOK)

    async with desk(slow, OK, concurrency=1, request_timeout=timedelta(seconds=2)) as at:
        async with anyio.create_task_group() as group:
            group.start_soon(at.cloud.show, "nb1")
            await begun.wait()
            with suppress(FactsTooOld, AnswerLost):
                await at.cloud.delete("nb1", facts=good_for(0.1))
        assert at.methods == ["GET"]


# ---- what is sent ---------------------------------------------------------------------------------------------------------


async def test_a_request_is_complete() -> None:
    """Path, query in the order in which it is signed, and the headers that the API asks for."""
    async with desk(says(200, b'{"total":0,"data":[]}')) as at:
        await at.cloud.page(Scope("w 1", "DEFAULT"), 49, "DELETING")
        [request] = at.requests
        assert request.raw_path == (
            f"/v1/{PROJECT}/notebooks/all?feature=DEFAULT&limit=50&offset=49"
            "&sort_dir=ASC&sort_key=create_at&status=DELETING&workspace_id=w%201"
        )
        assert request.headers["X-Project-Id"] == PROJECT
        assert request.headers["X-Security-Token"] == "the-security-token"
        assert request.headers["Content-Type"] == "application/json"
        assert request.headers["Authorization"].startswith("SDK-HMAC-SHA256 Access=AK, SignedHeaders=")


async def test_nothing_secret_is_told() -> None:
    """Neither keys nor tokens are in any event or error, even when the gateway repeats what it was sent."""

    async def repeats(request: web.Request) -> web.StreamResponse:
        sent = "|".join(f"{name.lower()}:{value}" for name, value in request.headers.items())
        return web.json_response({"error_code": "APIGW.0301", "error_msg": sent}, status=401)

    async with desk(says(500, b'{"error_msg":"x-security-token:the-security-token"}'), repeats) as at:
        with pytest.raises(Unauthorized) as caught:
            await at.cloud.show("nb1")
        told = f"{caught.value} {at.telemetry.records} {at.cloud}"
        assert "the-security-token" not in told
        assert "the-secret-key" not in told


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nX-Subject-Token: S3CRET\x00\r\n\r\n",
        b"HTTP/1.1 S3CRET\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nS3CRET\r\n",
        b'{"token":"S3CRET"}\r\n\r\n',
        b"HTTP/1.1 200 OK\r\nX-Subject-Token: " + b"S3CRET" * 7000 + b"\r\n\r\n",
    ],
)
async def test_bytes_that_are_no_http_are_not_quoted(answer: bytes) -> None:
    """It may be a token's header, or a row, that was broken on its way; what is said of it is one line."""

    async def says_so(request: web.Request) -> web.StreamResponse:
        assert request.transport
        request.transport.write(answer)
        request.transport.close()
        return web.Response()

    async with without_waits(), desk(says_so) as at:
        with pytest.raises(AnswerLost) as caught:
            await at.cloud.show("nb1")
        assert "S3CRET" not in f"{caught.value} {at.telemetry.records}"
        assert is_one_sentence(caught.value)


async def test_answers_may_be_packed() -> None:
    """Every request says that gzip is welcome, and what comes so is read as if it had come otherwise."""
    row = b'{"id":"nb1","status":"STOPPED"}'
    async with desk(says(200, gzip.compress(row), Content_Encoding="gzip")) as at:
        assert await at.cloud.show("nb1") == Notebook("nb1", Status.STOPPED)
        assert [request.headers["Accept-Encoding"] for request in at.requests] == ["gzip"]


async def test_a_packed_answer_may_come_piece_by_piece() -> None:
    """Chunked, and flushed in the middle of a row, as gateways send long listings."""

    async def in_pieces(request: web.Request) -> web.StreamResponse:
        packed = gzip.compress(b'{"id":"nb1","status":"STOPPED","description":"' + b"x" * 300_000 + b'"}')
        response = web.StreamResponse(headers={"Content-Encoding": "gzip"})
        await response.prepare(request)
        for place in range(0, len(packed), 100):
            await response.write(packed[place : place + 100])
        return response

    async with desk(in_pieces) as at:
        assert (await at.cloud.show("nb1")).description == "x" * 300_000


async def test_connections_are_kept_alive() -> None:
    """Twenty calls of every kind after each other go over one."""
    async with desk(OK) as at:
        for _ in range(10):
            await at.cloud.show("nb1")
            await delete(at.cloud)
        assert len(at.requests) == 20
        assert len({request.transport and request.transport.get_extra_info("peername") for request in at.requests}) == 1


async def test_there_are_as_many_connections_as_calls_may_be_under_way() -> None:
    """`limits.concurrency`: twelve calls at once share three, and nobody gets a fourth."""
    ports: set[Any] = set()
    arrived = anyio.Semaphore(0)
    go_on = anyio.Event()

    async def slow(request: web.Request) -> web.StreamResponse:
        assert request.transport
        ports.add(request.transport.get_extra_info("peername"))
        arrived.release()
        await go_on.wait()
        return web.Response(body=NOTEBOOK)

    async with desk(slow, concurrency=3, request_timeout=timedelta(seconds=5)) as at:
        async with anyio.create_task_group() as group:
            for _ in range(12):
                group.start_soon(at.cloud.show, "nb1")
            for _ in range(3):
                await arrived.acquire()
            go_on.set()
        # All twelve set out before the first was answered, so that each had taken a connection of its own if it could.
        assert (len(at.requests), len(ports)) == (12, 3)


# ---- whose notebooks ------------------------------------------------------------------------------------------------------

EMPTY = says(200, b'{"total":0,"data":[]}')
NOT_ALLOWED = says(403, b'{"error_code":"ModelArts.0108","error_msg":"You do not have the permission."}')


def listings(at: Desk) -> list[str]:
    """Return which listings have been asked for."""
    return [request.path.removeprefix(f"/v1/{PROJECT}") for request in at.requests]


async def test_who_may_not_list_everybodys_lists_his_own_with_a_warning() -> None:
    """From then on, and warned once: what is seen, and which permission would show the rest. It proves nobody gone."""
    async with desk(NOT_ALLOWED, EMPTY) as at:
        for offset in (0, 49, 98):
            assert not (await at.cloud.page(SCOPE, offset)).oldest_first
        assert listings(at) == ["/notebooks/all", "/notebooks", "/notebooks", "/notebooks"]
        [told] = at.telemetry.of(ScopeNarrowed)
        assert told.permission == "modelarts:notebook:listAllNotebooks"
        assert "only the caller's own are seen" in told.message
        assert told.level == "warning"


async def test_of_pages_that_are_read_at_once_only_one_warns() -> None:
    """All of them are refused before the first has fallen back."""

    async def refuses_all(request: web.Request) -> web.StreamResponse:
        return await (NOT_ALLOWED if request.path.endswith("/all") else EMPTY)(request)

    async with desk(refuses_all) as at:
        async with anyio.create_task_group() as group:
            for offset in range(5):
                group.start_soon(at.cloud.page, SCOPE, offset)
        assert len(at.telemetry.of(ScopeNarrowed)) == 1


async def test_who_may_not_list_his_own_either_is_told_what_to_grant() -> None:
    """Nothing is narrowed then, and the next try begins with everybody's again: somebody may have granted it."""
    async with desk(NOT_ALLOWED) as at:
        for _ in range(2):
            with pytest.raises(Forbidden, match="modelarts:notebook:listAllNotebooks"):
                await at.cloud.page(SCOPE, 0)
        assert listings(at) == ["/notebooks/all", "/notebooks"] * 2
        assert at.telemetry.of(ScopeNarrowed) == []


async def test_a_permission_that_is_lost_on_the_way_ends_the_listing() -> None:
    """Everybody's has been seen: to go on with less would make others look gone."""
    async with desk(EMPTY, NOT_ALLOWED) as at:
        assert (await at.cloud.page(SCOPE, 0)).oldest_first
        with pytest.raises(Forbidden):
            await at.cloud.page(SCOPE, 49)
        assert listings(at) == ["/notebooks/all", "/notebooks/all"]


async def test_a_wrong_key_narrows_nothing() -> None:
    """It says nothing about whose notebooks may be seen."""
    async with desk(says(401, b'{"error_code":"APIGW.0301","error_msg":"no"}'), EMPTY) as at:
        with pytest.raises(Unauthorized):
            await at.cloud.page(SCOPE, 0)
        assert listings(at) == ["/notebooks/all"]


@pytest.mark.parametrize(
    ("status", "code"),
    [(400, "ModelArts.6309"), (404, "ModelArts.6404"), (404, "APIGW.0101"), (404, ""), (405, "")],
)
async def test_a_cloud_without_a_listing_of_everybodys_shows_ones_own(status: int, code: str) -> None:
    """With a warning that names no permission, for none would help."""
    async with desk(says(status, f'{{"error_code":"{code}","error_msg":"no"}}'.encode()), EMPTY) as at:
        assert not (await at.cloud.page(SCOPE, 0)).oldest_first
        assert listings(at) == ["/notebooks/all", "/notebooks"]
        [told] = at.telemetry.of(ScopeNarrowed)
        assert (told.permission, "no listing of everybody's notebooks" in told.message) == ("", True)
        assert [(found.aspect, found.value) for found in at.telemetry.of(DialectFound)] == [("listing", "own")]


async def test_a_wrong_address_is_told_where_neither_listing_is_there() -> None:
    """Then it is the region or the project that is wrong."""
    async with desk(says(404, b'{"error_code":"APIGW.0101","error_msg":"no"}')) as at:
        with pytest.raises(WrongAddress):
            await at.cloud.page(SCOPE, 0)
        assert at.telemetry.of(ScopeNarrowed) == []


async def test_a_listing_that_does_not_exist_never_says_that_a_notebook_is_gone() -> None:
    """6309 about the listings themselves is a refusal."""
    async with desk(says(400, b'{"error_code":"ModelArts.6309","error_msg":"no"}')) as at:
        with pytest.raises(Rejected, match="there is no such listing: HTTP 400"):
            await at.cloud.page(SCOPE, 0)


async def test_an_own_listing_that_cannot_be_sorted_is_read_unsorted_too() -> None:
    """Refused for the one reason and then for the other."""
    unsortable = says(400, b'{"error_code":"ModelArts.6303","error_msg":"not sortable"}')
    async with desk(NOT_ALLOWED, unsortable, EMPTY) as at:
        assert (await at.cloud.page(SCOPE, 0)).total == 0
        assert listings(at) == ["/notebooks/all", "/notebooks", "/notebooks"]


# ---- answers beyond all reason --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("packed", [False, True])
async def test_an_answer_that_is_too_large_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch, *, packed: bool) -> None:
    """Nor is one that unpacks to more than it seems."""
    monkeypatch.setattr(guarded_request, "ANSWER_LIMIT_BYTES", 100_000)
    large = b" " * 5_000_000
    reply = says(200, gzip.compress(large), Content_Encoding="gzip") if packed else says(200, large)
    async with without_waits(), desk(reply) as at:
        with pytest.raises(AnswerLost) as caught:
            await at.cloud.show("nb1")
        assert "larger than any that the API gives" in str(caught.value)


async def test_a_packed_answer_is_not_unpacked_beyond_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Thirty kilobytes that would be thirty megabytes: they never come to be."""
    monkeypatch.setattr(guarded_request, "ANSWER_LIMIT_BYTES", 100_000)
    bomb = gzip.compress(b" " * 30_000_000)
    async with without_waits(), desk(says(200, bomb, Content_Encoding="gzip")) as at:
        tracemalloc.start()
        try:
            with pytest.raises(AnswerLost):
                await at.cloud.show("nb1")
            assert tracemalloc.get_traced_memory()[1] < 20_000_000
        finally:
            tracemalloc.stop()


# ---- no connection --------------------------------------------------------------------------------------------------------


async def test_a_refused_connection_is_said_in_one_sentence() -> None:
    """What could not be reached, why, and what to check."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
    async with without_waits(), calling(url, RecordingTelemetry()) as cloud:
        for call in (lambda: cloud.show("nb1"), lambda: delete(cloud)):
            with pytest.raises(Unreachable) as caught:
                await call()
            assert str(caught.value).startswith(f"{url} cannot be reached: ")
            assert "refused" in str(caught.value).lower()
            assert is_one_sentence(caught.value), str(caught.value)


async def test_a_name_that_does_not_exist_is_said_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """A typing error in the endpoint; the resolver of this machine, which may need long for that, is not asked."""

    async def unknown(*_names: object, **_hints: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", unknown)
    async with without_waits(), calling("https://modelarts.nowhere.invalid", RecordingTelemetry()) as cloud:
        with pytest.raises(Unreachable) as caught:
            await cloud.show("nb1")
        assert str(caught.value).startswith("https://modelarts.nowhere.invalid cannot be reached: ")
        assert is_one_sentence(caught.value), str(caught.value)


async def test_a_server_that_speaks_no_tls_is_said_in_one_sentence() -> None:
    """It is tried once, since that will not pass by itself."""
    async with serving([OK]) as (url, requests, _):
        secure = url.replace("http:", "https:")
        async with without_waits(), calling(secure, RecordingTelemetry()) as cloud:
            with pytest.raises(Unreachable) as caught:
                await delete(cloud)
            assert str(caught.value).startswith(secure)
            assert is_one_sentence(caught.value), str(caught.value)
            assert requests == []


# ---- against the simulated cloud ------------------------------------------------------------------------------------------


@asynccontextmanager
async def simulated(key: AccessKey | None = None, **groups: Any) -> AsyncIterator[tuple[CloudClient, Any, RecordingTelemetry]]:
    """Open a client of the simulated cloud with three notebooks."""
    rows = tuple(
        NotebookSpec(id=f"nb{number}", name=f"nb{number}", create_at=1_700_000_000_000 + number) for number in (1, 2, 3)
    )
    options = SimulatorOptions(fleet=FleetOptions(notebooks=0, instances=rows), **groups)
    known = SimulatedKey()
    telemetry = RecordingTelemetry()
    chosen = key or AccessKey(known.access_key, known.secret_key)
    async with running_simulator(options) as simulator, calling(simulator.url, telemetry, chosen) as cloud:
        yield cloud, simulator, telemetry


async def test_a_listing_that_cannot_be_sorted_so_is_read_unsorted() -> None:
    """ModelArts.6303: once with the other key, then without, for good; the overlap of the pages has to do without an order."""

    async def takes_no_key(request: web.Request) -> web.StreamResponse:
        if "sort_key" in request.query or "sort_dir" in request.query:
            return web.json_response({"error_code": "ModelArts.6303", "error_msg": "not sortable"}, status=400)
        return web.json_response({"total": 0, "data": []})

    async with desk(takes_no_key) as at:
        assert (await at.cloud.page(SCOPE, 0)).total == 0
        assert (await at.cloud.page(SCOPE, 49)).total == 0
        assert ["sort_key" in request.query for request in at.requests] == [True, True, False, False]
        assert [(found.aspect, found.value) for found in at.telemetry.of(DialectFound)] == [("sort", "unsorted")]


async def test_a_wrong_key_is_not_authorized() -> None:
    """One try; and the token that the server repeats is masked."""
    key = AccessKey(SimulatedKey().access_key, "wrong", "a-token-of-mine")
    async with simulated(key, dialect=DialectOptions(mask_security_token=False)) as (cloud, simulator, _):
        with pytest.raises(Unauthorized) as caught:
            await cloud.page(SCOPE, 0)
        assert "a-token-of-mine" not in str(caught.value)
        assert len(simulator.log.entries) == 1


async def test_temporary_keys_are_accepted() -> None:
    """With their security token, sent and signed."""
    known = SimulatedKey(security_token="tok==")
    key = AccessKey(known.access_key, known.secret_key, "tok==")
    async with simulated(key, access=AccessOptions(access_keys=(known,))) as (cloud, _, _):
        assert (await cloud.page(SCOPE, 0)).total == 3


@pytest.mark.parametrize("gone", ["400/6309", "400/6404", "404"])
async def test_every_way_to_say_gone_is_understood(gone: Any) -> None:
    """ModelArts API, section 2."""
    async with simulated(dialect=DialectOptions(gone_answer=gone)) as (cloud, _, _):
        with pytest.raises(Gone):
            await cloud.show("nb9")


async def test_older_stacks_are_understood() -> None:
    """Another prefix of the gateway's codes, and numbers for workspaces."""
    dialect = DialectOptions(gateway_prefix="APIG", integer_workspace_ids=True)
    async with simulated(dialect=dialect) as (cloud, _, _):
        assert "0" in await cloud.workspaces()
