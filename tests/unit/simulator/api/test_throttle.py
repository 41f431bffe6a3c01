import pytest

from nbsweep.simulator import AccessKey, AccessOptions, Limit, LimitOptions
from nbsweep.simulator.api.throttle import Throttle
from nbsweep.simulator.log import most_in_window
from nbsweep.simulator.refusals import ApiError
from unit.simulator.support import Desk, notebook, simulated


async def statuses(desk: Desk, count: int) -> list[int]:
    """List so many times, and return the statuses."""
    return [(await desk.notebooks()).status for _ in range(count)]


async def test_more_calls_than_the_limit_are_refused() -> None:
    """The third call within a second gets 429, in the gateway's words."""
    async with simulated(limits=LimitOptions(per_api={"list_all": Limit(2)})) as desk:
        assert await statuses(desk, 3) == [200, 200, 429]
        reply = await desk.notebooks()
        assert reply.json == {
            "error_code": "APIGW.0308",
            "error_msg": "The throttling threshold has been reached: policy api over ratelimit,limit:2,time:1 second",
            "request_id": reply.headers["X-Request-Id"],
        }
        assert "Retry-After" not in reply.headers


async def test_the_window_slides() -> None:
    """Room comes back exactly one window after the calls that filled it."""
    async with simulated(limits=LimitOptions(per_api={"list_all": Limit(2)}, refused_calls_count=False)) as desk:
        assert await statuses(desk, 1) == [200]
        desk.time.now_s += 0.5
        assert await statuses(desk, 2) == [200, 429]
        desk.time.now_s += 0.5
        assert await statuses(desk, 2) == [200, 429]
        desk.time.now_s += 0.5
        assert await statuses(desk, 2) == [200, 429]


async def test_refused_calls_use_up_the_window_too() -> None:
    """Who keeps knocking stays outside; a second of silence helps."""
    async with simulated(limits=LimitOptions(per_api={"list_all": Limit(2)})) as desk:
        assert await statuses(desk, 3) == [200, 200, 429]
        for _ in range(5):
            desk.time.now_s += 0.4
            assert await statuses(desk, 1) == [429]
        desk.time.now_s += 1
        assert await statuses(desk, 1) == [200]


async def test_each_kind_of_call_has_its_own_limit() -> None:
    """A full lane leaves the others alone."""
    async with simulated(notebook(), limits=LimitOptions(per_api={"list_all": Limit(1), "show": Limit(0)})) as desk:
        assert await statuses(desk, 2) == [200, 429]
        assert (await desk.show("nb")).status == 200
        assert (await desk.delete("nb")).status == 200


async def test_the_users_total_covers_all_kinds() -> None:
    """Over the total, any call is refused, and the policy is `user`."""
    limits = LimitOptions(per_user=Limit(2, window_s=60), retry_after_s=7)
    async with simulated(notebook(), limits=limits) as desk:
        assert (await desk.show("nb")).status == 200
        assert await statuses(desk, 1) == [200]
        reply = await desk.delete("nb")
        assert reply.status == 429
        assert reply.json["error_msg"].endswith("policy user over ratelimit,limit:2,time:1 minute")
        assert reply.headers["Retry-After"] == "7"


async def test_users_do_not_share_limits() -> None:
    """Another user's calls do not count."""
    other = AccessKey(access_key="OTHER", user="li.chen")
    access = AccessOptions(access_keys=(AccessKey(), other))
    async with simulated(notebook(), limits=LimitOptions(per_user=Limit(1)), access=access) as desk:
        path = f"/v1/{access.project_id}/notebooks/nb"
        assert (await desk.call("GET", path)).status == 200
        assert (await desk.call("GET", path, key=other)).status == 200
        assert (await desk.call("GET", path)).status == 429


async def test_the_message_can_keep_the_limit_to_itself() -> None:
    """Without numbers a client has to find the limit by itself."""
    limits = LimitOptions(per_api={"list_all": Limit(1)}, name_the_limit=False)
    async with simulated(limits=limits) as desk:
        await desk.notebooks()
        assert (await desk.notebooks()).json["error_msg"] == "The throttling threshold has been reached"


async def test_a_throttled_delete_does_nothing() -> None:
    """429 means that the notebook was not touched."""
    async with simulated(notebook(), limits=LimitOptions(per_user=Limit(1))) as desk:
        await desk.notebooks()
        assert (await desk.delete("nb")).status == 429
        assert (await desk.truth("nb"))["status"] == "STOPPED"


@pytest.mark.parametrize("window_s", [0.5, 1.0, 60.0])
def test_no_window_ever_holds_more_than_the_limit(window_s: float) -> None:
    """Of a steady stream, in any half-open window no more calls than the limit pass."""
    throttle = Throttle(LimitOptions(per_api={"show": Limit(5, window_s)}, refused_calls_count=False))
    passed = []
    for step in range(1000):
        arrival_s = step * window_s / 16
        try:
            throttle.admit("ana", "show", arrival_s)
        except ApiError:
            continue
        passed.append(arrival_s)
    assert most_in_window(passed, window_s) == 5
    # 1000 steps of a sixteenth make 62.5 windows: five calls in each that begins.
    assert len(passed) == 63 * 5


def test_windows_are_half_open() -> None:
    """Calls exactly one window apart are never in the same one."""
    assert most_in_window([]) == 0
    assert most_in_window([0.0, 1.0, 2.0]) == 1
    assert most_in_window([0.0, 0.5, 1.0, 1.25]) == 3
