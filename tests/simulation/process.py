"""One process of nbsweep, which sweeps until it has done so or is killed."""

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, cast

from msgspec.structs import replace

from nbsweep.adapters.cloud.auth.provider import open_credential_provider
from nbsweep.adapters.cloud.client import open_client
from nbsweep.bootstrap.accounts import make_lanes
from nbsweep.bootstrap.sweeps import inventory_options, make_sweeper
from nbsweep.core.lease import Holder
from nbsweep.core.planning.plan import Plan
from nbsweep.core.ports import Journal, Ports
from nbsweep.core.saved_plan.model import Spared
from nbsweep.engine.options import LeaseOptions
from nbsweep.engine.report import Run
from nbsweep.engine.shutdown import Shutdown
from nbsweep.engine.sweep import Sweeper
from simulation import end_invariants
from simulation.gateway import Gateway
from simulation.journal import LifeJournal
from simulation.judge import Sweep
from simulation.telemetry import TraceTelemetry
from simulation.wire import MemoryConnector

if TYPE_CHECKING:
    from simulation.world import World


async def run_process(world: "World", sweeps: int, gateway: Gateway, journal: LifeJournal) -> None:
    """Sweep so many times in a row, as `nbsweep run` does, with the real client on connections in memory."""
    target, telemetry = world.target, TraceTelemetry(world, journal)
    connect = partial(MemoryConnector, gateway)
    async with open_credential_provider({}, world.clock, connect) as provider:
        credentials = await provider.find(target)
        lanes = make_lanes([target.limits], world.clock)
        async with open_client(target, credentials, lanes, world.clock, telemetry, connect) as client:
            ports = Ports(client, cast("Journal", journal), world.clock, telemetry)
            for number in range(sweeps):
                await _run_sweep(world, f"life{gateway.life}-run{number + 1}", ports)
                await asyncio.sleep(1)


async def _run_sweep(world: "World", run_id: str, ports: Ports) -> None:
    shutdown = Shutdown()
    stops = [world.loop.call_later(seconds, shutdown.begun.set) for seconds in world.scenario.stops if not world.cloud.calm]
    now_s = world.loop.time()
    sweep = Sweep(run_id, world.lives, now_s, now_s, calm=world.cloud.calm)
    world.judge.sweeps.append(sweep)
    sweeper = _make_sweeper(world, ports, shutdown)
    report = await sweeper.sweep(Run(run_id, "simulation", dry_run=False), _approve)
    for stop in stops:
        stop.cancel()
    if sweep.killed:
        return
    sweep.ended_s, sweep.finished = world.loop.time(), report.outcome == "finished"
    world.reports.append(report)
    end_invariants.check_sweep(world, sweep, report)


def _make_sweeper(world: "World", ports: Ports, shutdown: Shutdown) -> Sweeper:
    holder = Holder(f"life-{world.lives}", "host", "machine", world.lives, world.lives)
    lease = LeaseOptions(holder, world.settings.service.lease, lambda one: one.pid == world.lives)
    sweeper = make_sweeper(world.settings, world.target, ports, shutdown, inventory_options(world.settings))
    sweeper.options = replace(sweeper.options, lease=lease)
    return sweeper


async def end_process(process: asyncio.Task[None]) -> None:
    """Cancel a process until it has ended: a cancellation in the same step as a time limit of aiohttp may be lost."""
    while not process.done():
        process.cancel()
        await asyncio.wait((process,), timeout=10)
    if not process.cancelled():
        # The error of a killed process is not reported.
        process.exception()


async def _approve(_plan: Plan, _spared: Sequence[Spared]) -> bool:
    return True
