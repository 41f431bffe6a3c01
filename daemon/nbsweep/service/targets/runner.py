"""What the service does for a target, whether the sweeps run in this process or on the workers of a fleet."""

from collections.abc import Callable, Coroutine, Mapping
from datetime import datetime
from typing import Any, Protocol

from msgspec import Struct

from nbsweep.core.control.requests import Pause
from nbsweep.core.planning.plan import Plan
from nbsweep.engine.sweep import Sweeper
from nbsweep.service.control import Answer, FleetSource, TargetState
from nbsweep.service.plans.plan_orders import PlanOrder
from nbsweep.service.targets.pausing import TargetPause


class RunnerState(Struct, frozen=True):
    """The state of a target that outlives a reload."""

    pause: Pause | None
    wanted: bool = False
    last_success: datetime | None = None
    failures: int = 0


class Runner(Protocol):
    """Has one target swept."""

    sweeper: Sweeper
    pause: TargetPause

    @property
    def name(self) -> str:
        """The name of the target."""
        ...

    def state(self) -> TargetState:
        """Return the state of the target."""
        ...

    def due(self) -> None:
        """Record that the target is due by its schedule."""
        ...

    def missed(self) -> None:
        """Record that a due time passed without a running service."""
        ...

    async def request(self, by: str, order: PlanOrder | None = None) -> Answer:
        """Record a request for a sweep, by the policies or by an approved plan.

        Raises:
            JournalError: the request could not be recorded.
        """
        ...

    def stop(self) -> None:
        """Have no more sweeps begun."""
        ...

    async def plan(self) -> Plan:
        """Survey the target and return its plan.

        Raises:
            NbsweepError: the survey failed.
        """
        ...

    async def run(self) -> None:
        """Have the target swept until stopped. Raises only cancellation."""
        ...

    def left(self) -> RunnerState:
        """Return what the runner of the next configuration continues from."""
        ...

    def continue_from(self, state: RunnerState) -> None:
        """Continue from the runner of the configuration before."""
        ...


class Work(Struct, frozen=True):
    """What does the work of the service."""

    runners: Mapping[str, Runner]
    """By the name of the target."""
    tasks: Mapping[str, Callable[[], Coroutine[Any, Any, None]]] = {}
    """Further tasks, by name, which run until they are cancelled."""
    fleet: FleetSource | None = None
    """Reads what the processes of the fleet do; None if this process sweeps."""
