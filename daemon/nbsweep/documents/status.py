"""The JSON document of `status`."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from msgspec import Meta

from nbsweep.core.control.requests import Pause
from nbsweep.core.control.services import Life, ServiceStatus
from nbsweep.core.lease import TargetLease
from nbsweep.core.status import TargetStatus
from nbsweep.documents.base import Document, Time, moment_text
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


def status_document(status: TargetStatus, due: datetime | None) -> StatusDocument:
    """Return the document of the status of a target, with its next due time."""
    success = status.last_success
    return StatusDocument(
        target=status.target,
        well=status.well,
        problems=status.problems,
        last_sweep=run_document(status.last) if status.last else None,
        last_success=moment_text(success.ended_at) if success else None,
        unfinished=[removal_document(removal) for removal in status.unfinished],
        note=status.note or None,
        left_alone=[removal_document(removal) for removal in status.left_alone],
        sweeping=_holder(status.sweeping) if status.sweeping else None,
        next_run=due.isoformat() if due else None,
        paused=pause_document(status.pause) if status.pause else None,
        service=_service(status.service, status.target) if status.service else None,
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
    )


def _holder(lease: TargetLease) -> HolderDocument:
    return HolderDocument(
        host=lease.holder.host,
        pid=lease.holder.pid,
        started_by=lease.started_by,
        since=moment_text(lease.taken_at),
        last_beat=moment_text(lease.beat_at),
    )
