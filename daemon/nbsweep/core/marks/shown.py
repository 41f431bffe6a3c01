"""Marks as people see them: a told mark whose deadline has passed is due."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from nbsweep.core.marks.grace import Grace
from nbsweep.core.marks.model import OPEN, Mark, MarkState, due_at


class ShownState(StrEnum):
    """The state of a mark as people see it."""

    MARKED = "marked"
    TOLD = "told"
    DUE = "due"
    HELD_OUT = "held-out"
    """Its deadline has passed, and the holdout of its policy keeps it."""
    EXEMPT = "exempt"
    """It was exempted, and the next sweep clears the mark."""
    REMOVED = "removed"
    CLEARED = "cleared"


def shown_state(mark: Mark, due: datetime | None, now: datetime) -> ShownState:
    """Return the state of a mark at a moment, without regard to a holdout and to exemptions."""
    if mark.state is MarkState.TOLD and due is not None and due <= now:
        return ShownState.DUE
    return ShownState(mark.state.value.lower())


def stored_states(state: ShownState) -> frozenset[MarkState]:
    """Return the stored states of a shown one: marks that are due or held out are stored as told, and exempt ones as open."""
    if state is ShownState.EXEMPT:
        return OPEN
    return frozenset({MarkState.TOLD if state in (ShownState.DUE, ShownState.HELD_OUT) else MarkState(state.upper())})


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
    held_out: int = 0
    """Their deadline has passed, and the holdout of their policy keeps them."""
    exempt: int = 0
    """Their notebooks were exempted, and the next sweep clears them."""

    @property
    def open(self) -> int:
        """The number of open marks."""
        return self.marked + self.told + self.due + self.held_out + self.exempt


class MarksWritten(Struct, frozen=True):
    """What a sweep has done to marks."""

    made: int = 0
    cleared: int = 0
