"""What the service reports about itself in the journal."""

from datetime import timedelta

import anyio

from builders import fence_holder
from nbsweep.service.journal_watch import JournalWatch
from nbsweep.service.presence import Presence
from nbsweep.settings import Settings
from unit.engine.world import virtual_time, world

pytestmark = virtual_time
AHEAD = timedelta(minutes=7)


async def test_reports_are_dated_by_the_clock_that_all_processes_share() -> None:
    """The start of the process too, which is that of its first report, so that hosts with other clocks can compare them."""
    scene = world()
    scene.journal.leases.ahead = AHEAD
    target = {"name": "research", "region": "cn-north-4", "project_id": "0" * 32}
    settings = Settings.model_validate({"targets": [target], "policies": [{"name": "idle", "match": {"idle_over": "14d"}}]})
    presence = Presence(fence_holder("s1"), settings, scene.clock.now())
    watch = JournalWatch({}, presence, scene.journal, scene.clock, scene.telemetry)
    began = scene.clock.now() + AHEAD
    async with anyio.create_task_group() as group:
        group.start_soon(watch.run)
        await anyio.sleep(40)
        group.cancel_scope.cancel()
    [record] = await scene.journal.control.services()
    assert timedelta(0) <= record.started_at - began < timedelta(seconds=1)
    assert timedelta(seconds=30) < record.beat_at - began <= timedelta(seconds=40)
    await watch.say_stopped()
    [record] = await scene.journal.control.services()
    assert record.stopped_at == scene.clock.now() + AHEAD
