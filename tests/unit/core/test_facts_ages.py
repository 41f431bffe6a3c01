from datetime import timedelta
from typing import Any

import pytest

from builders import ago, lease, moment, notebook, over
from nbsweep.core.facts import format_age
from nbsweep.core.matching.conditions import Condition
from nbsweep.core.model import LeaseType
from nbsweep.core.reasons.finding import Truth


def truth(condition: Condition, **changes: Any) -> Truth:
    """Ask the example notebook, changed so."""
    return condition.check(notebook(**changes), moment()).truth


INSTANT = timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("age", "expected"),
    [
        (timedelta(days=14) - INSTANT, Truth.FAIL),
        (timedelta(days=14), Truth.FAIL),
        (timedelta(days=14) + INSTANT, Truth.PASS),
        (timedelta(days=-1), Truth.FAIL),
    ],
)
def test_a_time_must_be_longer_than_the_threshold(age: timedelta, expected: Truth) -> None:
    """Exactly the threshold is not over it, for each of the three kinds of time; nor is a date to come."""
    then = ago() - age
    assert truth(over("age", days=14), created_at=then) is expected
    assert truth(over("idle", days=14), updated_at=then, lease=None) is expected
    expired = lease(created_at=then - timedelta(hours=3), duration=timedelta(hours=3))
    assert truth(over("lease_expired", days=14), lease=expired) is expected


def test_age_runs_from_creation_whatever_happened_since() -> None:
    """An old notebook in use is still old."""
    fresh = {"updated_at": ago(), "lease": lease(created_at=ago(), updated_at=ago())}
    assert truth(over("age", days=199), **fresh) is Truth.PASS
    assert truth(over("age", days=201), **fresh) is Truth.FAIL


def test_age_is_unknown_without_a_date_of_creation() -> None:
    """No other date stands in for it."""
    assert truth(over("age", days=1), created_at=None) is Truth.UNKNOWN


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"created_at": ago(days=40), "duration": timedelta(days=3)}, Truth.PASS),  # ended 37 days ago
        ({"created_at": ago(days=40), "duration": timedelta(days=11)}, Truth.FAIL),  # ended 29 days ago
        ({"created_at": ago(days=40), "duration": timedelta(days=41)}, Truth.FAIL),  # ends tomorrow
        ({"created_at": ago(days=40), "duration": timedelta(0)}, Truth.PASS),  # ended as it began
        ({"type": LeaseType.IDLE}, Truth.UNKNOWN),
        ({"enabled": False}, Truth.FAIL),
        ({"enabled": False, "type": LeaseType.IDLE}, Truth.FAIL),
        ({"enabled": False, "duration": None, "created_at": None}, Truth.FAIL),
        ({"enabled": None}, Truth.UNKNOWN),
        ({"duration": None}, Truth.UNKNOWN),
        ({"created_at": None}, Truth.UNKNOWN),
    ],
)
def test_a_lease_expires_after_its_creation_and_duration(changes: dict[str, Any], expected: Truth) -> None:
    """Only an enabled TIMING lease has an end; a disabled one never expires, and of an IDLE one it is unknown."""
    assert truth(over("lease_expired", days=30), lease=lease(**changes)) is expected


def test_a_missing_lease_is_not_an_expired_one() -> None:
    """Without a lease it is unknown when it expired."""
    assert truth(over("lease_expired", days=30), lease=None) is Truth.UNKNOWN


def test_a_lease_that_ends_beyond_the_calendar_is_one_notebooks_trouble() -> None:
    """An absurd duration cannot be added to a date; that makes a fact unknown, and does not end a sweep."""
    absurd = lease(duration=timedelta(days=5_000_000))
    assert truth(over("lease_expired", days=30), lease=absurd) in {Truth.UNKNOWN, Truth.FAIL}
    assert truth(over("idle", days=14), lease=absurd) is not None


@pytest.mark.parametrize(
    ("age", "expected"),
    [
        (timedelta(0), "0s"),
        (timedelta(seconds=0.9), "0s"),
        (timedelta(seconds=40), "40s"),
        (timedelta(seconds=60), "1m"),
        (timedelta(seconds=61), "1m 1s"),
        (timedelta(hours=3, minutes=5, seconds=9), "3h 5m"),
        (timedelta(days=1), "1d"),
        (timedelta(days=21, hours=4, minutes=59), "21d 4h"),
        (timedelta(days=1000), "1000d"),
        (timedelta(hours=23, minutes=59, seconds=59), "23h 59m"),
        (timedelta(seconds=-40), "-40s"),
        (timedelta(days=-2, hours=-3), "-2d 3h"),
    ],
)
def test_a_length_of_time_is_written_in_its_two_largest_units(age: timedelta, expected: str) -> None:
    """People read days and hours, or hours and minutes, never a number of seconds; nothing is rounded up."""
    assert format_age(age) == expected
