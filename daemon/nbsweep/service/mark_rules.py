"""Reads what decides, beside marks themselves, when the marked notebooks may be deleted."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from nbsweep.core.holdout.model import Holdout
from nbsweep.core.judging.shown_marks import MarkRules, holds_to_read, mark_rules
from nbsweep.core.marks.grace import Grace
from nbsweep.core.marks.model import Mark
from nbsweep.core.ports import Journal


async def read_mark_rules(
    journal: Journal, graces: Mapping[str, Grace], holdouts: Mapping[str, Holdout], marks: Sequence[Mark], now: datetime
) -> MarkRules:
    """Return the rules for these marks; graces and holdouts are by the name of their policy. Raises JournalError."""
    latest = {project: await journal.holds.latest(project, ids) for project, ids in holds_to_read(marks, holdouts).items()}
    exemptions = await journal.exemptions.in_force(now) if marks else ()
    return mark_rules(graces, holdouts, latest, exemptions)
