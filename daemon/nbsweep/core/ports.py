"""What the engine needs from the world, as small contracts; an implementation can be written from these docstrings alone.

All moments are aware datetimes. Every method may be cancelled at any await.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol

from msgspec import Struct

from nbsweep.core.audit.chain import Head, Link
from nbsweep.core.audit.entries import AuditCoverage, AuditQuery
from nbsweep.core.events.base import Event
from nbsweep.core.freshness import ClockReading, Freshness
from nbsweep.core.identity import TargetIdentity
from nbsweep.core.lease import TargetLease
from nbsweep.core.lifecycle import Removal
from nbsweep.core.listing.paging import Paging
from nbsweep.core.model import Notebook, Page, Scope
from nbsweep.core.pacing import LaneState
from nbsweep.core.runs import History, Outcome, RunRecord


class Clock(Protocol):
    """The time."""

    def now(self) -> datetime:
        """Return the wall clock's time, aware; may jump."""
        ...

    def steady_s(self) -> float:
        """Return seconds of a clock that never jumps, and may stand still while the machine sleeps."""
        ...

    def read(self) -> ClockReading:
        """Read all clocks at once."""
        ...


class Telemetry(Protocol):
    """Where events go."""

    def emit(self, event: Event) -> None:
        """Take an event; never raises, never waits."""
        ...

    def bound(self, **context: str) -> AbstractContextManager[None]:
        """Put `context` on every event emitted inside, in this task and those it starts."""
        ...


def unheeded() -> None:
    """Take no notice."""


class Cloud(Protocol):
    """One account's notebooks. Calls are paced and retried inside; every error that comes out is final.

    Any method may raise a `SweepEnding` error. Reads raise `AnswerLost` when the cloud did not answer within the retries.
    """

    def lanes_state(self) -> tuple[LaneState, ...]:
        """Return how fast each lane of the account may go now, and all of them together where there is such a limit."""
        ...

    def clock_skew_s(self) -> float | None:
        """Return by how many seconds at least this machine's clock is ahead of the cloud's now, negative when it is behind.

        It goes by the cloud's latest answers, and never says more than they show. It is None while none of them has said what
        time it is there, and from the moment in which the clocks part to the next answer.
        """
        ...

    def paging(self) -> Paging:
        """Return what is known of the pages of listings."""
        ...

    def found_paging(self, paging: Paging) -> None:
        """Remember for the run what was found out about the pages of listings."""
        ...

    async def project(self) -> str:
        """Return the id of the project that all calls are about; it never changes, and is looked up once where it has to be.

        Raises:
            SweepEnding: it cannot be looked up.
        """
        ...

    async def workspaces(self) -> tuple[str, ...]:
        """List the ids of all workspaces that the caller may use; some may refuse to be listed all the same."""
        ...

    async def page(self, scope: Scope, offset: int, status: str | None = None) -> Page:
        """Read one page of a listing, oldest first where the API allows it; `offset` is the row that it begins with, from 0.

        Where pages do not overlap (`paging`), the offset is a multiple of the page size.

        Raises:
            MalformedAnswer: the answer is no page.
            Rejected: the workspace does not exist, or (`WorkspaceRefused`) is not open to the caller.
        """
        ...

    async def show(self, notebook_id: str) -> Notebook:
        """Read one notebook.

        Raises:
            Gone: it does not exist.
            MalformedAnswer: it cannot be read as a notebook.
        """
        ...

    async def stop(self, notebook_id: str, *, facts: Freshness) -> Notebook | None:
        """Order a running notebook to stop; gives the notebook as the answer shows it, and None where it shows none.

        Raises:
            FactsTooOld: it was not sent, as for `delete`.
            AlreadyStopped, Busy, Gone, Rejected: the cloud's answers.
            AnswerLost: whether the order arrived is unknown.
        """
        ...

    async def delete_turn(self) -> None:
        """Wait for a turn to prepare a DELETE; turns come as fast as DELETEs may leave, so that its facts do not grow old."""
        ...

    async def delete(self, notebook_id: str, *, facts: Freshness, leaving: Callable[[], object] = unheeded) -> str:
        """Delete a notebook and its storage for good; gives the gateway's request id.

        A DELETE is sent once: after a lost answer it is for the caller to look first. `facts` says how long those behind it
        are good for; that, and the skew of the clock, is asked right before the first byte leaves. `leaving` is called then:
        if the call is cancelled before that, the DELETE never left.

        Raises:
            FactsTooOld: it was not sent, because it could not leave in time, or by a clock that can be trusted.
            Gone, Busy, MustStopFirst, Rejected: the cloud's answers.
            AnswerLost: whether it arrived is unknown.
        """
        ...


class AuditTrail(Protocol):
    """What was decided, requested and ended; it only grows. Every method raises `JournalError` when it cannot be read."""

    async def head(self) -> Head:
        """Return how far the trail has come."""
        ...

    async def after(self, sequence: int, limit: int) -> tuple[Link, ...]:
        """List the entries that follow on one, in the order of the chain, up to the limit; those of 0 are the first."""
        ...

    async def latest(self, query: AuditQuery, limit: int) -> tuple[Link, ...]:
        """List the latest entries that are wanted, up to the limit, the newest first."""
        ...

    async def coverage(self) -> AuditCoverage:
        """Return how many of the journal's removals there are whose decision is not on the trail."""
        ...


class Journal(Protocol):
    """The durable record. What a method has returned from has survived a crash.

    Every method raises `JournalError` when the record cannot be read or written.
    """

    @property
    def trail(self) -> AuditTrail:
        """The audit trail, for reading; `write` writes its entries together with the removals."""
        ...

    def require_in_place(self) -> None:
        """Raise unless a later run would find this record; asked right before each DELETE leaves, and thus never waits."""
        ...

    async def open_run(self, run: RunRecord) -> None:
        """Record that a sweep begins; the pair of run and target is new."""
        ...

    async def close_run(self, run: RunRecord) -> None:
        """Record how a sweep ended, over the record that `open_run` made."""
        ...

    async def write(self, removals: Sequence[Removal]) -> None:
        """Store removals as they are now, new ones and known ones; all of them or none."""
        ...

    async def unfinished(self, target: str | None = None, limit: int | None = None) -> tuple[Removal, ...]:
        """List the removals that have no end, of any run and project, oldest first; with `target`, those under that name, and
        with `limit` no more than that.
        """
        ...

    async def note_active(self, project: str, notebook_ids: Iterable[str], seen_at: datetime) -> None:
        """Remember that these were seen other than at rest; only the latest time is kept."""
        ...

    async def last_active(self, project: str) -> Mapping[str, datetime]:
        """Return when each notebook of a project was last seen other than at rest.

        Sightings whose project is not on record count everywhere: they can only keep a notebook.
        """
        ...

    async def runs(self, limit: int, target: str | None = None) -> tuple[RunRecord, ...]:
        """List the latest sweeps, of one target where one is given, the newest first."""
        ...

    async def last_run(self, target: str, outcomes: Collection[Outcome] = ()) -> RunRecord | None:
        """Return the latest sweep of a target, of those with one of these outcomes; with none given, of any outcome."""
        ...

    async def last_success(self, target: str) -> RunRecord | None:
        """Return the latest sweep of a target that finished, or showed what it would do, without a problem."""
        ...

    async def open_runs(self, target: str | None = None) -> tuple[RunRecord, ...]:
        """List the sweeps that have no end, the oldest first; with `target`, those under that name."""
        ...

    async def run(self, run_id: str) -> tuple[RunRecord, ...]:
        """List the sweeps of one run, a record for each target; empty if there is no such run."""
        ...

    async def removals(self, run_id: str, limit: int | None = None, offset: int = 0) -> tuple[Removal, ...]:
        """List the removals of one run, or some of them, in the order in which they were planned."""
        ...

    async def removals_of(self, notebook_id: str) -> tuple[Removal, ...]:
        """List the removals of one notebook over all runs, the newest first."""
        ...

    async def history(
        self, target: str, identity: TargetIdentity, requested_since: datetime, failed_since: datetime
    ) -> History:
        """Return a target's past, as far as the brakes and the cool-down ask about it.

        It is that of what the identity covers, whatever the target was called then; and of what has its name where no project
        is on record. Counted as requested is every removal with a DELETE that was about to leave then or later and was not
        taken back, whatever its end; also one under its name that it does not cover any more. The fleet before is that of
        the latest run of the same project and extent whose outcome is one of `SURVEYED` and whose fleet is not 0, with the
        removals since its survey that are DELETED. The ends are the DELETED, FAILED and TIMED_OUT removals of each of the
        project's notebooks that has one which ended FAILED or TIMED_OUT then or later, the newest first.
        """
        ...

    async def leases(self) -> tuple[TargetLease, ...]:
        """List all leases that there are, by target."""
        ...

    async def lease(self, target: str) -> TargetLease | None:
        """Return who holds a target's lease; None if nobody does."""
        ...

    async def take_lease(self, lease: TargetLease, seen: TargetLease | None) -> TargetLease | None:
        """Put a lease in the place of the one that was seen, unless that one has changed meanwhile, and tell who holds it then.

        Of several processes that have seen the same and take it at once, one gets it. To put a later beat in the place of
        one's own earlier one works the same way, and also after a write of which nobody knows whether it was done.
        """
        ...

    async def release_lease(self, lease: TargetLease) -> None:
        """Return a lease back; one that is somebody else's by now stays."""
        ...

    async def pause(self, target: str, since: datetime) -> None:
        """Record that a target is paused; one that is paused already stays so since it was."""
        ...

    async def resume(self, target: str) -> None:
        """Take a target's pause back, if there is one."""
        ...

    async def paused_since(self, target: str) -> datetime | None:
        """Return since when a target is paused; None if it is not."""
        ...

    async def note_due(self, target: str, due: datetime) -> None:
        """Remember when the schedule of a target comes round next; only the latest note is kept."""
        ...

    async def noted_due(self, target: str) -> datetime | None:
        """Return when the schedule of a target was to come round next, by the latest note; None if there is none."""
        ...


class Ports(Struct, frozen=True):
    """Everything that a sweep needs from the world."""

    cloud: Cloud
    journal: Journal
    clock: Clock
    telemetry: Telemetry
