import signal
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from acceptance.conftest import Simulate
from acceptance.support import Cloud, Desk, Ended, Started, eventually, idle_fleet

RUN = ("run", "--yes", "--format", "json")
COUNT = 24


@contextmanager
def mid_sweep(cloud: Cloud, desk: Desk, accepted: int = 6) -> Iterator[Started]:
    """Start a sweep of 15 DELETEs a second, and come back when some were accepted and most were not."""
    desk.write(cloud, target={"limits": {"delete": "15/s"}}, removal={"grace": "300ms", "deadline": "10m"})
    with desk.started(*RUN) as started:
        eventually(lambda: len(cloud.accepted()) >= accepted, f"{accepted} accepted DELETEs")
        yield started


def first_line(ended: Ended, event: str) -> int:
    """Tell where an event stands in the log for the first time."""
    return next(place for place, line in enumerate(ended.lines) if line["event"] == event)


def nobody_twice(cloud: Cloud) -> bool:
    """Tell whether the cloud accepted no notebook's DELETE twice, nor was sent one twice."""
    return max(cloud.accepted().values()) == 1 and max(cloud.deletes().values()) == 1


def test_ctrl_c_finishes_what_was_accepted_and_takes_no_more(simulate: Simulate, desk: Desk) -> None:
    """Exit 130; the results list every planned notebook, deleted or spared; a second run picks up the rest."""
    cloud = simulate(idle_fleet(COUNT), timing={"deletion_median_s": 0.6})
    with mid_sweep(cloud, desk) as started:
        started.signal(signal.SIGINT)
        first = started.ended()
    assert first.code == 130
    taken = set(cloud.accepted())
    assert 6 <= len(taken) < COUNT
    assert cloud.gone() == taken
    assert first.ids("deleted") == taken
    assert first.ids("spared") == set(cloud.instances()) - taken
    assert len(first.outcomes()) == COUNT
    assert "interrupted" in first.reason(min(first.ids("spared")))
    (finished,) = first.events("sweep.finished")
    assert finished["outcome"] == "interrupted"
    assert len(first.events("removal.finished")) == COUNT
    desk.write(cloud)
    second = desk.sweep()
    assert second.code == 0
    assert second.document["recovered"] == []
    assert second.ids("deleted") == set(cloud.instances()) - taken
    assert cloud.gone() == set(cloud.instances())
    assert nobody_twice(cloud)


def test_sigterm_is_heeded_like_ctrl_c(simulate: Simulate, desk: Desk) -> None:
    """What was accepted is finished, the rest is left, exit 130."""
    cloud = simulate(idle_fleet(COUNT), timing={"deletion_median_s": 0.5})
    with mid_sweep(cloud, desk) as started:
        started.signal(signal.SIGTERM)
        ended = started.ended()
    assert ended.code == 130
    assert ended.ids("deleted") == set(cloud.accepted()) == cloud.gone()


@pytest.mark.parametrize("times", [1, 2])
def test_a_lost_connection_finishes_what_was_accepted(simulate: Simulate, desk: Desk, times: int) -> None:
    """SIGHUP is heeded like SIGTERM; a second one, which a shell and the system send for one lost session, hurries nothing."""
    cloud = simulate(idle_fleet(COUNT), timing={"deletion_median_s": 0.6})
    with mid_sweep(cloud, desk) as started:
        for _ in range(times):
            started.signal(signal.SIGHUP)
            started.wait_for("sweep.stopping")
        ended = started.ended()
    assert ended.code == 130
    assert ended.ids("deleted") == set(cloud.accepted()) == cloud.gone()
    assert ended.ids("unfinished") == set()


def ignore_hangups() -> None:
    """Do what nohup does."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)


def test_nohup_and_signals_that_mean_nothing_do_not_stop_a_sweep(simulate: Simulate, desk: Desk) -> None:
    """SIGHUP stays ignored where it was when the program was started; SIGUSR1 and SIGUSR2 would kill it by default."""
    cloud = simulate(idle_fleet(6), timing={"deletion_median_s": 0.6})
    desk.write(cloud, target={"limits": {"delete": "15/s"}})
    with desk.started(*RUN, prepare=ignore_hangups) as started:
        eventually(lambda: len(cloud.accepted()) >= 1, "an accepted DELETE")
        for number in (signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2):
            started.signal(number)
        ended = started.ended()
    assert (ended.code, len(cloud.gone())) == (0, 6)


def test_a_second_ctrl_c_leaves_at_once_and_the_next_run_recovers(simulate: Simulate, desk: Desk) -> None:
    """Deletions that take two minutes are not waited for; they are in the journal, and the next run follows them first."""
    cloud = simulate(idle_fleet(COUNT), timing={"deletion_median_s": 120})
    with mid_sweep(cloud, desk) as started:
        started.signal(signal.SIGINT)
        started.wait_for("sweep.stopping")
        started.signal(signal.SIGINT)
        first = started.ended(patience_s=10)
    assert first.code == 130
    taken = set(cloud.accepted())
    assert cloud.gone() == set()
    # Some may have been on disk as REQUESTED, and their DELETEs not yet on their way.
    unfinished = first.ids("unfinished")
    assert taken <= unfinished
    assert first.ids("spared") == set(cloud.instances()) - unfinished
    (status,) = desk.run("status", "--format", "json").document
    assert {removal["id"] for removal in status["unfinished"]} == unfinished

    desk.write(cloud)
    with desk.started(*RUN) as started:
        started.wait_for("recovery.started")
        cloud.let_pass(121)
        eventually(lambda: len(cloud.accepted()) == COUNT, "the rest is accepted")
        cloud.let_pass(121)
        second = started.ended()
    assert second.code == 0, second.err
    recovered = {removal["id"]: removal["outcome"] for removal in second.document["recovered"]}
    assert recovered == {notebook_id: "deleted" if notebook_id in taken else "spared" for notebook_id in unfinished}
    assert second.ids("deleted") == set(cloud.instances()) - taken
    assert nobody_twice(cloud)


def test_a_drain_that_takes_too_long_is_given_up(simulate: Simulate, desk: Desk) -> None:
    """After `service.drain` one Ctrl-C is enough, and what was accepted stays open in the journal."""
    cloud = simulate(idle_fleet(8), timing={"deletion_median_s": 600})
    desk.write(cloud, service={"drain": "300ms"})
    with desk.started(*RUN) as started:
        eventually(lambda: len(cloud.accepted()) == 8, "all are accepted")
        started.signal(signal.SIGINT)
        ended = started.ended(patience_s=10)
    assert ended.code == 130
    assert ended.ids("unfinished") == set(cloud.instances())


def test_what_kill_9_leaves_is_recovered_before_anything_else(simulate: Simulate, desk: Desk) -> None:
    """The next run follows what was sent, sends none of it twice, and then does the rest; the journal holds all of it."""
    cloud = simulate(idle_fleet(COUNT), timing={"deletion_median_s": 0.6})
    with mid_sweep(cloud, desk) as started:
        started.signal(signal.SIGKILL)
        killed = started.ended()
    assert killed.code == -signal.SIGKILL
    taken = set(cloud.accepted())
    assert len(taken) < COUNT

    desk.write(cloud)
    second = desk.sweep()
    assert second.code == 0, second.err
    assert first_line(second, "recovery.finished") < first_line(second, "survey.finished")
    assert cloud.gone() == set(cloud.instances())
    assert nobody_twice(cloud)
    recovered = {removal["id"]: removal["outcome"] for removal in second.document["recovered"]}
    # Some of them may have come to their end, and into the journal, before the kill.
    assert {key for key, outcome in recovered.items() if outcome == "deleted"} <= taken
    assert second.ids("deleted") == set(cloud.instances()) - taken

    newest, oldest = desk.run("history", "--format", "json").document
    assert (newest["run_id"], oldest["run_id"]) == (second.run_id, killed.run_id)
    of_killed = desk.run("show", killed.run_id, "--format", "json").document["results"]
    assert {removal["id"] for removal in of_killed} == set(cloud.instances())
    assert {removal["id"] for removal in of_killed if removal["outcome"] == "deleted"} == taken
    assert {removal["outcome"] for removal in of_killed} == {"deleted", "spared"}


def test_runs_that_were_killed_are_not_running_for_ever_and_nobody_is_deleted_twice(simulate: Simulate, desk: Desk) -> None:
    """Two runs are killed, the third may go on to the end; then the history calls none of them running any more."""
    cloud = simulate(idle_fleet(COUNT), timing={"deletion_median_s": 0.4})
    for accepted in (5, 12):
        with mid_sweep(cloud, desk, accepted) as started:
            started.signal(signal.SIGKILL)
            started.ended()
    desk.write(cloud)
    assert desk.sweep().code == 0
    assert cloud.gone() == set(cloud.instances())
    assert nobody_twice(cloud)
    last, *killed = desk.run("history", "--format", "json").document
    assert last["outcome"] == "finished"
    assert [record["outcome"] for record in killed if record["outcome"] == "running" or not record["ended_at"]] == []


def test_ctrl_c_before_the_plan_is_made_ends_at_once(simulate: Simulate, desk: Desk) -> None:
    """In a survey that hangs nothing is at stake: exit 130, and not a DELETE."""
    cloud = simulate(idle_fleet(3), faults={"script": [{"fault": "hang", "kind": "list_all", "hold_s": 60}]})
    desk.write(cloud)
    with desk.started(*RUN) as started:
        eventually(lambda: any(request["kind"] == "list_all" for request in cloud.requests()), "the survey has begun")
        started.signal(signal.SIGINT)
        ended = started.ended(patience_s=10)
    assert ended.code == 130
    assert cloud.writes() == []
    assert ended.document["results"] == []
