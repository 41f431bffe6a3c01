"""The JSON document of `status`."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from msgspec import Meta

from nbsweep.core.control.requests import Pause
from nbsweep.core.control.services import Life, ServiceStatus
from nbsweep.core.fleet_status.model import DueState, DueStatus, FleetStatus
from nbsweep.core.lease import TargetLease
from nbsweep.core.notices.health import OutboxHealth
from nbsweep.core.status import TargetStatus
from nbsweep.documents.base import Count, Document, Time, moment_text
from nbsweep.documents.people.marking import MarkTotalsDocument, mark_totals_document
from nbsweep.documents.runs import RemovalDocument, RunDocument, removal_document, run_document


class HolderDocument(Document, frozen=True):
    """The process that sweeps a target."""

    host: str
    pid: int
    started_by: str
    since: Time
    last_beat: Time


class PauseDocument(Document, frozen=True):
    """A pause of a target."""

    since: Time
    by: str | None
    reason: str | None
    until: Time | None


class ServiceDocument(Document, frozen=True):
    """The service that sweeps a target, by its own report in the journal."""

    host: str
    pid: int
    life: Life
    version: str
    mode: str
    started_at: Time
    last_beat: Time
    stopped_at: Time | None
    configuration: Annotated[str, Meta(description="The digest of the configuration that is in force.")]
    in_force_since: Time
    same_as_file: Annotated[bool, Meta(description="Whether it is the configuration that this command has read.")]
    scheduled: Annotated[bool, Meta(description="Whether the target has a schedule.")]
    reload_problem: str | None
    accounts_ahead: Annotated[
        Count | None,
        Meta(description="Number of accounts that have waited longer for their turn; null if the target does not wait for it."),
    ]


class UntoldOwnerDocument(Document, frozen=True):
    """An owner who could not be told."""

    owner: str
    notebooks: Count
    why: str
    since: Annotated[Time, Meta(description="When the first attempt to tell the owner of the first of the notebooks failed.")]
    retried: Annotated[bool, Meta(description="Whether another attempt follows by itself.")]


class PendingDocument(Document, frozen=True):
    """The unsent messages of one channel."""

    channel: str
    pending: Count
    oldest_at: Time


class OutboxDocument(Document, frozen=True):
    """The outbox of the journal, which all targets share."""

    pending: Annotated[Count, Meta(description="Number of unsent messages.")]
    oldest_at: Annotated[Time | None, Meta(description="When the oldest unsent message was composed.")]
    channels: Sequence[PendingDocument]
    failed: Annotated[Count, Meta(description="Number of messages that failed within the last 7 days.")]
    paused: PauseDocument | None
    waiting: Annotated[Count, Meta(description="Number of items that no message lists yet.")]
    waiting_since: Annotated[Time | None, Meta(description="Since when the first of these items waits.")]


class WaitingSweepDocument(Document, frozen=True):
    """A due sweep of a target that no worker of the fleet carries out, as far as beats say."""

    state: DueState
    due_at: Time
    asked_by: str
    not_before: Annotated[Time, Meta(description="When a worker may begin it: later than `due_at` after a failure.")]
    failures: Annotated[Count, Meta(description="Number of failed attempts in a row.")]
    problem: str | None


class StatusDocument(Document, frozen=True):
    """The status of one target."""

    target: str
    well: bool
    problems: Sequence[str]
    last_sweep: RunDocument | None
    last_success: Time | None
    unfinished: Sequence[RemovalDocument]
    note: str | None
    left_alone: Sequence[RemovalDocument]
    sweeping: HolderDocument | None
    next_run: Time | None
    paused: PauseDocument | None
    service: ServiceDocument | None
    marks: MarkTotalsDocument
    untold_owners: Sequence[UntoldOwnerDocument]
    outbox: Annotated[OutboxDocument, Meta(description="The same for all targets of a journal.")]
    waiting: Annotated[
        WaitingSweepDocument | None, Meta(description="Null if a worker sweeps, or if nothing is due in a fleet.")
    ]


def status_document(
    status: TargetStatus, outbox: OutboxHealth, due: datetime | None, now: datetime, fleet: FleetStatus | None = None
) -> StatusDocument:
    """Return the document of the status of a target, with its next due time.

    Problems of the outbox and of the fleet's processes are everybody's; a sweep that failed is a problem of its target already.
    """
    success = status.last_success
    problems = (*status.problems, *outbox.problems(now), *(fleet.problems_of_processes if fleet else ()))
    return StatusDocument(
        target=status.target,
        well=not problems,
        problems=problems,
        last_sweep=run_document(status.last) if status.last else None,
        last_success=moment_text(success.ended_at) if success else None,
        unfinished=[removal_document(removal) for removal in status.unfinished],
        note=status.note or None,
        left_alone=[removal_document(removal) for removal in status.left_alone],
        sweeping=_holder(status.sweeping) if status.sweeping else None,
        next_run=due.isoformat() if due else None,
        paused=pause_document(status.pause) if status.pause else None,
        service=_service(status.service, status.target) if status.service else None,
        marks=mark_totals_document(status.marks.totals),
        untold_owners=[
            UntoldOwnerDocument(each.owner, each.notebooks, each.why, moment_text(each.since), each.retried)
            for each in status.marks.untold
        ],
        outbox=_outbox(outbox),
        waiting=_waiting(status.due) if status.due else None,
    )


def _waiting(due: DueStatus) -> WaitingSweepDocument:
    sweep = due.sweep
    return WaitingSweepDocument(
        due.state, moment_text(sweep.due_at), sweep.by, moment_text(sweep.not_before), sweep.failures, sweep.problem or None
    )


def _outbox(outbox: OutboxHealth) -> OutboxDocument:
    return OutboxDocument(
        pending=outbox.pending,
        oldest_at=moment_text(outbox.oldest_at),
        channels=[PendingDocument(each.channel, each.pending, moment_text(each.oldest_at)) for each in outbox.counts],
        failed=len(outbox.failed),
        paused=pause_document(outbox.pause) if outbox.pause else None,
        waiting=outbox.waiting.count,
        waiting_since=moment_text(outbox.waiting.oldest_at),
    )


def pause_document(pause: Pause) -> PauseDocument:
    """Return the document of a pause."""
    return PauseDocument(moment_text(pause.since), pause.by or None, pause.reason or None, moment_text(pause.until))


def _service(service: ServiceStatus, target: str) -> ServiceDocument:
    record = service.record
    return ServiceDocument(
        host=record.holder.host,
        pid=record.holder.pid,
        life=service.life,
        version=record.version,
        mode=record.mode,
        started_at=moment_text(record.started_at),
        last_beat=moment_text(record.beat_at),
        stopped_at=moment_text(record.stopped_at),
        configuration=record.digest,
        in_force_since=moment_text(record.in_force_since),
        same_as_file=record.digest == service.digest,
        scheduled=target in record.scheduled,
        reload_problem=record.reload_problem or None,
        accounts_ahead=record.waiting.get(target) if service.life is Life.RUNNING else None,
    )


def _holder(lease: TargetLease) -> HolderDocument:
    return HolderDocument(
        host=lease.holder.host,
        pid=lease.holder.pid,
        started_by=lease.started_by,
        since=moment_text(lease.taken_at),
        last_beat=moment_text(lease.beat_at),
    )
