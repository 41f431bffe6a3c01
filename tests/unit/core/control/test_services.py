from datetime import timedelta

import pytest
from msgspec.structs import replace

from builders import NOON, service_record
from nbsweep.core.control.services import Life, ServiceRecord, ServiceStatus, life_of, service_of

RECORD = service_record()


@pytest.mark.parametrize(
    ("record", "seconds", "alive", "life"),
    [
        (RECORD, 0, None, Life.RUNNING),
        (RECORD, 59, None, Life.RUNNING),
        (RECORD, 60, None, Life.LOST),
        (RECORD, -60, None, Life.LOST),
        (RECORD, 3600, True, Life.RUNNING),
        (RECORD, 1, False, Life.LOST),
        (replace(RECORD, stopped_at=NOON), 3600, None, Life.STOPPED),
        (replace(RECORD, stopped_at=NOON), 1, False, Life.STOPPED),
    ],
)
def test_a_service_is_lost_when_its_process_is_gone_or_its_beats_are(
    *, record: ServiceRecord, seconds: float, alive: bool | None, life: Life
) -> None:
    """Where this host can see the process, that counts; otherwise a minute without a beat, by either clock's fault."""
    assert life_of(record, NOON + timedelta(seconds=seconds), alive=alive) is life


def status(owner: str, life: Life, *targets: str, minutes: int = 0) -> ServiceStatus:
    """Return a service that has these targets, and sent its last beat so many minutes after noon."""
    beat_at = NOON + timedelta(minutes=minutes)
    return ServiceStatus(service_record(owner, targets=targets, beat_at=beat_at), life, RECORD.digest)


def owner_of(target: str, *services: ServiceStatus) -> str | None:
    """Return which service is shown for a target."""
    found = service_of(target, services)
    return found.record.holder.owner if found else None


def test_the_service_of_a_target_is_one_that_runs_before_one_that_does_not() -> None:
    """Of several that run, the one that knows the target; of several that do not, the one that was seen last."""
    running, stranger = status("running", Life.RUNNING, "lab"), status("stranger", Life.RUNNING, "other", minutes=5)
    lost, stopped = status("lost", Life.LOST, "lab", minutes=7), status("stopped", Life.STOPPED, "lab", minutes=9)
    assert owner_of("lab", stopped, lost, running, stranger) == "running"
    assert owner_of("lab", stopped, lost, stranger) == "stranger"
    assert owner_of("lab", stopped, lost) == "lost"
    assert owner_of("lab", status("early", Life.STOPPED, "lab"), stopped) == "stopped"
    assert owner_of("lab", status("elsewhere", Life.STOPPED, "other")) is None
    assert owner_of("lab") is None


def test_a_lost_service_that_another_has_replaced_is_not_shown_any_more() -> None:
    """Its successor was stopped in good order: nobody needs to start the lost one. One that ran beside it replaces nothing."""
    lost = status("lost", Life.LOST, "lab", minutes=7)
    for minutes, shown in ((8, "next"), (6, "lost")):
        record = service_record(
            "next", targets=("lab",), started_at=NOON + timedelta(minutes=minutes), beat_at=NOON + timedelta(9)
        )
        assert owner_of("lab", lost, ServiceStatus(record, Life.STOPPED, RECORD.digest)) == shown


def test_what_needs_an_action_is_named() -> None:
    """A lost service, a refused reload, a service that does not know the target; one that was stopped needs none."""
    lost = status("s1", Life.LOST, "lab").problems("lab", NOON)
    assert list(lost) == [
        "the service on host host-1 (process 4711) has reported nothing since 2026-03-01 12:00Z: start it again"
    ]
    refused = replace(status("s1", Life.RUNNING, "lab"), record=service_record(targets=("lab",), reload_problem="line 3"))
    assert list(refused.problems("lab", NOON)) == [
        "the service on host host-1 (process 4711) has refused to reload its configuration: line 3"
    ]
    mistakes = "n.yaml cannot be used:\n  line 3: one\n  line 4: two"
    refused = replace(refused, record=service_record(targets=("lab",), reload_problem=mistakes))
    assert next(iter(refused.problems("lab", NOON))).endswith(": n.yaml cannot be used: line 3: one; line 4: two")
    assert "does not know this target" in next(iter(status("s1", Life.RUNNING, "other").problems("lab", NOON)))
    assert list(status("s1", Life.STOPPED, "lab").problems("lab", NOON)) == []
    assert list(status("s1", Life.RUNNING, "lab").problems("lab", NOON)) == []


@pytest.mark.parametrize(
    ("ahead", "line"),
    [
        (0, "this target waits for its turn: it is next"),
        (1, "this target waits for its turn: 1 other account has waited longer"),
        (3, "this target waits for its turn: 3 other accounts have waited longer"),
    ],
)
def test_a_target_that_waits_for_its_turn_is_described(ahead: int, line: str) -> None:
    """As the running service reports it; a service that is lost reports nothing."""
    record = service_record(waiting={"research": ahead})
    assert line in ServiceStatus(record, Life.RUNNING, "d").describe("research", NOON)
    assert line not in ServiceStatus(record, Life.RUNNING, "d").describe("other", NOON)
    assert line not in ServiceStatus(record, Life.LOST, "d").describe("research", NOON)


def test_a_service_that_runs_without_a_beat_needs_an_action() -> None:
    """Its process is there, but was stopped, hangs, or cannot write the journal."""
    silent = status("s1", Life.RUNNING, "lab")
    assert list(silent.problems("lab", NOON + timedelta(seconds=59))) == []
    (problem,) = silent.problems("lab", NOON + timedelta(minutes=3))
    assert problem.endswith(
        " (process 4711) is running, but has reported nothing for 3m: it hangs, or cannot write this journal"
    )
