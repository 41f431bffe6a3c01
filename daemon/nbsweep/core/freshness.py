"""How old a fact is, by several clocks, of which none can be trusted alone.

The monotonic clock stands still while a machine sleeps, and so does the boot-time clock while a virtual machine is paused; the
wall clock may be set. The age of a fact is the largest that any of them allows. Where they differ by more than small
corrections explain, time has passed that nobody saw: then no earlier fact is fresh, whatever its age.
"""

from datetime import datetime

from msgspec import Struct

APART_S = 1.0
"""So far may the clocks part between two readings. NTP corrects a clock by half a millisecond a second."""
NEVER_S = float("-inf")


class ClockReading(Struct, frozen=True):
    """What all clocks of the machine show at one moment."""

    wall: datetime
    steady_s: float
    """Of the monotonic clock; does not count the time in which the machine sleeps."""
    boot_s: float
    """Of the boot-time clock, which counts that time; the same as `steady_s` where the system has no such clock."""


def elapsed_s(then: ClockReading, now: ClockReading) -> tuple[float, float, float]:
    """Return how many seconds have passed by the wall clock, the monotonic clock and the boot-time clock."""
    return (now.wall - then.wall).total_seconds(), now.steady_s - then.steady_s, now.boot_s - then.boot_s


def have_parted(then: ClockReading, now: ClockReading) -> bool:
    """Return whether the clocks disagree about how much time has passed: the machine slept, or a clock was set."""
    elapsed = elapsed_s(then, now)
    return max(elapsed) - min(elapsed) > APART_S


class Freshness(Struct, frozen=True):
    """How long something that was found out may be relied on."""

    since: ClockReading
    """When the look began that found it out; it is no younger than that."""
    for_s: float

    def left_s(self, now: ClockReading) -> float:
        """Return for how many more seconds it may be relied on; negative when no longer, and when the clocks have parted."""
        return NEVER_S if have_parted(self.since, now) else self.for_s - max(elapsed_s(self.since, now))
