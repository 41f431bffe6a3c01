"""Run nbsweep as ever, on a machine whose wall clock is ahead by what stands in a file: `slept.py FILE ARGUMENT...`.

As after a sleep, the monotonic clock has not counted that time; nor has the boot-time clock, as in a virtual machine that was
paused.
"""

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from msgspec.structs import replace

from nbsweep.__main__ import main
from nbsweep.adapters.clock import SystemClock
from nbsweep.bootstrap import check, sweeps
from nbsweep.core.freshness import ClockReading


class SleptClock(SystemClock):
    """Its wall clock is ahead by what the file says now."""

    def now(self) -> datetime:
        """Tell the time by the wall clock."""
        ahead_s = float(FILE.read_text() or 0) if FILE.exists() else 0.0
        return datetime.now(UTC) + timedelta(seconds=ahead_s)

    def read(self) -> ClockReading:
        """Read all clocks."""
        return replace(super().read(), wall=self.now())


if __name__ == "__main__":
    FILE = Path(sys.argv.pop(1))
    sweeps.SystemClock = check.SystemClock = SleptClock  # type: ignore[attr-defined]  # their clock
    main()
