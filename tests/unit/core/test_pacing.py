from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import searching
from nbsweep.core.pacing import CATCH_UP_S, PollInterval, Rate, Window

RATES = [
    Rate(50, 1.0),
    Rate(5, 1.0),
    Rate(1, 1.0),
    Rate(10, 1.0),
    Rate(600, 60.0),
    Rate(1, 60.0),
    Rate(3, 10.0),
    Rate(100, 3600.0),
]


class Driver:
    """Makes calls as a worker does: it sleeps for as long as the window says, wakes up late, and asks again."""

    def __init__(self, rate: Rate, start: float = 0.0) -> None:
        """Start at some reading of a steady clock."""
        self.window = Window(rate)
        self.now = start
        self.left: list[float] = []

    def call(self, late_s: float = 0.0, idle_s: float = 0.0) -> None:
        """Do something else for a while, then make one call as soon as the window allows it."""
        self.now += idle_s
        while self.window.wait_s(self.now) > 0:
            self.sleep(late_s)
        self.window.take(self.now)
        self.left.append(self.now)

    def sleep(self, late_s: float) -> None:
        """Sleep until the next call may leave."""
        self.now += self.window.wait_s(self.now) + late_s


class Gatherer(Driver):
    """Sleeps until a few calls may leave together, and so less often."""

    def __init__(self, rate: Rate, start: float = 0.0) -> None:
        """Start without having slept."""
        super().__init__(rate, start)
        self.sleeps = 0

    def sleep(self, late_s: float) -> None:
        """Sleep until the next few calls may leave."""
        self.sleeps += 1
        self.now += self.window.wait_for_group_s(self.now) + late_s


def assert_limit_held(left: list[float], rate: Rate) -> None:
    """No half-open window of a period holds more calls than the rate: the call after so many is a period later."""
    for first, next_one in zip(left, left[rate.calls :], strict=False):
        assert next_one >= first + rate.period_s


SMALL_RATES = st.builds(Rate, st.integers(1, 12), st.sampled_from([0.25, 1.0, 10.0, 60.0]))
LATENESS = st.one_of(st.just(0.0), st.floats(0, 0.002), st.floats(0, 0.2), st.floats(0, 3))
IDLENESS = st.one_of(st.just(0.0), st.just(0.0), st.floats(0, 0.05), st.floats(0, 30))


@searching
@given(
    kind=st.sampled_from([Driver, Gatherer]),
    rate=SMALL_RATES,
    calls=st.lists(st.tuples(LATENESS, IDLENESS), max_size=40),
    start=st.floats(0, 1e6),
)
def test_no_window_ever_holds_more_than_the_rate(
    kind: type[Driver], rate: Rate, calls: list[tuple[float, float]], start: float
) -> None:
    """However calls arrive, one by one or a few at once, and however late their sleepers wake up."""
    driver = kind(rate, start)
    for late_s, idle_s in calls:
        driver.call(late_s, idle_s)
    assert_limit_held(driver.left, rate)


@searching
@given(
    rate=SMALL_RATES,
    calls=st.lists(st.tuples(LATENESS, IDLENESS), max_size=40),
    pauses=st.lists(st.floats(0, 60), max_size=3),
)
def test_no_window_holds_more_with_pauses_in_between(rate: Rate, calls: list[tuple[float, float]], pauses: list[float]) -> None:
    """What was held back by a pause does not come in a crowd after it."""
    driver = Driver(rate)
    for number, (late_s, idle_s) in enumerate(calls):
        if number < len(pauses):
            driver.window.pause(driver.now + pauses[number])
        driver.call(late_s, idle_s)
    assert_limit_held(driver.left, rate)


@searching
@given(rate=SMALL_RATES, calls=st.lists(st.tuples(LATENESS, IDLENESS), max_size=40))
def test_calls_are_spread_evenly(rate: Rate, calls: list[tuple[float, float]]) -> None:
    """In any stretch of time there are no more calls than fit at even spacing, but for what a lane may catch up."""
    driver = Driver(rate)
    for late_s, idle_s in calls:
        driver.call(late_s, idle_s)
    spacing_s = rate.period_s / rate.calls
    for first in range(len(driver.left)):
        for last in range(first, len(driver.left)):
            stretch_s = driver.left[last] - driver.left[first]
            assert last - first <= (stretch_s + CATCH_UP_S) / spacing_s + 1e-6


@pytest.mark.parametrize("rate", RATES, ids=str)
@pytest.mark.parametrize("late_s", [0.0, 0.0015])
def test_the_limit_holds_at_full_speed(rate: Rate, late_s: float) -> None:
    """Driven as fast as it lets itself be driven, no window holds too many."""
    driver = Driver(rate, start=1234.5)
    for _ in range(3 * min(rate.calls, 200) + 1):
        driver.call(late_s)
    assert_limit_held(driver.left, rate)


@pytest.mark.parametrize("rate", RATES, ids=str)
def test_the_limit_is_reached(rate: Rate) -> None:
    """A driver that is never late makes every call of the quota: so many in the first period, as many in the second."""
    driver = Driver(rate)
    for _ in range(2 * rate.calls + 1):
        driver.call()
    assert sum(left < rate.period_s for left in driver.left) == rate.calls
    assert sum(rate.period_s <= left < 2 * rate.period_s for left in driver.left) == rate.calls


@pytest.mark.parametrize("late_ms", [(1.0, 2.0), (1.0, 1.0), (2.0, 2.0), (0.0, 2.0), (1.3, 1.9)])
def test_late_wake_ups_cost_hardly_any_speed(late_ms: tuple[float, float]) -> None:
    """Timers are a millisecond or two late; at 50/s that leaves at least 49/s, and never more than 50."""
    driver = Driver(Rate(50, 1.0))
    for number in range(501):
        driver.call(late_ms[number % 2] / 1000)
    assert 49 <= 500 / (driver.left[-1] - driver.left[0]) <= 50
    assert_limit_held(driver.left, Rate(50, 1.0))


@pytest.mark.parametrize("late_ms", [(0.0, 0.0), (1.0, 2.0), (0.0, 2.0), (1.3, 1.9)])
def test_leaving_together_costs_hardly_any_speed_and_a_third_of_the_sleeps(late_ms: tuple[float, float]) -> None:
    """At 50/s calls leave three or four at once: 1,001 of them at 49/s at least, with no more than 50 in any second."""
    gatherer = Gatherer(Rate(50, 1.0))
    for number in range(1001):
        gatherer.call(late_ms[number % 2] / 1000)
    assert 49 <= 1000 / (gatherer.left[-1] - gatherer.left[0]) <= 50
    assert gatherer.sleeps <= 1001 / 3
    assert_limit_held(gatherer.left, Rate(50, 1.0))


@pytest.mark.parametrize(
    ("rate", "calls_at_once", "group_s"),
    [
        (Rate(50, 1.0), 6, 0.08),  # due 0.02, 0.04, 0.06 and 0.08 s later
        (Rate(20, 1.0), 3, 0.1),  # due 0.05 and 0.1 s later
        (Rate(10, 1.0), 2, 0.1),  # due 0.1 s later, and the next 0.1 s after it: too late to be waited for
        (Rate(1000, 1.0), 101, 0.004),  # due 1, 2, 3 and 4 ms later: never more than four
    ],
    ids=str,
)
def test_a_few_that_come_due_soon_leave_together(rate: Rate, calls_at_once: int, group_s: float) -> None:
    """When what may be caught up has left, the wait is until the last of those that come due within 60 ms of the next."""
    window = Window(rate)
    for _ in range(calls_at_once):
        assert window.wait_s(10.0) == pytest.approx(0.0, abs=1e-9)
        window.take(10.0)
    assert window.wait_s(10.0) == pytest.approx(rate.spacing_s)
    assert window.wait_for_group_s(10.0) == pytest.approx(group_s)
    assert window.wait_for_group_s(11.0) == 0.0


def test_none_waits_for_a_call_that_the_full_window_holds_back() -> None:
    """Two calls at 0.0, the other 48 from 0.12 on: at 1.005 two may leave, the third not before 1.125, and the two go alone."""
    window = Window(Rate(50, 1.0))
    for moment in (0.0, 0.0, *(0.12 + 0.0187 * number for number in range(48))):
        window.take(moment)
    assert window.wait_s(1.0) == pytest.approx(0.005)
    assert window.wait_for_group_s(1.0) == pytest.approx(0.005)


def test_a_slowed_lane_gathers_by_its_lower_rate() -> None:
    """A ceiling of 50/s, a named limit of 20/s: two calls, 0.05 s apart, leave together, and not four."""
    window = Window(Rate(50, 1.0))
    window.back_off(10.0, 9.9, Rate(20, 1.0))
    for _ in range(3):
        window.take(10.0)
    assert window.wait_s(10.0) == pytest.approx(0.05)
    assert window.wait_for_group_s(10.0) == pytest.approx(0.1)


def test_the_first_call_leaves_at_once() -> None:
    """Nothing was taken, so there is nothing to wait for."""
    for rate in RATES:
        for now in (0.0, -5.0, 1e9):
            assert Window(rate).wait_s(now) == 0.0


def test_a_call_a_minute_is_a_minute_apart() -> None:
    """The wait is told exactly, counts down, and is over a trifle after the minute: calls may arrive closer than they left."""
    window = Window(Rate(1, 60.0))
    window.take(100.0)
    waits = [window.wait_s(now) for now in (100.0, 130.0, 159.5, 160.005, 200.0)]
    assert waits == pytest.approx([60.005, 30.005, 0.505, 0.0, 0.0], abs=1e-9)


def test_asking_takes_nothing() -> None:
    """Only a call that leaves counts."""
    window = Window(Rate(1, 1.0))
    assert [window.wait_s(5.0) for _ in range(3)] == [0.0, 0.0, 0.0]


def test_a_second_of_calls_does_not_leave_at_once() -> None:
    """Of 50 a second, no more than the tenth of a second that may be caught up leaves together: 5 and the first."""
    window = Window(Rate(50, 1.0))
    together = 0
    while window.wait_s(10.0) == 0.0:
        window.take(10.0)
        together += 1
    assert 1 <= together <= 6


def test_a_long_rest_is_not_saved_up() -> None:
    """After an idle hour a lane is as careful as a new one."""
    driver = Driver(Rate(50, 1.0))
    for _ in range(60):
        driver.call()
    driver.call(idle_s=3600.0)
    back = driver.left[-1]
    for _ in range(20):
        driver.call()
    assert sum(left < back + 0.1 for left in driver.left[60:]) <= 11


def test_a_pause_holds_everything_until_its_end() -> None:
    """Nothing leaves before, and at that moment the next may."""
    window = Window(Rate(10, 1.0))
    window.take(0.0)
    window.pause(7.5)
    assert window.wait_s(1.0) == 6.5
    assert window.wait_s(7.5) == 0.0


def test_a_shorter_pause_does_not_end_a_longer_one() -> None:
    """Two answers may each ask for a pause; the later end counts, in whichever order they come."""
    for ends in ((5.0, 3.0), (3.0, 5.0)):
        window = Window(Rate(10, 1.0))
        for end in ends:
            window.pause(end)
        assert window.wait_s(0.0) == 5.0


def test_a_pause_that_is_past_holds_nothing() -> None:
    """An answer that took long may ask for a time already gone."""
    window = Window(Rate(10, 1.0))
    window.pause(5.0)
    assert window.wait_s(6.0) == 0.0


def test_windows_share_nothing() -> None:
    """Each lane has its own."""
    one, other = Window(Rate(1, 60.0)), Window(Rate(1, 60.0))
    one.take(0.0)
    one.pause(100.0)
    assert other.wait_s(0.0) == 0.0


@pytest.mark.parametrize(
    ("rate", "text", "spacing_s"),
    [
        (Rate(10, 1.0), "10/s", 0.1),
        (Rate(600, 60.0), "600/m", 0.1),
        (Rate(1, 60.0), "1/m", 60.0),
        (Rate(7200, 3600.0), "7200/h", 0.5),
        (Rate(5, 10.0), "5/10s", 2.0),
        (Rate(3, 1.5), "3/1.5s", 0.5),
    ],
)
def test_a_rate_is_written_as_in_the_configuration(rate: Rate, text: str, spacing_s: float) -> None:
    """People wrote `600/m`, and read it again."""
    assert str(rate) == text
    assert rate.spacing_s == pytest.approx(spacing_s)


def seconds(*numbers: float) -> list[timedelta]:
    """Return lengths of time."""
    return [timedelta(seconds=number) for number in numbers]


LEAST, MOST = seconds(5, 30)


def test_polling_slows_down_while_nothing_ends() -> None:
    """By half as much again each time, and never beyond the longest interval."""
    tempo = PollInterval(LEAST, MOST)
    intervals = [tempo.next_interval(seconds(age), ended=0) for age in (5, 12, 24, 41, 66, 96)]
    assert intervals == seconds(7.5, 11.25, 16.875, 25.3125, 30, 30)


def test_polling_is_quick_again_once_something_ends() -> None:
    """Where one has ended, the others are not far."""
    tempo = PollInterval(LEAST, MOST)
    for _ in range(6):
        tempo.next_interval(seconds(100), ended=0)
    tempo.note_end(timedelta(seconds=100))
    assert tempo.next_interval(seconds(100, 90), ended=1) == LEAST


def test_polling_stays_quick_as_long_as_ends_are_likely() -> None:
    """The longest deletion took 40 s: one that has taken less than 80 may end at any moment, one that took longer may not."""
    tempo = PollInterval(LEAST, MOST)
    tempo.note_end(timedelta(seconds=20))
    tempo.note_end(timedelta(seconds=40))
    assert tempo.next_interval(seconds(200, 79), ended=0) == LEAST
    assert tempo.next_interval(seconds(200, 81), ended=0) == timedelta(seconds=7.5)


def test_nothing_is_looked_at_before_it_can_have_ended() -> None:
    """No deletion took less than 50 s: those that began 3 s ago are left alone until the oldest of them is 25 s old."""
    tempo = PollInterval(LEAST, MOST)
    tempo.note_end(timedelta(seconds=50))
    assert tempo.next_interval(seconds(3, 1), ended=0) == timedelta(seconds=22)
    tempo = PollInterval(LEAST, MOST)
    tempo.note_end(timedelta(minutes=10))
    assert tempo.next_interval(seconds(3), ended=1) == MOST
