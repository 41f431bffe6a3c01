"""Marks as people see them: a told mark whose deadline has passed is due."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from nbsweep.core.marks.grace import Grace
from nbsweep.core.marks.model import Mark, MarkState, due_at


class ShownState(StrEnum):
    """The state of a mark as people see it."""

    MARKED = "marked"
    TOLD = "told"
    DUE = "due"
    HELD_OUT = "held-out"
    """Its deadline has passed, and the holdout of its policy keeps it."""
    REMOVED = "removed"
    CLEARED = "cleared"


def shown_state(mark: Mark, due: datetime | None, now: datetime) -> ShownState:
    """Return the state of a mark at a moment, without regard to a holdout."""
    if mark.state is MarkState.TOLD and due is not None and due <= now:
        return ShownState.DUE
    return ShownState(mark.state.value.lower())


def stored_state(state: ShownState) -> MarkState:
    """Return the stored state of a shown one: marks that are due or held out are stored as told."""
    return MarkState.TOLD if state in (ShownState.DUE, ShownState.HELD_OUT) else MarkState(state.upper())


def due_of(mark: Mark, graces: Mapping[str, Grace]) -> datetime | None:
    """Return when a mark becomes due by the present configuration; None while its owner has not been told."""
    grace = graces.get(mark.policy)
    return due_at(mark, grace) if grace else mark.deadline


class MarkTotals(Struct, frozen=True):
    """How many open marks are in each state."""

    marked: int = 0
    """Nobody has been told yet."""
    told: int = 0
    due: int = 0
    untold: int = 0
    """Those of the marked whose owners could not be told."""
    next_due: datetime | None = None
    """When the next of the told marks becomes due; None if none does."""
    retried: int = 0
    """Those of the untold for whom another attempt follows by itself."""

    @property
    def open(self) -> int:
        """The number of open marks."""
        return self.marked + self.told + self.due


class MarksWritten(Struct, frozen=True):
    """What a sweep has done to marks."""

    made: int = 0
    cleared: int = 0


def count_marks(marks: Iterable[Mark], graces: Mapping[str, Grace], now: datetime) -> MarkTotals:
    """Count open marks by their states."""
    open_marks = [(mark, due_of(mark, graces)) for mark in marks if mark.open]
    counts = Counter(shown_state(mark, due, now) for mark, due in open_marks)
    to_come = [due for mark, due in open_marks if due and due > now and mark.state is MarkState.TOLD]
    untold = [mark for mark, _ in open_marks if mark.state is MarkState.MARKED and mark.untold]
    return MarkTotals(
        marked=counts[ShownState.MARKED],
        told=counts[ShownState.TOLD],
        due=counts[ShownState.DUE],
        untold=len(untold),
        next_due=min(to_come, default=None),
        retried=sum(mark.retried for mark in untold),
    )
