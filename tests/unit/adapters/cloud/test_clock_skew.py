from datetime import timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import NOON
from hand_clock import HandClock
from nbsweep.adapters.cloud.clock_skew import ClockSkew


def date(true_s: float) -> str:
    """Write what a server whose clock is right says so many seconds after noon: whole seconds, the rest is left out."""
    return format_datetime((NOON + timedelta(seconds=true_s)).replace(microsecond=0), usegmt=True)


def answered(
    dates: ClockSkew, clock: HandClock, *, made_after_s: float = 0.0, came_after_s: float = 0.0, wrong_s: float = 0
) -> None:
    """Let a call leave now, be answered so much later by a server that is so wrong, and arrive so much later."""
    sent, passed_s = clock.read(), clock.passed_s
    clock.passed_s = passed_s + came_after_s
    dates.note(date(passed_s + made_after_s + wrong_s), sent)


def test_without_an_answer_nothing_is_known() -> None:
    """Nor with one that has no Date, or none that can be read."""
    clock = HandClock()
    dates = ClockSkew(clock)
    for text in ("", "yesterday", "Mon, 99 Foo 2026"):
        dates.note(text, clock.read())
        assert dates.skew_s() is None


@pytest.mark.parametrize("made_after_s", [0, 45, 300])
def test_a_slow_answer_does_not_look_like_a_clock_that_is_off(made_after_s: float) -> None:
    """Five minutes under way, and wherever in them the answer was made: no skew."""
    clock = HandClock()
    dates = ClockSkew(clock)
    answered(dates, clock, made_after_s=made_after_s, came_after_s=300)
    assert dates.skew_s() == 0


@given(
    part_s=st.floats(0, 0.999),
    wait_s=st.floats(0, 30),
    share=st.floats(0, 1),
    set_s=st.floats(-5000, 5000),
)
def test_a_skew_is_never_made_larger_than_it_is(part_s: float, wait_s: float, share: float, set_s: float) -> None:
    """Nor smaller by more than the answer took, and the second that a Date may leave out."""
    clock = HandClock()
    clock.passed_s, clock.set_s = part_s, set_s
    dates = ClockSkew(clock)
    answered(dates, clock, made_after_s=wait_s * share, came_after_s=wait_s)
    skew_s = dates.skew_s()
    assert skew_s is not None
    assert abs(skew_s) <= abs(set_s) + 1e-4
    assert abs(skew_s) >= abs(set_s) - wait_s - 1 - 1e-4
    assert abs(skew_s) < 1e-4 or (skew_s > 0) == (set_s > 0)


def test_one_server_that_is_wrong_among_others_is_not_believed() -> None:
    """The middle one of the latest answers counts; of two that differ, the one that speaks against the clock."""
    clock = HandClock()
    dates = ClockSkew(clock)
    answered(dates, clock, came_after_s=1)
    answered(dates, clock, came_after_s=1, wrong_s=-900)
    assert dates.skew_s() == pytest.approx(899, abs=1)
    answered(dates, clock, came_after_s=1)
    assert dates.skew_s() == 0


def test_one_server_that_is_wrong_does_not_clear_an_alarm() -> None:
    """The clock is an hour ahead, and one of four servers is, too."""
    clock = HandClock()
    dates = ClockSkew(clock)
    clock.set_s = 3600
    for wrong_s in (0, 0, 3600, 0):
        answered(dates, clock, wrong_s=wrong_s)
    assert dates.skew_s() == pytest.approx(3599.5, abs=1)


def test_an_answer_during_which_the_machine_slept_says_nothing() -> None:
    """Its Date is from before, its arrival from after; the one that is asked for then is right."""
    clock = HandClock()
    dates = ClockSkew(clock)
    sent = clock.read()
    clock.set_s = 7200
    dates.note(date(clock.passed_s), sent)
    assert dates.skew_s() is None
    answered(dates, clock, wrong_s=7200)
    assert dates.skew_s() == 0


def test_after_the_clocks_have_parted_only_new_answers_count() -> None:
    """Seven say that all is well, then the wall clock is set by an hour: nothing is known until the next answer."""
    clock = HandClock()
    dates = ClockSkew(clock)
    for _ in range(7):
        answered(dates, clock)
    clock.set_s = -3600
    assert dates.skew_s() is None
    answered(dates, clock)
    assert dates.skew_s() == pytest.approx(-3599.5, abs=1)


def test_an_old_answer_does_not_speak_for_the_clock_of_today() -> None:
    """The clock went astray by and by, which the steady clock went along with: only the new answer counts."""
    clock = HandClock()
    dates = ClockSkew(clock)
    answered(dates, clock)
    clock.passed_s += 86_400
    answered(dates, clock, wrong_s=-120)
    assert dates.skew_s() == pytest.approx(119, abs=1)


def test_a_machine_that_slept_is_right_again_with_the_next_answer() -> None:
    """The steady clock stood still meanwhile, and the old answers do not fit any more; the new one does."""
    clock = HandClock()
    dates = ClockSkew(clock)
    answered(dates, clock)
    clock.set_s = 3600
    assert dates.skew_s() is None
    answered(dates, clock, wrong_s=3600)
    assert dates.skew_s() == 0
