from acceptance.conftest import Simulate
from acceptance.support import Desk, Ended, Json, idle_fleet, most_in_window, sent

LATENCY = {"latency_median_s": 0.02, "latency_spread": 0.3, "deletion_median_s": 0.3, "deletion_spread": 0.3}
LANES = {"delete": 20, "list": 10, "show": 40}
JITTER_OF_ARRIVAL = 2


def swept(simulate: Simulate, desk: Desk, limits: Json, count: int) -> tuple[Ended, dict[str, int]]:
    """Sweep so many notebooks at these limits, hard on the poller's side too; give the log, and the cloud's own count."""
    cloud = simulate(idle_fleet(count), timing=LATENCY)
    polling = {"interval": "50ms", "max_interval": "50ms"}
    desk.write(cloud, target={"limits": limits}, polling=polling, logging={"level": "debug"})
    ended = desk.sweep()
    assert ended.code == 0
    assert len(ended.ids("deleted")) == count
    return ended, cloud.most_in_a_second()


def logged_calls(ended: Ended) -> int:
    """Count the calls in the log."""
    return sum(map(len, sent(ended).values()))


def test_no_lane_is_ever_faster_than_its_limit(simulate: Simulate, desk: Desk) -> None:
    """20 DELETEs, 10 listings and 40 questions in any second, by the times they leave and, but for 2, by the cloud's count."""
    limits = {lane: f"{rate}/s" for lane, rate in LANES.items()}
    ended, arrived = swept(simulate, desk, limits, count=50)
    busiest = {lane: most_in_window(moments, 1.0) for lane, moments in sent(ended).items()}
    assert {lane: count for lane, count in busiest.items() if count > LANES[lane]} == {}
    # The limit is what bounds it: it is nearly reached on the lanes that have enough to do.
    assert busiest["delete"] >= 18
    assert busiest["list"] >= 9
    assert arrived["delete"] <= 20 + JITTER_OF_ARRIVAL
    assert arrived["list_all"] <= 10 + JITTER_OF_ARRIVAL
    assert arrived.get("show", 0) <= 40 + JITTER_OF_ARRIVAL  # a listing may have spared every question


def test_all_lanes_together_keep_to_the_total(simulate: Simulate, desk: Desk) -> None:
    """30 calls of any kind in any second; the single lanes alone would allow 70."""
    limits = {lane: f"{rate}/s" for lane, rate in LANES.items()} | {"total": "30/s"}
    ended, arrived = swept(simulate, desk, limits, count=40)
    moments = [moment for lane in sent(ended).values() for moment in lane]
    assert 27 <= most_in_window(moments, 1.0) <= 30
    for lane, moments_of_lane in sent(ended).items():
        assert most_in_window(moments_of_lane, 1.0) <= LANES[lane]
    assert arrived["total"] <= 30 + JITTER_OF_ARRIVAL


def test_every_call_that_arrives_is_in_the_log(simulate: Simulate, desk: Desk) -> None:
    """What the log counts is what the cloud counts, retries included: the rates above leave nothing out."""
    rates = {"all": {"error_500_before": 0.1}, "delete": {"reset_before": 0.1}}
    cloud = simulate(idle_fleet(30), faults={"rates": rates})
    desk.write(cloud, target={"limits": {"delete": "50/s"}}, logging={"level": "debug"})
    ended = desk.sweep()
    assert ended.code == 0
    assert len(cloud.requests()) == logged_calls(ended)
    assert ended.events("http.retried")


def test_a_rate_by_the_minute_is_spread_over_the_minute(simulate: Simulate, desk: Desk) -> None:
    """At 240 a minute 9 DELETEs are 8 times 0.25 s apart; they are not let go all at once."""
    ended, _ = swept(simulate, desk, {"delete": "240/m"}, count=9)
    deletes = sorted(sent(ended)["delete"])
    assert len(deletes) == 9
    assert 1.85 <= deletes[-1] - deletes[0] <= 6.0
    # A lane may make up for a tenth of a second: four a second, and one.
    assert most_in_window(deletes, 1.0) <= 5


def test_a_gateway_that_throttles_is_given_way_to(simulate: Simulate, desk: Desk) -> None:
    """The cloud allows less than the configuration: the lane pauses, few calls are refused, and everything goes in the end."""
    limit = {"per_api": {"delete": {"calls": 10, "window_s": 1.0}}}
    cloud = simulate(idle_fleet(25), limits=limit)
    desk.write(cloud, target={"limits": {"delete": "25/s"}})
    ended = desk.sweep()
    assert ended.code == 0
    assert cloud.gone() == set(cloud.instances())
    assert set(cloud.accepted().values()) == {1}
    throttled = ended.events("http.throttled")
    assert throttled
    assert {line["limit"] for line in throttled} == {"limit:10,time:1 second"}


def test_a_single_connection_is_enough(simulate: Simulate, desk: Desk) -> None:
    """However few calls may be under way at once, the sweep comes to its end."""
    cloud = simulate(idle_fleet(6), timing={"latency_median_s": 0.03})
    desk.write(cloud, target={"limits": {"concurrency": 1}})
    ended = desk.sweep()
    assert (ended.code, len(ended.ids("deleted"))) == (0, 6)
