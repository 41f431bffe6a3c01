"""The tries of one call: whether there is another, how long it waits, and what it means that they are used up."""

from typing import TYPE_CHECKING

from nbsweep.adapters.cloud.responses import Throttled, TransientError
from nbsweep.adapters.cloud.session import NotSent
from nbsweep.adapters.cloud.transport import Call
from nbsweep.core.errors import AnswerLost, CloudError, Unreachable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from stamina import Attempt

MOST = 6
MOST_WHEN_THROTTLED = 20
"""A 429 says nothing against the call itself, only that others were before it."""
WAIT_FIRST_S = 0.2
WAIT_MOST_S = 5.0


class Tries:
    """Decides on another try of one call: a few after failures that may pass, many after 429s."""

    def __init__(self, call: Call) -> None:
        """Take the call; no try has been counted yet."""
        self.call = call
        self.made = 0
        self._throttled = 0

    def attempts(self) -> "AsyncIterator[Attempt]":
        """Give one attempt after the other, with the waits between them."""
        import stamina  # most sweeps see no call fail, and importing it takes as long as thirty calls

        # `http.retried` says it, and knows which notebook it is about.
        stamina.instrumentation.set_on_retry_hooks([])
        return stamina.retry_context(
            on=self._wait_s,
            attempts=None,
            timeout=None,
            wait_initial=WAIT_FIRST_S,
            wait_max=WAIT_MOST_S,
            wait_jitter=WAIT_FIRST_S,
        ).__aiter__()

    def left_for(self, error: TransientError) -> bool:
        """Tell whether there is another try after this error, which is not yet counted."""
        if isinstance(error, Throttled):
            return self._throttled + 1 < MOST_WHEN_THROTTLED
        return self.made - self._throttled + 1 < MOST

    def used_up(self, error: TransientError) -> CloudError:
        """Say what it means that there is none left."""
        if isinstance(error, NotSent):
            return Unreachable(str(error))
        message = f"{self.call.method} {self.call.path} failed {self.made} times, the last time so: {error}"
        return AnswerLost(message, code=error.code, http_status=error.http_status, request_id=error.request_id)

    def _wait_s(self, error: Exception) -> bool | float:
        """Count an error, and give how long to wait; after a first 429 nothing, for the lane itself is slower by then."""
        if not isinstance(error, TransientError):
            return False
        again = self.left_for(error)
        self.made += 1
        if not (again and isinstance(error, Throttled)):
            return again
        self._throttled += 1
        return min(WAIT_FIRST_S * 2**self._throttled, WAIT_MOST_S) if self._throttled > 1 else 0.0
