"""Which `serve` of a fleet leads, with an in-memory journal in virtual time."""

from collections.abc import Collection, Iterable
from datetime import timedelta

import anyio
import anyio.lowlevel
import pytest

from builders import fence_holder
from nbsweep.core.due_sweeps.model import SCHEDULE, DueSweep
from nbsweep.core.errors import JournalError
from nbsweep.core.events.fleet import LeadershipBegun, LeadershipEnded
from nbsweep.core.fences.model import CRON, lanes_fence
from nbsweep.core.fleet_status.model import DueState, DueStatus
from nbsweep.engine.coordination.fence import FenceOptions
from nbsweep.service.control import Phase
from nbsweep.service.fleet.dispatcher import Dispatcher
from unit.engine.world import World, virtual_time, world
from unit.service.fleet.rig import A_MINUTE, ACCOUNT, add_due
from unit.service.fleet.scripted_queue import ScriptedQueue
from unit.service.fleet.test_dispatched_target import dispatched

pytestmark = virtual_time
A_DAY_S = 24 * 3600.0


def dispatcher(scene: World, owner: str) -> Dispatcher:
    """Return the dispatcher of a process with one target."""
    queue = ScriptedQueue([])
    target = dispatched(scene, queue, leading=False)
    options = FenceOptions(fence_holder(owner), A_MINUTE)
    return Dispatcher({"research": target}, scene.journal, scene.clock, scene.telemetry, options, queue)


class FailingQueue(ScriptedQueue):
    """A queue that cannot be used."""

    def __init__(self, error: Exception) -> None:
        """Raise this error at each attempt to defer jobs."""
        super().__init__([])
        self.error = error

    async def defer(self, accounts: Iterable[str]) -> Collection[str]:  # noqa: ARG002
        """Raise the error."""
        await anyio.lowlevel.checkpoint()
        raise self.error


async def lead_for(mine: Dispatcher, seconds: float) -> None:
    """Lead for so long."""
    given_up = anyio.Event()
    async with anyio.create_task_group() as group:
        group.start_soon(mine.lead, given_up)
        await anyio.sleep(seconds)
        given_up.set()


def leads(mine: Dispatcher) -> bool:
    """Return whether a process starts what is due now."""
    return mine.targets["research"].leading


def deferred(mine: Dispatcher) -> set[str]:
    """Return the accounts for which a process has deferred jobs."""
    assert isinstance(mine.queue, ScriptedQueue)
    return set(mine.queue.deferred)


async def test_one_of_two_leads_and_the_other_follows_when_it_stops() -> None:
    """Within a few seconds, because the fence is released."""
    scene = world()
    one, other = dispatcher(scene, "s1"), dispatcher(scene, "s2")
    first_ends, second_ends = anyio.Event(), anyio.Event()
    async with anyio.create_task_group() as group:
        group.start_soon(one.lead, first_ends)
        await anyio.sleep(1)
        group.start_soon(other.lead, second_ends)
        await anyio.sleep(600)
        assert (leads(one), leads(other)) == (True, False)
        first_ends.set()
        await anyio.sleep(5)
        assert (leads(one), leads(other)) == (False, True)
        second_ends.set()
    assert [len(scene.telemetry.of(kind)) for kind in (LeadershipBegun, LeadershipEnded)] == [2, 2]


async def test_who_loses_the_fence_leads_no_more_and_waits_for_it_again() -> None:
    """As after a long stop of its machine: another process leads meanwhile."""
    scene = world()
    mine, ends = dispatcher(scene, "s1"), anyio.Event()
    async with anyio.create_task_group() as group:
        group.start_soon(mine.lead, ends)
        await anyio.sleep(1)
        thief = await scene.journal.fences.take(CRON, fence_holder("s2"), timedelta(0))
        await anyio.sleep(30)
        assert not leads(mine)
        await scene.journal.fences.release(thief)
        await anyio.sleep(30)
        assert leads(mine)
        ends.set()


async def test_who_leads_defers_the_jobs_that_are_missing() -> None:
    """What waits after a failure gets a job when its time has come; nobody else defers one."""
    scene = world()
    leader, follower = dispatcher(scene, "s1"), dispatcher(scene, "s2")
    now = await scene.journal.now()
    await scene.journal.due_sweeps.add(DueSweep("research", ACCOUNT, now, SCHEDULE, now + 5 * A_MINUTE, failures=4))
    ends = anyio.Event()
    async with anyio.create_task_group() as group:
        group.start_soon(leader.lead, ends)
        await anyio.sleep(1)
        group.start_soon(follower.lead, ends)
        await anyio.sleep(290)
        assert deferred(leader) == set()
        await anyio.sleep(30)
        assert deferred(leader) == {ACCOUNT}
        assert deferred(follower) == set()
        ends.set()


async def test_what_is_open_is_read_every_few_seconds() -> None:
    """Also by a process that does not lead, so that its page shows it."""
    scene = world()
    mine = dispatcher(scene, "s1")
    now = await scene.journal.now()
    due = DueSweep("research", ACCOUNT, now, SCHEDULE, now)
    async with anyio.create_task_group() as group:
        group.start_soon(mine.watch)
        await anyio.sleep(1)
        assert list(mine.targets["research"].open) == []
        await scene.journal.due_sweeps.add(due)
        await anyio.sleep(3)
        assert list(mine.targets["research"].open) == [DueStatus(due, DueState.WAITING)]
        group.cancel_scope.cancel()


async def test_a_target_is_swept_only_as_long_as_its_worker_sends_beats() -> None:
    """After the worker has died, the target waits for another one, and is swept when that one has begun."""
    scene, lane = world(), lanes_fence(ACCOUNT)
    mine, phases = dispatcher(scene, "s1"), []
    due = await add_due(scene.journal)

    async def begin(owner: str) -> None:
        await scene.journal.fences.take(lane, fence_holder(owner), A_MINUTE)
        await scene.journal.due_sweeps.begin(due, await scene.journal.now())

    await begin("w1")
    async with anyio.create_task_group() as group:
        group.start_soon(mine.watch)
        for wait_s in (3, 30, 30):
            await anyio.sleep(wait_s)
            phases.append(mine.targets["research"].phase)
        await begin("w2")
        await anyio.sleep(3)
        phases.append(mine.targets["research"].phase)
        group.cancel_scope.cancel()
    assert phases == [Phase.SWEEPING, Phase.WORKER_SILENT, Phase.WAITING_FOR_WORKER, Phase.SWEEPING]


async def test_a_target_that_is_not_in_the_configuration_any_more_keeps_no_worker_busy() -> None:
    """What is due on it gets no job, and has ended after a day; another process may have a newer configuration until then."""
    scene = world()
    due = await add_due(scene.journal, "removed", account="gone")
    mine = dispatcher(scene, "s1")
    await lead_for(mine, A_DAY_S - 60)
    assert deferred(mine) == set()
    assert await scene.journal.due_sweeps.open() == (due,)
    await lead_for(mine, 180)
    assert await scene.journal.due_sweeps.open() == ()


async def test_a_process_leads_on_when_the_journal_is_away_for_a_while() -> None:
    """The jobs are deferred in a later round."""
    scene = world()
    await add_due(scene.journal)
    mine = dispatcher(scene, "s1")
    mine.queue = FailingQueue(JournalError("away"))
    await lead_for(mine, 100)
    assert len(scene.telemetry.of(LeadershipBegun)) == 1


async def test_a_bug_of_the_leader_ends_the_service() -> None:
    """It would lead for a moment again and again, and nobody would learn why nothing is swept."""
    scene = world()
    mine = dispatcher(scene, "s1")
    mine.queue = FailingQueue(LookupError("a bug"))
    with pytest.raises(ExceptionGroup) as raised:
        await lead_for(mine, 100)
    assert raised.group_contains(LookupError, match="a bug")
    [fence] = await scene.journal.fences.all()
    assert (fence.name, fence.held) == (CRON, False)
