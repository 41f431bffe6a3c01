"""The grace of a policy: the time between notice and deletion, and who is told."""

from datetime import timedelta
from enum import StrEnum

from msgspec import Struct

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

    lasts: timedelta
    """The time between notice and deletion; `marks.min_grace` is already part of it."""
    remind: timedelta | None = None
    """How long before the deadline a reminder is sent; None for no reminder."""
    surveys: int = 2
    """The number of complete surveys in a row that must agree before the owner is told."""
    tell: tuple[str, ...] = (OWNER,)
    """`owner`, or names of channels."""
    unless_told: UnlessTold = UnlessTold.KEEP
