import asyncio
from collections.abc import Callable

import pytest
import stamina

from nbsweep.adapters.cloud.responses import ErrorResponse, Throttled, TransientError
from nbsweep.adapters.cloud.retrying import MAX_ATTEMPTS, MAX_THROTTLED_ATTEMPTS, RetriesExhausted, retried
from nbsweep.core.errors import Rejected

pytestmark = pytest.mark.looptime(noop_cycles=1)


class Calls:
    """A call that fails so often, and notes when it was made and what was told."""

    def __init__(self, *errors: Exception) -> None:
        """Take what it fails with before it succeeds."""
        self.errors = list(errors)
        self.made_s: list[float] = []
        self.told: list[tuple[int, float]] = []

    async def make(self) -> str:
        """Fail, or succeed once there is nothing left to fail with."""
        self.made_s.append(asyncio.get_running_loop().time())
        if self.errors:
            raise self.errors.pop(0)
        return "answer"

    def tell(self, _error: TransientError, failures: int, wait_s: float) -> None:
        """Note what is told."""
        self.told.append((failures, wait_s))

    @property
    def waited_s(self) -> list[float]:
        """How long it was between one try and the next."""
        return [later - earlier for earlier, later in zip(self.made_s, self.made_s[1:], strict=False)]


def trouble() -> TransientError:
    """Return a failure that may pass."""
    return TransientError("the cloud said HTTP 500")


def throttled() -> Throttled:
    """Return a 429 that names no limit."""
    error = ErrorResponse.read(429, {}, b"").error()
    assert isinstance(error, Throttled)
    return error


@pytest.mark.parametrize("kind", [trouble, throttled])
async def test_what_is_told_is_what_is_waited(kind: Callable[[], TransientError]) -> None:
    """To the microsecond, jitter included; each wait is about twice the one before, and none is longer than 7.5 s."""
    calls = Calls(*[kind() for _ in range(5)])
    assert await retried(calls.make, calls.tell) == "answer"
    assert [failures for failures, _ in calls.told] == [1, 2, 3, 4, 5]
    assert calls.waited_s == pytest.approx([wait_s for _, wait_s in calls.told], abs=2e-6)
    for number, wait_s in enumerate(calls.waited_s):
        assert 0.2 * 2**number - 2e-6 <= wait_s <= 0.3 * 2**number + 2e-6


async def test_no_wait_is_longer_than_five_seconds_and_half_of_that() -> None:
    """However often the gateway has throttled the call."""
    calls = Calls(*[throttled() for _ in range(MAX_THROTTLED_ATTEMPTS - 1)])
    await retried(calls.make, calls.tell)
    assert 5 - 2e-6 <= max(calls.waited_s) <= 7.5


async def test_waits_differ_from_call_to_call() -> None:
    """Calls that failed together do not come back together."""
    first, second = Calls(trouble()), Calls(trouble())
    await retried(first.make, first.tell)
    await retried(second.make, second.tell)
    assert first.waited_s != second.waited_s


@pytest.mark.parametrize(("kind", "most"), [(trouble, MAX_ATTEMPTS), (throttled, MAX_THROTTLED_ATTEMPTS)])
async def test_the_last_failure_is_raised_and_not_told(kind: Callable[[], TransientError], most: int) -> None:
    """After so many tries nothing follows, so no wait is told for it."""
    calls = Calls(*[kind() for _ in range(most + 1)])
    with pytest.raises(RetriesExhausted) as caught:
        await retried(calls.make, calls.tell)
    assert (len(calls.made_s), len(calls.told), caught.value.attempts) == (most, most - 1, most)
    assert isinstance(caught.value.__cause__, TransientError)


async def test_being_throttled_takes_nothing_from_the_tries_for_trouble() -> None:
    """A 429 says nothing against the call: five failures that pass are still borne, however many 429s lie between."""
    errors = [error for _ in range(MAX_ATTEMPTS - 1) for error in (throttled(), throttled(), trouble())]
    calls = Calls(*errors)
    assert await retried(calls.make, calls.tell) == "answer"
    assert len(calls.told) == len(errors)


async def test_any_other_error_is_raised_at_once() -> None:
    """The cloud would refuse it again."""
    calls = Calls(Rejected("no"))
    with pytest.raises(Rejected):
        await retried(calls.make, calls.tell)
    assert calls.told == []


async def test_the_global_settings_of_stamina_stay_as_they_are() -> None:
    """They are the program's to set, not a client's."""
    before = stamina.instrumentation.get_on_retry_hooks()
    calls = Calls(trouble())
    await retried(calls.make, calls.tell)
    assert stamina.instrumentation.get_on_retry_hooks() == before
