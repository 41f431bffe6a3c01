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
from nbsweep.core.freshness import ClockReading

read_really = SystemClock.read


def put_ahead(file: Path) -> None:
    """Let the wall clock of this process be ahead by what the file says at each moment."""

    def now(_clock: SystemClock) -> datetime:
        ahead_s = float(file.read_text() or 0) if file.exists() else 0.0
        return datetime.now(UTC) + timedelta(seconds=ahead_s)

    def read(clock: SystemClock) -> ClockReading:
        return replace(read_really(clock), wall=now(clock))

    SystemClock.now = now  # type: ignore[assignment,method-assign]
    SystemClock.read = read  # type: ignore[assignment,method-assign]


if __name__ == "__main__":
    put_ahead(Path(sys.argv.pop(1)))
    main()
