"""No byte of a call leaves without the fence of its account, over real connections and by a clock that the test moves."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from email.utils import format_datetime

import anyio
import pytest
import stamina
from aiohttp import web

from builders import fence_holder
from fresh import good_for
from hand_clock import HandClock
from local_server import local_server
from nbsweep.adapters.cloud.auth.signing import AccessKey
from nbsweep.adapters.cloud.client import CloudClient, open_client
from nbsweep.adapters.cloud.limiter import Lane, Lanes
from nbsweep.core.errors import FenceLost
from nbsweep.core.fences.model import lanes_fence
from nbsweep.core.model import Scope
from nbsweep.core.pacing import Rate
from nbsweep.engine.coordination.fence import ClosedFence, FenceGuard, FenceOptions
from nbsweep.settings import LimitSettings, TargetSettings
from nbsweep.testing import InMemoryJournal, RecordingTelemetry

PROJECT = "0123456789abcdef0123456789abcdef"
LASTS = timedelta(seconds=60)
STOPPED_S = 90
"""How long the process is stopped."""
FAST = Rate(10_000, 1.0)
ANSWER = {"id": "nb1", "status": "STOPPED", "data": [], "total": 0}
"""Fits every call."""
NAME = lanes_fence("example.com/1a2b3c4d")


@dataclass
class Process:
    """A process of a fleet that calls on an account, and the server that it calls."""

    clock: HandClock = field(default_factory=HandClock)
    journal: InMemoryJournal = field(default_factory=InMemoryJournal)
    arrived: list[str] = field(default_factory=list)
    answer: Callable[[], Awaitable[int]] | None = None
    """Returns the status of the next answer; 200 if there is none."""
    rate: Rate = FAST

    async def handle(self, request: web.Request) -> web.Response:
        """Take note, and answer."""
        self.arrived.append(request.method)
        status = await self.answer() if self.answer else 200
        date = format_datetime(self.clock.now().replace(microsecond=0), usegmt=True)
        return web.json_response(ANSWER, status=status, headers={"Date": date})

    async def taken_by_another(self) -> None:
        """Stop this process until another has the fence, as after a minute without a beat."""
        self.clock.passed_s += STOPPED_S
        await self.journal.fences.take(NAME, fence_holder("other"), timedelta(0))

    @asynccontextmanager
    async def calling(self, concurrency: int = 8) -> AsyncIterator[CloudClient]:
        """Open a client of the account, and hold the fence."""
        telemetry, lanes = RecordingTelemetry(), Lanes(dict.fromkeys(Lane, self.rate), None, self.clock)
        options = FenceOptions(fence_holder("me"), LASTS)
        lanes.fence = guard = FenceGuard(NAME, self.journal.fences, self.clock, telemetry, options)
        async with local_server(self.handle) as url:
            limits = LimitSettings(concurrency=concurrency)
            target = TargetSettings(name="test", endpoint=url, project_id=PROJECT, limits=limits)
            async with (
                open_client(target, AccessKey("AK", "SK"), lanes, self.clock, telemetry) as cloud,
                guard.held(anyio.Event()),
            ):
                yield cloud

    async def call(self, cloud: CloudClient, kind: str) -> object:
        """Make one call; its facts are fresh for ever."""
        if kind == "DELETE":
            return await cloud.delete("nb1", facts=good_for(10**6, self.clock))
        if kind == "stop":
            return await cloud.stop("nb1", facts=good_for(10**6, self.clock))
        return await (cloud.show("nb1") if kind == "GET" else cloud.page(Scope("0", "NOTEBOOK"), 0))


ALL = pytest.mark.parametrize("kind", ["GET", "page", "stop", "DELETE"])
BOTH = pytest.mark.parametrize("kind", ["GET", "DELETE"])


@ALL
async def test_a_call_leaves_while_the_fence_is_held(kind: str) -> None:
    """As without a fence."""
    process = Process()
    async with process.calling() as cloud:
        await process.call(cloud, kind)
    assert len(process.arrived) == 1


@ALL
async def test_who_wakes_up_after_another_took_the_fence_sends_nothing(kind: str) -> None:
    """Stopped for 90 seconds; reads count as changes do."""
    process = Process()
    async with process.calling() as cloud:
        await process.taken_by_another()
        with pytest.raises(FenceLost, match="taken the fence lanes:example"):
            await process.call(cloud, kind)
    assert process.arrived == []


@BOTH
async def test_who_wakes_up_in_time_asks_and_goes_on(kind: str) -> None:
    """Nobody took the fence meanwhile: it is renewed, and the call leaves once."""
    process = Process()
    async with process.calling() as cloud:
        process.clock.passed_s += STOPPED_S
        await process.call(cloud, kind)
    assert process.arrived == [kind]


@BOTH
@pytest.mark.parametrize("taken", [True, False])
async def test_a_call_that_waited_in_its_lane_asks_again(kind: str, *, taken: bool) -> None:
    """It had the fence when it began to wait; if another has it now, nothing leaves, and otherwise it leaves once."""
    process = Process(rate=Rate(1, 0.2))
    async with process.calling() as cloud, stamina_at_once():
        await process.call(cloud, kind)
        call = asyncio.ensure_future(process.call(cloud, kind))
        await asyncio.sleep(0.02)
        assert not call.done()
        await (process.taken_by_another() if taken else sleep_here(process))
        if taken:
            with pytest.raises(FenceLost):
                await call
        else:
            # The first turn was lost to the doubt; the second comes a fifth of a second later.
            while not call.done():
                process.clock.passed_s += 0.05
                await asyncio.sleep(0.01)
            await call
    assert process.arrived == [kind] * (1 if taken else 2)


async def sleep_here(process: Process) -> None:
    """Stop the process; nobody else wants the fence."""
    process.clock.passed_s += STOPPED_S


@asynccontextmanager
async def stamina_at_once() -> AsyncIterator[None]:
    """Let retries come at once."""
    with stamina.set_testing(True, attempts=6):
        yield


@BOTH
async def test_a_call_that_waited_for_a_connection_asks_again(kind: str) -> None:
    """The only connection was busy until another process had the fence."""
    process, busy, done = Process(), asyncio.Event(), asyncio.Event()

    async def answer() -> int:
        busy.set()
        await done.wait()
        return 200

    process.answer = answer
    async with process.calling(concurrency=1) as cloud, stamina_at_once():
        first = asyncio.ensure_future(process.call(cloud, "GET"))
        await busy.wait()
        second = asyncio.ensure_future(process.call(cloud, kind))
        await asyncio.sleep(0.05)
        await process.taken_by_another()
        done.set()
        await first
        with pytest.raises(FenceLost):
            await second
    assert process.arrived == ["GET"]


@pytest.mark.parametrize(("kind", "status"), [("GET", 500), ("GET", 429), ("DELETE", 429)])
async def test_a_retry_asks_again(kind: str, status: int) -> None:
    """The fence went to another while the first answer was on its way."""
    process = Process()

    async def answer() -> int:
        await process.taken_by_another()
        return status

    process.answer = answer
    async with process.calling() as cloud, stamina_at_once():
        with pytest.raises(FenceLost):
            await process.call(cloud, kind)
    assert process.arrived == [kind]


@ALL
async def test_between_two_sweeps_of_its_account_a_worker_sends_nothing(kind: str) -> None:
    """It holds no fence then."""
    process = Process()
    async with process.calling() as cloud:
        cloud.transport.tools.lanes.fence = ClosedFence()
        with pytest.raises(FenceLost):
            await process.call(cloud, kind)
    assert process.arrived == []


async def test_without_a_fence_nothing_is_asked() -> None:
    """One process alone."""
    process, clock = Process(), HandClock()
    lanes = Lanes(dict.fromkeys(Lane, Rate(100, 1.0)), None, clock)
    async with local_server(process.handle) as url:
        target = TargetSettings(name="test", endpoint=url, project_id=PROJECT)
        async with open_client(target, AccessKey("AK", "SK"), lanes, clock, RecordingTelemetry()) as cloud:
            clock.passed_s += STOPPED_S
            await cloud.show("nb1")
    assert process.arrived == ["GET"]
