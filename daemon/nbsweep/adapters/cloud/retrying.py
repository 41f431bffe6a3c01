"""Retries of one call: which failures are retried, how often, and after which wait."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from random import random
from typing import TypeVar

import stamina
from stamina import Attempt

from nbsweep.adapters.cloud.responses import Throttled, TransientError

MAX_ATTEMPTS = 6
MAX_THROTTLED_ATTEMPTS = 20
"""More than for other failures, because a 429 says nothing about the call itself."""
WAIT_FIRST_S = 0.2
WAIT_MOST_S = 5.0
JITTER = 0.5
"""The share that is added to a wait at most, so that callers that failed together do not retry together."""

Result = TypeVar("Result")
OnFailure = Callable[[TransientError, int, float], None]
"""Called after a failure with the error, the number of failures so far, and the seconds until the next attempt."""


class RetriesExhausted(Exception):
    """A call failed for the last allowed time; raised from its last failure."""

    def __init__(self, attempts: int) -> None:
        """Store the number of attempts."""
        super().__init__(attempts)
        self.attempts = attempts


async def retried(make_call: Callable[[], Awaitable[Result]], on_failure: OnFailure) -> Result:
    """Make a call until its answer is final.

    Raises:
        RetriesExhausted: it is not tried again; from the `TransientError` of the last try.
        CloudError: as `make_call` raises it.
    """
    try:
        return await make_call()
    except TransientError as failure:
        return await _retried(make_call, on_failure, failure)


async def _retried(make_call: Callable[[], Awaitable[Result]], on_failure: OnFailure, first: TransientError) -> Result:
    """Continue after a first failure, which counts as the first attempt. Most calls succeed and need no retry context."""
    failures, pending = Backoff(on_failure), [first]
    try:
        async for attempt in retry_context(failures.wait_after_trouble_s, attempts=MAX_ATTEMPTS):
            with attempt:
                async for turn in retry_context(failures.wait_after_throttling_s, attempts=MAX_THROTTLED_ATTEMPTS):
                    with turn:
                        if pending:
                            raise pending.pop()
                        return await make_call()
    except TransientError as error:
        raise RetriesExhausted(failures.count + 1) from error
    raise AssertionError  # a retry context either returns or raises; this line tells the type checker so


def retry_context(on: Callable[[Exception], bool | float], attempts: int) -> AsyncIterator[Attempt]:
    """Return a stamina context that counts the attempts, and waits between them for as long as `on` returns."""
    return aiter(stamina.retry_context(on=on, attempts=attempts, timeout=None))


@dataclass(slots=True)
class Backoff:
    """Counts the failures of one call, and computes the wait after each, which doubles for each failure of the same kind."""

    on_failure: OnFailure
    count: int = 0
    throttled: int = 0
    """The number of consecutive 429s."""
    troubles: int = 0

    def wait_after_trouble_s(self, error: Exception) -> bool | float:
        """Return the seconds until the next attempt after a temporary failure; False after any other failure."""
        if not isinstance(error, TransientError) or isinstance(error, Throttled):
            return False
        self.troubles, self.throttled = self.troubles + 1, 0
        return True if self.troubles == MAX_ATTEMPTS else self._wait_s(error, self.troubles)

    def wait_after_throttling_s(self, error: Exception) -> bool | float:
        """Return the seconds until the next attempt after a 429; False after any other failure."""
        if not isinstance(error, Throttled):
            return False
        self.throttled += 1
        return True if self.throttled == MAX_THROTTLED_ATTEMPTS else self._wait_s(error, self.throttled)

    def _wait_s(self, error: TransientError, number: int) -> float:
        jitter = 1 + JITTER * random()  # noqa: S311  # jitter is not a secret
        wait_s: float = min(WAIT_MOST_S, WAIT_FIRST_S * 2 ** (number - 1)) * jitter
        self.count += 1
        self.on_failure(error, self.count, wait_s)
        return wait_s
