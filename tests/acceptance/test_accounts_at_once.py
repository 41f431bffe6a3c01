"""More accounts than are swept at the same time. The witness is what arrived at each account's own cloud, and when."""

import signal
from contextlib import ExitStack

from acceptance.conftest import Simulate
from acceptance.support import Cloud, Desk, Json, eventually, idle_fleet, target

ACCOUNTS = ("ash", "beech", "cedar", "dogwood")
AT_ONCE = 2
NOTEBOOKS = 12


def clouds_of(simulate: Simulate) -> dict[str, Cloud]:
    """Run one cloud for each account."""
    timing = {"deletion_median_s": 0.3}
    return {name: simulate(idle_fleet(NOTEBOOKS), access={"account": name}, timing=timing) for name in ACCOUNTS}


def write(desk: Desk, clouds: dict[str, Cloud], delete: str = "10/s") -> None:
    """Write a configuration with a target for each account, which deletes at that rate; none has a schedule."""
    limits = {"delete": delete}
    targets = [target(cloud.url, name=name, limits=limits) for name, cloud in clouds.items()]
    service = {"listen": None, "accounts_at_once": AT_ONCE}
    desk.write(clouds[ACCOUNTS[0]], targets=targets, service=service)


def span(cloud: Cloud) -> tuple[float, float]:
    """Return when the first and the last request arrived at a cloud."""
    times = [request["at"] for request in cloud.requests()]
    return times[0], times[-1]


def most_at_once(spans: list[tuple[float, float]]) -> int:
    """Return how many of these spans of time overlap at most."""
    return max(sum(begin <= moment <= end for begin, end in spans) for moment, _ in spans)


def waiting(desk: Desk) -> dict[str, int]:
    """Return the targets that wait by `status`, each with the number of accounts ahead."""
    document: list[Json] = desk.run("status", "--format", "json").document
    found = {each["target"]: (each["service"] or {}).get("accounts_ahead") for each in document}
    return {name: ahead for name, ahead in found.items() if ahead is not None}


def test_a_service_sweeps_two_accounts_at_a_time_and_the_longest_waiting_next(simulate: Simulate, desk: Desk) -> None:
    """Four targets of four accounts are asked for: two begin, two wait, and `status` says so; all are swept in the end."""
    clouds = clouds_of(simulate)
    # Longer than the two seconds after which the service writes down what has changed.
    write(desk, clouds, delete="4/s")
    with desk.started("serve") as started:
        started.wait_for("service.started")
        with ExitStack() as stack:
            # Each waits until the service has taken its request.
            asked = [stack.enter_context(desk.started("sweep", name)) for name in ACCOUNTS]
            assert [each.ended().code for each in asked] == [0] * len(ACCOUNTS)
        seen = eventually(lambda: waiting(desk), "a target that waits")
        started.wait_for_more("sweep.finished", len(ACCOUNTS))
        eventually(lambda: not waiting(desk), "nobody waits any more")
        started.signal(signal.SIGTERM)
        ended = started.ended()
    assert ended.code == 0, ended.err
    assert set(seen.values()) <= {0, 1}
    assert all(len(cloud.gone()) == NOTEBOOKS for cloud in clouds.values())
    spans = {name: span(cloud) for name, cloud in clouds.items()}
    assert most_at_once(list(spans.values())) == AT_ONCE, spans
    told = [line["target"] for line in ended.events("target.waiting")]
    begun = [line["target"] for line in ended.events("sweep.started")]
    assert len(told) == len(ACCOUNTS) - AT_ONCE
    assert begun[AT_ONCE:] == told


def test_a_run_sweeps_two_accounts_at_a_time(simulate: Simulate, desk: Desk) -> None:
    """The same bound holds for `run`; each target has its report."""
    clouds = clouds_of(simulate)
    write(desk, clouds)
    ended = desk.sweep()
    assert ended.code == 0, ended.err
    assert ended.document["counts"]["deleted"] == NOTEBOOKS * len(ACCOUNTS)
    assert most_at_once([span(cloud) for cloud in clouds.values()]) == AT_ONCE
    assert [line["target"] for line in ended.events("target.waiting")] == list(ACCOUNTS[AT_ONCE:])


def test_a_run_that_is_interrupted_begins_nothing_that_waits(simulate: Simulate, desk: Desk) -> None:
    """Ctrl-C while two accounts are swept: no call ever arrives at the other two, and the run ends as interrupted."""
    clouds = clouds_of(simulate)
    write(desk, clouds)
    with desk.started("run", "--yes", "--format", "json") as started:
        eventually(clouds[ACCOUNTS[0]].accepted, "a DELETE")
        started.signal(signal.SIGINT)
        ended = started.ended()
    assert ended.code == 130, ended.err
    assert [clouds[name].requests() for name in ACCOUNTS[AT_ONCE:]] == [[], []]


def test_a_target_that_is_paused_while_it_waits_is_not_swept_by_a_run(simulate: Simulate, desk: Desk) -> None:
    """The pause counts when its turn comes, not when the run began."""
    clouds = clouds_of(simulate)
    write(desk, clouds)
    last = ACCOUNTS[-1]
    with desk.started("run", "--yes", "--format", "json") as started:
        started.wait_for_more("target.waiting", 2)
        assert desk.run("pause", last).code == 0
        ended = started.ended()
    assert ended.code == 4, ended.err
    assert clouds[last].requests() == []
    assert all(len(clouds[name].gone()) == NOTEBOOKS for name in ACCOUNTS[:-1])
