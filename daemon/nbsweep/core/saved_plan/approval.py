"""The approval of a saved plan, and the port that keeps approved plans."""

from datetime import datetime
from typing import Protocol

from msgspec import Struct

from nbsweep.core.facts import format_moment


class ApprovedPlan(Struct, frozen=True):
    """A saved plan of one target that somebody has approved; also one row of the journal, beside its document."""

    plan_id: str
    target: str
    digest: str
    """The digest of its document."""
    created_at: datetime
    """When it was made."""
    expires_at: datetime
    notebooks: int
    """How many notebooks it permits to delete."""
    approved_at: datetime
    approved_by: str
    carried_out_at: datetime | None = None
    """When a sweep was about to begin by it; None if none was."""
    carried_out_by: str = ""
    run_id: str = ""
    """The run that it was carried out by."""

    def is_open(self, now: datetime) -> bool:
        """Return whether it may be carried out: it was not yet, and has not expired."""
        return self.carried_out_at is None and now < self.expires_at

    def __str__(self) -> str:
        """Describe the plan and its approval."""
        valid = f"made at {format_moment(self.created_at)}, valid until {format_moment(self.expires_at)}"
        return f"plan {self.plan_id} of {self.notebooks} notebooks, {self.digest}, {valid}, approved by {self.approved_by}"


class PlanRecords(Protocol):
    """The approved plans. All methods raise JournalError; nothing may be deleted by a plan then."""

    async def approve(self, plan: ApprovedPlan, document: bytes) -> bool:
        """Record an approval and its document, with its entry in the audit trail, in one transaction.

        Return False, and store nothing, if there is an approved plan with this ID.
        """
        ...

    async def plans(self, limit: int, target: str | None = None) -> tuple[ApprovedPlan, ...]:
        """List the latest approved plans, of one target if it is given, the newest first."""
        ...

    async def find(self, plan_id: str) -> ApprovedPlan | None:
        """Return an approved plan; None if there is none."""
        ...

    async def document(self, plan_id: str) -> bytes | None:
        """Return the document of an approved plan, as it was given; None if there is none."""
        ...

    async def begin(self, plan_id: str, at: datetime, by: str, run_id: str) -> bool:
        """Record that a plan is about to be carried out, with its entry in the audit trail, in one transaction.

        Return False, and store nothing, if it was carried out before, has expired by then, or does not exist: of several
        processes that begin it at the same time, one gets True.
        """
        ...

    async def forget(self, before: datetime) -> None:
        """Remove the plans that expired before a moment; the audit trail keeps their entries."""
        ...
