"""The entries of the audit trail for what people do to targets and messages: pauses, requests for sweeps, and retries."""

from datetime import datetime

from nbsweep.core.audit.entries import AuditEntry, storable
from nbsweep.core.audit.steps import AuditStep
from nbsweep.core.control.requests import Pause, Resumption, SweepRequest
from nbsweep.core.model import microseconds
from nbsweep.core.redaction import redact_named


def entry_of_pause(pause: Pause, sequence: int) -> AuditEntry:
    """Return the entry of a pause, which says until when and why. Raises ValueError if its start is naive."""
    reason = f"target {pause.target} is {pause}"
    return _entry(sequence, pause.since, AuditStep.PAUSED, pause.by, reason)._replace(target=pause.target)


def entry_of_resumption(resumption: Resumption, sequence: int) -> AuditEntry:
    """Return the entry of the end of a pause. Raises ValueError if its time is naive."""
    reason = f"target {resumption.target} is resumed"
    return _entry(sequence, resumption.at, AuditStep.RESUMED, resumption.by, reason)._replace(target=resumption.target)


def entry_of_request(request: SweepRequest, sequence: int) -> AuditEntry:
    """Return the entry of a request for a sweep. Raises ValueError if its time is naive."""
    reason = f"a sweep of target {request.target}"
    return _entry(sequence, request.asked_at, AuditStep.SWEEP_REQUESTED, request.by, reason)._replace(target=request.target)


def entry_of_retry(key: str, at: datetime, by: str, sequence: int) -> AuditEntry:
    """Return the entry of a failed message that is sent again. Raises ValueError if the time is naive."""
    return _entry(sequence, at, AuditStep.RETRIED, by, f"message {key}")


def _entry(sequence: int, at: datetime, what: AuditStep, by: str, reason: str) -> AuditEntry:
    return storable(
        AuditEntry(
            sequence=sequence,
            moment_us=microseconds(at),
            what=what.value,
            target="",
            run_id="",
            started_by=redact_named(by),
            notebook_id="",
            name="",
            owner="",
            policy="",
            reason=redact_named(reason),
            requests=0,
            request_id="",
            status_before=None,
            workspace_id=None,
            feature=None,
            capacity_gb=None,
            category=None,
        )
    )
