"""`status` says on one screen, and by its exit code, whether all is well; the real command, on a journal that it only reads."""

import asyncio
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path

from msgspec.structs import replace

from acceptance.conftest import Simulate
from acceptance.support import PROJECT, Desk, Json, idle_fleet, plain, target
from builders import removal
from nbsweep.adapters.journal import open_journal
from nbsweep.core import lifecycle
from nbsweep.core.identity import TargetIdentity
from nbsweep.core.runs import Outcome, RunRecord

AWAY = "http://127.0.0.1:1"
NEW_YEAR, MINUTE = datetime(2026, 1, 1, tzinfo=UTC), timedelta(minutes=1)


def statuses(desk: Desk, code: int) -> dict[str, Json]:
    """Run `status`, and give what it says by target."""
    ended = desk.run("status", "--format", "json")
    assert ended.code == code, ended.out + ended.err
    return {status["target"]: status for status in ended.document}


def first_line(desk: Desk, code: int) -> str:
    """Run `status` as people do, and give its first line."""
    ended = desk.run("status")
    assert ended.code == code, ended.err
    assert plain(ended.out)
    return ended.out.splitlines()[0]


def test_a_target_that_was_never_swept_is_not_well(desk: Desk) -> None:
    """Exit 1, until it was."""
    desk.write(AWAY)
    assert first_line(desk, 1) == "Not all is well: see lab."
    lab = statuses(desk, 1)["lab"]
    assert (lab["well"], lab["problems"]) == (False, ["never swept with this journal"])
    assert (lab["last_sweep"], lab["last_success"], lab["unfinished"], lab["next_run"]) == (None, None, [], None)


def test_all_is_well_after_a_sweep_and_no_longer_after_one_that_failed(simulate: Simulate, desk: Desk) -> None:
    """Exit 0, then 1 with the problem; when it last went well is still told."""
    cloud = simulate(idle_fleet(2))
    desk.write(cloud)
    assert desk.sweep().code == 0
    assert first_line(desk, 0) == "All is well."
    good = statuses(desk, 0)["lab"]
    desk.write(cloud, target={"project_id": "f" * 32})
    assert desk.sweep().code == 5
    assert first_line(desk, 1) == "Not all is well: see lab."
    bad = statuses(desk, 1)["lab"]
    assert bad["last_success"] == good["last_sweep"]["ended_at"]
    assert "project_id" in bad["problems"][0]
    assert bad["last_sweep"]["outcome"] == "failed"


def test_one_target_that_is_not_well_is_enough(simulate: Simulate, desk: Desk) -> None:
    """It is named in the first line, and the other is not."""
    cloud = simulate(idle_fleet(1))
    desk.write(cloud)
    assert desk.sweep().code == 0
    desk.write(cloud, targets=[target(cloud.url), target(AWAY, name="new")])
    assert first_line(desk, 1) == "Not all is well: see new."
    assert {name: status["well"] for name, status in statuses(desk, 1).items()} == {"lab": True, "new": False}


def test_a_sweep_that_goes_on_is_no_problem_and_says_who_sweeps(simulate: Simulate, desk: Desk) -> None:
    """Its deletions take for ever; meanwhile the one before it counts."""
    cloud = simulate(idle_fleet(2))
    desk.write(cloud)
    assert desk.sweep().code == 0
    slow = simulate(idle_fleet(2), timing={"deletion_median_s": 600})
    desk.write(slow)
    with desk.started("run", "--yes") as started:
        started.wait_for("removal.accepted")
        assert first_line(desk, 0) == "All is well."
        lab = statuses(desk, 0)["lab"]
        assert (lab["well"], lab["last_sweep"]["outcome"]) == (True, "running")
        assert lab["sweeping"]["pid"] == started.process.pid
        assert len(lab["unfinished"]) >= 1


def test_a_sweep_that_was_killed_is_a_problem_at_once(simulate: Simulate, desk: Desk) -> None:
    """Its lease has a minute to go, but on its own host anybody can see that its process is not there."""
    desk.write(simulate(idle_fleet(2), timing={"deletion_median_s": 600}))
    with desk.started("run", "--yes") as started:
        started.wait_for("removal.accepted")
        started.signal(signal.SIGKILL)
        started.ended()
    assert first_line(desk, 1) == "Not all is well: see lab."
    lab = statuses(desk, 1)["lab"]
    assert lab["sweeping"] is None
    assert "its process is gone" in lab["problems"][0]


async def test_a_sweep_whose_process_is_gone_is_a_problem(desk: Desk) -> None:
    """Nobody ends its record; without this it would look as if it went on for ever."""
    desk.write(AWAY)
    async with open_journal(f"sqlite:///{desk.journal}") as journal:
        await journal.open_run(RunRecord("run1", "lab", datetime(2026, 1, 1, tzinfo=UTC), "ops", dry_run=False))
    assert "its process is gone" in statuses(desk, 1)["lab"]["problems"][0]


async def test_a_project_that_was_looked_up_stays_known_however_many_sweeps_have_failed_since(desk: Desk) -> None:
    """The configuration names none: what the last good sweep left is still followed, after sixty that never got so far."""
    away = {**target(AWAY), "region": "cn-north-4"}
    del away["project_id"]
    desk.write(AWAY, targets=[away])
    identity = TargetIdentity(AWAY, PROJECT, None, ("NOTEBOOK",), "all")
    good = RunRecord(
        "good",
        "lab",
        NEW_YEAR,
        "ops",
        dry_run=False,
        project=identity.project,
        extent=identity.extent,
        outcome=Outcome.FINISHED,
    )
    failed = [RunRecord(f"f{n:02d}", "lab", NEW_YEAR + n * MINUTE, "ops", dry_run=False) for n in range(1, 61)]
    left = lifecycle.request(removal(run_id="good", target="earlier-name", project=identity.project), NEW_YEAR, MINUTE)
    async with open_journal(f"sqlite:///{desk.journal}") as journal:
        await asyncio.gather(*(journal.open_run(run) for run in (good, *failed)))
        await journal.write([left])
        ended = [replace(run, ended_at=run.started_at, outcome=Outcome.FAILED, problem="no answer") for run in failed]
        await asyncio.gather(*(journal.close_run(run) for run in (replace(good, ended_at=NEW_YEAR), *ended)))
    lab = statuses(desk, 1)["lab"]
    assert [each["id"] for each in lab["unfinished"]] == [left.notebook_id]
    assert lab["left_alone"] == []


def test_the_next_run_follows_from_the_schedule(desk: Desk) -> None:
    """A target's own schedule goes before that of all; it is told in its time zone."""
    own = {"cron": "30 4 * * *", "timezone": "Asia/Shanghai"}
    desk.write(
        AWAY,
        targets=[target(AWAY), target(AWAY, name="own", schedule=own, features=["DEFAULT"])],
        schedule={"cron": "15 3 * * *"},
    )
    due = {name: datetime.fromisoformat(status["next_run"]) for name, status in statuses(desk, 1).items()}
    assert (due["lab"].hour, due["lab"].minute, due["lab"].utcoffset()) == (3, 15, datetime.now(UTC).utcoffset())
    assert f"{due['own']:%H:%M%z}" == "04:30+0800"
    assert min(due.values()) > datetime.now(UTC)
    ended = desk.run("status")
    assert f"next sweep at {due['own']:%Y-%m-%d} 04:30 CST" in ended.out


def test_a_paused_target_is_due_after_its_pause_or_not_at_all(desk: Desk) -> None:
    """A due time within the pause is skipped, and not announced."""
    desk.write(AWAY, schedule={"cron": "15 3 * * *", "timezone": "UTC"})
    assert desk.run("pause", "--until", "2199-01-01T00:00Z").code == 0
    assert statuses(desk, 1)["lab"]["next_run"] == "2199-01-01T03:15:00+00:00"
    assert desk.run("pause").code == 0
    assert statuses(desk, 1)["lab"]["next_run"] is None
    assert "next sweep at" not in desk.run("status").out


async def test_a_sweep_that_died_before_its_count_has_planned_of_an_unknown_number(desk: Desk) -> None:
    """Its plan is on record, the number of all notebooks is not."""
    desk.write(AWAY)
    begun = RunRecord("run1", "lab", NEW_YEAR, "ops", dry_run=False)
    record = replace(begun, ended_at=NEW_YEAR + MINUTE, outcome=Outcome.INTERRUPTED, planned=22)
    async with open_journal(f"sqlite:///{desk.journal}") as journal:
        await journal.open_run(record)
        await journal.close_run(record)
    assert ", 22 notebooks planned; no success on record" in desk.run("status").out


def test_the_journal_is_all_that_is_needed(desk: Desk, tmp_path: Path) -> None:
    """No cloud, no keys: who watches may be somebody else than who sweeps."""
    desk.write(AWAY, target={"credentials": {"access_key": "AK", "secret_key_file": str(tmp_path / "not-there")}})
    assert first_line(desk, 1).startswith("Not all is well")


async def test_a_target_that_is_swept_often_does_not_hide_anothers_last_run(desk: Desk) -> None:
    """Three hundred sweeps of one, after the only one of the other: both were swept, and all is well."""
    desk.write(AWAY, targets=[target(AWAY), target(AWAY, name="busy", features=["DEFAULT"])])
    runs = [
        RunRecord(f"run{number:03d}", "busy" if number else "lab", NEW_YEAR + number * MINUTE, "ops", dry_run=False)
        for number in range(301)
    ]
    async with open_journal(f"sqlite:///{desk.journal}") as journal:
        await asyncio.gather(*(journal.open_run(run) for run in runs))
        ended = [replace(run, outcome=Outcome.FINISHED, ended_at=run.started_at) for run in runs]
        await asyncio.gather(*(journal.close_run(run) for run in ended))
    found = statuses(desk, 0)
    assert found["lab"]["last_sweep"]["run_id"] == "run000"
    assert found["busy"]["last_sweep"]["run_id"] == "run300"
    assert found["lab"]["last_success"] is not None
