"""The record of a fence.

A fence differs from the lease of a target: its times are those of the database, so that the clocks of hosts do not matter, and
its record stays after it was released, with what its holder leaves for the next one.
"""

from datetime import datetime

from msgspec import Struct

from nbsweep.core.lease import Holder

CRON = "cron"
"""The fence of the process that starts what is due."""
LANES = "lanes:"
"""Begins the name of the fence of an account, whose holder alone calls its API."""


def lanes_fence(account_id: str) -> str:
    """Return the name of the fence of an account."""
    return f"{LANES}{account_id}"


class Fence(Struct, frozen=True):
    """A fence as the journal stores it; all times are those of the journal's database."""

    name: str
    holder: Holder
    """The process that holds it, or held it last."""
    epoch: int
    """Grows each time that a fence is taken, except by the process that holds it; so two holders never have the same epoch."""
    taken_at: datetime
    beat_at: datetime
    """The time of the last beat, or of the release."""
    held: bool
    """Whether it was not released; its holder may have died since."""
    memory: str
    """What a holder left for the next one; empty if there is nothing."""
    age_s: float
    """The seconds since `beat_at` when the record was read; negative if the database's clock was set back."""
    memory_age_s: float
    """The seconds since `memory` was written, when the record was read; 0 if nothing was ever written."""

    def is_of(self, holder: Holder) -> bool:
        """Return whether a process holds the fence."""
        return self.held and self.holder.owner == holder.owner

    def is_silent(self, lasts_s: float) -> bool:
        """Return whether the last beat is older than a fence lasts, or further than that in the future."""
        return abs(self.age_s) >= lasts_s
