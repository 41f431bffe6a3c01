"""The JSON document of `status`."""

from collections.abc import Sequence
from datetime import datetime

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
    )


def _holder(lease: TargetLease) -> HolderDocument:
    return HolderDocument(
        host=lease.holder.host,
        pid=lease.holder.pid,
        started_by=lease.started_by,
        since=moment_text(lease.taken_at),
        last_beat=moment_text(lease.beat_at),
    )
