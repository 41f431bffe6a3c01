"""What the page Mine shows an owner: what happens to each of their notebooks and when, and how to keep it."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta

from msgspec import Struct

from nbsweep.core.errors import GrantRefused
from nbsweep.core.granting.grants import LONGEST_REASON, GrantLimits
from nbsweep.core.judging.verdict import Decision, Reason, Verdict
from nbsweep.core.lifecycle import Removal, State
from nbsweep.core.reasons.model import Cause
from nbsweep.service.control import TargetState
from nbsweep.service.web.messages import Message, message
from nbsweep.service.web.owned import Owned, OwnedFound
from nbsweep.service.web.pages.views.elements.disks import DiskView, disk_view
from nbsweep.service.web.pages.views.elements.paging import Paging, paging
from nbsweep.service.web.pages.views.elements.texts import name_or_id
from nbsweep.service.web.pages.views.exempting import build_form

PATH = "/mine"
ROWS = 100
NOTHING = timedelta(0)


class MineRow(Struct, frozen=True):
    """One notebook."""

    id: str
    name: str
    path: str
    target: str
    status: str
    disk: DiskView
    headline: Message
    tone: str
    reason: Cause | None
    can_keep: bool
    """Whether it makes sense to keep it: a policy matches, or will, and no exemption is in force."""
    error: Message | None
    typed_until: str
    typed_reason: str


class MineView(Struct, frozen=True):
    """The page."""

    rows: Sequence[MineRow]
    paging: Paging
    more: int
    """How many notebooks are on none of the pages."""
    empty: Message | None
    """Why nothing is shown; None if something is."""
    surveyed_at: datetime | None
    """When the oldest of the surveys was made; None if there is none."""
    dry_run: bool
    may_keep: bool
    """Whether owners may keep notebooks at all."""
    earliest: str
    latest: str
    until: str
    longest: timedelta
    longest_reason: int
    is_whole: bool


class Typed(Struct, frozen=True):
    """A form that was refused."""

    notebook_id: str
    until: str
    reason: str
    error: GrantRefused


class MineInputs(Struct, frozen=True):
    """What the page needs."""

    found: OwnedFound
    verdicts: Mapping[tuple[str, str], Verdict]
    """By target and notebook ID."""
    removals: Mapping[str, Removal]
    """The newest removal of each notebook that has one, by notebook ID."""
    states: Mapping[str, TargetState]
    is_by_proxy: bool
    """Whether a proxy says who it is, so that the owners' directory can know them."""
    has_directory: bool


def build_mine(
    inputs: MineInputs, limits: GrantLimits, now: datetime, asked: Mapping[str, str], typed: Typed | None = None
) -> MineView:
    """Return what the page shows; `asked` is its query. A notebook whose form was refused comes first."""
    found, form = inputs.found, build_form({}, limits, (), now)
    rows = [_row(each, inputs, typed) for each in found.notebooks]
    rows.sort(key=lambda row: (row.error is None, ORDER.get(row.tone, len(ORDER)), row.name.casefold(), row.id))
    shown = paging(PATH, asked, len(rows), ROWS)
    return MineView(
        rows=rows[max(0, shown.first - 1) : shown.last],
        paging=shown,
        more=found.more,
        empty=None if rows else _why_empty(inputs),
        surveyed_at=min((each.surveyed_at for each in found.notebooks), default=None),
        dry_run=any(inputs.states[each.target].dry_run for each in found.notebooks if each.target in inputs.states),
        may_keep=limits.longest > NOTHING,
        earliest=form.earliest,
        latest=form.latest,
        until=form.typed["until"] or date.isoformat(now.date()),
        longest=limits.longest,
        longest_reason=LONGEST_REASON,
        is_whole=found.is_whole,
    )


ORDER: Mapping[str, int] = {"bad": 0, "busy": 1, "good": 2, "quiet": 3}
"""What goes first stands on top."""


def _why_empty(inputs: MineInputs) -> Message:
    if not inputs.has_directory:
        return message("The configuration has no directory of owners (owners), so nobody is known as the owner of a notebook.")
    if not inputs.is_by_proxy:
        return message("You are signed in with a token. Which notebooks are yours is known only behind a reverse proxy.")
    if not inputs.found.is_surveyed:
        return message("No survey is on record yet. The next sweep records which notebooks there are.")
    return message("No owner of a notebook is reached at your name or address, so none is known as yours.")


def _row(owned: Owned, inputs: MineInputs, typed: Typed | None) -> MineRow:
    notebook, verdict = owned.notebook, inputs.verdicts.get((owned.target, owned.notebook.id))
    gone = _gone(inputs.removals.get(notebook.id))
    headline, tone = gone or _headline(verdict, inputs.states.get(owned.target))
    wrong = typed if typed and typed.notebook_id == notebook.id else None
    return MineRow(
        id=notebook.id,
        name=name_or_id(notebook.name, notebook.id),
        path=f"/notebooks/{notebook.id}",
        target=owned.target,
        status=notebook.status.value,
        disk=disk_view(notebook.volume),
        headline=headline,
        tone=tone,
        reason=verdict.cause if verdict and not gone else None,
        can_keep=not gone and (verdict is None or verdict.reason not in UNKEEPABLE),
        error=_problem(wrong.error) if wrong else None,
        typed_until=wrong.until if wrong else "",
        typed_reason=wrong.reason if wrong else "",
    )


UNKEEPABLE = frozenset({Reason.EXEMPT, Reason.PROTECTED, Reason.ALREADY_DELETED})


def _gone(removal: Removal | None) -> tuple[Message, str] | None:
    """Return what became of a notebook that nbsweep deletes, or has deleted since the survey; None if it does not."""
    if removal is None or removal.state is State.PLANNED:
        return None
    if removal.state is State.DELETED and removal.ended_at:
        return message("nbsweep deleted it on %(at)s", at=removal.ended_at), "quiet"
    if not removal.ended:
        return message("It is being deleted now"), "bad"
    return None


def _problem(error: GrantRefused) -> Message:
    if error.field == "reason":
        return message("Give a reason of at most %(most)s characters.", most=LONGEST_REASON)
    if error.field == "until":
        return message("Choose a day within the limit.")
    return message("This notebook cannot be exempted.")


def _headline(verdict: Verdict | None, state: TargetState | None) -> tuple[Message, str]:
    """Return what happens to a notebook and when, and how it looks."""
    if verdict is None:
        return message("It is not known yet what happens to it"), "quiet"
    if verdict.decision is Decision.DELETE:
        if state and state.next_run and not state.paused:
            return message("It is deleted by the sweep on %(at)s, if it still matches then", at=state.next_run), "bad"
        return message("It is deleted by the next sweep, if it still matches then"), "bad"
    if verdict.reason is Reason.TOLD and verdict.until:
        return message("It is deleted after %(until)s, unless it is used or kept before", until=verdict.until), "bad"
    if verdict.reason is Reason.EXEMPT and verdict.until:
        return message("It is kept until %(until)s", until=verdict.until), "good"
    return OTHERS.get(verdict.reason, (message("It is kept"), "quiet"))


OTHERS: Mapping[Reason, tuple[Message, str]] = {
    Reason.TOLD: (message("It is deleted when its time is over, unless it is used or kept before"), "bad"),
    Reason.MARKED: (message("A policy matches. You are told before it is deleted"), "busy"),
    Reason.UNANNOUNCED: (message("A policy matches. You are told before it is deleted"), "busy"),
    Reason.OUTSIDE_WINDOW: (message("It is deleted when its time window opens, if it still matches then"), "bad"),
    Reason.EXEMPT: (message("It is kept by an exemption"), "good"),
    Reason.PROTECTED: (message("It is protected"), "good"),
}
