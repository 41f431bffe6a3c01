"""Facts of which a test says how long they are good for."""

from nbsweep.adapters.clock import SystemClock
from nbsweep.core.freshness import Freshness
from nbsweep.core.ports import Clock


def good_for(seconds: float, clock: Clock | None = None) -> Freshness:
    """Give facts that were found out now, by the machine's clocks unless others are named, and are good for so long."""
    return Freshness((clock or SystemClock()).read(), seconds)
