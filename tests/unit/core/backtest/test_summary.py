"""The figures of a back-test."""

from datetime import date, datetime, timedelta, timezone

import pytest

from builders import NOON, ago, labelled
from nbsweep.core.backtest.model import CensorCause, Label, Period
from nbsweep.core.backtest.summary import RegretLimit, by_owner, by_policy, by_week, compare, count_labels, monday
from nbsweep.core.model import Named, Volume

BACK, REMOVED, IDLE, CENSORED = Label.CAME_BACK, Label.REMOVED_BY_OWNER, Label.STILL_IDLE, Label.CENSORED


def test_the_rate_leaves_out_what_nobody_can_say() -> None:
    """One of three labelled deletions was regretted; the censored one counts for nothing."""
    counts = count_labels([labelled(1, BACK), labelled(2, REMOVED), labelled(3, IDLE), labelled(4, CENSORED)])
    assert (counts.deletions, counts.came_back, counts.removed_by_owner, counts.still_idle) == (4, 1, 1, 1)
    assert counts.censored == {CensorCause.HORIZON_NOT_OVER: 1}
    assert counts.labelled == 3
    assert counts.regret == pytest.approx(1 / 3)
    assert counts.interval.low < 1 / 3 < counts.interval.high


def test_without_a_label_there_is_no_rate() -> None:
    """Neither without a deletion, nor if all are censored."""
    assert count_labels([]).regret is None
    assert count_labels([labelled(1, CENSORED)]).regret is None


def test_the_capacity_is_what_a_deletion_would_free() -> None:
    """The disk of a notebook, unless it is the user's own or not shown."""
    volumes = (Volume("EVS", "MANAGED", 50), Volume("EVS", "DEDICATED", 500), Volume("EVS", "MANAGED", None), None)
    assert count_labels(labelled(place, IDLE, volume=volume) for place, volume in enumerate(volumes)).capacity_gb == 50


def test_policies_and_owners_have_their_own_rates() -> None:
    """The one with the most deletions first, then by name."""
    found = [
        labelled(1, BACK, policy="b", owner=Named("u1", "alice")),
        labelled(2, IDLE, policy="b", owner=Named("u2", "bob")),
        labelled(3, IDLE, policy="a", owner=Named("u2", None)),
        labelled(4, IDLE, policy="b", owner=Named("u1", "alice")),
    ]
    assert {name: (counts.deletions, counts.came_back) for name, counts in by_policy(found).items()} == {
        "b": (3, 1),
        "a": (1, 0),
    }
    assert list(by_owner(found)) == ["alice", "bob", "u2"]


def test_a_week_begins_on_monday_in_utc_and_weeks_without_deletions_are_there() -> None:
    """`NOON` is a Sunday; the period begins on Thursday, two weeks before."""
    period = Period(ago(days=17), NOON, timedelta(days=30))
    found = [labelled(1, BACK), labelled(2, IDLE, at=NOON - timedelta(days=6, hours=12)), labelled(3, IDLE, at=ago(days=7))]
    weeks = by_week(found, period)
    assert {week: counts.deletions for week, counts in weeks.items()} == {
        date(2026, 2, 9): 0,
        date(2026, 2, 16): 1,
        date(2026, 2, 23): 2,
    }


def test_the_zone_of_a_time_does_not_move_its_week() -> None:
    """Monday morning in Shanghai is Sunday in UTC."""
    shanghai = timezone(timedelta(hours=8))
    assert monday(datetime(2026, 3, 2, 7, 59, tzinfo=shanghai)) == date(2026, 2, 23)
    assert monday(datetime(2026, 3, 2, 8, tzinfo=shanghai)) == date(2026, 3, 2)


def test_two_results_are_compared_by_instance() -> None:
    """An id that was created again is another notebook; another time of the same instance is not."""
    here = [labelled(1, BACK), labelled(2, IDLE), labelled(3, IDLE)]
    there = [labelled(2, BACK, at=ago(days=9), survey=7), labelled(3, IDLE, created_at=ago(days=1))]
    found = compare(here, there)
    assert [each.would_be.notebook.id for each in found.only_here] == ["nb1", "nb3"]
    assert found.only_there == (there[1],)
    assert (found.both_here, found.both_there) == ((here[1],), (there[0],))


@pytest.mark.parametrize(
    ("labels", "passed"),
    [([BACK, IDLE, IDLE, IDLE], True), ([BACK, BACK, IDLE, IDLE], False), ([CENSORED], False), ([], False), ([IDLE], True)],
)
def test_a_limit_is_kept_by_the_rate_itself_and_never_without_a_label(labels: list[Label], *, passed: bool) -> None:
    """One of four is 25 %, which is the limit."""
    counts = count_labels(labelled(place, label) for place, label in enumerate(labels))
    assert RegretLimit(0.25, counts).passed is passed
