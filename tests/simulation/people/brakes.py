"""The brakes, as the judge holds them against marks and deletions."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from nbsweep.core.planning.brakes import Brakes
from simulation.people.life import SweepNotes

if TYPE_CHECKING:
    from simulation.people.world import World


def of_deletions(world: "World", sweep: SweepNotes) -> Iterator[str]:
    """Yield each brake that the DELETEs of a sweep exceed."""
    count, allowed = len(sweep.deletes), allowed_of(sweep.config.brakes, world.fleet_of(sweep))
    if allowed is not None and count > allowed:
        yield f"{sweep.run_id} has sent {count} DELETEs, and {allowed} are allowed"


def of_marks(world: "World", sweep: SweepNotes) -> Iterator[str]:
    """Yield each brake that the marks of a sweep exceed: the new ones, and all that are open with them."""
    if len(sweep.marked) > sweep.config.max_new:
        yield f"{sweep.run_id} has made {len(sweep.marked)} marks, and max_new_per_sweep is {sweep.config.max_new}"
    count, allowed = len(sweep.marked) + world.surely_marked(sweep), allowed_of(sweep.config.brakes, world.fleet_of(sweep))
    if allowed is not None and count > allowed:
        yield f"after {sweep.run_id} there are {count} marks, and {allowed} are allowed"


def allowed_of(brakes: Brakes, fleet: int) -> int | None:
    """Return how many notebooks the brakes allow; None for any number."""
    share = None if brakes.max_share is None else max(1, int(brakes.max_share * fleet))
    limits = [limit for limit in (brakes.max_deletions, share) if limit is not None]
    return min(limits) if limits else None
