"""The deadlines that messages promise."""

from datetime import UTC, datetime, timedelta

from nbsweep.core.marks.grace import Grace
from nbsweep.core.marks.model import Mark, MarkState, due_at
from nbsweep.core.notices.outbox import DEADLINE_MOVED, DEADLINE_PASSED, MARK_ENDED, ItemKind, Listed

HOUR = timedelta(hours=1)


def deadline_to_write(mark: Mark, grace: Grace, now: datetime) -> datetime:
    """Return the deadline for a message that is sent now: the end of the grace, at the next full hour.

    A deadline that was written before, and is later, stays.
    """
    earliest = earliest_deadline(grace, now)
    return max(earliest, mark.deadline) if mark.deadline else earliest


def earliest_deadline(grace: Grace, now: datetime) -> datetime:
    """Return the deadline of a first notice that is sent now: the end of the grace, at the next full hour."""
    ends = grace.ends(now.astimezone(UTC))
    full = ends.replace(minute=0, second=0, microsecond=0)
    return full if full == ends else full + HOUR


def why_pointless(listed: Listed, grace: Grace | None, now: datetime) -> str:
    """Return why an item need not be told any more; empty if it is to be told."""
    item, mark = listed.item, listed.mark
    match item.kind:
        case ItemKind.ANNOUNCE if not mark.open:
            return MARK_ENDED
        case ItemKind.REMIND:
            return _why_no_reminder(listed, grace, now)
        case _:
            return ""


def awaits_survey(listed: Listed, grace: Grace | None) -> bool:
    """Return whether an item waits for a survey: its policy was edited or removed since, and the survey decides on its mark.

    `grace` is None then. If the edit is undone before a survey, the item is told after all.
    """
    return listed.item.kind in (ItemKind.ANNOUNCE, ItemKind.REMIND) and grace is None


def _why_no_reminder(listed: Listed, grace: Grace | None, now: datetime) -> str:
    due = (due_at(listed.mark, grace) if grace else None) or listed.mark.deadline
    if listed.mark.state is not MarkState.TOLD or due is None:
        return MARK_ENDED
    if listed.item.deadline is not None and due > listed.item.deadline:
        return DEADLINE_MOVED
    return DEADLINE_PASSED if now >= due else ""
