from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from builders import NOON, ago, lease, moment, notebook, over, searching, text
from generated import DATES, NOTEBOOKS, SPECS, Spec, build
from nbsweep.core.explain.flips import TICK, flips_at
from nbsweep.core.facts import Moment
from nbsweep.core.matching.conditions import AllOf, Condition, Not
from nbsweep.core.model import LeaseType, Notebook, Status


def turn(condition: Condition, row: Notebook, at: Moment | None = None) -> datetime | None:
    """Ask when a condition says something else of a notebook."""
    return flips_at(lambda later: condition.check(row, later).truth, row, (condition,), at or moment())


def test_an_age_turns_when_it_reaches_its_threshold() -> None:
    """200 days old, and more than 300 are wanted."""
    assert turn(over("age", days=300), notebook()) == NOON + timedelta(days=100)


def test_an_age_that_has_passed_its_threshold_never_turns_back() -> None:
    """Nothing grows younger."""
    assert turn(over("age", days=1), notebook()) is None


def test_exactly_the_threshold_turns_right_after_now() -> None:
    """`over` is more than; now it is not, and a tick later it is."""
    assert turn(over("age", days=200), notebook()) == NOON


def test_idleness_begins_anew_at_the_end_of_a_lease_to_come() -> None:
    """Idle for 10 days; the lease ends in 2, before 14 days are full, and counts as use: 14 days after that, not after now."""
    row = notebook(
        updated_at=ago(days=10), lease=lease(created_at=ago(days=20), updated_at=ago(days=15), duration=timedelta(22))
    )
    assert turn(over("idle", days=14), row) == NOON + timedelta(days=16)


def test_idleness_that_passes_now_fails_at_the_end_of_a_lease_to_come() -> None:
    """The lease of a notebook that was stopped by hand ends in 2 days, and who knows whether it runs until then."""
    row = notebook(
        updated_at=ago(days=20), lease=lease(created_at=ago(days=20), updated_at=ago(days=20), duration=timedelta(22))
    )
    assert turn(over("idle", days=14), row) == NOON + timedelta(days=2)


def test_what_the_journal_saw_counts() -> None:
    """Seen in use 4 days ago: 10 days are left of 14."""
    assert turn(over("idle", days=14), notebook(), moment(nb1=ago(days=4))) == NOON + timedelta(days=10)


def test_what_is_in_use_never_becomes_idle_by_itself() -> None:
    """Nobody knows when it will be stopped."""
    assert turn(over("idle", days=14), notebook(status=Status.RUNNING)) is None


def test_an_expired_lease_turns_after_its_threshold() -> None:
    """It ended 99 days and 23 hours ago, and more than 100 days are wanted."""
    assert turn(over("lease_expired", days=100), notebook()) == NOON + timedelta(hours=1)


def test_what_is_not_about_time_never_turns() -> None:
    """A name stays what it is; so does what is missing."""
    assert turn(text("name", "x"), notebook()) is None
    assert turn(over("lease_expired", days=1), notebook(lease=lease(type=LeaseType.IDLE))) is None


def test_of_several_conditions_the_answer_as_a_whole_counts() -> None:
    """One turns after 50 days, the other after 100; only then do both pass, and a `not` turns like what is in it."""
    both = AllOf((over("idle", days=149, hours=23), over("age", days=300)))
    row = notebook()
    assert turn(both, row) == NOON + timedelta(days=100)
    assert turn(Not(over("age", days=300)), row) == NOON + timedelta(days=100)


def test_a_date_at_the_end_of_the_calendar_breaks_nothing() -> None:
    """The sum would be no date; it never comes about."""
    assert turn(over("age", days=300), notebook(created_at=datetime.max.replace(tzinfo=NOON.tzinfo))) is None


@searching
@given(spec=SPECS, row=NOTEBOOKS, seen=DATES, hours=st.integers(0, 24 * 20))
def test_until_it_turns_it_says_the_same_and_then_something_else(
    spec: Spec, row: Notebook, seen: datetime | None, hours: int
) -> None:
    """Whatever the condition, and at whatever moment before somebody looks."""
    condition, at = build(spec), moment(**{"nb1": seen} if seen else {})
    truth = condition.check(row, at).truth
    found = turn(condition, row, at)
    looked_at = NOON + timedelta(hours=hours, minutes=7)
    if found is None or looked_at < found:
        assert condition.check(row, Moment(looked_at, at.last_active)).truth is truth
    if found is not None:
        after = {condition.check(row, Moment(later, at.last_active)).truth for later in (found, found + TICK)}
        assert after != {truth}
