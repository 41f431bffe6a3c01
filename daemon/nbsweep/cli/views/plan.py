"""The view of a plan: which notebooks would be deleted, which would be marked, why, and which are kept."""

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from itertools import islice

from rich.console import Group, RenderableType
from rich.text import Text

from nbsweep.cli.text import printable
from nbsweep.cli.views.marks import describe_totals
from nbsweep.cli.views.results import cell, refusal_line
from nbsweep.cli.views.tables import NAME, SHORT_NAME, Column, Row, make_table
from nbsweep.core.calendar.length import describe_length
from nbsweep.core.facts import format_age, format_moment
from nbsweep.core.judging.verdict import Reason
from nbsweep.core.lookup import short_ids
from nbsweep.core.marks.grace import OWNER
from nbsweep.core.notices.deadlines import earliest_deadline
from nbsweep.core.planning.matches import RuleMatch, describe_matches
from nbsweep.core.planning.plan import Candidate, Plan, describe_malformed
from nbsweep.core.saved_plan.model import Spared

TO_MARK = "To be marked, and their owners told before anything of it is deleted:"
MALFORMED_SHOWN = 20
"""Number of malformed rows that are shown one by one."""


def plan_view(plan: Plan, spared: Sequence[Spared] = (), *, most: int | None = None, wide: bool = False) -> RenderableType:
    """Return the view of a plan: which notebooks would be deleted or marked, why, and which are kept."""
    parts: list[RenderableType] = []
    if plan.items:
        parts.append(_plan_table(plan, most, wide=wide))
    if plan.to_mark:
        parts += [cell(TO_MARK, "bold"), _marks_table(plan, most, wide=wide)]
    parts.append(_plan_summary(plan))
    parts += _window_line(plan)
    parts += _marks_summary(plan)
    parts += _matches(plan.matched)
    parts += [
        cell(f"  spared, although it is in the saved plan: {each.item.name or each.item.id}: {each.why}") for each in spared
    ]
    parts += [
        cell(f"  kept, because its row is malformed: {row.name or row.id or 'a row without an ID'}: {row.problem}")
        for row in plan.malformed[:MALFORMED_SHOWN]
    ]
    parts += [cell(f"  excluded by {each.by}: {each.name or each.id} ({each.id})") for each in plan.excluded]
    if plan.policies:
        parts.append(cell(f"  only policy {', '.join(plan.policies)}: notebooks that other policies match are kept"))
    if len(plan.malformed) > MALFORMED_SHOWN or describe_malformed(plan.malformed, plan.fleet):
        parts.append(cell(f"  {len(plan.malformed)} of {plan.fleet} notebooks cannot be read, and are kept", "bold yellow"))
    parts += [cell(f"  not looked at: {gap}", "bold yellow") for gap in plan.refused]
    if plan.trimmed:
        parts.append(cell(f"Trimmed: {plan.trimmed}.", "bold yellow"))
    parts += map(refusal_line, plan.refusals)
    parts += [cell(f"Marks nothing ({each.brake}): {each.message}.", "bold red") for each in plan.marks.refusals]
    return Group(*parts)


def _matches(matches: Sequence[RuleMatch]) -> Iterator[Text]:
    """Yield how many notebooks each policy and each protection matches, and which rules match none."""
    for kind, title in (("policy", "policies"), ("protection", "protections")):
        found = [match for match in matches if match.kind == kind and match.notebooks]
        if found:
            yield cell(f"  matched by {title}: {describe_matches(found)}", "dim")
    if none := [f"{match.kind} {match.name}" for match in matches if not match.notebooks]:
        yield cell(f"  matched nothing: {'; '.join(none)}", "yellow")


PLAN_COLUMNS = (
    Column("ID", leaves=5),
    Column("NOTEBOOK", most=NAME),
    Column("OWNER", most=SHORT_NAME, leaves=4),
    Column("STATUS", leaves=2),
    Column("IDLE", right=True, leaves=1),
    Column("GB", right=True),
    Column("POLICY", most=SHORT_NAME, leaves=3),
    Column("WHY", folds=True),
)


def _plan_table(plan: Plan, most: int | None, *, wide: bool) -> RenderableType:
    return _table(PLAN_COLUMNS, plan.items, most, lambda item: _plan_row(plan, item, wide=wide))


def _table(
    columns: Sequence[Column], items: Sequence[Candidate], most: int | None, row: Callable[[Candidate], Row]
) -> RenderableType:
    """Return the table of notebooks, of which it shows `most`; `row` returns the cells after the id."""
    left_out = max(0, len(items) - most) if most is not None else 0
    ids = short_ids(item.notebook.id for item in items)

    def rows() -> Iterator[Row]:
        for item in islice(items, len(items) - left_out):
            yield (cell(ids[item.notebook.id]), *row(item))
        if left_out:
            yield (Text(), Text(f"... and {left_out} more", style="dim"), *(Text() for _ in columns[2:]))

    return make_table(columns, rows)


def _plan_row(plan: Plan, item: Candidate, *, wide: bool) -> Row:
    return (*_facts(plan, item), cell(_why(item, wide=wide), "dim"))


def _facts(plan: Plan, item: Candidate) -> Row:
    """Return the cells from the name to the policy."""
    notebook = item.notebook
    idle = format_age(max(plan.created_at - item.idle_since, timedelta(0))) if item.idle_since else "?"
    volume = notebook.volume
    # A dedicated disk stays, so it does not count in the total either.
    capacity = "-" if volume and volume.is_dedicated else volume.capacity_gb if volume else None
    return (
        cell(notebook.label),
        cell(notebook.owner_label),
        cell(notebook.status),
        cell(idle),
        cell("?" if capacity is None else capacity),
        cell(item.verdict.rule),
    )


def _why(item: Candidate, *, wide: bool) -> str:
    """Return the facts behind a verdict, in few words unless the table may be wide."""
    findings = item.verdict.findings
    facts = "; ".join(map(str, findings)) if wide else ", ".join(finding.brief for finding in findings)
    if not item.verdict.stop_first:
        return facts
    return f"stop, then delete: {facts}" if wide else f"stop first: {facts}"


def _plan_summary(plan: Plan) -> Text:
    capacity_gb = sum(item.notebook.volume.reclaimable_gb or 0 for item in plan.items if item.notebook.volume)
    share = f" ({len(plan.items) / plan.fleet:.0%})" if plan.fleet else ""
    kept = ", ".join(f"{count} {reason}" for reason, count in sorted(plan.kept.items(), key=lambda pair: -pair[1]))
    line = Text.assemble(
        (printable(plan.target), "bold"),
        f": {plan.fleet} notebooks; ",
        (f"{len(plan.items)} to delete{share}, {capacity_gb} GB", "bold red" if plan.items else "bold green"),
        f"; {sum(plan.kept.values())} kept" + (f": {kept}" if kept else ""),
    )
    line.append(".")
    return line


# ---- marks ----------------------------------------------------------------------------------------------------------------

MARK_COLUMNS = (
    Column("ID", leaves=6),
    Column("NOTEBOOK", most=NAME),
    Column("OWNER", most=SHORT_NAME),
    Column("STATUS", leaves=2),
    Column("IDLE", right=True, leaves=1),
    Column("GB", right=True, leaves=3),
    Column("POLICY", most=SHORT_NAME, leaves=5),
    Column("GRACE", right=True, leaves=4),
    Column("DUE IF TOLD NOW"),
    Column("WHY", folds=True),
)


def _window_line(plan: Plan) -> Iterator[Text]:
    """Yield how many notebooks wait for a window, and when the next one opens."""
    if waiting := plan.kept.get(Reason.OUTSIDE_WINDOW, 0):
        opens = f"the next opens {format_moment(plan.opens_at)}" if plan.opens_at else "none opens within a year"
        yield cell(f"  windows: {waiting} would be deleted, and no window is open: {opens}", "yellow")


def _marks_table(plan: Plan, most: int | None, *, wide: bool) -> RenderableType:
    return _table(MARK_COLUMNS, plan.to_mark, most, lambda item: _mark_row(plan, item, wide=wide))


def _mark_row(plan: Plan, item: Candidate, *, wide: bool) -> Row:
    grace = plan.marks.graces[item.verdict.rule]
    due = format_moment(earliest_deadline(grace, plan.created_at))
    return (*_facts(plan, item), cell(describe_length(grace.lasts)), cell(due), cell(_why(item, wide=wide), "dim"))


def _marks_summary(plan: Plan) -> Iterator[Text]:
    """Yield what the sweep does to marks, and how many are open besides; nothing if there are no marks."""
    marks, new = plan.marks, len(plan.to_mark)
    steps = (
        (new, f"{new} to mark, of {describe_owners(plan.to_mark)}"),
        (marks.to_clear, f"{marks.to_clear} {_marks(marks.to_clear)} to clear"),
        (marks.waiting, f"{marks.waiting} more left to a later sweep"),
    )
    if doing := [words for count, words in steps if count]:
        yield cell(f"  marks: {'; '.join(doing)}", "bold yellow" if new else "")
    if marks.totals.open:
        yield cell(f"  marked before: {describe_totals(marks.totals, plan.created_at)}")


def _marks(count: int) -> str:
    return "mark" if count == 1 else "marks"


def describe_told(plan: Plan) -> str:
    """Return who is told of the marks of a plan, in words: the owners, or the channels that its policies name."""
    graces = [(item, plan.marks.graces[item.verdict.rule]) for item in plan.to_mark]
    by_themselves = [item for item, grace in graces if OWNER in grace.tell]
    channels = {place for _, grace in graces for place in grace.tell if place != OWNER}
    return " and ".join([*([describe_owners(by_themselves)] if by_themselves else []), *sorted(channels)])


def describe_owners(items: Sequence[Candidate]) -> str:
    """Return how many owners these notebooks have, in words."""
    count = len({item.notebook.owner_key for item in items})
    return "1 owner" if count == 1 else f"{count} owners"
