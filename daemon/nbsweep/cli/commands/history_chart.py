"""`history --chart`: the removals of each day, by how they ended."""

from datetime import timedelta

from nbsweep.adapters.clock import SystemClock
from nbsweep.adapters.journal import open_journal
from nbsweep.cli.commands.history import describe
from nbsweep.cli.exits import Exit
from nbsweep.cli.session import Session
from nbsweep.cli.text import printable
from nbsweep.cli.views.past.history_chart import history_chart
from nbsweep.core.runs import RunRecord
from nbsweep.core.statistics.periods import Span, count_by_period, span_of

USUAL = timedelta(days=30)
"""The age of the oldest removals in the chart, if none is given."""


async def history_chart_command(session: Session, since: timedelta | None) -> Exit:
    """Draw the removals of each day, week or month, whichever the time fits."""
    span = span_of(since or USUAL, SystemClock().now(), session.settings.calendar.zone)
    async with open_journal(session.settings.journal) as journal:
        counts = await journal.statistics.ends(span.since, span.until)
        latest = next(iter(await journal.runs(1)), None)
    if counts:
        session.show_result(history_chart(count_by_period(counts, span), span))
    else:
        session.write_result(printable(_why_nothing(span, latest)))
    return Exit.DONE


def _why_nothing(span: Span, latest: RunRecord | None) -> str:
    """Return why there is nothing to draw, and what to do."""
    if latest is None:
        return (
            "The journal has no sweep yet, so that there is nothing to draw. `nbsweep run --dry-run` shows what one would do."
        )
    none = f"No removal ended from {span.first} to {span.last} ({span.zone.key}). {describe(latest)}"
    if latest.started_at < span.since:
        return f"{none}. Draw a longer time with --since, such as --since 365d."
    if latest.dry_run:
        return f"{none}, and was a dry run, which deletes nothing. `nbsweep show last` shows it."
    return f"{none}. `nbsweep show last` shows what it did, and `nbsweep list` why each notebook is kept."
