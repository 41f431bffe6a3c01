"""The view of `marks`: who is announced, who was told, and when it is due."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime

from rich.console import Group, RenderableType

from nbsweep.cli.views.results import cell
from nbsweep.cli.views.tables import NAME, SHORT_NAME, Column, Row, make_table
from nbsweep.core.facts import format_age, format_moment
from nbsweep.core.judging.shown_marks import MarkRules, ShownMark, show_mark
from nbsweep.core.lookup import short_ids
from nbsweep.core.marks.model import Mark
from nbsweep.core.marks.shown import MarkTotals, ShownState

COLUMNS = (
    Column("ID", leaves=3),
    Column("NOTEBOOK", most=NAME),
    Column("OWNER", most=SHORT_NAME),
    Column("TARGET", most=SHORT_NAME, leaves=2),
    Column("POLICY", most=SHORT_NAME, leaves=4),
    Column("STATE"),
    Column("MARKED", leaves=1),
    Column("DUE"),
    Column("WHY", folds=True),
)
STYLES: Mapping[ShownState, str] = {
    ShownState.MARKED: "yellow",
    ShownState.TOLD: "cyan",
    ShownState.DUE: "bold red",
    ShownState.HELD_OUT: "blue",
    ShownState.EXEMPT: "green",
    ShownState.REMOVED: "green",
    ShownState.CLEARED: "dim",
}


def marks_view(marks: Sequence[Mark], rules: MarkRules, now: datetime, *, wide: bool) -> RenderableType:
    """Return the table of marks, and below it how many there are in each state."""
    ids = short_ids(mark.notebook_id for mark in marks)
    table = make_table(COLUMNS, lambda: (_row(mark, ids, show_mark(mark, rules, now), now, wide=wide) for mark in marks))
    counts = Counter(show_mark(mark, rules, now).state for mark in marks)
    untold = [mark for mark in marks if mark.open and mark.untold]
    retried = sum(mark.retried for mark in untold)
    words = ", ".join(f"{counts[state]} {state}" for state in ShownState if counts[state])
    parts: list[RenderableType] = [table, cell(f"{words}.", "bold")]
    if cannot := len(untold) - retried:
        parts.append(cell(f"{cannot} cannot be told: their notebooks are kept as `unless_told` says.", "yellow"))
    if retried:
        parts.append(
            cell(f"{retried} not told yet after a failed attempt: another one follows, see `nbsweep outbox`.", "yellow")
        )
    return Group(*parts)


def _row(mark: Mark, ids: Mapping[str, str], shown: ShownMark, now: datetime, *, wide: bool) -> Row:
    return (
        cell(ids[mark.notebook_id]),
        cell(mark.name),
        cell(mark.owner_label),
        cell(mark.target),
        cell(mark.policy),
        cell(shown.state, STYLES[shown.state]),
        cell(f"{mark.marked_at:%Y-%m-%d %H:%M}Z"),
        cell(_when(mark, shown.due_at, now)),
        cell(_why(mark, shown, wide=wide), "dim"),
    )


def _when(mark: Mark, due: datetime | None, now: datetime) -> str:
    if not mark.open or due is None:
        return "-"
    return f"{due:%Y-%m-%d %H:%M}Z ({format_age(due - now)})" if due > now else f"{due:%Y-%m-%d %H:%M}Z"


def _why(mark: Mark, shown: ShownMark, *, wide: bool) -> str:
    if shown.exempt_until:
        return f"exempt until {format_moment(shown.exempt_until)}; the next sweep clears the mark"
    if mark.cleared:
        return f"cleared: {mark.cleared}"
    if mark.run_id:
        return f"deleted by run {mark.run_id}"
    if mark.untold:
        return f"{'not told yet' if mark.retried else 'untold'}: {mark.untold}"
    return mark.reason if wide else mark.reason.removeprefix(f"policy {mark.policy}: ")


def describe_totals(totals: MarkTotals, now: datetime) -> str:
    """Return how many marks are in each state, and when the next becomes due, in words."""
    cannot = totals.untold - totals.retried
    parts = [f"{cannot} cannot be told"] if cannot else []
    parts += [f"{totals.retried} tried again"] if totals.retried else []
    untold = f" ({', '.join(parts)})" if parts else ""
    counts = (
        (totals.marked, f"{totals.marked} not told yet{untold}"),
        (totals.told, f"{totals.told} told"),
        (totals.due, f"{totals.due} due"),
        (totals.held_out, f"{totals.held_out} held out"),
        (totals.exempt, f"{totals.exempt} exempt"),
    )
    words = ", ".join(words for count, words in counts if count)
    if totals.next_due is None:
        return words
    return f"{words}; the next becomes due {format_moment(totals.next_due)}, in {format_age(totals.next_due - now)}"
