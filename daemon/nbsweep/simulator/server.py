"""The simulated cloud as a web server, on loopback only: its admin interface has no authentication."""

import asyncio
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from ipaddress import ip_address

import msgspec
from aiohttp import web

from nbsweep.simulator.api.admin import AdminApi
from nbsweep.simulator.api.exchange import Answer, Call, Route
from nbsweep.simulator.api.iam import IamApi
from nbsweep.simulator.api.metadata import MetadataApi
from nbsweep.simulator.api.notebooks import NotebookApi
from nbsweep.simulator.api.pipeline import Pipeline
from nbsweep.simulator.api.tags import TagApi
from nbsweep.simulator.api.users import UserApi
from nbsweep.simulator.api.world import World, build_world
from nbsweep.simulator.clock import Clock
from nbsweep.simulator.log import RequestLog
from nbsweep.simulator.options import SimulatorOptions
from nbsweep.simulator.refusals import no_such_api
from nbsweep.simulator.state.cloud import Cloud

_LONGEST_HEADER_BYTES = 32_768
#: Requests that still hang when the server stops are cut off after this.
_SHUTDOWN_S = 0.2


@dataclass(frozen=True)
class RunningSimulator:
    """A simulated cloud that can be called."""

    #: Without a slash at the end; also the endpoint of IAM and of the metadata server.
    url: str
    options: SimulatorOptions
    cloud: Cloud
    log: RequestLog
    clock: Clock


@asynccontextmanager
async def running_simulator(
    options: SimulatorOptions,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    time_source: Callable[[], float] = time.time,
) -> AsyncIterator[RunningSimulator]:
    """Run a simulated cloud; port 0 takes a free one."""
    if not ip_address(host).is_loopback:
        raise ValueError(f"the simulator listens on loopback addresses only, not on {host}")
    world = build_world(options, Clock(time_source))
    runner = web.AppRunner(
        application(world),
        access_log=None,
        shutdown_timeout=_SHUTDOWN_S,
        max_field_size=_LONGEST_HEADER_BYTES,
        max_line_size=_LONGEST_HEADER_BYTES,
    )
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        bound_port = runner.addresses[0][1]
        yield RunningSimulator(f"http://{host}:{bound_port}", options, world.cloud, world.log, world.clock)
    finally:
        await runner.cleanup()


async def serve(
    options: SimulatorOptions, host: str, port: int, on_ready: Callable[[RunningSimulator], None] | None = None
) -> None:
    """Run a simulated cloud until SIGINT, SIGTERM or cancellation; `on_ready` is `announce` unless another is given."""
    await serve_all((options,), host, port, on_ready)


async def serve_all(
    clouds: Sequence[SimulatorOptions],
    host: str,
    port: int,
    on_ready: Callable[[RunningSimulator], None] | None = None,
) -> None:
    """Run simulated clouds that share nothing, each on a port of its own: `port` and those that follow, or free ones for 0."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    try:
        async with AsyncExitStack() as stack:
            running = [
                await stack.enter_async_context(running_simulator(options, host=host, port=port and port + number))
                for number, options in enumerate(clouds)
            ]
            for simulator in running:
                (on_ready or announce)(simulator)
            await stop.wait()
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)


def application(world: World) -> web.Application:
    """Return the web application of a simulated cloud."""
    app = web.Application(client_max_size=12 * 1024**2)
    if world.options.dialect.date_header == "absent":
        app.on_response_prepare.append(_leave_out_the_date)
    AdminApi(world).register(app.router)
    pipeline = Pipeline(world)
    for route in _routes(world):
        app.router.add_route(route.method, route.path, partial(pipeline.handle, route))
    return app


async def _leave_out_the_date(_request: web.Request, response: web.StreamResponse) -> None:
    del response.headers["Date"]


def _routes(world: World) -> tuple[Route, ...]:
    # The first match counts: `notebooks/tags` comes before `notebooks/{notebook_id}`, and what matches nothing is last.
    return (
        *TagApi(world.cloud).routes(),
        *NotebookApi(world.cloud, world.faults).routes(),
        *IamApi(world.options.access, world.auth).routes(),
        *UserApi(world.options, world.cloud).routes(),
        *MetadataApi(world.options.access, world.auth).routes(),
        Route("*", "/{anything:.*}", "other", _no_such_api, authenticated=False),
    )


def _no_such_api(_call: Call) -> Answer:
    raise no_such_api()


def announce(simulator: RunningSimulator) -> None:
    """Write to stdout, in one JSON line, that the cloud is ready, with the keys that it accepts."""
    access = simulator.options.access
    keys = access.access_keys
    line = {
        "event": "simulator.ready",
        "url": simulator.url,
        "project_id": access.project_id,
        "access_key": keys[0].access_key if keys else None,
        "secret_key": keys[0].secret_key if keys else None,
        "notebooks": len(simulator.cloud.instances),
    }
    sys.stdout.write(msgspec.json.encode(line).decode() + "\n")
    sys.stdout.flush()
