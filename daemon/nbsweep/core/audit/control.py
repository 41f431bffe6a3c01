"""The entries of the audit trail for what people do to targets and messages: pauses, requests for sweeps, and retries."""

from datetime import datetime

from nbsweep.core.audit.acts import Act, entry_of_act
from nbsweep.core.audit.entries import AuditEntry
from nbsweep.core.audit.steps import AuditStep
from nbsweep.core.control.requests import Pause, Resumption, SweepRequest


def entry_of_pause(pause: Pause, sequence: int) -> AuditEntry:
    """Return the entry of a pause, which says until when and why. Raises ValueError if its start is naive."""
    reason = f"target {pause.target} is {pause}"
    return entry_of_act(Act(AuditStep.PAUSED, pause.target, pause.since, pause.by, reason), sequence)


def entry_of_resumption(resumption: Resumption, sequence: int) -> AuditEntry:
    """Return the entry of the end of a pause. Raises ValueError if its time is naive."""
    reason = f"target {resumption.target} is resumed"
    return entry_of_act(Act(AuditStep.RESUMED, resumption.target, resumption.at, resumption.by, reason), sequence)


def entry_of_request(request: SweepRequest, sequence: int) -> AuditEntry:
    """Return the entry of a request for a sweep. Raises ValueError if its time is naive."""
    reason = f"a sweep of target {request.target}"
    return entry_of_act(Act(AuditStep.SWEEP_REQUESTED, request.target, request.asked_at, request.by, reason), sequence)


def entry_of_retry(key: str, at: datetime, by: str, sequence: int) -> AuditEntry:
    """Return the entry of a failed message that is sent again. Raises ValueError if the time is naive."""
    return entry_of_act(Act(AuditStep.RETRIED, "", at, by, f"message {key}"), sequence)
