from datetime import timedelta
from fractions import Fraction

import pytest
from msgspec.structs import replace

from builders import removal, run_record
from nbsweep.core.lease import Holder, TargetLease
from nbsweep.core.lifecycle import State
from nbsweep.core.planning.brakes import Brakes
from nbsweep.engine.options import LeaseOptions
from nbsweep.engine.survey import Area
from nbsweep.engine.sweep import Sweeper
from nbsweep.service.control import TargetDetails
from nbsweep.service.targets.details import read_details
from unit.engine.world import World, options, world

ME, OTHER = Holder("me", "host-1", "", 1, 0), Holder("other", "host-2", "", 2, 0)
LASTS = timedelta(minutes=1)


def sweeper(scene: World, *, alive: bool | None = None) -> Sweeper:
    """Return a sweeper of the world's target, which knows whether the holder of a lease is alive."""
    lease = LeaseOptions(ME, LASTS, lambda _: alive)
    area = Area("research", None, ("NOTEBOOK",))
    return Sweeper(area, scene.ports, replace(options(), lease=lease), Brakes(max_per_day=50), scene.shutdown)


def lease(scene: World, age: timedelta) -> TargetLease:
    """Return a lease of another process, with its last beat so long ago."""
    at = scene.clock.now() - age
    return TargetLease("research", OTHER, "cron", at, at)


async def details_of(mine: Sweeper) -> TargetDetails:
    """Return what is known of one target."""
    return (await read_details({mine.area.target: mine}))[mine.area.target]


async def test_the_brakes_are_those_of_the_configuration() -> None:
    """Of the sweeper, which got them from it."""
    scene = world()
    details = await details_of(sweeper(scene))
    assert details.brakes == Brakes(max_per_day=50)
    assert details.max_failures == Fraction(1, 4)


@pytest.mark.parametrize(
    ("age", "alive", "held"),
    [
        (timedelta(seconds=5), None, True),
        (timedelta(minutes=2), None, False),
        (timedelta(minutes=2), True, True),
        (timedelta(seconds=5), False, False),
    ],
)
async def test_a_lease_counts_while_it_is_held(age: timedelta, alive: bool | None, held: bool) -> None:  # noqa: FBT001 - a case
    """By its beats, or by its process where this host can see it."""
    scene = world()
    stored = lease(scene, age)
    await scene.journal.leases.take(stored, None)
    details = await details_of(sweeper(scene, alive=alive))
    assert details.lease == (stored if held else None)


async def test_the_requests_of_a_day_are_counted_once_the_project_is_known() -> None:
    """Without a call: two of the last day count, the one of two days ago does not."""
    scene = world()
    mine = sweeper(scene)
    assert (await details_of(mine)).requested is None
    identity = await mine.identity()
    now = scene.clock.now()
    await scene.journal.open_run(run_record("r1", started_at=now))
    for name, hours in (("a", 1), ("b", 23), ("c", 48)):
        at = now - timedelta(hours=hours)
        sent = removal(
            run_id="r1", notebook_id=name, state=State.ACCEPTED, requests=1, requested_at=at, sent_at=at, accepted_at=at
        )
        await scene.journal.write([replace(sent, project=identity.project)])
    assert (await details_of(mine)).requested == 2
