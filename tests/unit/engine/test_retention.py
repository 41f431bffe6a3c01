"""A sweep deletes old records of the journal when it has ended, once a day, and by a verified clock only."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from builders import NOON, fleet, run_record
from nbsweep.core.errors import JournalError
from nbsweep.core.events.sweep import JournalNotPruned, JournalPruned
from nbsweep.core.retention.model import Pruned
from nbsweep.core.runs import Outcome, RunRecord
from nbsweep.engine.report import Run
from nbsweep.engine.sweep import Sweeper
from unit.engine.test_sweep import NO_BRAKES, Approver
from unit.engine.world import AREA, IDENTITY, World, options, virtual_time, world

pytestmark = virtual_time

KEEP = timedelta(days=730)


def old_run(run_id: str, days: int) -> RunRecord:
    """Return a dry run that ended so many days before noon."""
    at = NOON - timedelta(days=days)
    plain = run_record(run_id, started_at=at, ended_at=at, outcome=Outcome.DRY_RUN, fleet=2)
    return replace(plain, dry_run=True, project=IDENTITY.project, extent=IDENTITY.extent)


async def fill(scene: World) -> None:
    """Let there be three runs: two are old."""
    for run in (old_run("first", 900), old_run("second", 800), old_run("third", 10)):
        await scene.journal.open_run(run)


async def sweep(scene: World, run_id: str, keep: timedelta | None = KEEP) -> set[str]:
    """Sweep, and return which runs the journal has then."""
    report = await Sweeper(AREA, scene.ports, options(keep=keep), NO_BRAKES, scene.shutdown).sweep(
        Run(run_id, "cron", dry_run=True), Approver()
    )
    assert report.error is None
    return {run.run_id for run in await scene.journal.runs(10)}


async def test_a_sweep_deletes_what_is_older_and_says_what() -> None:
    """The log has the moment, which begins a month, and how much went."""
    scene = world(*fleet(2))
    await fill(scene)
    assert await sweep(scene, "new") == {"third", "new"}
    [told] = scene.telemetry.of(JournalPruned)
    assert (told.runs, told.removals, told.before.day) == (2, 0, 1)
    assert told.before <= NOON - KEEP


async def test_without_the_setting_everything_stays() -> None:
    """It is off by default."""
    scene = world(*fleet(2))
    await fill(scene)
    assert await sweep(scene, "new", keep=None) == {"first", "second", "third", "new"}


async def test_a_second_sweep_of_the_day_deletes_nothing() -> None:
    """Whatever has become old meanwhile waits for the next day."""
    scene = world(*fleet(2))
    await sweep(scene, "new")
    await fill(scene)
    assert await sweep(scene, "newer") == {"first", "second", "third", "new", "newer"}


async def test_a_clock_that_was_not_compared_with_the_clouds_deletes_nothing() -> None:
    """A clock that is years ahead would take everything for old. The brakes refuse the plan too."""
    scene = world(*fleet(2))
    await fill(scene)
    scene.cloud.skew.ahead_s = None
    assert await sweep(scene, "new") == {"first", "second", "third", "new"}


async def test_a_journal_that_cannot_be_pruned_changes_nothing_about_the_sweep(monkeypatch: pytest.MonkeyPatch) -> None:
    """The log says why."""
    scene = world(*fleet(2))
    await fill(scene)

    async def refuse(*_: object) -> Pruned:
        raise JournalError("the disk is full")

    monkeypatch.setattr(scene.journal.retention, "prune", refuse)
    assert await sweep(scene, "new") == {"first", "second", "third", "new"}
    [told] = scene.telemetry.of(JournalNotPruned)
    assert "the disk is full" in told.problem
