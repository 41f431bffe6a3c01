"""Counts the open marks when the service starts: the next survey, which counts them again, may be a day away."""

from collections.abc import Iterable, Mapping

from nbsweep.core.errors import JournalError
from nbsweep.core.events.marks import MarksCounted
from nbsweep.core.marks.grace import Grace
from nbsweep.core.marks.model import OPEN
from nbsweep.core.marks.shown import count_marks
from nbsweep.core.ports import Clock, Journal, Telemetry

MOST_MARKS = 20_000
"""Open marks of one target that are counted."""


async def count_marks_at_start(
    journal: Journal, clock: Clock, telemetry: Telemetry, targets: Iterable[str], graces: Mapping[str, Grace]
) -> None:
    """Emit how many marks of each target are open; if the journal cannot be read, the next survey tells."""
    for target in targets:
        try:
            marks = await journal.marks.marks(MOST_MARKS, OPEN, target)
        except JournalError:
            return
        totals = count_marks(marks, graces, clock.now())
        with telemetry.bound(target=target):
            telemetry.emit(MarksCounted(totals.marked, totals.told, totals.due, totals.untold))
