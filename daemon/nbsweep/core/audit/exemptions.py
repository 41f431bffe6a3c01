"""The entries of the audit trail for exemptions: their grants and their revocations."""

from nbsweep.core.audit.entries import AuditEntry, storable
from nbsweep.core.audit.steps import AuditStep
from nbsweep.core.exemptions.model import Exemption
from nbsweep.core.model import microseconds
from nbsweep.core.redaction import redact_named


def entry_of_grant(exemption: Exemption, sequence: int) -> AuditEntry:
    """Return the entry of a granted exemption.

    Raises:
        ValueError: its time is naive.
    """
    ticket = f"; ticket {exemption.ticket}" if exemption.ticket else ""
    reason = f"{exemption}{ticket}; granted by {exemption.granted_by} as {exemption.granted_as}"
    entry = _entry_of(exemption, AuditStep.EXEMPTED, reason, exemption.granted_by)
    return entry._replace(sequence=sequence, moment_us=microseconds(exemption.granted_at))


def entry_of_revocation(exemption: Exemption, sequence: int) -> AuditEntry:
    """Return the entry of a revoked exemption.

    Raises:
        ValueError: its time is naive.
    """
    why = f": {exemption.revoked_reason}" if exemption.revoked_reason else ""
    reason = f"{exemption}; revoked by {exemption.revoked_by}{why}"
    entry = _entry_of(exemption, AuditStep.REVOKED, reason, exemption.revoked_by)
    return entry._replace(sequence=sequence, moment_us=microseconds(exemption.revoked_at or exemption.granted_at))


def _entry_of(exemption: Exemption, what: AuditStep, reason: str, by: str) -> AuditEntry:
    covered = exemption.selector
    return storable(
        AuditEntry(
            sequence=0,
            moment_us=0,
            what=what.value,
            target=exemption.target,
            run_id="",
            started_by=redact_named(by),
            notebook_id=covered.notebook_id or "",
            name=redact_named(covered.name or ""),
            owner=redact_named(covered.owner or ""),
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
