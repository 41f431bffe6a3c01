"""What the journal knows of a target's past, as far as a plan depends on it."""

from collections.abc import Sequence

from msgspec import Struct

from nbsweep.core.lifecycle import Removal, State

TRIED = frozenset({State.DELETED, State.FAILED, State.TIMED_OUT})
"""The ends of removals that somebody has tried to carry out."""
FAILURES = frozenset({State.FAILED, State.TIMED_OUT})


class FleetBefore(Struct, frozen=True):
    """What the last survey saw that passed the brakes."""

    run_id: str
    fleet: int
    deleted: int = 0
    """How many of them nbsweep itself has deleted since."""

    @property
    def left(self) -> int:
        """How many are to be expected now, if nobody else has deleted or created any."""
        return max(0, self.fleet - self.deleted)


class History(Struct, frozen=True):
    """One target's past."""

    requested: int = 0
    """How many removals have had a DELETE sent since the moment that was asked about, whatever came of it."""
    before: FleetBefore | None = None
    """None where no survey is known of."""
    ends: Sequence[Removal] = ()
    """How the removals ended of every notebook of which one has failed since the moment that was asked about."""


NO_HISTORY = History()
