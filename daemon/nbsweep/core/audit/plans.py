"""The entries of the audit trail for saved plans: their approvals, and that they are carried out."""

from datetime import datetime

from msgspec import Struct

from nbsweep.core.audit.entries import AuditEntry, storable
from nbsweep.core.audit.steps import AuditStep
from nbsweep.core.model import microseconds
from nbsweep.core.redaction import redact_named


class PlanStep(Struct, frozen=True):
    """A step of a plan."""

    what: AuditStep
    target: str
    at: datetime
    by: str
    words: str
    """The plan in words."""
    run_id: str = ""


def entry_of_plan(step: PlanStep, sequence: int) -> AuditEntry:
    """Return the entry of a step of a plan.

    Raises:
        ValueError: its time is naive.
    """
    return storable(
        AuditEntry(
            sequence=sequence,
            moment_us=microseconds(step.at),
            what=step.what.value,
            target=step.target,
            run_id=step.run_id,
            started_by=redact_named(step.by),
            notebook_id="",
            name="",
            owner="",
            policy="",
            reason=redact_named(step.words),
            requests=0,
            request_id="",
            status_before=None,
            workspace_id=None,
            feature=None,
            capacity_gb=None,
            category=None,
        )
    )
