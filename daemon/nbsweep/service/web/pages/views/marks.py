"""What the page Marks shows: whose notebooks are announced, who was told, who cannot be told, and when each is due."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from nbsweep.core.judging.shown_marks import MarkRules, show_mark
from nbsweep.core.marks.listing import MarkPage, MarkQuery, OwnerMarks
from nbsweep.core.marks.model import OPEN, Mark, MarkState
from nbsweep.core.marks.shown import ShownState
from nbsweep.core.reasons.keeping import decode_cause
from nbsweep.core.reasons.model import Cause
from nbsweep.service.web.messages import Message, message
from nbsweep.service.web.pages.languages.formats import one_line
from nbsweep.service.web.pages.views.elements.paging import Choice, Paging, address, paging
from nbsweep.service.web.pages.views.elements.texts import LONGEST_SENTENCE, name_or_id, short
from nbsweep.service.web.pages.views.elements.words import CLEARED

PATH = "/marks"
ROWS = 100
MOST_OWNERS = 30
FILTERS: Mapping[str, Message] = {
    "": message("All open marks"),
    "marked": message("Nobody told yet"),
    "told": message("Told"),
    "passed": message("Deadline passed"),
    "untold": message("Owner cannot be told"),
    "removed": message("Deleted"),
    "cleared": message("Given up"),
}
STATES: Mapping[ShownState, Message] = {
    ShownState.MARKED: message("Nobody told yet"),
    ShownState.TOLD: message("Told"),
    ShownState.DUE: message("Due"),
    ShownState.HELD_OUT: message("Held out"),
    ShownState.EXEMPT: message("Exempted"),
    ShownState.REMOVED: message("Deleted"),
    ShownState.CLEARED: message("Given up"),
}
TONES: Mapping[ShownState, str] = {
    ShownState.MARKED: "quiet",
    ShownState.TOLD: "good",
    ShownState.DUE: "busy",
    ShownState.HELD_OUT: "quiet",
    ShownState.EXEMPT: "good",
    ShownState.REMOVED: "quiet",
    ShownState.CLEARED: "quiet",
}


class OwnerRow(Struct, frozen=True):
    """The open marks of one owner."""

    owner: str
    path: str
    """The address of the marks of this owner."""
    count: int
    told: int
    passed: int
    untold: int
    next_deadline: datetime | None


class MarkRow(Struct, frozen=True):
    """One mark."""

    notebook_id: str
    name: str
    notebook_path: str
    owner: str
    owner_path: str
    target: str
    policy: str
    reason: Cause
    state: Message
    tone: str
    marked_at: datetime
    told_at: datetime | None
    due_at: datetime | None
    """When it may be deleted at the earliest; None until its owner is told."""
    held: timedelta | None
    """For how long the holdout keeps it after its deadline; None if it is none of the share."""
    exempt_until: datetime | None
    """The end of the exemption that keeps it; None if none does."""
    ended_at: datetime | None
    cleared: Message | None
    untold: str
    """Why the owner could not be told, in English; empty if no attempt has failed."""
    untold_since: datetime | None
    retried: bool
    size_gb: int | None
    exempt_path: str
    """The address of the form that keeps it; empty if the mark has ended, or if it is exempt."""


class MarkTotals(Struct, frozen=True):
    """The open marks of all owners."""

    count: int
    told: int
    passed: int
    untold: int


class MarksView(Struct, frozen=True):
    """The page."""

    totals: MarkTotals
    owners: Sequence[OwnerRow]
    """Those with the most marks."""
    more_owners: int
    """How many owners are not shown."""
    rows: Sequence[MarkRow]
    paging: Paging
    target: str
    owner: str
    states: Sequence[Choice]
    targets: Sequence[str]
    is_filtered: bool
    announces: bool
    """Whether any policy has a grace."""
    may_exempt: bool


class MarksFound(Struct, frozen=True):
    """What the page needs."""

    page: MarkPage
    owners: Sequence[OwnerMarks]
    rules: MarkRules
    targets: Sequence[str]


def query_of(asked: Mapping[str, str], now: datetime) -> MarkQuery:
    """Return what the filters of an address select; an unknown state selects all open marks."""
    state = asked.get("state", "")
    states = {
        "marked": frozenset({MarkState.MARKED}),
        "untold": frozenset({MarkState.MARKED}),
        "told": frozenset({MarkState.TOLD}),
        "passed": frozenset({MarkState.TOLD}),
        "removed": frozenset({MarkState.REMOVED}),
        "cleared": frozenset({MarkState.CLEARED}),
    }
    return MarkQuery(
        states.get(state, OPEN),
        one_line(asked.get("target", "")) or None,
        one_line(asked.get("owner", "")) or None,
        untold=state == "untold",
        deadline_until=now if state == "passed" else None,
    )


def build_marks(found: MarksFound, asked: Mapping[str, str], now: datetime, *, may_exempt: bool) -> MarksView:
    """Return what the page shows; `asked` is its query."""
    owners, state = found.owners, asked.get("state", "")
    return MarksView(
        totals=MarkTotals(
            sum(each.count for each in owners),
            sum(each.told for each in owners),
            sum(each.passed for each in owners),
            sum(each.untold for each in owners),
        ),
        owners=[_owner(each, asked) for each in owners[:MOST_OWNERS]],
        more_owners=max(0, len(owners) - MOST_OWNERS),
        rows=[mark_row(mark, found.rules, asked, now) for mark in found.page.marks],
        paging=paging(PATH, asked, found.page.total, ROWS),
        target=asked.get("target", ""),
        owner=asked.get("owner", ""),
        states=[Choice(value, title, value == state) for value, title in FILTERS.items()],
        targets=found.targets,
        is_filtered=any(asked.get(key) for key in ("target", "owner", "state")),
        announces=bool(found.rules.graces),
        may_exempt=may_exempt,
    )


def _owner(owner: OwnerMarks, asked: Mapping[str, str]) -> OwnerRow:
    return OwnerRow(
        name_or_id(owner.owner_name, owner.owner_id),
        _of_owner(owner.owner_name or owner.owner_id, asked),
        owner.count,
        owner.told,
        owner.passed,
        owner.untold,
        owner.next_deadline,
    )


def _of_owner(owner: str, asked: Mapping[str, str]) -> str:
    return address(PATH, {"owner": owner, "target": asked.get("target", "")}) if 0 < len(owner) <= 256 else ""  # noqa: PLR2004


def mark_row(mark: Mark, rules: MarkRules, asked: Mapping[str, str], now: datetime) -> MarkRow:
    """Return the row of a mark; `asked` is the query that the links to its owner keep."""
    shown = show_mark(mark, rules, now)
    return MarkRow(
        notebook_id=mark.notebook_id,
        name=name_or_id(mark.name, mark.notebook_id),
        notebook_path=f"/notebooks/{mark.notebook_id}",
        owner=name_or_id(mark.owner_name, mark.owner_id),
        owner_path=_of_owner(mark.owner_name or mark.owner_id, asked),
        target=mark.target,
        policy=mark.policy,
        reason=decode_cause(mark.cause, mark.reason),
        state=STATES[shown.state],
        tone=TONES[shown.state],
        marked_at=mark.marked_at,
        told_at=mark.told_at,
        due_at=shown.due_at,
        held=shown.held,
        exempt_until=shown.exempt_until,
        ended_at=mark.ended_at,
        cleared=CLEARED[mark.cleared] if mark.cleared else None,
        untold=short(mark.untold, LONGEST_SENTENCE) if mark.open and not shown.exempt_until else "",
        untold_since=mark.untold_since,
        retried=mark.retried,
        size_gb=mark.capacity_gb,
        exempt_path=_exempt_path(mark) if mark.open and not shown.exempt_until else "",
    )


def _exempt_path(mark: Mark) -> str:
    return address("/exemptions/new", {"notebook": mark.notebook_id, "target": mark.target})
