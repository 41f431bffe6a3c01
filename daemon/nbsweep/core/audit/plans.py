"""The entries of the audit trail for saved plans: their approvals, and that they are carried out."""

from datetime import datetime

from msgspec import Struct

from nbsweep.core.audit.acts import Act, entry_of_act
from nbsweep.core.audit.entries import AuditEntry
from nbsweep.core.audit.steps import AuditStep


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
    return entry_of_act(Act(step.what, step.target, step.at, step.by, step.words, step.run_id), sequence)
