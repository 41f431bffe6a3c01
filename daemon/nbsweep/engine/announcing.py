"""Writes the marks that a survey makes, confirms and clears, together with what their owners are to be told."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from msgspec.structs import replace

from nbsweep.core.errors import MarksChanged
from nbsweep.core.events.marks import MarkCleared, MarkMade, MarksMade, MarksRefused
from nbsweep.core.explain.remedies import remedies
from nbsweep.core.facts import Moment
from nbsweep.core.judging.rules import Rules
from nbsweep.core.lifecycle import Removal, State
from nbsweep.core.marks.model import Mark, MarkState, remove, take_over_promise
from nbsweep.core.marks.shown import MarksWritten
from nbsweep.core.notices.outbox import MARK_CLEARED, NOTEBOOK_DELETED, Item, ItemKind, ending_items, item_id
from nbsweep.core.planning.marking import Marking, MarkLimits, SurveyedMarks, mark_survey, outlook
from nbsweep.core.planning.plan import Candidate
from nbsweep.core.ports import Ports
from nbsweep.core.reasons.actions import encode_action
from nbsweep.core.reasons.keeping import encode_cause

ATTEMPTS = 5
"""How often marks are read again because another process has written one of them."""


async def surveyed_marks(seen: SurveyedMarks, ports: Ports) -> SurveyedMarks:
    """Add the runs that deleted marked notebooks which the survey no longer shows."""
    missing = [mark for mark in seen.rules.marks.values() if mark.notebook_id not in seen.rows and seen.shows(mark)]
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


async def write_marks(seen: SurveyedMarks, limits: MarkLimits, ports: Ports) -> MarksWritten:
    """Bring the marks of a target up to date after a survey, together with what their owners are to be told.

    If another process has written one of the marks meanwhile, such as a relay that has told an owner, all are read again.

    Raises:
        JournalError: they cannot be read or written.
        MarksChanged: other processes write them all the time.
    """
    ended = cleared = 0
    for attempt in range(ATTEMPTS):
        marking = await _worked_out(seen, limits, ports)
        try:
            await _write_ended(marking, seen.moment.now, ports)
            ended += len(marking.ended)
            cleared += sum(mark.cleared is not None for mark in marking.ended)
            await _write_open(marking, seen.moment.now, ports)
        except MarksChanged:
            if attempt + 1 == ATTEMPTS:
                raise
            marks = await ports.journal.marks.open_marks(seen.identity.project)
            seen = replace(seen, rules=replace(seen.rules, marks={mark.notebook_id: mark for mark in marks}))
        else:
            _emit_summary(marking, seen, ended, ports)
            return MarksWritten(len(marking.new), cleared)
    raise AssertionError("the last attempt raises")


async def _worked_out(seen: SurveyedMarks, limits: MarkLimits, ports: Ports) -> Marking:
    """Return what is to be written, the new marks with the deadlines that their owners have already."""
    marking = _with_remedies(mark_survey(seen, limits), seen)
    new = [take_over_promise(mark, await ports.journal.marks.marks_of(mark.notebook_id)) for mark in marking.new]
    return _with_new(marking, new)


async def _write_ended(marking: Marking, now: datetime, ports: Ports) -> None:
    if marking.ended:
        await ports.journal.marks.write(marking.ended, list(items_of_ended(marking, now)), dropped=MARK_CLEARED)
    for mark in marking.ended:
        if mark.cleared:
            told = mark.id in marking.told_before
            ports.telemetry.emit(MarkCleared(mark.notebook_id, mark.policy, mark.cleared, told))


async def _write_open(marking: Marking, now: datetime, ports: Ports) -> None:
    announced = list(items_to_announce(marking, now))
    open_marks = (*marking.new, *marking.kept)
    if open_marks or announced:
        await ports.journal.marks.write(open_marks, announced)
    for mark in marking.new:
        ports.telemetry.emit(MarkMade(mark.notebook_id, mark.policy, mark.reason))


def _emit_summary(marking: Marking, seen: SurveyedMarks, ended: int, ports: Ports) -> None:
    for refusal in marking.refusals:
        ports.telemetry.emit(MarksRefused(refusal.brake, refusal.message))
    before, new = sum(map(seen.shows, seen.rules.marks.values())), len(marking.new)
    if new or ended or before or marking.waiting:
        still_open = before + new - len(marking.ended)
        totals = outlook(seen, marking).totals
        counts = (totals.told, totals.due, totals.untold, totals.held_out, totals.exempt)
        ports.telemetry.emit(MarksMade(new, ended, still_open, marking.waiting, *counts))


def items_to_announce(marking: Marking, now: datetime) -> Iterator[Item]:
    """Yield an item for each place where a mark is to be announced; a renewed notice has an id of its own."""
    for mark in marking.to_announce:
        occasion = str(mark.notices) if mark.notices else ""
        for place in mark.tell:
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
    return _with_new(marking, [_with_help(mark, candidates[mark.notebook_id], rules, seen.moment) for mark in marking.new])


def _with_new(marking: Marking, new: Sequence[Mark]) -> Marking:
    """Replace the new marks, also among those that are to be announced."""
    by_id = {mark.id: mark for mark in new}
    announced = tuple(by_id.get(mark.id, mark) for mark in marking.to_announce)
    return replace(marking, new=tuple(new), to_announce=announced)


def _with_help(mark: Mark, candidate: Candidate, rules: Rules, moment: Moment) -> Mark:
    actions = tuple(encode_action(remedy.action) for remedy in remedies(candidate.notebook, rules, moment))
    return replace(mark, remedies=actions, cause=encode_cause(candidate.verdict.cause))


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
            await ports.journal.marks.write([ended], list(ending_items(ended, now)), dropped=NOTEBOOK_DELETED)
        except MarksChanged:
            continue
