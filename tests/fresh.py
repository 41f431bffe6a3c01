"""Facts with a duration that a test sets."""

from nbsweep.adapters.clock import SystemClock
from nbsweep.core.freshness import Freshness
from nbsweep.core.ports import Clock


def good_for(seconds: float, clock: Clock | None = None) -> Freshness:
    """Return the freshness of facts of now, which stay valid for so many seconds."""
    return Freshness((clock or SystemClock()).read(), seconds)
