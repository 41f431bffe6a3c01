import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise

import anyio
import pytest

from nbsweep.adapters.cloud.limiter import Lane, Lanes, Throttle
from nbsweep.core.events.http import LanesState
from nbsweep.core.pacing import CATCH_UP_S, LaneState, Rate
from nbsweep.testing import FakeClock

pytestmark = pytest.mark.looptime(noop_cycles=1)

ROUNDING_S = 1e-5
"""Virtual time moves in steps of a microsecond."""
HELD = 0.01
"""A window may be held by so much of its period longer, for calls can arrive more closely together than they left."""
AHEAD_S = CATCH_UP_S + 1e-3
"""By so much a call may be before an even spread."""


@dataclass
class Road:
    """Lanes, and when which call has left through them."""

    lanes: Lanes
    began_s: float
    left: list[tuple[float, Lane]] = field(default_factory=list)

    async def leave(self, lane: Lane) -> None:
        """Leave once."""
        moment_s = await self.lanes.acquire(lane)
        assert moment_s == asyncio.get_running_loop().time()
        self.left.append((moment_s - self.began_s, lane))

    async def leave_later(self, lane: Lane, seconds: float) -> None:
        """Leave once, from then on."""
        await asyncio.sleep(seconds)
        await self.leave(lane)

    def pause(self, lane: Lane, seconds: float) -> None:
        """Refuse a call of long ago, which slows nothing down, and say when to come back."""
        self.lanes.refused(lane, Throttle(float("-inf"), None, shared=False, retry_after_s=seconds))

    def times(self, *lanes: Lane) -> list[float]:
        """Return when calls of these lanes have left, of all when none is named."""
        return [moment_s for moment_s, lane in self.left if not lanes or lane in lanes]


def road(delete: Rate, show: Rate | None = None, listing: Rate | None = None, total: Rate | None = None) -> Road:
    """Make lanes; those that are not named are as fast as DELETE."""
    clock = FakeClock()
    rates = {Lane.DELETE: delete, Lane.SHOW: show or delete, Lane.LIST: listing or delete}
    return Road(Lanes(rates, total, clock), clock.steady_s())


async def all_leave(on: Road, lanes: Iterable[Lane]) -> None:
    """Let so many tasks wait at once."""
    async with anyio.create_task_group() as group:
        for lane in lanes:
            group.start_soon(on.leave, lane)


def most_in_a_window(times: list[float], period_s: float) -> int:
    """Count the calls in the fullest half-open window."""
    return max(sum(moment <= other < moment + period_s - ROUNDING_S for other in times) for moment in times)


# ---- the rates ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rate", [Rate(5, 1.0), Rate(50, 1.0), Rate(10, 60.0), Rate(1, 1.0), Rate(7, 3.0)])
async def test_no_window_ever_holds_more_than_the_rate(rate: Rate) -> None:
    """Sixty tasks at once: full speed, and not one call more in any window."""
    on = road(rate)
    await all_leave(on, [Lane.DELETE] * 60)
    times = on.times()
    assert most_in_a_window(times, rate.period_s) <= rate.calls
    assert times[-1] <= 59 * rate.spacing_s * (1 + HELD) + 0.01


async def test_calls_are_spread_evenly() -> None:
    """Five in five seconds leave at 0, 1, 2 s and so on, and never all at once."""
    on = road(Rate(5, 5.0))
    await all_leave(on, [Lane.DELETE] * 6)
    assert on.times() == pytest.approx([0, 1, 2, 3, 4, 5], abs=AHEAD_S)


async def test_a_pause_in_demand_is_not_made_up_for() -> None:
    """After a minute without calls the rate is the same as ever."""
    on = road(Rate(10, 1.0))
    await all_leave(on, [Lane.DELETE] * 10)
    await asyncio.sleep(60)
    await all_leave(on, [Lane.DELETE] * 30)
    assert most_in_a_window(on.times(), 1.0) <= 10
    assert on.times()[39] - on.times()[10] >= 2.7


async def test_lanes_without_a_total_do_not_hinder_each_other() -> None:
    """Each has its own rate: ten deletions at 1/s, ten looks at 10/s, ten pages at 5/s."""
    on = road(Rate(1, 1.0), Rate(10, 1.0), Rate(5, 1.0))
    await all_leave(on, [Lane.DELETE, Lane.SHOW, Lane.LIST] * 10)
    assert on.times(Lane.DELETE) == pytest.approx([float(number) for number in range(10)], abs=AHEAD_S)
    assert on.times(Lane.SHOW)[-1] == pytest.approx(0.9, abs=AHEAD_S)
    assert on.times(Lane.LIST)[-1] == pytest.approx(1.8, abs=AHEAD_S)


async def test_first_come_first_served_within_a_lane() -> None:
    """Nobody is overtaken by one of his own kind."""
    on = road(Rate(10, 1.0))
    order: list[int] = []

    async def leave(number: int) -> None:
        await on.leave(Lane.SHOW)
        order.append(number)

    async with anyio.create_task_group() as group:
        for number in range(20):
            group.start_soon(leave, number)
    assert order == list(range(20))


# ---- the total ------------------------------------------------------------------------------------------------------------


async def test_all_lanes_together_keep_to_the_total() -> None:
    """Three lanes of 20/s under a total of 10/s: never more than ten in a second, and no slower than that."""
    on = road(Rate(20, 1.0), total=Rate(10, 1.0))
    await all_leave(on, [Lane.LIST, Lane.SHOW, Lane.DELETE] * 20)
    assert most_in_a_window(on.times(), 1.0) <= 10
    for lane in Lane:
        assert most_in_a_window(on.times(lane), 1.0) <= 20
    assert on.times()[-1] <= 5.95


async def test_delete_goes_first_where_they_share() -> None:
    """Looks and pages were there first; when DELETEs come at 5.5 s, each next turn is theirs until none is left."""
    on = road(Rate(100, 1.0), total=Rate(1, 1.0))
    async with anyio.create_task_group() as group:
        for lane in [Lane.LIST, Lane.SHOW] * 10:
            group.start_soon(on.leave, lane)
        for _ in range(5):
            group.start_soon(on.leave_later, Lane.DELETE, 5.5)
    assert on.times(Lane.DELETE) == pytest.approx([6, 7, 8, 9, 10], abs=1e-3, rel=HELD)
    assert most_in_a_window(on.times(), 1.0) == 1


async def test_looks_go_before_pages_where_they_share() -> None:
    """A second look is more urgent than a listing; only the two pages that need not wait at all have left before."""
    on = road(Rate(10, 1.0), total=Rate(10, 1.0))
    await all_leave(on, [Lane.LIST] * 5 + [Lane.SHOW] * 5)
    assert [lane for _, lane in on.left] == [Lane.LIST] * 2 + [Lane.SHOW] * 5 + [Lane.LIST] * 3


@pytest.mark.parametrize("total", [None, Rate(50, 1.0)], ids=["lanes of their own", "a total"])
async def test_calls_that_wait_leave_a_few_at_once_and_no_later_for_it(total: Rate | None) -> None:
    """Three hundred at 50/s: in half as many moments at most, the last by its time, and never more than 50 in a second."""
    on = road(Rate(50, 1.0), total=total)
    await all_leave(on, [Lane.DELETE] * 300)
    assert len(set(on.times())) <= 150
    assert on.times()[-1] <= 299 * 0.02 * (1 + HELD) + 0.01
    assert most_in_a_window(on.times(), 1.0) <= 50


async def test_lists_among_deletes_cost_the_total_nothing() -> None:
    """Lane and total of 50/s each: with a page after every 24 DELETEs, 300 calls leave as fast as 300 of one kind."""
    on = road(Rate(50, 1.0), total=Rate(50, 1.0))
    await all_leave(on, ([Lane.DELETE] * 24 + [Lane.LIST]) * 12)
    assert on.times()[-1] <= 299 * 0.02 * (1 + 2 * HELD)
    assert most_in_a_window(on.times(), 1.0) <= 50


async def test_a_delete_that_waits_for_its_own_lane_holds_up_nobody() -> None:
    """One DELETE in ten seconds; between them the total belongs to the others."""
    on = road(Rate(1, 10.0), Rate(10, 1.0), Rate(10, 1.0), total=Rate(10, 1.0))
    await all_leave(on, [Lane.DELETE] * 3 + [Lane.LIST] * 20)
    assert on.times(Lane.DELETE) == pytest.approx([0, 10, 20], abs=AHEAD_S)
    assert on.times(Lane.LIST)[-1] <= 2.1


# ---- pauses ---------------------------------------------------------------------------------------------------------------


async def test_a_paused_lane_lets_nothing_leave() -> None:
    """Paused for three seconds; the others go on."""
    on = road(Rate(10, 1.0))
    on.pause(Lane.DELETE, 3)
    await all_leave(on, [Lane.DELETE, Lane.SHOW])
    assert on.times(Lane.DELETE) == pytest.approx([3], abs=1e-3)
    assert on.times(Lane.SHOW) == [0]


async def test_a_pause_holds_for_those_who_wait_already() -> None:
    """Two have left when the 429 comes at 1.5 s; the third leaves when the pause is over."""
    on = road(Rate(1, 1.0))
    asyncio.get_running_loop().call_later(1.5, on.pause, Lane.DELETE, 2)
    await all_leave(on, [Lane.DELETE] * 3)
    assert on.times() == pytest.approx([0, 1, 3.5], abs=1e-3, rel=HELD)


async def test_a_short_pause_does_not_shorten_a_long_one() -> None:
    """The later end counts."""
    on = road(Rate(10, 1.0))
    on.pause(Lane.DELETE, 5)
    on.pause(Lane.DELETE, 1)
    await on.leave(Lane.DELETE)
    assert on.times() == pytest.approx([5], abs=1e-3)


async def test_where_there_is_a_total_a_pause_is_for_all() -> None:
    """The gateway limits the user, so a 429 on one lane is one for all; those who wait already wait on."""
    on = road(Rate(1, 1.0), total=Rate(1, 1.0))
    asyncio.get_running_loop().call_later(0.05, on.pause, Lane.LIST, 2)
    await all_leave(on, [Lane.SHOW] * 2 + [Lane.DELETE])
    assert on.times()[0] == 0
    assert min(on.times()[1:]) >= 2.05 - ROUNDING_S


async def test_a_pause_of_a_lane_holds_for_who_waits_for_the_total_already() -> None:
    """It had passed its own lane before a 429 named that lane's limit and said when to come back; others go meanwhile."""
    on = road(Rate(10, 1.0), total=Rate(1, 1.0))
    named = Throttle(float("-inf"), Rate(1, 1.0), shared=False, retry_after_s=3)
    asyncio.get_running_loop().call_later(0.5, on.lanes.refused, Lane.DELETE, named)
    await all_leave(on, [Lane.DELETE, Lane.DELETE, Lane.SHOW])
    assert on.times(Lane.DELETE)[1] >= 3.5 - ROUNDING_S
    assert on.times(Lane.SHOW)[0] < 1.1


async def test_after_a_pause_the_rate_is_the_same() -> None:
    """What was held up does not leave all at once."""
    on = road(Rate(5, 1.0))
    on.pause(Lane.DELETE, 10)
    await all_leave(on, [Lane.DELETE] * 20)
    assert most_in_a_window(on.times(), 1.0) <= 5
    assert on.times()[-1] - on.times()[0] >= 3.6


# ---- cancellation ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("given_up", [1, 2, 5])
@pytest.mark.parametrize("total", [None, Rate(1, 1.0)])
async def test_who_gives_up_costs_nobody_a_turn(given_up: int, total: Rate | None) -> None:
    """Three of ten give up while they wait, the first of the queue among them: the seven leave as if they had been alone."""
    on = road(Rate(1, 1.0), total=total)
    scopes = [anyio.CancelScope() for _ in range(10)]

    async def leave(scope: anyio.CancelScope) -> None:
        with scope:
            await on.leave(Lane.DELETE)

    async with anyio.create_task_group() as group:
        for scope in scopes:
            group.start_soon(leave, scope)
        await asyncio.sleep(0.5)
        for scope in scopes[given_up : given_up + 3]:
            scope.cancel()
    assert on.times() == pytest.approx([float(number) for number in range(7)], abs=1e-3, rel=HELD)


async def test_a_delete_that_gives_up_lets_the_others_go_at_once() -> None:
    """It was more urgent, and paused; without it the total is theirs."""
    on = road(Rate(10, 1.0), total=Rate(1, 1.0))
    await on.leave(Lane.LIST)

    async with anyio.create_task_group() as group:
        delete = anyio.CancelScope()

        async def wait_for_delete() -> None:
            with delete:
                await on.leave(Lane.DELETE)

        group.start_soon(wait_for_delete)
        group.start_soon(on.leave, Lane.LIST)
        await asyncio.sleep(0.5)
        delete.cancel()
    assert on.times(Lane.LIST) == pytest.approx([0, 1], abs=1e-3, rel=HELD)
    assert on.times(Lane.DELETE) == []


async def test_a_cancelled_turn_to_prepare_is_nobodys_loss() -> None:
    """Of three that wait for a turn the second gives up; the third has its place."""
    on = road(Rate(1, 1.0))
    turns: list[float] = []

    async def take(scope: anyio.CancelScope) -> None:
        with scope:
            await on.lanes.acquire_early(Lane.DELETE)
            turns.append(asyncio.get_running_loop().time() - on.began_s)

    scopes = [anyio.CancelScope() for _ in range(3)]
    async with anyio.create_task_group() as group:
        for scope in scopes:
            group.start_soon(take, scope)
        await asyncio.sleep(0.5)
        scopes[1].cancel()
    assert turns == pytest.approx([0, 1], abs=1e-3, rel=HELD)


# ---- turns to prepare -----------------------------------------------------------------------------------------------------


async def test_turns_to_prepare_come_at_the_lanes_rate() -> None:
    """So that what is prepared does not queue up, and its facts do not grow old."""
    on = road(Rate(5, 1.0))
    for _ in range(11):
        await on.lanes.acquire_early(Lane.DELETE)
    assert asyncio.get_running_loop().time() - on.began_s == pytest.approx(2.0, abs=AHEAD_S)


async def test_a_turn_to_prepare_uses_up_no_call() -> None:
    """A turn and then the call: both at once, and the next pair a spacing later."""
    on = road(Rate(2, 1.0))
    for _ in range(4):
        await on.lanes.acquire_early(Lane.DELETE)
        await on.leave(Lane.DELETE)
    assert on.times() == pytest.approx([0, 0.5, 1.0, 1.5], abs=AHEAD_S)


async def test_there_are_no_turns_while_the_lane_is_paused() -> None:
    """Facts that are looked up now would be old when the pause is over."""
    on = road(Rate(5, 1.0))
    on.pause(Lane.DELETE, 30)
    await on.lanes.acquire_early(Lane.DELETE)
    assert asyncio.get_running_loop().time() - on.began_s == pytest.approx(30, abs=1e-3)


# ---- what the gateway teaches ---------------------------------------------------------------------------------------------


def refusal(on: Road, named: Rate | None = None, *, shared: bool = False) -> Throttle:
    """Refuse a call that left just now."""
    return Throttle(on.began_s, named, shared=shared, retry_after_s=None)


async def test_a_limit_of_one_api_slows_its_own_lane_only() -> None:
    """DELETE is held to the 5 a second that were named; questions go on as before."""
    on = road(Rate(50, 1.0))
    on.lanes.refused(Lane.DELETE, refusal(on, Rate(5, 1.0)))
    await all_leave(on, [Lane.DELETE] * 10 + [Lane.SHOW] * 50)
    assert most_in_a_window(on.times(Lane.DELETE), 1.0) <= 5
    assert on.times(Lane.SHOW)[-1] < 1.1


async def test_a_limit_of_the_user_binds_all_lanes_together() -> None:
    """No total was configured; from the first such refusal on there is one, and DELETE goes first in it."""
    on = road(Rate(50, 1.0))
    on.lanes.refused(Lane.SHOW, refusal(on, Rate(10, 1.0), shared=True))
    await all_leave(on, [Lane.LIST] * 15 + [Lane.DELETE] * 15)
    assert most_in_a_window(on.times(), 1.0) <= 10
    assert on.times(Lane.DELETE)[-1] < on.times(Lane.LIST)[-1]


async def test_without_a_name_the_lane_and_the_total_are_halved() -> None:
    """Nobody knows which of them it was."""
    on = road(Rate(20, 1.0), total=Rate(40, 1.0))
    assert on.lanes.refused(Lane.DELETE, refusal(on)) == 10
    await all_leave(on, [Lane.DELETE] * 20)
    assert most_in_a_window(on.times(Lane.DELETE), 1.0) <= 11


async def test_refusals_of_calls_under_way_at_once_count_once() -> None:
    """Thirty answers to calls that left before the first was refused tell one thing."""
    on = road(Rate(64, 1.0))
    rates = [on.lanes.refused(Lane.DELETE, refusal(on)) for _ in range(30)]
    assert set(rates) == {32}


async def test_the_state_of_untroubled_lanes_is_what_was_configured() -> None:
    """And there is no total where none was configured."""
    on = road(Rate(5, 1.0), Rate(600, 60.0), Rate(4, 1.0))
    assert on.lanes.state() == (
        LaneState("delete", 5.0, 5.0, None),
        LaneState("show", 10.0, 10.0, None),
        LaneState("list", 4.0, 4.0, None),
    )


async def test_the_state_shows_what_the_gateway_has_taught() -> None:
    """A limit that was named, and one that was not: the lane is slower all the same."""
    on = road(Rate(50, 1.0), total=Rate(80, 1.0))
    on.lanes.refused(Lane.DELETE, refusal(on, Rate(300, 60.0)))
    on.lanes.refused(Lane.SHOW, refusal(on))
    assert on.lanes.state() == (
        LaneState("delete", 50.0, 5.0, "300/m"),
        LaneState("show", 50.0, 25.0, None),
        LaneState("list", 50.0, 50.0, None),
        LaneState("total", 80.0, 40.0, None),
    )


async def test_a_total_that_was_learned_was_not_configured() -> None:
    """It binds all the same."""
    on = road(Rate(50, 1.0))
    on.lanes.refused(Lane.LIST, refusal(on, Rate(20, 1.0), shared=True))
    assert on.lanes.state()[-1] == LaneState("total", None, 20.0, "20/s")


async def test_the_state_follows_the_climb_back() -> None:
    """A named limit is believed for a minute; an hour later everything has been won back."""
    on = road(Rate(50, 1.0))
    on.lanes.refused(Lane.DELETE, refusal(on, Rate(5, 1.0)))
    await asyncio.sleep(59)
    assert on.lanes.state()[0].calls_per_s == 5.0
    await asyncio.sleep(3600)
    assert on.lanes.state()[0].calls_per_s == 50.0


def test_the_figures_of_a_state_are_those_of_the_event() -> None:
    """By name, so that the log can hold them."""
    state = LaneState("delete", 50.0, 5.0, "300/m")
    event = LanesState({state.lane: state.figures})
    assert event.lanes == {"delete": {"configured_calls_per_s": 50.0, "calls_per_s": 5.0, "learned_limit": "300/m"}}


@pytest.mark.parametrize("way_in", ["acquire", "acquire_early"])
async def test_a_call_that_was_given_up_does_not_pass_an_open_door(way_in: str) -> None:
    """Nothing has to be waited for, and still it must not leave: aiohttp might send it before it hears of the end."""
    on = road(Rate(5, 1.0))
    with anyio.CancelScope() as scope:
        scope.cancel()
        await getattr(on.lanes, way_in)(Lane.DELETE)
        on.left.append((0.0, Lane.DELETE))
    assert on.left == []
    assert scope.cancelled_caught


async def test_turns_to_prepare_slow_down_with_the_lane() -> None:
    """What is prepared faster than it can leave grows old."""
    on = road(Rate(50, 1.0))
    on.lanes.refused(Lane.DELETE, refusal(on, Rate(5, 1.0)))
    for _ in range(11):
        await on.lanes.acquire_early(Lane.DELETE)
    assert asyncio.get_running_loop().time() - on.began_s >= 1.9


async def test_deletes_without_end_starve_nobody() -> None:
    """A hundred DELETEs wait, and with them four pages: one of these leaves every ten turns, long before the last DELETE."""
    on = road(Rate(10, 1.0), total=Rate(10, 1.0))
    await all_leave(on, [Lane.DELETE] * 100 + [Lane.LIST] * 4)
    _, *pages = on.times(Lane.LIST)  # the first finds an open slot
    assert [later - earlier for earlier, later in pairwise(pages)] == pytest.approx([1.1, 1.1], abs=0.15)
    assert most_in_a_window(on.times(), 1.0) <= 10
