"""`list`: every notebook with its verdict, without a request that changes anything."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Literal

import typer
from msgspec import Struct
from msgspec.structs import replace

from nbsweep.bootstrap.sweeps import open_all
from nbsweep.cli.choice import EVERYTHING, Choice, chosen_sweepers, on_each, require_known
from nbsweep.cli.exits import Exit, exit_of_error, worst
from nbsweep.cli.session import Session, report_error
from nbsweep.cli.text import csv_pieces
from nbsweep.cli.views.fleet import fleet_view
from nbsweep.core.errors import NbsweepError
from nbsweep.core.fleet import FleetRow, fleet_rows, goes_at, sort_key
from nbsweep.core.matching.globs import Glob
from nbsweep.core.model import Notebook, Status
from nbsweep.core.planning.plan import Plan
from nbsweep.documents.fleet import FleetNotebookDocument, fleet_document, notebook_document
from nbsweep.engine.sweep import Sweeper
from nbsweep.settings.fields.units import parse_duration

SortKey = Literal["idle", "size", "name", "owner", "status", "policy", "verdict", "created", "goes"]
CSV_COLUMNS = (
    "target", "id", "name", "status", "owner", "workspace", "verdict", "because", "policy", "reason", "feature", "flavor",
    "capacity_gb", "created_at", "idle_since", "mark", "marked_at", "due_at", "exempt_until",
)  # fmt: skip


class Filters(Struct, frozen=True):
    """The notebooks that are listed; each filter lets everything pass unless it is set."""

    owners: tuple[Glob, ...] = ()
    statuses: frozenset[str] = frozenset()
    policies: frozenset[str] = frozenset()
    verdict: str | None = None
    states: frozenset[str] = frozenset()
    """The states of marks."""
    within: timedelta | None = None
    """Only notebooks that the rules would delete by then, if nothing changes."""

    def let_pass(self, row: FleetRow, plan: Plan) -> bool:
        """Return whether a notebook is listed."""
        notebook = row.notebook if isinstance(row.notebook, Notebook) else None
        owner = (notebook.owner.name, notebook.owner.id) if notebook else ()
        return (
            (not self.owners or any(glob.matches(text) for glob in self.owners for text in owner if text))
            and (not self.statuses or (notebook is not None and notebook.status.value in self.statuses))
            and (not self.policies or row.policy in self.policies)
            and (not self.states or row.state(plan.created_at) in self.states)
            and self.verdict in (None, row.verdict.decision)
            and (self.within is None or (row.goes_at is not None and row.goes_at <= plan.created_at + self.within))
        )


def filters_of(
    owners: Sequence[str] | None,
    statuses: Sequence[str] | None,
    states: Sequence[str] | None,
    verdict: str | None,
    within: str | None,
    choice: Choice,
) -> Filters:
    """Read the options; refuse a status that does not exist, and a time that cannot be read."""
    upper = [status.upper() for status in statuses or ()]
    require_known("--status", "status", upper, (status.value for status in Status))
    try:
        time = None if within is None else parse_duration(within)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--within") from None
    return Filters(_globs(owners or ()), frozenset(upper), frozenset(choice.policies), verdict, frozenset(states or ()), time)


def _globs(owners: Sequence[str]) -> tuple[Glob, ...]:
    try:
        return tuple(Glob(owner, ignore_case=True) for owner in owners)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--owner") from None


class ListOptions(Struct, frozen=True):
    """The options of `list`."""

    format: Literal["table", "json", "csv"] = "table"
    sort: SortKey | None = None
    """None for the longest idle first, or for the soonest to go first if `--within` is given."""
    filters: Filters = Filters()
    choice: Choice = EVERYTHING


async def list_command(session: Session, options: ListOptions) -> Exit:
    """Survey every target, and show every notebook that passes the filters."""

    async def look(sweeper: Sweeper) -> tuple[Plan, list[FleetRow]]:
        return await _look(sweeper, options)

    async with open_all(session.settings, session.environment, session.telemetry, session.shutdown) as opened:
        with session.drawing(stays=False):
            looked, errors = await on_each(session, await chosen_sweepers(session, opened, options.choice), look)
        now = opened.clock.now()
    if session.shutdown.begun.is_set():
        return Exit.INTERRUPTED
    for target, error in errors.items():
        report_error(error, target)
    _show(session, tuple(looked.values()), errors, options, now)
    return worst([*map(exit_of_error, errors.values()), *(_exit_of(plan) for plan, _ in looked.values())])


async def _look(sweeper: Sweeper, options: ListOptions) -> tuple[Plan, list[FleetRow]]:
    plan, surveyor = await sweeper.plan_rows()
    rows = fleet_rows(plan, surveyor.rows_by_id.values(), surveyor.rules, surveyor.moment)
    if options.filters.within is not None or options.sort == "goes":
        rows = [replace(row, goes_at=goes_at(row, surveyor.rules, surveyor.moment)) for row in rows]
    by = options.sort or ("idle" if options.filters.within is None else "goes")
    listed = [row for row in rows if options.filters.let_pass(row, plan)]
    return plan, sorted(listed, key=lambda row: (sort_key(row, by), sort_key(row, "idle"), sort_key(row, "name")))


def _show(
    session: Session,
    looked: Sequence[tuple[Plan, list[FleetRow]]],
    errors: Mapping[str, NbsweepError],
    options: ListOptions,
    now: datetime,
) -> None:
    timed = options.filters.within is not None or options.sort == "goes"
    rows = [row for _, listed in looked for row in listed]
    if options.format == "json":
        plans, problems = [plan for plan, _ in looked], {target: str(error) for target, error in errors.items()}
        session.write_json(fleet_document(now, plans, rows, problems, timed=timed))
    elif options.format == "csv":
        columns = (*CSV_COLUMNS, "goes_at") if timed else CSV_COLUMNS
        documents: list[FleetNotebookDocument] = [notebook_document(row, now, timed=timed) for row in rows]
        session.write_pieces(csv_pieces(documents, columns))
    else:
        for plan, listed in looked:
            session.show_result(fleet_view(plan, listed, timed=timed, wide=session.screen.wide))


def _exit_of(plan: Plan) -> Exit:
    """Return the exit code of a list. A brake does not change it, unless notebooks could not be listed."""
    if any(refusal.brake == "incomplete-survey" for refusal in plan.refusals):
        return Exit.REFUSED
    return Exit.SOME_FAILED if plan.unseen else Exit.DONE
