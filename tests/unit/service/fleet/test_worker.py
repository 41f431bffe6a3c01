"""A worker that takes jobs, with an in-memory journal in virtual time."""

from collections.abc import Mapping

import anyio
import pytest

from builders import NOON, fence_holder, fleet
from nbsweep.core.due_sweeps.model import Job, JobState
from nbsweep.core.events.fleet import (
    AccountLeft,
    ConfigurationDiffers,
    JobStalled,
    WorkerStarted,
    WorkerStopped,
    WorkerStopping,
)
from nbsweep.core.workers.model import WorkerRecord
from nbsweep.service.fleet.account_sweeps import AccountSweeps
from nbsweep.service.fleet.presence import WorkerPresence
from nbsweep.service.fleet.worker import Worker
from unit.engine.world import World, virtual_time, world
from unit.service.fleet.rig import A_MINUTE, ACCOUNT, RecordingLanes, account_sweeps, add_due, sweeper
from unit.service.fleet.scripted_queue import ScriptedQueue

pytestmark = virtual_time


def worker(scene: World, queue: ScriptedQueue, accounts: Mapping[str, AccountSweeps]) -> Worker:
    """Return a worker with the configuration c1."""
    record = WorkerRecord(fence_holder("w1"), "1.0", NOON, NOON, "c1", len(accounts), 4)
    presence = WorkerPresence(scene.journal, record)
    return Worker(accounts, queue, scene.telemetry, scene.shutdown, presence, 4, 5.0, A_MINUTE)


async def run_for(mine: Worker, scene: World, seconds: float) -> None:
    """Run a worker for so long, and then stop it."""
    async with anyio.create_task_group() as group:
        group.start_soon(mine.run)
        await anyio.sleep(seconds)
        scene.shutdown.begun.set()


async def test_a_worker_carries_out_its_jobs_until_it_is_stopped() -> None:
    """It reports its start and its end, to the log and to the journal."""
    scene = world(*fleet(2))
    await add_due(scene.journal)
    queue = ScriptedQueue([ACCOUNT])
    await run_for(worker(scene, queue, {ACCOUNT: account_sweeps(sweeper(scene))}), scene, 60)
    assert len(scene.cloud.accepted) == 2
    own = [name for name in scene.telemetry.names() if name.startswith("worker.")]
    assert own == [WorkerStarted.name, WorkerStopping.name, WorkerStopped.name]
    [record] = await scene.journal.workers.all()
    assert record.stopped_at is not None
    assert (record.draining, record.accounts) == (True, ())


async def test_what_a_worker_sweeps_is_on_record() -> None:
    """While the sweep lasts, the account is listed, with the next beat at the latest."""
    scene = world(*fleet(300))
    await add_due(scene.journal)
    mine = worker(scene, ScriptedQueue([ACCOUNT], after_s=9.5), {ACCOUNT: account_sweeps(sweeper(scene))})
    async with anyio.create_task_group() as group:
        group.start_soon(mine.run)
        await anyio.sleep(10.5)
        [record] = await scene.journal.workers.all()
        assert record.accounts == (ACCOUNT,)
        scene.shutdown.begun.set()


async def test_an_administrator_can_drain_a_worker() -> None:
    """It stops by itself within its next beats."""
    scene = world()
    mine = worker(scene, ScriptedQueue([]), {})
    async with anyio.create_task_group() as group:
        group.start_soon(mine.run)
        await anyio.sleep(1)
        assert await scene.journal.workers.drain("w1")
        with anyio.fail_after(30):
            await scene.shutdown.begun.wait()
    assert len(scene.telemetry.of(WorkerStopped)) == 1


async def test_jobs_of_another_configuration_are_reported_once() -> None:
    """With their number and both configurations; again only when the number changes."""
    scene = world()
    waiting = [Job("other", JobState.WAITING, "c2", NOON), Job("mine", JobState.WAITING, "c1", NOON)]
    queue = ScriptedQueue([], jobs=waiting)
    await run_for(worker(scene, queue, {}), scene, 100)
    assert scene.telemetry.of(ConfigurationDiffers) == [ConfigurationDiffers(1, "c2", "c1")]
    [record] = await scene.journal.workers.all()
    assert record.refused == {"c2": 1}


async def test_every_worker_looks_for_stalled_jobs() -> None:
    """And reports them by their accounts."""
    scene = world()
    await run_for(worker(scene, ScriptedQueue([], stalled=["a"]), {}), scene, 20)
    assert scene.telemetry.of(JobStalled) == [JobStalled("a")]


async def test_a_bug_of_a_sweep_is_reported() -> None:
    """The queue would keep it to itself, and the next job would meet it as well."""
    scene = world(*fleet(1))
    await add_due(scene.journal)

    def learned() -> str:
        raise LookupError("no such lane")

    lanes = RecordingLanes()
    lanes.remembered = learned  # type: ignore[method-assign]  # a bug
    await run_for(worker(scene, ScriptedQueue([ACCOUNT]), {ACCOUNT: account_sweeps(sweeper(scene), lanes=lanes)}), scene, 60)
    [left] = scene.telemetry.of(AccountLeft)
    assert (left.account, left.problem) == (ACCOUNT, "a bug in nbsweep: LookupError: no such lane")


@pytest.mark.parametrize("is_certain", [True, False])
async def test_a_job_that_names_the_account_otherwise_is_taken_only_if_the_account_is_certain(*, is_certain: bool) -> None:
    """The process that recorded it could not look the account up; one that could not itself must leave it alone."""
    scene = world(*fleet(1))
    await add_due(scene.journal, account="cloud/~5678")
    mine = worker(scene, ScriptedQueue(["cloud/~5678"]), {ACCOUNT: account_sweeps(sweeper(scene), is_certain=is_certain)})
    await run_for(mine, scene, 60)
    assert len(scene.cloud.accepted) == is_certain
    assert [fence.name for fence in await scene.journal.fences.all()] == [f"lanes:{ACCOUNT}"] * is_certain
    assert len(scene.telemetry.of(AccountLeft)) == (not is_certain)
