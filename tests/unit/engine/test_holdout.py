"""Sweeps with a holdout: a share is spared, the beginning is on record, and the end comes."""

from datetime import timedelta
from fractions import Fraction

import pytest
from msgspec.structs import replace

from builders import NOON, fleet, over, policy
from nbsweep.core.errors import JournalError
from nbsweep.core.holdout.model import Hold, Holdout
from nbsweep.core.judging.verdict import Reason
from nbsweep.core.planning.plan import Plan
from nbsweep.core.report import Report
from nbsweep.core.runs import Outcome
from nbsweep.engine.report import Run
from nbsweep.engine.sweep import Sweeper
from unit.engine.test_sweep import NO_BRAKES
from unit.engine.world import AREA, IDENTITY, World, approve, options, virtual_time, world

pytestmark = virtual_time

DAYS_30 = timedelta(days=30)
IDLE = replace(policy(over("idle", days=14), name="idle"), holdout=Holdout(Fraction(1, 10), DAYS_30))
"""Holds out nb1 and nb5."""


async def swept(scene: World, number: int = 1, *, dry_run: bool = False) -> Report:
    """Sweep once."""
    run = Run(f"run{number}", "test", dry_run=dry_run)
    return await Sweeper(AREA, scene.ports, options(IDLE), NO_BRAKES, scene.shutdown).sweep(run, approve)


def gone(scene: World) -> set[str]:
    """Return the ids of the notebooks whose DELETE was sent."""
    return set(scene.cloud.sent("delete"))


async def holds(scene: World) -> dict[str, Hold]:
    """Return the holds on record."""
    return dict(await scene.journal.holds.latest(IDENTITY.project))


async def test_the_share_is_spared_until_its_time_is_over() -> None:
    """The first sweep would have deleted them, and begins the time; the last one deletes them."""
    scene = world(*fleet(6))
    report = await swept(scene)
    assert report.plan is not None
    assert report.plan.kept == {Reason.HELD_OUT: 2}
    assert gone(scene) == {"nb2", "nb3", "nb4", "nb6"}
    assert {key: (hold.since, hold.until, hold.policy) for key, hold in (await holds(scene)).items()} == {
        "nb1": (NOON, NOON + DAYS_30, "idle"),
        "nb5": (NOON, NOON + DAYS_30, "idle"),
    }
    scene.clock.sleep((DAYS_30 - timedelta(hours=1)).total_seconds())
    await swept(scene, 2)
    assert gone(scene) == {"nb2", "nb3", "nb4", "nb6"}
    scene.clock.sleep(3600)
    await swept(scene, 3)
    assert gone(scene) == {"nb1", "nb2", "nb3", "nb4", "nb5", "nb6"}


async def test_a_dry_run_begins_nothing() -> None:
    """Nor does a plan that nobody approves."""
    scene = world(*fleet(6))
    report = await swept(scene, dry_run=True)
    assert report.plan is not None
    assert report.plan.kept == {Reason.HELD_OUT: 2}

    async def decline(_plan: Plan, _spared: object) -> bool:
        return False

    sweeper = Sweeper(AREA, scene.ports, options(IDLE), NO_BRAKES, scene.shutdown)
    declined = await sweeper.sweep(Run("run2", "test", dry_run=False), decline)
    assert declined.outcome is Outcome.DECLINED
    assert await holds(scene) == {}


@pytest.mark.parametrize("method", ["latest", "add"])
async def test_nothing_is_deleted_if_holds_cannot_be_read_or_written(monkeypatch: pytest.MonkeyPatch, method: str) -> None:
    """Nobody knows then who is held out, or since when."""
    scene = world(*fleet(6))

    async def fail(*_: object) -> None:
        raise JournalError("The disk is full.")

    monkeypatch.setattr(scene.journal.holds, method, fail)
    report = await swept(scene)
    assert report.outcome is Outcome.FAILED
    assert gone(scene) == set()


async def test_a_sweep_that_holds_nothing_out_writes_nothing_about_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor does it read what it needs not know."""
    scene = world(*fleet(2))

    async def fail(*_: object) -> None:
        raise JournalError("The disk is full.")

    monkeypatch.setattr(scene.journal.holds, "add", fail)
    monkeypatch.setattr(scene.journal.holds, "latest", fail)
    plain = options(replace(IDLE, holdout=None))
    report = await Sweeper(AREA, scene.ports, plain, NO_BRAKES, scene.shutdown).sweep(
        Run("run1", "test", dry_run=False), approve
    )
    assert report.outcome is Outcome.FINISHED
    assert gone(scene) == {"nb1", "nb2"}
