"""Counts the open marks when the service starts: the next survey, which counts them again, may be a day away."""

from collections.abc import Iterable

from nbsweep.core.errors import JournalError
from nbsweep.core.events.marks import MarksCounted
from nbsweep.core.judging.rules import Rules
from nbsweep.core.judging.shown_marks import count_marks
from nbsweep.core.marks.model import OPEN
from nbsweep.core.ports import Clock, Journal, Telemetry
from nbsweep.service.mark_rules import read_mark_rules

MOST_MARKS = 20_000
"""Open marks of one target that are counted."""


async def count_marks_at_start(
    journal: Journal, clock: Clock, telemetry: Telemetry, targets: Iterable[str], rules: Rules
) -> None:
    """Emit how many marks of each target are open; if the journal cannot be read, the next survey tells."""
    for target in targets:
        try:
            now, marks = clock.now(), await journal.marks.marks(MOST_MARKS, OPEN, target)
            marks_rules = await read_mark_rules(journal, rules.graces, rules.holdouts, marks, now)
        except JournalError:
            return
        totals = count_marks(marks, marks_rules, now)
        with telemetry.bound(target=target):
            counts = (totals.marked, totals.told, totals.due, totals.untold, totals.held_out, totals.exempt)
            telemetry.emit(MarksCounted(*counts))
