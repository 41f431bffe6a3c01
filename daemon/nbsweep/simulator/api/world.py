"""The parts of one simulated cloud."""

from dataclasses import dataclass

from nbsweep.simulator.api.auth import Authenticator
from nbsweep.simulator.api.faults import Faults
from nbsweep.simulator.api.throttle import Throttle
from nbsweep.simulator.clock import Clock
from nbsweep.simulator.log import RequestLog
from nbsweep.simulator.options import SimulatorOptions
from nbsweep.simulator.state import specs
from nbsweep.simulator.state.cloud import Cloud
from nbsweep.simulator.state.fleet import made_up_notebook


@dataclass(frozen=True)
class World:
    """One simulated cloud without its web server."""

    options: SimulatorOptions
    clock: Clock
    cloud: Cloud
    auth: Authenticator
    throttle: Throttle
    faults: Faults
    log: RequestLog


def build_world(options: SimulatorOptions, clock: Clock) -> World:
    """Return a cloud with its fleet."""
    cloud = Cloud(options, clock)
    populate(cloud)
    return World(
        options=options,
        clock=clock,
        cloud=cloud,
        auth=Authenticator(options.access, options.dialect, clock),
        throttle=Throttle(options.limits),
        faults=Faults(options.faults, cloud.randomness),
        log=RequestLog(),
    )


def populate(cloud: Cloud) -> None:
    """Add the fleet of the options to an empty cloud."""
    now_s = cloud.clock.now_s()
    for number in range(cloud.options.fleet.notebooks):
        cloud.add(made_up_notebook(cloud.options, number, now_s), at_s=now_s, cause="fleet")
    for spec in cloud.options.fleet.instances:
        specs.create(cloud, spec, at_s=now_s, cause="fleet")
