"""`marks`: the notebooks whose deletion is announced, read from the journal."""

from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct

from nbsweep.adapters.clock import SystemClock
from nbsweep.adapters.journal import open_journal
from nbsweep.cli.exits import Exit
from nbsweep.cli.session import ReadFormat, Session
from nbsweep.cli.views.marks import marks_view
from nbsweep.core.marks.grace import Grace
from nbsweep.core.marks.model import OPEN, Mark, MarkState
from nbsweep.core.marks.shown import ShownState, due_of, shown_state
from nbsweep.documents.people.marks import mark_documents
from nbsweep.settings import Settings


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


def graces_of(settings: Settings) -> Mapping[str, Grace]:
    """Return the grace of each policy that has one."""
    return {policy.name: policy.grace for policy in settings.rules.policies if policy.grace}


async def marks_command(session: Session, options: MarksOptions) -> Exit:
    """Show the marks, the newest first, and by name those of one sweep."""
    now, graces = SystemClock().now(), graces_of(session.settings)
    async with open_journal(session.settings.journal) as journal:
        found = await journal.marks.marks(options.limit, _stored(options), options.target, options.owner)
    by_name = sorted((mark for mark in found if _is_wanted(mark, options, graces, now)), key=lambda mark: mark.name)
    marks = sorted(by_name, key=lambda mark: mark.marked_at, reverse=True)
    if options.format == "json":
        session.write_json(mark_documents(marks, graces, now))
    elif marks:
        session.show_result(marks_view(marks, graces, now, wide=options.wide))
    else:
        session.write_result(_nothing(options, graces))
    return Exit.DONE


def _stored(options: MarksOptions) -> frozenset[MarkState]:
    """Return the stored states of the states to list: a due mark is stored as told."""
    if not options.states:
        return OPEN
    return frozenset(MarkState.TOLD if state is ShownState.DUE else MarkState(state.upper()) for state in options.states)


def _is_wanted(mark: Mark, options: MarksOptions, graces: Mapping[str, Grace], now: datetime) -> bool:
    if options.untold and not (mark.open and mark.untold):
        return False
    return not options.states or shown_state(mark, due_of(mark, graces), now) in options.states


def _nothing(options: MarksOptions, graces: Mapping[str, Grace]) -> str:
    if options.states or options.owner or options.target or options.untold:
        return "No mark fits."
    if not graces:
        return "No notebook is marked: no policy has a grace, so that deletions are not announced."
    return "No notebook is marked."
