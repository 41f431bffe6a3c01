"""Writes the marks that a survey makes, confirms and clears, together with what their owners are to be told."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from msgspec.structs import replace

from nbsweep.core.errors import MarksChanged
from nbsweep.core.events.marks import MarkCleared, MarkMade, MarksMade, MarksRefused
from nbsweep.core.explain.remedies import remedies
from nbsweep.core.facts import Moment
from nbsweep.core.judging.rules import Rules
from nbsweep.core.lifecycle import Removal, State
from nbsweep.core.marks.model import Mark, MarkState, remove
from nbsweep.core.notices.outbox import Item, ItemKind, ending_items, item_id
from nbsweep.core.planning.marking import Marking, MarkLimits, SurveyedMarks, mark_survey
from nbsweep.core.planning.plan import Candidate
from nbsweep.core.ports import Ports
from nbsweep.core.reasons.keeping import encode_cause

ATTEMPTS = 5
"""How often marks are read again because another process has written one of them."""
CLEARED = "its mark was cleared"


async def surveyed_marks(seen: SurveyedMarks, ports: Ports) -> SurveyedMarks:
    """Add the runs that deleted marked notebooks which the survey no longer shows."""
    missing = [mark for mark in seen.rules.marks.values() if mark.notebook_id not in seen.rows]
    deleted = {mark.notebook_id: run_id for mark in missing if (run_id := await _deleted_by(mark, ports))}
    return replace(seen, deleted=deleted)


async def _deleted_by(mark: Mark, ports: Ports) -> str:
    """Return the run that deleted the notebook of a mark; empty if the journal knows none."""
    removals = await ports.journal.removals_of(mark.notebook_id)
    return next(
        (
            removal.run_id
            for removal in removals
            if removal.state is State.DELETED and removal.project == mark.project and removal.planned_at >= mark.marked_at
        ),
        "",
    )


async def write_marks(seen: SurveyedMarks, limits: MarkLimits, ports: Ports) -> Marking:
    """Bring the marks of a target up to date after a survey, together with what their owners are to be told.

    If another process has written one of the marks meanwhile, such as a relay that has told an owner, all are read again.

    Raises:
        JournalError: they cannot be read or written.
    """
    for attempt in range(ATTEMPTS):
        marking = _with_remedies(mark_survey(seen, limits), seen)
        try:
            await _write(marking, seen.moment.now, ports)
        except MarksChanged:
            if attempt + 1 == ATTEMPTS:
                raise
            marks = await ports.journal.marks.open_marks(seen.identity.project)
            seen = replace(seen, rules=replace(seen.rules, marks={mark.notebook_id: mark for mark in marks}))
        else:
            _emit(marking, len(seen.rules.marks), ports)
            return marking
    raise AssertionError("the last attempt raises")


async def _write(marking: Marking, now: datetime, ports: Ports) -> None:
    announced = list(items_to_announce(marking, now))
    open_marks = (*marking.new, *marking.kept)
    if open_marks or announced:
        await ports.journal.marks.write(open_marks, announced)
    if marking.ended:
        await ports.journal.marks.write(marking.ended, list(items_of_ended(marking, now)), dropped=CLEARED)


def items_to_announce(marking: Marking, now: datetime) -> Iterator[Item]:
    """Yield an item for each place where a mark is to be announced; a renewed notice has an id of its own."""
    for announcement in marking.to_announce:
        mark = announcement.mark
        occasion = str(mark.notices) if mark.notices else ""
        for place in announcement.grace.tell:
            yield Item(item_id(ItemKind.ANNOUNCE, mark.id, place, occasion), ItemKind.ANNOUNCE, mark.id, place, now)


def items_of_ended(marking: Marking, now: datetime) -> Iterator[Item]:
    """Yield the items that tell owners, who had been told of a deletion, that it took place or will not."""
    for mark in marking.ended:
        removed = mark.state is MarkState.REMOVED
        if mark.id in marking.told_before and (removed or mark.id not in marking.again):
            yield from ending_items(mark, now)


def _with_remedies(marking: Marking, seen: SurveyedMarks) -> Marking:
    """Add to each new mark its cause for other languages, and what its owner can do to keep the notebook."""
    candidates = {candidate.notebook.id: candidate for candidate in seen.survey.awaiting}
    rules = seen.rules.unannounced
    new = {mark.id: _with_help(mark, candidates[mark.notebook_id], rules, seen.moment) for mark in marking.new}
    announced = tuple(replace(each, mark=new.get(each.mark.id, each.mark)) for each in marking.to_announce)
    return replace(marking, new=tuple(new.values()), to_announce=announced)


def _with_help(mark: Mark, candidate: Candidate, rules: Rules, moment: Moment) -> Mark:
    words = tuple(remedy.words for remedy in remedies(candidate.notebook, rules, moment))
    return replace(mark, remedies=words, cause=encode_cause(candidate.verdict.cause))


async def write_removed(marks: Mapping[str, Mark], removals: Iterable[Removal], ports: Ports) -> None:
    """End the marks of notebooks that a sweep has deleted; their owners get a summary.

    A mark that another process has written meanwhile is left to the next survey.
    """
    now = ports.clock.now()
    for removal in removals:
        mark = marks.get(removal.notebook_id)
        if removal.state is not State.DELETED or mark is None or mark.state is not MarkState.TOLD:
            continue
        ended = remove(mark, now, removal.run_id)
        try:
            await ports.journal.marks.write([ended], list(ending_items(ended, now)), dropped="the notebook was deleted")
        except MarksChanged:
            continue


def _emit(marking: Marking, before: int, ports: Ports) -> None:
    emit = ports.telemetry.emit
    for mark in marking.new:
        emit(MarkMade(mark.notebook_id, mark.policy, mark.reason))
    for mark in marking.ended:
        if mark.cleared:
            emit(MarkCleared(mark.notebook_id, mark.policy, mark.cleared, mark.id in marking.told_before))
    for refusal in marking.refusals:
        emit(MarksRefused(refusal.brake, refusal.message))
    if marking.new or marking.ended or before or marking.waiting:
        still_open = before + len(marking.new) - len(marking.ended)
        emit(MarksMade(len(marking.new), len(marking.ended), still_open, marking.waiting))
