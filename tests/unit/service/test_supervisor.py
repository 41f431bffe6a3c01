import asyncio
import gc
import tracemalloc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import anyio
import pytest

from builders import NOON, fleet, notebook, service_record
from nbsweep.core.control.requests import Pause, Resumption, SweepRequest
from nbsweep.core.events.service import ServiceStopping, SweepRequested, TargetScheduled
from nbsweep.core.lease import Holder
from nbsweep.core.planning.brakes import Brakes
from nbsweep.engine.coordination.account_turns import AccountTurns
from nbsweep.engine.report import Run
from nbsweep.engine.survey import Area
from nbsweep.engine.sweep import Sweeper
from nbsweep.service.control import Answer, Phase, UnknownTargetError
from nbsweep.service.journal_watch import JournalWatch
from nbsweep.service.presence import Presence
from nbsweep.service.scheduler import Schedule
from nbsweep.service.supervisor import Supervisor
from nbsweep.service.systemd import Systemd
from nbsweep.service.targets.runner import Work
from nbsweep.service.targets.runner_options import RunnerOptions
from nbsweep.service.targets.target_runner import TargetRunner
from nbsweep.settings import Settings
from nbsweep.testing import FakeClock, Pace
from trails import whole_trail
from unit.engine.world import World, options, world

pytestmark = pytest.mark.looptime(noop_cycles=5)
NOBODY = Systemd(None, None)


def settings(cron: str) -> Settings:
    """Return the configuration of one target."""
    return Settings.model_validate(
        {
            "journal": "sqlite:///journal.db",
            "schedule": {"cron": cron},
            "targets": [{"name": "research", "region": "cn-north-4", "project_id": "0" * 32}],
            "policies": [{"name": "idle", "match": {"idle_over": "14d"}}],
        }
    )


def supervisor(scene: World, cron: str, systemd: Systemd = NOBODY) -> Supervisor:
    """Return the supervisor of the world's one target."""
    schedule = Schedule(lambda name: runners[name].due(), lambda name: runners[name].missed())
    numbers = iter(range(1, 10_000))
    runner_options = RunnerOptions(False, lambda dry: Run(f"run{next(numbers)}", "service", dry), schedule.next_run)  # noqa: FBT003  # it deletes
    sweeper = Sweeper(Area("research", None, ("NOTEBOOK",)), scene.ports, options(), Brakes(None, None), scene.shutdown)
    runners = {"research": TargetRunner(sweeper, runner_options)}
    configuration, now = settings(cron), scene.clock.now()
    presence = Presence(Holder("s1", "host-1", "", 4711, 0), configuration, now)
    watch = JournalWatch(runners, presence, scene.journal, scene.clock, scene.telemetry)
    return Supervisor(configuration, Work(runners), schedule, scene.telemetry, scene.shutdown, systemd, watch)


def runner_of(mine: Supervisor, target: str = "research") -> TargetRunner:
    """Return the runner of a target, which sweeps in this process."""
    found = mine.work.runners[target]
    assert isinstance(found, TargetRunner)
    return found


@asynccontextmanager
async def nowhere(_: Supervisor) -> AsyncIterator[str | None]:
    """Serve no HTTP API."""
    yield None


@asynccontextmanager
async def at_work(mine: Supervisor) -> AsyncIterator[None]:
    """Let it run, and stop it in the end."""
    async with anyio.create_task_group() as group:
        group.start_soon(mine.run, nowhere, lambda _: None)
        await mine.ready.wait()
        yield
        mine.shutdown.begun.set()


async def test_it_sweeps_by_its_schedule(clocks: list[FakeClock]) -> None:
    """At 15:00, and not before; the next time is told at the start."""
    scene = world(*fleet(3))
    clocks.append(scene.clock)
    mine = supervisor(scene, "0 15 * * *")
    async with at_work(mine):
        await asyncio.sleep(3 * 3600 - 60)
        assert scene.cloud.calls == []
        assert mine.not_ready() == ()
        await asyncio.sleep(120)
        assert len(scene.cloud.accepted) == 3
    assert [told.next_run for told in scene.telemetry.of(TargetScheduled)] == ["2026-03-01T15:00:00+00:00"]


async def test_a_stop_finishes_what_was_accepted_and_begins_nothing_more(clocks: list[FakeClock]) -> None:
    """Deletions of 20 s and a drain of 60: it has ended before the minute is over, and nothing is left open."""
    scene = world(*fleet(3), pace=Pace(deletion_s=20))
    clocks.append(scene.clock)
    mine = supervisor(scene, "0 15 * * *")
    async with at_work(mine):
        await mine.request_sweep(SweepRequest("research", NOON, "dora"))
        await asyncio.sleep(5)
        assert len(scene.cloud.accepted) == 3
        stopped_s = scene.clock.steady_s()
    assert scene.clock.steady_s() - stopped_s < 60
    assert await scene.journal.unfinished("research") == ()
    assert [told.sweeping for told in scene.telemetry.of(ServiceStopping)] == [["research"]]


async def test_what_outlasts_the_drain_is_cancelled(clocks: list[FakeClock]) -> None:
    """Deletions of an hour: after the minute it ends all the same, and the journal knows what is open."""
    scene = world(*fleet(3), pace=Pace(deletion_s=3600))
    clocks.append(scene.clock)
    mine = supervisor(scene, "0 15 * * *")
    async with at_work(mine):
        await mine.request_sweep(SweepRequest("research", NOON, "dora"))
        await asyncio.sleep(5)
        stopped_s = scene.clock.steady_s()
    assert 59 <= scene.clock.steady_s() - stopped_s <= 66
    assert len(await scene.journal.unfinished("research")) == 3


async def test_making_room_lets_a_sweep_end_and_begins_no_other(clocks: list[FakeClock]) -> None:
    """As a new configuration asks for: it returns between two sweeps, and nothing was interrupted."""
    scene = world(*fleet(3), pace=Pace(deletion_s=20))
    clocks.append(scene.clock)
    mine = supervisor(scene, "0 15 * * *")
    async with anyio.create_task_group() as group:
        group.start_soon(mine.run, nowhere, lambda _: None)
        await mine.ready.wait()
        await asyncio.sleep(1)
        await mine.request_sweep(SweepRequest("research", NOON, "dora"))
        await asyncio.sleep(5)
        mine.make_room()
    [record] = await scene.journal.runs(10)
    assert record.outcome == "finished"


async def test_it_says_what_keeps_it_from_its_work(clocks: list[FakeClock]) -> None:
    """It is starting, then ready, and stopping in the end."""
    scene = world()
    clocks.append(scene.clock)
    mine = supervisor(scene, "0 15 * * *")
    assert mine.not_ready() == ("it is starting",)
    async with at_work(mine):
        await asyncio.sleep(1)
        assert mine.not_ready() == ()
        runner_of(mine).attempts.failures = 2
        runner_of(mine).attempts.problem = "the cloud cannot be reached"
        assert mine.not_ready() == ("research: the cloud cannot be reached",)
    assert mine.not_ready() == ("it is stopping",)


async def test_a_refused_reload_is_a_reason_not_to_be_ready(clocks: list[FakeClock]) -> None:
    """The service goes on with the old configuration; whoever changed the file must hear of it."""
    scene = world(*fleet(1))
    clocks.append(scene.clock)
    mine = supervisor(scene, "0 15 * * *")
    async with at_work(mine):
        await asyncio.sleep(1)
        mine.watch.presence.reload_problem = "line 3: unknown key"
        assert mine.not_ready() == ("the configuration was changed, and cannot be used: line 3: unknown key",)


async def test_pauses_and_requests_in_the_journal_are_noticed_within_seconds(clocks: list[FakeClock]) -> None:
    """They come from another process: a pause, its end, and a sweep, which is refused meanwhile and not kept."""
    scene = world(*fleet(2))
    clocks.append(scene.clock)
    mine, control = supervisor(scene, "0 15 * * *"), scene.journal.control
    async with at_work(mine):
        await control.pause(Pause("research", scene.clock.now(), "alice", "moving house"))
        await asyncio.sleep(3)
        assert mine.paused() == ("research is paused by alice since 2026-03-01 12:00Z: moving house",)
        await control.request_sweep(SweepRequest("research", scene.clock.now(), "bob"))
        await asyncio.sleep(3)
        await control.resume(Resumption("research", NOON, "carol"))
        await asyncio.sleep(3)
        assert (mine.paused(), await control.sweep_requests(), scene.cloud.accepted) == ((), (), [])
        await control.request_sweep(SweepRequest("research", scene.clock.now(), "bob"))
        await control.request_sweep(SweepRequest("elsewhere", scene.clock.now(), "bob"))
        await asyncio.sleep(60)
    assert len(scene.cloud.accepted) == 2
    assert [each.target for each in await control.sweep_requests()] == ["elsewhere"]
    assert [(told.by, told.answer) for told in scene.telemetry.of(SweepRequested)] == [("bob", "paused"), ("bob", "accepted")]


async def test_a_running_service_says_so_in_the_journal_every_fifteen_seconds(clocks: list[FakeClock]) -> None:
    """Its record says since when, and on which configuration; one of another process that is a week old is removed."""
    scene = world()
    clocks.append(scene.clock)
    mine, control = supervisor(scene, "0 15 * * *"), scene.journal.control
    await control.beat(service_record("old", beat_at=NOON - timedelta(days=8)))
    async with at_work(mine):
        await asyncio.sleep(100)
        (record,) = await control.services()
        assert scene.clock.now() - record.beat_at <= timedelta(seconds=17)
        assert (record.started_at, record.targets, record.scheduled) == (NOON, ("research",), ("research",))
        assert record.stopped_at is None


async def test_which_targets_wait_for_their_turn_is_in_the_journal_within_seconds(clocks: list[FakeClock]) -> None:
    """Not only with the next beat: a wait may be shorter than that. Once it has its turn, it is there no more."""
    scene = world(*fleet(2))
    clocks.append(scene.clock)
    mine, control, turns = supervisor(scene, "0 15 * * *"), scene.journal.control, AccountTurns(1)
    runner_of(mine, "research").ask_turn = turns.ask
    async with at_work(mine):
        await asyncio.sleep(20)
        others = turns.ask("another account", lambda: None)
        await mine.request_sweep(SweepRequest("research", NOON, "dora"))
        await asyncio.sleep(3)
        assert [record.waiting for record in await control.services()] == [{"research": 0}]
        assert mine.targets()[0].phase is Phase.WAITING_FOR_TURN
        others.end()
        await asyncio.sleep(3)
        assert [record.waiting for record in await control.services()] == [{}]


async def test_an_unknown_target_is_named(clocks: list[FakeClock]) -> None:
    """Whatever is asked of it."""
    scene = world()
    clocks.append(scene.clock)
    mine = supervisor(scene, "0 15 * * *")
    with pytest.raises(UnknownTargetError):
        await mine.request_sweep(SweepRequest("nobody", NOON, "dora"))
    with pytest.raises(UnknownTargetError):
        await mine.plan("nobody")
    with pytest.raises(UnknownTargetError):
        await mine.resume(Resumption("nobody", NOON, "carol"))
    with pytest.raises(UnknownTargetError):
        await mine.pause(Pause("nobody", NOON))
    assert [state.phase for state in mine.targets()] == [Phase.STARTING]


async def test_an_hour_with_a_sweep_a_minute_leaks_nothing(clocks: list[FakeClock]) -> None:
    """Sixty sweeps with a deletion each: as many tasks and open files after the last as after the tenth, no more memory."""
    scene = world()
    clocks.append(scene.clock)
    mine = supervisor(scene, "* * * * *")
    measured: list[tuple[int, int, int]] = []
    tracemalloc.start()
    async with at_work(mine):
        for minute in range(1, 71):
            scene.cloud.put(notebook(minute))
            await asyncio.sleep(60)
            forget(scene)
            if minute not in (10, 70):
                continue
            gc.collect()
            measured.append((len(asyncio.all_tasks()), open_files(), tracemalloc.get_traced_memory()[0]))
    tracemalloc.stop()
    swept = len(await scene.journal.runs(1000))
    (tasks, files, memory), (tasks_after, files_after, memory_after) = measured
    print(f"{swept} sweeps; tasks {tasks} -> {tasks_after}, files {files} -> {files_after}, {memory} -> {memory_after} bytes")  # noqa: T201
    assert swept >= 69
    assert (tasks_after, files_after) == (tasks, files)
    # The journal in memory keeps its rows, which is what it is for: a run, a removal and four audit entries, which are 4 kB.
    assert memory_after - memory < 60 * 5_000


def forget(scene: World) -> None:
    """Let go of what the fakes have written down, which grows by design."""
    scene.cloud.calls.clear()
    scene.story.clear()
    scene.telemetry.records.clear()
    scene.cloud.accepted.clear()


def open_files() -> int:
    """Count what this process has open."""
    return len(list(Path("/proc/self/fd").iterdir()))


async def test_the_audit_trail_says_who_asked_for_a_sweep_paused_and_resumed(clocks: list[FakeClock]) -> None:
    """A request that is refused, because the target is paused, is none."""
    scene = world(*fleet(1))
    clocks.append(scene.clock)
    mine = supervisor(scene, "0 15 * * *")
    async with at_work(mine):
        now = scene.clock.now()
        await mine.pause(Pause("research", now, "wei (page)", "moving house"))
        assert await mine.request_sweep(SweepRequest("research", now, "lin (api)")) is Answer.PAUSED
        await mine.resume(Resumption("research", now, "wei (page)"))
        assert await mine.request_sweep(SweepRequest("research", now, "lin (api)")) is Answer.ACCEPTED
    entries = [link.entry for link in await whole_trail(scene.journal)]
    assert [(each.what, each.target, each.started_by) for each in entries[:3]] == [
        ("paused", "research", "wei (page)"),
        ("resumed", "research", "wei (page)"),
        ("sweep_requested", "research", "lin (api)"),
    ]
