"""The grace of a policy: the time between notice and deletion, and who is told."""

from datetime import datetime, timedelta
from enum import StrEnum

from msgspec import Struct

from nbsweep.core.calendar.length import Length, after, usual

OWNER = "owner"
"""In `tell`: the owner of the notebook, wherever the owners' directory finds an address."""


class UnlessTold(StrEnum):
    """What happens to the notebook of an owner who cannot be told."""

    KEEP = "keep"
    """It is kept."""
    FALLBACK = "fallback"
    """The fallback contact is told instead, and that counts."""
    PROCEED = "proceed"
    """The grace begins when it is certain that the owner cannot be told."""


class Grace(Struct, frozen=True):
    """How a policy announces its deletions."""

    lasts: Length
    """The time between notice and deletion."""
    remind: Length | None = None
    """How long before the deadline a reminder is sent; None for no reminder."""
    surveys: int = 2
    """The number of complete surveys in a row that must agree before the owner is told."""
    tell: tuple[str, ...] = (OWNER,)
    """`owner`, or names of channels."""
    unless_told: UnlessTold = UnlessTold.KEEP
    least: timedelta = timedelta(0)
    """`marks.min_grace`: the grace lasts so long at least, whatever the calendar says."""

    def ends(self, told_at: datetime) -> datetime:
        """Return when the grace ends for an owner who was told at a moment."""
        return max(after(told_at, self.lasts), told_at + self.least)

    @property
    def about(self) -> timedelta:
        """The usual length, for what does not depend on a date."""
        return max(usual(self.lasts), self.least)
