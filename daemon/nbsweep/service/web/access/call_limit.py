"""Limits the calls to the cloud that readers of the API cause: the quota is for the sweeps."""

import math
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from nbsweep.core.ports import Clock
from nbsweep.service.web.errors import Code, Refused
from nbsweep.service.web.messages import message

WITHIN_S = 60.0
MOST_CALLS = 60
"""After this number of calls within that time, requests are refused."""
MOST_AT_ONCE = 4
"""Number of requests in progress. More of them would hold the API's connections while the cloud is slow."""


class CallLimit:
    """Remembers the calls of the last minute, and counts the requests in progress."""

    def __init__(self, clock: Clock) -> None:
        """Start without calls."""
        self._clock = clock
        self._calls: deque[tuple[float, int]] = deque()
        self._in_progress = 0

    @contextmanager
    def taking(self, calls: int) -> Iterator[None]:
        """Count a request, and the calls that it makes.

        Raises:
            Refused: there were too many calls within the last minute, or too many requests are in progress.
        """
        wait_s = self._wait_s(self._clock.steady_s())
        if wait_s > 0:
            said = message("there were too many requests of this kind within a minute, and each costs calls; try again later")
            raise Refused(Code.TOO_MANY_REQUESTS, said, {"Retry-After": str(math.ceil(wait_s))})
        self._calls.append((self._clock.steady_s(), calls))
        self._in_progress += 1
        try:
            yield
        finally:
            self._in_progress -= 1

    def _wait_s(self, now_s: float) -> float:
        """Return the seconds until another request may begin; 0 if it may begin now."""
        while self._calls and self._calls[0][0] <= now_s - WITHIN_S:
            self._calls.popleft()
        if self._in_progress >= MOST_AT_ONCE:
            return 1.0
        if sum(calls for _, calls in self._calls) < MOST_CALLS:
            return 0.0
        return self._calls[0][0] + WITHIN_S - now_s
