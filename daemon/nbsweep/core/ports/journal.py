"""The port for the durable record."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from nbsweep.core.audit.trail import AuditTrail
from nbsweep.core.control.port import ControlRecords
from nbsweep.core.control.sessions import SessionRecords
from nbsweep.core.due_sweeps.port import DueSweeps
from nbsweep.core.exemptions.port import ExemptionRecords
from nbsweep.core.fences.port import FenceRecords
from nbsweep.core.holdout.port import HoldRecords
from nbsweep.core.identity import TargetIdentity
from nbsweep.core.inventory.port import InventoryRecords, SightingRecords
from nbsweep.core.lease import LeaseRecords
from nbsweep.core.lifecycle import Removal, State
from nbsweep.core.lookup import NotebookRef
from nbsweep.core.notices.port import MarkRecords, OutboxRecords
from nbsweep.core.retention.port import RetentionRecords
from nbsweep.core.runs import History, Outcome, RunCounts, RunRecord
from nbsweep.core.saved_plan.approval import PlanRecords
from nbsweep.core.statistics.port import StatisticsRecords
from nbsweep.core.workers.port import WorkerRecords


class Journal(Protocol):
    """The durable record: when a method returns, its change survives a crash. Every method may raise `JournalError`."""

    @property
    def trail(self) -> AuditTrail:
        """The audit trail, for reading; `write` writes its entries together with the removals."""
        ...

    @property
    def control(self) -> ControlRecords:
        """The pauses, requests for sweeps and due times of targets, and the records of services."""
        ...

    @property
    def sightings(self) -> SightingRecords:
        """When notebooks were last seen in a state other than at rest."""
        ...

    @property
    def leases(self) -> LeaseRecords:
        """The leases of targets."""
        ...

    @property
    def marks(self) -> MarkRecords:
        """The marks of all targets."""
        ...

    @property
    def outbox(self) -> OutboxRecords:
        """The items and messages for people, waiting and sent."""
        ...

    @property
    def exemptions(self) -> ExemptionRecords:
        """The exemptions, those that have ended included."""
        ...

    @property
    def inventory(self) -> InventoryRecords:
        """The surveys, and the states of notebooks over time."""
        ...

    @property
    def retention(self) -> RetentionRecords:
        """What deletes old records."""
        ...

    @property
    def statistics(self) -> StatisticsRecords:
        """Counts over all runs and targets."""
        ...

    @property
    def plans(self) -> PlanRecords:
        """The saved plans that were approved on a page or by the HTTP API."""
        ...

    @property
    def sessions(self) -> SessionRecords:
        """The sessions of people who are signed in to the pages."""
        ...

    @property
    def holds(self) -> HoldRecords:
        """The notebooks that are or were held out."""
        ...

    @property
    def fences(self) -> FenceRecords:
        """The fences of a fleet."""
        ...

    @property
    def due_sweeps(self) -> DueSweeps:
        """The sweeps that are due, of a fleet."""
        ...

    @property
    def workers(self) -> WorkerRecords:
        """The workers of a fleet."""
        ...

    def require_in_place(self) -> None:
        """Raise JournalError unless a later run will find this record; called right before each DELETE, so it never waits."""
        ...

    async def now(self) -> datetime:
        """Return the present time by the clock of the journal's database: that of the server, or of this machine."""
        ...

    async def open_run(self, run: RunRecord) -> None:
        """Record that a sweep begins; the pair of run and target is new."""
        ...

    async def close_run(self, run: RunRecord) -> None:
        """Record how a sweep ended, in place of the record that `open_run` made."""
        ...

    async def write(self, removals: Sequence[Removal], *, exemptions_version: int | None = None) -> None:
        """Store the present state of new and known removals; all of them or none.

        Raises:
            ExemptionsChanged: `exemptions_version` is given, and is not that of the exemptions. Nothing was stored.
        """
        ...

    async def unfinished(self, target: str | None = None, limit: int | None = None) -> tuple[Removal, ...]:
        """List the unfinished removals of all runs and projects, the oldest first.

        `target` restricts them to those under that name, and `limit` to that number.
        """
        ...

    async def runs(self, limit: int, target: str | None = None) -> tuple[RunRecord, ...]:
        """List the latest sweeps, of one target if it is given, the newest first."""
        ...

    async def last_run(self, target: str, outcomes: Collection[Outcome] = ()) -> RunRecord | None:
        """Return the latest sweep of a target with one of these outcomes; if none are given, with any outcome."""
        ...

    async def last_runs(self, targets: Collection[str], outcomes: Collection[Outcome] = ()) -> Mapping[str, RunRecord]:
        """Return what `last_run` returns for each of these targets that has such a sweep, by target."""
        ...

    async def last_success(self, target: str) -> RunRecord | None:
        """Return the latest sweep or dry run of a target that finished without a problem."""
        ...

    async def open_runs(self, target: str | None = None) -> tuple[RunRecord, ...]:
        """List the sweeps without an end, the oldest first; with `target`, those under that name."""
        ...

    async def run(self, run_id: str) -> tuple[RunRecord, ...]:
        """List the sweeps of one run, one record for each target; empty if the run does not exist."""
        ...

    async def run_counts(self, run_ids: Sequence[str]) -> tuple[RunCounts, ...]:
        """Count how the removals of these runs have ended, for each sweep that has removals; sorted by run and target."""
        ...

    async def removals(
        self,
        run_id: str,
        limit: int | None = None,
        offset: int = 0,
        states: Collection[State] = (),
        notebook_ids: Collection[str] = (),
    ) -> tuple[Removal, ...]:
        """List the removals of a run in the order of its plan, those in these states and of these notebooks if given."""
        ...

    async def removals_of(self, notebook_id: str) -> tuple[Removal, ...]:
        """List the removals of one notebook in all runs, the newest first."""
        ...

    async def latest_removals(self, notebook_ids: Collection[str]) -> Mapping[str, Removal]:
        """Return the newest removal of each of these notebooks that has one, in whichever run, by notebook id."""
        ...

    async def orders_since(self, target: str, identity: TargetIdentity, since: datetime) -> tuple[Removal, ...]:
        """List the removals of a target whose first order, a stop or a DELETE, was about to leave since a time, oldest first.

        They belong to the target as in `history`; a removal whose order was taken back is not among them.
        """
        ...

    async def run_ids(self, beginning: str, limit: int) -> tuple[str, ...]:
        """List up to `limit` ids of runs that begin with a text, the newest first."""
        ...

    async def notebooks(self, text: str, limit: int) -> tuple[NotebookRef, ...]:
        """List up to `limit` notebooks that had a removal or a mark, newest first, with this name, or this beginning of an id.

        The case of ASCII letters in names is ignored.
        """
        ...

    async def history(
        self, target: str, identity: TargetIdentity, requested_since: datetime, failed_since: datetime
    ) -> History:
        """Return a target's past, as far as the brakes and the cool-down need it.

        Records belong to the target if its identity covers them, under any name; records without a project, if they have its
        name. Requested: the number of removals whose DELETE was sent, or about to be sent, since `requested_since` and was not
        taken back, with any end; removals under the target's name that it does not cover any more are included. Fleet before:
        the fleet of the latest run of the same project and extent whose outcome is in `SURVEYED` and whose fleet is not 0,
        with the removals since its survey that are DELETED. Ends: for each notebook of the project with a removal that ended
        FAILED or TIMED_OUT since `failed_since`, all its DELETED, FAILED and TIMED_OUT removals, the newest first.
        """
        ...
