"""A simulated cloud: a web server that speaks the notebook API, with IAM, limits, delays and faults.

It stands in for the real cloud in tests and demonstrations. It shares no code with the client, so that both being
wrong in the same way is unlikely; what it knows comes from `docs/reference/modelarts-api.md`.
"""

from nbsweep.simulator.descriptions import LeaseSpec, NotebookChange, NotebookSpec
from nbsweep.simulator.options import (
    AccessKey,
    AccessOptions,
    DialectOptions,
    FaultOptions,
    FleetOptions,
    IamUser,
    Limit,
    LimitOptions,
    PeopleOptions,
    Permissions,
    ScriptedFault,
    SimulatorOptions,
    TimingOptions,
)
from nbsweep.simulator.reading import read_clouds, read_options
from nbsweep.simulator.server import RunningSimulator, announce, running_simulator, serve, serve_all

__all__ = [
    "AccessKey",
    "AccessOptions",
    "DialectOptions",
    "FaultOptions",
    "FleetOptions",
    "IamUser",
    "LeaseSpec",
    "Limit",
    "LimitOptions",
    "NotebookChange",
    "NotebookSpec",
    "PeopleOptions",
    "Permissions",
    "RunningSimulator",
    "ScriptedFault",
    "SimulatorOptions",
    "TimingOptions",
    "announce",
    "read_clouds",
    "read_options",
    "running_simulator",
    "serve",
    "serve_all",
]
