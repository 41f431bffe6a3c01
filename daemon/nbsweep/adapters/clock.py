"""The time, as the machine tells it."""

import time
from datetime import UTC, datetime


class SystemClock:
    """The wall clock and the steady clock of this machine."""

    def now(self) -> datetime:
        """Tell the wall clock's time in UTC."""
        return datetime.now(UTC)

    def steady_s(self) -> float:
        """Tell seconds of a clock that never jumps."""
        return time.monotonic()
