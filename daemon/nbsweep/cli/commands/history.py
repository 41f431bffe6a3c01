"""`history`: the latest sweeps."""

from collections.abc import Sequence
from datetime import timedelta

import typer
from msgspec import Struct

from nbsweep.adapters.clock import SystemClock
from nbsweep.adapters.journal import open_journal
from nbsweep.cli.exits import Exit
from nbsweep.cli.session import ReadFormat, Session
from nbsweep.cli.text import printable
from nbsweep.cli.views.past.history import history_view
from nbsweep.core.ports import Journal
from nbsweep.core.runs import RunRecord
from nbsweep.documents.runs import run_documents
from nbsweep.settings.fields.units import parse_duration

LIMIT = 20
"""Sweeps, if no number is given."""


class HistoryOptions(Struct, frozen=True):
    """The options of `history`."""

    limit: int
    since: timedelta | None
    format: ReadFormat


def options_of(limit: int | None, since: str | None, output: ReadFormat, *, chart: bool) -> HistoryOptions:
    """Read the options.

    Raises:
        typer.BadParameter: `since` is no age, or an option means nothing for a chart.
    """
    if chart and output == "json":
        raise typer.BadParameter("it has no chart: leave out either it or --chart", param_hint="--format json")
    if chart and limit is not None:
        raise typer.BadParameter("it counts sweeps, and a chart shows days: use --since 90d", param_hint="--limit")
    try:
        age = None if since is None else parse_duration(since)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--since") from error
    return HistoryOptions(LIMIT if limit is None else limit, age, output)


async def history_command(session: Session, options: HistoryOptions) -> Exit:
    """Show the latest sweeps, and how many notebooks each has deleted."""
    async with open_journal(session.settings.journal) as journal:
        records = await _records(journal, options)
        counts = await journal.run_counts([record.run_id for record in records])
        latest = records[:1] or await journal.runs(1)
    if options.format == "json":
        session.write_json(run_documents(records, counts))
    elif records:
        session.show_result(history_view(records, counts))
    elif latest:
        session.write_result(printable(f"No sweep began since then. {describe(latest[0])}."))
    else:
        session.write_result("The journal has no sweep yet.")
    return Exit.DONE


def describe(latest: RunRecord) -> str:
    """Return which sweep is the latest one, as the beginning of a sentence."""
    return f"The latest sweep, {latest.run_id} of {latest.target}, began at {latest.started_at:%Y-%m-%d %H:%M}Z"


async def _records(journal: Journal, options: HistoryOptions) -> Sequence[RunRecord]:
    records = await journal.runs(options.limit)
    if options.since is None:
        return records
    earliest = SystemClock().now() - options.since
    return [record for record in records if record.started_at >= earliest]
