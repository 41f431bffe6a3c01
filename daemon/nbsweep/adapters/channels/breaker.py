"""A circuit breaker: a channel that keeps failing is tried again after a growing time only. Pure."""

from nbsweep.core.notices.channel import Acceptance, Receipt

FAILURES = 5
"""So many failures in a row that may pass open the circuit; one of the configuration opens it at once."""
FIRST_S = 60.0
LONGEST_S = 3600.0
GROWTH = 2.0


class CircuitBreaker:
    """Counts the failures of a channel. Times are seconds of a steady clock."""

    def __init__(self) -> None:
        """Start closed."""
        self.last: Receipt | None = None
        """The last failure."""
        self._in_a_row = 0
        self._pause_s = FIRST_S
        self._open_until = float("-inf")

    def wait_s(self, now: float) -> float:
        """Return the time until the channel is tried again; 0.0 if it may be tried."""
        return max(0.0, self._open_until - now)

    def try_one(self, now: float) -> None:
        """Record that the channel is tried. After failures, others wait until the result of this try is known."""
        if self._open_until > float("-inf"):
            self._open_until = now + self._pause_s

    def succeed(self) -> None:
        """Record that the channel works."""
        self._in_a_row, self._pause_s, self._open_until, self.last = 0, FIRST_S, float("-inf"), None

    def fail(self, now: float, receipt: Receipt) -> None:
        """Record a failure of the channel."""
        self._in_a_row += 1
        self.last = receipt
        if receipt.acceptance is Acceptance.MISCONFIGURED or self._in_a_row >= FAILURES:
            self._open_until = now + self._pause_s
            self._pause_s = min(LONGEST_S, self._pause_s * GROWTH)
