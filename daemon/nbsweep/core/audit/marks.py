"""The entries of the audit trail for marks: what each write of a mark records."""

from datetime import datetime

from nbsweep.core.audit.entries import AuditEntry, storable
from nbsweep.core.audit.steps import AuditStep
from nbsweep.core.facts import format_moment
from nbsweep.core.marks.model import Mark, MarkState
from nbsweep.core.model import microseconds
from nbsweep.core.redaction import redact_named


def mark_steps(mark: Mark, before: MarkState | None) -> tuple[AuditStep, ...]:
    """Return the steps that a write of a mark records; `before` is its state in the journal, None if it is new.

    The end of a mark whose notebook was deleted is on the trail already, as the end of the removal.
    """
    begun = (AuditStep.MARKED,) if before is None and mark.state is not MarkState.MARKED else ()
    if mark.state is before or mark.state is MarkState.REMOVED:
        return begun
    return (*begun, AuditStep(mark.state.lower()))


def entries_of_mark(mark: Mark, before: MarkState | None, after: int) -> list[AuditEntry]:
    """Return the entries for a write of a mark, with numbers from `after` + 1.

    Raises:
        ValueError: the time of a step is naive.
    """
    return [_entry_of(mark, what, sequence) for sequence, what in enumerate(mark_steps(mark, before), after + 1)]


def _entry_of(mark: Mark, what: AuditStep, sequence: int) -> AuditEntry:
    marked = what is AuditStep.MARKED
    return storable(
        AuditEntry(
            sequence=sequence,
            moment_us=microseconds(_moment(mark, what)),
            what=what.value,
            target=mark.target,
            run_id=mark.run_id,
            started_by="",
            notebook_id=mark.notebook_id,
            name=redact_named(mark.name),
            owner=redact_named(mark.owner_label),
            policy=mark.policy,
            reason=redact_named(_reason(mark, what)),
            requests=0,
            request_id="",
            status_before=mark.status.value if marked else None,
            workspace_id=mark.workspace_id if marked else None,
            feature=mark.feature if marked else None,
            capacity_gb=mark.capacity_gb if marked else None,
            category=None,
            project=mark.project,
        )
    )


def _moment(mark: Mark, what: AuditStep) -> datetime:
    # A mark whose notice became stale is marked again by its latest survey.
    again = mark.last_survey_at if mark.notices else None
    moments = {AuditStep.TOLD: mark.told_at, AuditStep.CLEARED: mark.ended_at, AuditStep.MARKED: again}
    return moments.get(what) or mark.marked_at


def _reason(mark: Mark, what: AuditStep) -> str:
    if what is AuditStep.TOLD:
        deadline = f"deadline {format_moment(mark.deadline)}" if mark.deadline else ""
        return ", ".join(filter(None, [mark.told_by, deadline]))
    if what is AuditStep.CLEARED:
        return mark.cleared.value if mark.cleared else ""
    return mark.reason
