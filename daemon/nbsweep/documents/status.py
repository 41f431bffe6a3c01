"""The status of a target as a document."""

from datetime import datetime

from nbsweep.core.lease import TargetLease
from nbsweep.core.status import TargetStatus
from nbsweep.documents.plans_and_runs import Document, moment_text, removal_document, run_record_document


def status_document(standing: TargetStatus, due: datetime | None) -> Document:
    """Return the document of the status of a target, with its next due time."""
    success = standing.last_success
    return {
        "target": standing.target,
        "well": standing.well,
        "problems": list(standing.problems),
        "last_sweep": run_record_document(standing.last) if standing.last else None,
        "last_success": moment_text(success.ended_at) if success else None,
        "unfinished": [removal_document(removal) for removal in standing.unfinished],
        "note": standing.note or None,
        "left_alone": [removal_document(removal) for removal in standing.left_alone],
        "sweeping": _holder(standing.sweeping) if standing.sweeping else None,
        "next_run": due.isoformat() if due else None,
    }


def _holder(lease: TargetLease) -> Document:
    holder = lease.holder
    return {
        "host": holder.host,
        "pid": holder.pid,
        "started_by": lease.started_by,
        "since": moment_text(lease.taken_at),
        "last_beat": moment_text(lease.beat_at),
    }
