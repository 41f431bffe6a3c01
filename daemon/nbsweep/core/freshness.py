"""The age of a fact by several clocks, because no single clock can be trusted.

The monotonic clock stops while a machine sleeps, the boot-time clock stops while a virtual machine is paused, and the wall
clock may be set. The age of a fact is the largest by any of them. If the clocks differ by more than small corrections explain,
the machine slept or a clock was set; then no earlier fact is fresh, whatever its age.
"""

from datetime import datetime

from msgspec import Struct

APART_S = 1.0
"""How far the clocks may diverge between two readings. NTP corrects a clock by at most half a millisecond a second."""
NEVER_S = float("-inf")


class ClockReading(Struct, frozen=True):
    """The readings of all clocks of the machine at one time."""

    wall: datetime
    steady_s: float
    """The monotonic clock, which does not count the time in which the machine sleeps."""
    boot_s: float
    """The boot-time clock, which counts that time; equal to `steady_s` if the system has no such clock."""


def elapsed_s(then: ClockReading, now: ClockReading) -> tuple[float, float, float]:
    """Return the seconds that passed by the wall clock, the monotonic clock and the boot-time clock."""
    return (now.wall - then.wall).total_seconds(), now.steady_s - then.steady_s, now.boot_s - then.boot_s


def have_diverged(then: ClockReading, now: ClockReading) -> bool:
    """Return whether the clocks disagree about the time that passed, because the machine slept or a clock was set."""
    return _differ(elapsed_s(then, now))


def _differ(elapsed: tuple[float, float, float]) -> bool:
    return max(elapsed) - min(elapsed) > APART_S


class Freshness(Struct, frozen=True):
    """How long an observed fact is fresh."""

    since: ClockReading
    """When the read of the fact began."""
    for_s: float

    def left_s(self, now: ClockReading) -> float:
        """Return for how many more seconds the fact is fresh; negative if it is not, or if the clocks have diverged."""
        elapsed = elapsed_s(self.since, now)
        return NEVER_S if _differ(elapsed) else self.for_s - max(elapsed)
