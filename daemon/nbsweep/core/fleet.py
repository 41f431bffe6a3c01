"""All notebooks of a survey with their verdicts, and when the rules would let each go if nothing else happens."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from nbsweep.core.explain.forecast import goes_at_the_earliest
from nbsweep.core.facts import Moment, idle_since
from nbsweep.core.judging.rules import Rules
from nbsweep.core.judging.shown_marks import show_judged
from nbsweep.core.judging.verdict import Decision, Reason, Verdict, keep
from nbsweep.core.marks.model import Mark
from nbsweep.core.marks.shown import ShownState, due_of
from nbsweep.core.model import MalformedRow, Notebook, Status
from nbsweep.core.planning.plan import Plan
from nbsweep.core.policy import judge
from nbsweep.core.reasons.model import Cause, CauseCode


class FleetRow(Struct, frozen=True):
    """One notebook of the fleet, and its verdict."""

    target: str
    notebook: Notebook | MalformedRow
    verdict: Verdict
    idle_since: datetime | None = None
    goes_at: datetime | None = None
    """From when on the rules let it go at the earliest; None if they never do, or if that was not asked for."""
    mark: Mark | None = None
    """The open mark of this very instance."""
    due_at: datetime | None = None
    """When the mark becomes due; None while its owner has not been told."""

    def state(self, now: datetime) -> ShownState | None:
        """Return the state of the mark; None if there is none."""
        return show_judged(self.mark, self.due_at, self.verdict, now).state if self.mark else None

    @property
    def policy(self) -> str | None:
        """The policy that decided; None if none did."""
        by_reason = self.verdict.rule == self.verdict.reason.value
        return None if by_reason or self.verdict.by_protection else self.verdict.rule


def fleet_rows(plan: Plan, rows: Iterable[Notebook | MalformedRow], rules: Rules, moment: Moment) -> list[FleetRow]:
    """Return all notebooks of a survey with the verdicts of its plan; `rows` are those of the survey that have an id."""
    planned = {item.notebook.id for item in plan.items}
    malformed = [FleetRow(plan.target, row, keep(Reason.MALFORMED, _malformed(row))) for row in plan.malformed]
    return [
        *(_row(plan, planned, row, rules, moment) for row in rows if isinstance(row, Notebook) and _exists(row)),
        *malformed,
    ]


def _exists(notebook: Notebook) -> bool:
    return notebook.status is not Status.DELETED


def _row(plan: Plan, planned: set[str], notebook: Notebook, rules: Rules, moment: Moment) -> FleetRow:
    verdict = plan.cooling.get(notebook.id) or judge(notebook, rules, moment)
    if verdict.decision is Decision.DELETE and notebook.id not in planned:
        verdict = _over_brake(verdict)
    mark = rules.marks.get(notebook.id)
    mark = mark if mark and mark.is_of(notebook) else None
    due = show_judged(mark, due_of(mark, rules.graces), verdict, moment.now).due_at if mark else None
    return FleetRow(plan.target, notebook, verdict, idle_since(notebook, moment), mark=mark, due_at=due)


def _over_brake(verdict: Verdict) -> Verdict:
    cause = Cause(CauseCode.OVER_BRAKE, verdict.rule)
    return replace(verdict, decision=Decision.KEEP, reason=Reason.OVER_BRAKE, cause=cause, stop_first=False)


def _malformed(row: MalformedRow) -> Cause:
    return Cause(CauseCode.MALFORMED, params={"problem": row.problem})


def goes_at(row: FleetRow, rules: Rules, moment: Moment) -> datetime | None:
    """Return from when on the rules let a notebook go at the earliest, if nothing happens; None if they never do."""
    notebook, verdict = row.notebook, row.verdict
    if isinstance(notebook, MalformedRow):
        return None
    if verdict.reason is Reason.COOLING_DOWN:
        return verdict.until
    if verdict.decision is Decision.DELETE or verdict.reason is Reason.OVER_BRAKE:
        return moment.now
    return goes_at_the_earliest(notebook, rules, moment)


# ---- the order of a list --------------------------------------------------------------------------------------------------

LAST = (1, 0.0, "")
"""The place of notebooks that lack the fact."""


def sort_key(row: FleetRow, by: str) -> tuple[int, float, str]:
    """Return the place of a row in a list: the longest idle, the largest, the oldest, or the soonest to go comes first."""
    if by in TEXTS:
        return (0, 0.0, _text(row, by).casefold())
    notebook = row.notebook
    if by == "size":
        size = notebook.volume.capacity_gb if isinstance(notebook, Notebook) and notebook.volume else None
        return LAST if size is None else (0, -size, "")
    created = notebook.created_at if isinstance(notebook, Notebook) else None
    times: Mapping[str, datetime | None] = {"idle": row.idle_since, "created": created, "goes": row.goes_at}
    time = times[by]
    return LAST if time is None else (0, time.timestamp(), "")


TEXTS = ("name", "owner", "status", "policy", "verdict")


def _text(row: FleetRow, by: str) -> str:
    notebook = row.notebook
    texts = {
        "name": notebook.name or notebook.id or "",
        "owner": notebook.owner_label if isinstance(notebook, Notebook) else "",
        "status": notebook.status.value if isinstance(notebook, Notebook) else "",
        "policy": row.policy or "\N{REPLACEMENT CHARACTER}",
        "verdict": row.verdict.decision.value,
    }
    return texts[by]
