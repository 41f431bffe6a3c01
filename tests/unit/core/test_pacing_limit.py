from bisect import bisect_left, insort

import pytest

from nbsweep.core.pacing import Rate, Window


class Gateway:
    """Refuses what is more than its limit in any window; refused calls count too (ModelArts API, section 4)."""

    def __init__(self, limit: Rate) -> None:
        self.limit = limit
        self.calls: list[float] = []
        self.refused = 0

    def call(self, now: float) -> bool:
        """Take a call; True when it is accepted."""
        recent = len(self.calls) - bisect_left(self.calls, now - self.limit.period_s + 1e-9)
        insort(self.calls, now)
        self.refused += recent >= self.limit.calls
        return recent < self.limit.calls


def drive(window: Window, gateway: Gateway, seconds: float, *, named: bool, answer_s: float = 0.03) -> list[float]:
    """Send as fast as the window lets for so long; refusals arrive with their answers. Gives the times of the accepted ones."""
    accepted: list[float] = []
    refusals: list[float] = []
    now = 0.0
    while now < seconds:
        while refusals and refusals[0] + answer_s <= now:
            window.back_off(refusals[0] + answer_s, refusals.pop(0), gateway.limit if named else None)
        wait_s = window.wait_s(now)
        if wait_s > 0:
            now += min(wait_s, answer_s)
            continue
        window.take(now)
        if gateway.call(now):
            accepted.append(now)
        else:
            refusals.append(now)
    return accepted


def test_a_named_limit_is_kept_from_the_first_refusal_on() -> None:
    """Ceiling 200/s, limit 20/s: near the full 20/s goes through, and few calls are refused."""
    gateway = Gateway(Rate(20, 1.0))
    accepted = drive(Window(Rate(200, 1.0)), gateway, 30, named=True)
    assert len(accepted) >= 20 * 30 / 1.1
    assert gateway.refused / len(gateway.calls) < 0.05


def test_an_unnamed_limit_is_found_by_halving() -> None:
    """Without a number it costs more, and still ends near the limit."""
    gateway = Gateway(Rate(20, 1.0))
    accepted = drive(Window(Rate(200, 1.0)), gateway, 60, named=False)
    late = [moment for moment in accepted if moment > 20]
    assert len(late) >= 0.6 * 20 * 40
    assert gateway.refused / len(gateway.calls) < 0.15


def test_a_limit_by_the_minute_is_kept_by_the_minute() -> None:
    """30 a minute under a ceiling of 10 a second: after the first refusal no minute holds more than 30 of ours."""
    gateway = Gateway(Rate(30, 60.0))
    accepted = drive(Window(Rate(10, 1.0)), gateway, 300, named=True)
    assert gateway.refused <= 15
    assert len(accepted) >= 4 * 30


def test_refusals_of_calls_that_left_before_the_fall_are_no_news() -> None:
    """Thirty calls under way at once are refused together; that is one mistake, not thirty."""
    window = Window(Rate(200, 1.0))
    assert window.back_off(1.0, 0.9, None)
    assert [window.back_off(1.0 + late, 0.95, None) for late in (0.0, 0.1, 0.2)] == [False] * 3
    assert window.learned is not None
    assert window.learned.per_s(1.0) == 100


def test_refusals_one_after_the_other_cost_more_than_a_single_one() -> None:
    """Somebody else uses up the account: to stay at the limit would be to be refused for ever."""
    window = Window(Rate(20, 1.0))
    for second in (1.0, 2.0, 3.0):
        window.back_off(second, second - 0.5, Rate(20, 1.0))
    assert window.learned is not None
    # 20 less a twentieth, and twice less three tenths, with a second's climb of 0.4 before each.
    assert window.learned.per_s(3.0) == pytest.approx(9.79, rel=0.01)


def test_it_climbs_back_to_its_ceiling_slowly_and_forgets() -> None:
    """Halved at 100/s, it is below the ceiling after ten seconds and at it after a minute; then nothing is learned any more."""
    window = Window(Rate(100, 1.0))
    window.back_off(0.0, -1.0, None)
    assert window.learned is not None
    assert 50 < window.learned.per_s(10.0) < 100
    window.take(61.0)
    assert window.learned is None


def test_a_named_limit_is_believed_for_a_minute_and_then_tried_again() -> None:
    """Limits are raised too; but every attempt costs refused calls."""
    window = Window(Rate(100, 1.0))
    window.back_off(0.0, -1.0, Rate(20, 1.0))
    assert window.learned is not None
    assert window.learned.per_s(59.0) == 20
    assert window.learned.per_s(70.0) > 20


def test_the_ceiling_holds_whatever_the_gateway_says() -> None:
    """A gateway that names more than the configuration allows raises nothing."""
    window = Window(Rate(10, 1.0))
    window.back_off(0.0, -1.0, Rate(500, 1.0))
    times = []
    now = 0.0
    while now < 5:
        now += window.wait_s(now)
        window.take(now)
        times.append(now)
    assert max(sum(start <= other < start + 1 - 1e-9 for other in times) for start in times) <= 10


def test_it_never_stops_altogether() -> None:
    """However often it is refused, a call leaves at least every ten seconds."""
    window = Window(Rate(10, 1.0))
    for second in range(100):
        window.back_off(float(second), second - 0.5, None)
    window.take(100.0)
    assert 0 < window.wait_s(100.0) <= 10
