"""The entries of the audit trail for exemptions: their grants and their revocations."""

from nbsweep.core.audit.acts import Act, entry_of_act
from nbsweep.core.audit.entries import AuditEntry, storable
from nbsweep.core.audit.steps import AuditStep
from nbsweep.core.exemptions.model import Exemption
from nbsweep.core.redaction import redact_named


def entry_of_grant(exemption: Exemption, sequence: int) -> AuditEntry:
    """Return the entry of a granted exemption.

    Raises:
        ValueError: its time is naive.
    """
    ticket = f"; ticket {exemption.ticket}" if exemption.ticket else ""
    reason = f"{exemption}{ticket}; granted by {exemption.granted_by} as {exemption.granted_as}"
    act = Act(AuditStep.EXEMPTED, exemption.target, exemption.granted_at, exemption.granted_by, reason)
    return _entry_of(exemption, act, sequence)


def entry_of_revocation(exemption: Exemption, sequence: int) -> AuditEntry:
    """Return the entry of a revoked exemption.

    Raises:
        ValueError: its time is naive.
    """
    why = f": {exemption.revoked_reason}" if exemption.revoked_reason else ""
    reason = f"{exemption}; revoked by {exemption.revoked_by}{why}"
    at = exemption.revoked_at or exemption.granted_at
    return _entry_of(exemption, Act(AuditStep.REVOKED, exemption.target, at, exemption.revoked_by, reason), sequence)


def _entry_of(exemption: Exemption, act: Act, sequence: int) -> AuditEntry:
    covered = exemption.selector
    name, owner = redact_named(covered.name or ""), redact_named(covered.owner or "")
    return storable(entry_of_act(act, sequence)._replace(notebook_id=covered.notebook_id or "", name=name, owner=owner))
