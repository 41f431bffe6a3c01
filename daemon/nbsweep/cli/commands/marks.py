"""`marks`: the notebooks whose deletion is announced, read from the journal."""

from datetime import datetime

from msgspec import Struct

from nbsweep.adapters.clock import SystemClock
from nbsweep.adapters.journal import open_journal
from nbsweep.cli.exits import Exit
from nbsweep.cli.session import ReadFormat, Session
from nbsweep.cli.views.marks import marks_view
from nbsweep.core.judging.shown_marks import MarkRules, show_mark
from nbsweep.core.marks.model import OPEN, Mark, MarkState
from nbsweep.core.marks.shown import ShownState, stored_states
from nbsweep.documents.people.marks import mark_documents
from nbsweep.service.mark_rules import read_mark_rules


class MarksOptions(Struct, frozen=True):
    """The options of `marks`."""

    format: ReadFormat = "table"
    states: tuple[ShownState, ...] = ()
    """The states to list; without any, those of open marks."""
    owner: str | None = None
    target: str | None = None
    untold: bool = False
    """Whether only marks are listed whose owners could not be told."""
    limit: int = 1000
    wide: bool = False


async def marks_command(session: Session, options: MarksOptions) -> Exit:
    """Show the marks, the newest first, and by name those of one sweep."""
    now, configured = SystemClock().now(), session.settings.rules
    async with open_journal(session.settings.journal) as journal:
        found = await journal.marks.marks(options.limit, _stored(options), options.target, options.owner)
        rules = await read_mark_rules(journal, configured.graces, configured.holdouts, found, now)
    by_name = sorted((mark for mark in found if _is_wanted(mark, options, rules, now)), key=lambda mark: mark.name)
    marks = sorted(by_name, key=lambda mark: mark.marked_at, reverse=True)
    if options.format == "json":
        session.write_json(mark_documents(marks, rules, now))
    elif marks:
        session.show_result(marks_view(marks, rules, now, wide=options.wide))
    else:
        session.write_result(_nothing(options, rules))
    return Exit.DONE


def _stored(options: MarksOptions) -> frozenset[MarkState]:
    """Return the stored states of the states to list."""
    return frozenset().union(*map(stored_states, options.states)) if options.states else OPEN


def _is_wanted(mark: Mark, options: MarksOptions, rules: MarkRules, now: datetime) -> bool:
    if options.untold and not (mark.open and mark.untold):
        return False
    return not options.states or show_mark(mark, rules, now).state in options.states


def _nothing(options: MarksOptions, rules: MarkRules) -> str:
    if options.states or options.owner or options.target or options.untold:
        return "No mark fits."
    if not rules.graces:
        return "No notebook is marked: no policy has a grace, so that deletions are not announced."
    return "No notebook is marked."
