"""What is asked of the marks for people: one page of them, and how many each owner has."""

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from nbsweep.core.marks.model import OPEN, Mark, MarkState


class MarkQuery(Struct, frozen=True):
    """Selects marks; all that is given must match."""

    states: frozenset[MarkState] = OPEN
    target: str | None = None
    owner: str | None = None
    """An id or a name, without regard to case."""
    untold: bool = False
    """Only marks whose last attempt to tell the owner failed."""
    deadline_until: datetime | None = None
    """Only marks with a deadline up to this moment."""


class MarkPage(Struct, frozen=True):
    """One page of marks, by the names of their owners, the earliest deadline first."""

    marks: tuple[Mark, ...]
    total: int
    """How many marks match."""


class OwnerMarks(Struct, frozen=True):
    """How many open marks an owner has."""

    owner_id: str
    owner_name: str
    marked: int
    """Nobody has been told yet."""
    told: int
    """Those whose deadline has passed included."""
    untold: int
    """Those of the marked whose last attempt to tell the owner failed."""
    passed: int
    """Those of the told whose deadline has passed."""
    next_deadline: datetime | None
    """The earliest deadline of the told that is still to come; None if there is none."""

    @property
    def count(self) -> int:
        """The number of open marks."""
        return self.marked + self.told


class TargetMarkCounts(Struct, frozen=True):
    """How many open marks a target has."""

    target: str
    open: int = 0
    passed: int = 0
    """Those of the told whose deadline has passed."""
    next_deadline: datetime | None = None
    """The earliest deadline of the told that is still to come; None if there is none."""


def count_by_owner(marks: Sequence[Mark], now: datetime) -> tuple[OwnerMarks, ...]:
    """Return the counts of the open marks of each owner, the most marks first."""
    owners: dict[tuple[str, str], list[Mark]] = {}
    for mark in marks:
        if mark.open:
            owners.setdefault((mark.owner_id, mark.owner_name), []).append(mark)
    return tuple(sorted((_counted(*owner, found, now) for owner, found in owners.items()), key=most_first))


def most_first(owner: OwnerMarks) -> tuple[int, str, str]:
    """Return the key that sorts owners: the most marks first."""
    return -owner.count, owner.owner_name, owner.owner_id


def _counted(owner_id: str, owner_name: str, marks: Sequence[Mark], now: datetime) -> OwnerMarks:
    told = [mark for mark in marks if mark.state is MarkState.TOLD]
    deadlines = [mark.deadline for mark in told if mark.deadline]
    return OwnerMarks(
        owner_id,
        owner_name,
        marked=len(marks) - len(told),
        told=len(told),
        untold=sum(mark.state is MarkState.MARKED and bool(mark.untold) for mark in marks),
        passed=sum(deadline <= now for deadline in deadlines),
        next_deadline=min((each for each in deadlines if each > now), default=None),
    )
