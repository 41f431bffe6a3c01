"""The fleet as a table: every notebook with its verdict."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from rich.console import Group, RenderableType
from rich.text import Text

from nbsweep.cli.text import printable
from nbsweep.cli.views.results import STYLES, cell, refusal_line
from nbsweep.cli.views.tables import NAME, SHORT_NAME, Column, Row, make_table
from nbsweep.core.facts import format_age, format_moment
from nbsweep.core.fleet import FleetRow
from nbsweep.core.judging.verdict import Decision, Reason
from nbsweep.core.lookup import short_ids
from nbsweep.core.model import MalformedRow
from nbsweep.core.planning.plan import Plan
from nbsweep.core.reasons.model import CauseCode

COLUMNS = (
    Column("ID", leaves=6),
    Column("NOTEBOOK", most=NAME),
    Column("OWNER", most=SHORT_NAME, leaves=5),
    Column("WORKSPACE", most=SHORT_NAME, leaves=1),
    Column("STATUS", leaves=4),
    Column("IDLE", right=True, leaves=3),
    Column("GB", right=True),
    Column("VERDICT"),
    Column("POLICY", most=SHORT_NAME, leaves=2),
    Column("WHY", folds=True),
)
GOES = Column("GOES", right=True)


def fleet_view(plan: Plan, rows: Sequence[FleetRow], *, timed: bool, wide: bool) -> RenderableType:
    """Return the view of one target: its notebooks that pass the filters, and how many there are in all."""
    parts: list[RenderableType] = []
    if rows:
        columns = (*COLUMNS[:-1], GOES, COLUMNS[-1]) if timed else COLUMNS
        ids = short_ids(row.notebook.id or "" for row in rows)
        parts.append(make_table(columns, lambda: (_row(row, ids, plan.created_at, timed=timed, wide=wide) for row in rows)))
    deleted = sum(row.verdict.decision is Decision.DELETE for row in rows)
    parts.append(
        Text.assemble(
            (printable(plan.target), "bold"),
            f": {len(rows)} of {plan.fleet} notebooks listed; {deleted} to delete, {len(rows) - deleted} kept.",
        )
    )
    parts += [cell(f"  not looked at: {gap}", "bold yellow") for gap in plan.refused]
    parts += map(refusal_line, plan.refusals)
    return Group(*parts)


def _row(row: FleetRow, ids: Mapping[str, str], now: datetime, *, timed: bool, wide: bool) -> Row:
    notebook, verdict = row.notebook, row.verdict
    if isinstance(notebook, MalformedRow):
        owner = workspace = status = size = "?"
    else:
        capacity = notebook.volume.capacity_gb if notebook.volume else None
        owner, workspace, status = notebook.owner_label, notebook.workspace_id or "?", notebook.status.value
        size = "?" if capacity is None else str(capacity)
    goes = (cell(_when(row.goes_at, now)),) if timed else ()
    return (
        cell(ids[notebook.id or ""] or "?"),
        cell(notebook.name or notebook.id or "?"),
        cell(owner),
        cell(workspace),
        cell(status),
        cell(format_age(max(now - row.idle_since, timedelta(0))) if row.idle_since else "?"),
        cell(size),
        cell(verdict.decision, STYLES[verdict.decision]),
        cell(row.policy or ""),
        *goes,
        cell(verdict.sentence if wide else _brief(row), "dim"),
    )


def _when(moment: datetime | None, now: datetime) -> str:
    if moment is None:
        return ""
    return "now" if moment <= now else f"in {format_age(moment - now)}"


PLAIN: Mapping[Reason, str] = {
    Reason.OVER_BRAKE: "cut by a brake",
    Reason.RUNNING: "it runs",
    Reason.POLICY_NOT_CHOSEN: "the policy was not chosen",
}
UNANNOUNCED: Mapping[CauseCode, str] = {
    CauseCode.UNANNOUNCED: "not announced yet",
    CauseCode.CHANGED_SINCE_MARK: "not announced: {change} since it was marked",
    CauseCode.MARKED: "marked, not told yet",
    CauseCode.UNTOLD: "marked, cannot be told: {untold}",
    CauseCode.TOLD_LATER: "marked, not told yet: {untold}",
    CauseCode.NOTICE_STALE: "announced too long ago, and to be told again",
    CauseCode.CLOCK_NOT_VERIFIED: "announced; the grace begins at the next survey",
}
"""Why the grace of a notebook has not begun."""


def _brief(row: FleetRow) -> str:
    """Return the reason of a verdict in few words; the table has the policy already."""
    verdict = row.verdict
    until, params = format_moment(verdict.until) if verdict.until else "?", verdict.cause.params
    match verdict.reason:
        case Reason.POLICY:
            facts = ", ".join(finding.brief for finding in verdict.findings)
            return f"stop first: {facts}" if verdict.stop_first else facts
        case Reason.PROTECTED:
            return f"protected by {verdict.rule}"
        case Reason.EXEMPT:
            return f"exempt until {until}: {params['granted_for']}"
        case Reason.TOLD | Reason.HELD_OUT:
            return f"held out until {until}" if verdict.reason is Reason.HELD_OUT else f"announced, due {until}"
        case Reason.MARKED | Reason.UNANNOUNCED:
            return UNANNOUNCED[verdict.cause.code].format_map(params)
        case reason:
            return PLAIN.get(reason, verdict.sentence)
