"""What the lanes of an account leave for the process that calls on it next."""

import asyncio
import json
from collections.abc import Sequence
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hand_clock import HandClock
from nbsweep.adapters.cloud.limiter import Lane, Lanes, Throttle
from nbsweep.core.pacing import Rate
from unit.wires import fuzzing

CEILINGS = {Lane.DELETE: Rate(5, 1.0), Lane.SHOW: Rate(10, 1.0), Lane.LIST: Rate(120, 60.0)}
rates = st.builds(Rate, st.integers(1, 50), st.sampled_from([1.0, 60.0, 3600.0]))


class Refused(NamedTuple):
    """A 429, some time after the one before."""

    after_s: float
    lane: Lane
    named: Rate | None
    shared: bool
    retry_after_s: float | None


refusals = st.lists(
    st.builds(
        Refused,
        st.floats(0.001, 200),
        st.sampled_from(Lane),
        st.none() | rates,
        st.booleans(),
        st.none() | st.floats(0, 100),
    ),
    max_size=6,
)
totals = st.none() | rates
ages = st.floats(0, 10_000)


def after(past: Sequence[Refused], total: Rate | None, clock: HandClock, ceilings: dict[Lane, Rate] = CEILINGS) -> Lanes:
    """Return lanes after some refusals."""
    lanes = Lanes(ceilings, total, clock)
    for refused in past:
        clock.passed_s += refused.after_s
        throttle = Throttle(clock.steady_s(), refused.named, refused.shared, refused.retry_after_s)
        lanes.refused(refused.lane, throttle)
    return lanes


def per_s(lanes: Lanes) -> dict[str, float]:
    """Return the present rate of each lane and of the total."""
    return {state.lane: state.calls_per_s for state in lanes.state()}


def recalled(memory: str, age_s: float, total: Rate | None, clock: HandClock) -> dict[str, float]:
    """Return the rates of new lanes that have read a memory."""
    lanes = Lanes(CEILINGS, total, clock)
    assert lanes.recall(memory, age_s)
    return per_s(lanes)


@fuzzing
@given(past=refusals, total=totals, later_s=ages)
def test_a_memory_changes_no_rate(past: list[Refused], total: Rate | None, later_s: float) -> None:
    """Neither then nor at any later time, in another process or in the same one."""
    clock = HandClock()
    lanes = after(past, total, clock)
    others = Lanes(CEILINGS, total, clock)
    before = per_s(lanes)
    assert others.recall(lanes.remembered(), 0)
    assert per_s(others) == pytest.approx(before)
    clock.passed_s += later_s
    assert per_s(others) == pytest.approx(per_s(lanes), abs=0.002)
    now = per_s(lanes)
    assert lanes.recall(lanes.remembered(), 0)
    assert per_s(lanes) == pytest.approx(now)


@fuzzing
@given(past=refusals, total=totals, ages=st.tuples(ages, ages))
def test_an_older_memory_yields_no_lower_rate(past: list[Refused], total: Rate | None, ages: tuple[float, float]) -> None:
    """The rate goes on climbing while nobody calls."""
    clock = HandClock()
    memory = after(past, total, clock).remembered()
    fresh, old = (recalled(memory, age_s, total, clock) for age_s in sorted(ages))
    assert all(old[lane] >= fresh[lane] - 1e-9 for lane in fresh)


@fuzzing
@given(past=refusals, total=totals, age_s=ages, slower=rates)
def test_no_memory_lifts_a_lane_above_its_ceiling(past: list[Refused], total: Rate | None, age_s: float, slower: Rate) -> None:
    """Also if the configuration of the next process allows less."""
    clock = HandClock()
    memory = after(past, total, clock).remembered()
    lanes = Lanes(dict.fromkeys(Lane, slower), slower, clock)
    lanes.recall(memory, age_s)
    assert all(rate <= round(slower.per_s, 3) for rate in per_s(lanes).values())


def test_a_named_limit_is_known_to_the_next_process() -> None:
    """DELETE was told 2/s: it keeps to that for a minute, the time in between included, and then tries for more."""
    clock = HandClock()
    lanes = after([Refused(1, Lane.DELETE, Rate(2, 1.0), shared=False, retry_after_s=None)], None, clock)
    memory = lanes.remembered()
    others = Lanes(CEILINGS, None, clock)
    assert others.recall(memory, 40)
    [state] = [state for state in others.state() if state.lane == "delete"]
    assert (state.calls_per_s, state.learned_limit, state.configured_calls_per_s) == (2, "2/s", 5)
    clock.passed_s += 19
    assert per_s(others)["delete"] == 2
    clock.passed_s += 2
    assert 2 < per_s(others)["delete"] <= 2.1
    assert per_s(others)["show"] == 10


def test_a_total_that_nobody_configured_is_known_to_the_next_process() -> None:
    """The gateway has named 3/s for all calls together."""
    clock = HandClock()
    lanes = after([Refused(1, Lane.SHOW, Rate(3, 1.0), shared=True, retry_after_s=None)], None, clock)
    assert recalled(lanes.remembered(), 0, None, clock) == per_s(lanes) == {"delete": 5, "show": 10, "list": 2, "total": 3}


@pytest.mark.looptime(noop_cycles=1)
async def test_a_pause_that_the_gateway_asked_for_is_kept_by_the_next_process() -> None:
    """Ten seconds, of which four have passed."""
    clock = HandClock()
    lanes = after([Refused(1, Lane.SHOW, Rate(3, 1.0), shared=False, retry_after_s=10)], None, clock)
    others = Lanes(CEILINGS, None, clock)
    others.recall(lanes.remembered(), 4)
    call = asyncio.ensure_future(others.acquire(Lane.SHOW))
    clock.passed_s += 5.9
    await asyncio.sleep(5.9)
    assert not call.done()
    clock.passed_s += 0.2
    await asyncio.sleep(10)
    assert call.done()


def test_what_was_learned_last_counts() -> None:
    """These lanes were slow once; since then another process has found them fast."""
    clock = HandClock()
    lanes = after([Refused(1, Lane.DELETE, None, shared=False, retry_after_s=None)], None, clock)
    assert per_s(lanes)["delete"] == 2.5
    lanes.recall(Lanes(CEILINGS, None, clock).remembered(), 0)
    assert per_s(lanes)["delete"] == 5


LEARNED = {"calls": 2, "period_s": 1.0, "calls_per_s": 2.0, "backed_off_s": 1.0}


@pytest.mark.parametrize(
    "memory",
    [
        "",
        "{",
        "null",
        "[]",
        "{}",
        '{"lanes": {"delete": 5}}',
        '{"lanes": {"another": {}}}',
        '{"lanes": {"delete": {"learned": {"calls": 2}}}}',
        *(
            json.dumps({"lanes": {"delete": {"learned": LEARNED | change}}})
            for change in (
                {"calls": 0},
                {"calls": 10**12},
                {"period_s": 0},
                {"period_s": "1"},
                {"calls_per_s": -1},
                {"calls_per_s": 0},
                {"calls_per_s": None},
                {"backed_off_s": -5},
            )
        ),
        '{"lanes": {"delete": {"paused_s": 1e99}}}',
        "\ud800",
    ],
)
def test_a_memory_that_cannot_be_read_is_ignored(memory: str) -> None:
    """What these lanes have learned themselves stays."""
    clock = HandClock()
    lanes = after([Refused(1, Lane.DELETE, None, shared=False, retry_after_s=None)], None, clock)
    before = lanes.state()
    assert not lanes.recall(memory, 0)
    assert lanes.state() == before


def test_a_memory_from_the_future_is_one_of_now() -> None:
    """The database's clock was set back."""
    clock = HandClock()
    lanes = after([Refused(1, Lane.DELETE, None, shared=False, retry_after_s=None)], None, clock)
    assert recalled(lanes.remembered(), -3600, None, clock)["delete"] == 2.5
