"""The interface between the service and the HTTP API, which uses only this and the journal."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from fractions import Fraction
from typing import Protocol

from msgspec import Struct

from nbsweep.core.control.requests import ACCEPTED, Pause, Resumption, SweepRequest
from nbsweep.core.explain.context import Explained
from nbsweep.core.fleet_status.model import FleetStatus
from nbsweep.core.holdout.model import Holdout
from nbsweep.core.judging.verdict import Verdict
from nbsweep.core.lease import TargetLease
from nbsweep.core.marks.grace import Grace
from nbsweep.core.model import Notebook
from nbsweep.core.pacing import LaneState
from nbsweep.core.planning.brakes import Brakes
from nbsweep.core.planning.plan import Plan
from nbsweep.core.saved_plan.changes import PlanChanges
from nbsweep.core.saved_plan.model import SavedItem, SavedPlan


class Phase(StrEnum):
    """What the service is doing for a target."""

    STARTING = "starting"
    """The service follows the removals of an earlier process to their end."""
    WAITING = "waiting"
    """The target waits for its schedule or for a request."""
    WAITING_FOR_TURN = "waiting-for-turn"
    """A sweep is wanted, and waits until fewer than `service.accounts_at_once` accounts are being swept."""
    WAITING_FOR_WORKER = "waiting-for-worker"
    """A sweep is due in a fleet, and waits for a worker, or for the worker that has its account."""
    WORKER_SILENT = "worker-silent"
    """The worker of a fleet that began the sweep sends no beats: it may have died. Another one goes on when its hold ends."""
    SWEEPING = "sweeping"
    BACKING_OFF = "backing-off"
    """The last sweep failed. The delay before the next sweep grows with each failure."""
    HELD_ELSEWHERE = "held-elsewhere"
    """Another nbsweep holds this target's lease on the same journal."""


class TargetState(Struct, frozen=True):
    """The state of one target."""

    name: str
    phase: Phase
    dry_run: bool
    """Whether its sweeps are dry runs."""
    pause: Pause | None
    """The pause that is in force."""
    next_run: datetime | None
    """Next due time; None without a schedule or while the target is paused."""
    last_success: datetime | None
    """When a sweep last finished without an error, according to the journal."""
    failures: int
    """Number of failed sweeps since the last success."""
    problem: str
    """Why the last sweep failed, or which process holds the lease; empty otherwise."""
    lanes: tuple[LaneState, ...] = ()
    """Current rates of the lanes of its account."""
    accounts_ahead: int | None = None
    """The number of accounts that have waited longer for their turn; None if it does not wait."""

    @property
    def paused(self) -> bool:
        """Whether the target is paused."""
        return self.pause is not None


class TargetDetails(Struct, frozen=True):
    """What is known about a target beyond its state."""

    brakes: Brakes
    max_failures: Fraction | None
    """The brake on the share of failed removals; None switches it off."""
    requested: int | None
    """The number of DELETEs of the last 24 hours; None while the project of the target is not known."""
    lease: TargetLease | None
    """The lease in force; None if no process sweeps the target."""


class UnknownTargetError(LookupError):
    """No target has that name."""


class Answer(StrEnum):
    """The answer to a request for a sweep."""

    ACCEPTED = ACCEPTED
    BUSY = "busy"
    """A sweep is under way, or requested already."""
    PAUSED = "paused"


class FleetSource(Protocol):
    """Reads what the processes of a fleet do."""

    async def read(self) -> FleetStatus:
        """Return the status of the fleet.

        Raises:
            JournalError: the journal cannot be read.
        """
        ...


class Control(Protocol):
    """What the HTTP API may do with the service. Methods with a name raise `UnknownTargetError` for an unknown target."""

    def targets(self) -> tuple[TargetState, ...]:
        """Return the state of every target, in the order of the configuration."""
        ...

    def not_ready(self) -> tuple[str, ...]:
        """Return why the service is not ready, one sentence for each reason; empty if it is ready."""
        ...

    def paused(self) -> tuple[str, ...]:
        """Return one sentence for each target that is paused."""
        ...

    def graces(self) -> Mapping[str, Grace]:
        """Return the grace of each policy that has one."""
        ...

    def holdouts(self) -> Mapping[str, Holdout]:
        """Return the holdout of each policy that has one."""
        ...

    async def details(self) -> Mapping[str, TargetDetails]:
        """Return what is known about each target beyond its state; changes nothing, and asks only the journal.

        Raises:
            JournalError: the journal cannot be read.
        """
        ...

    async def plan(self, name: str) -> Plan:
        """Survey a target and return its plan; changes nothing.

        Raises:
            NbsweepError: the survey failed.
        """
        ...

    async def judge(self, name: str, notebooks: Sequence[Notebook]) -> Mapping[str, Verdict]:
        """Judge notebooks as they were surveyed, by ID; asks only the journal, and judges nothing while the project is unknown.

        Raises:
            JournalError: the journal cannot be read.
        """
        ...

    def plan_to_save(self, plan: Plan, plan_id: str) -> SavedPlan:
        """Return a plan of now as a saved one, valid for `plan.valid_for` under the configuration in force."""
        ...

    async def compare(self, name: str, items: Sequence[SavedItem]) -> PlanChanges:
        """Survey a target, and hold its plan against the items of a saved one; changes nothing.

        Raises:
            NbsweepError: the survey failed.
        """
        ...

    def require_valid(self, plan: SavedPlan) -> None:
        """Check that a saved plan may be carried out now, under the configuration in force.

        Raises:
            ConfigurationError: it may not; the message lists all reasons and what to do.
        """
        ...

    async def carry_out(self, plan: SavedPlan, by: str) -> Answer:
        """Request a sweep of the only target of an approved plan, narrowed to the plan, as soon as possible.

        The sweep begins only if the journal has the plan as approved and open. It is a dry run if those of the target are.

        Raises:
            ConfigurationError: the plan is not valid now.
            JournalError: the request could not be recorded.
        """
        ...

    async def explain(self, notebook_id: str, names: Sequence[str]) -> Explained:
        """Explain one notebook on each of the named targets that has it; changes nothing, and asks the cloud once for each."""
        ...

    async def request_sweep(self, request: SweepRequest) -> Answer:
        """Request a sweep of a target as soon as possible; if it is accepted, the audit trail says who did.

        Raises:
            JournalError: the sweep begins, but the request could not be recorded.
        """
        ...

    async def pause(self, pause: Pause) -> None:
        """Start no more sweeps of a target while the pause is in force, also after a restart. A sweep under way continues.

        Raises:
            JournalError: the pause holds for this process, but could not be recorded for later ones.
        """
        ...

    async def resume(self, resumption: Resumption) -> None:
        """Resume a target.

        Raises:
            JournalError: the target stays paused, because the journal could not be written.
        """
        ...
