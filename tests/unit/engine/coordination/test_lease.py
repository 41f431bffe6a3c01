import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import anyio
import pytest
from msgspec.structs import replace

from builders import NOON, SCOPE, ago, fleet, notebook, removal, target_lease
from fresh import good_for
from nbsweep.core import lifecycle
from nbsweep.core.errors import FactsTooOld, HeldElsewhere, JournalError
from nbsweep.core.events.lease import LeaseHeldElsewhere, LeaseLost, LeaseTakenOver
from nbsweep.core.freshness import Freshness
from nbsweep.core.lease import Holder, TargetLease
from nbsweep.core.lifecycle import State
from nbsweep.core.model import Status
from nbsweep.core.pacing import Rate
from nbsweep.core.planning.brakes import Brakes
from nbsweep.core.planning.plan import Plan
from nbsweep.core.ports import unheeded
from nbsweep.core.report import Report
from nbsweep.engine.coordination.lease import LeaseGuard
from nbsweep.engine.options import LeaseOptions, SweepOptions
from nbsweep.engine.report import Run
from nbsweep.engine.shutdown import Shutdown
from nbsweep.engine.survey import Area
from nbsweep.engine.sweep import Sweeper
from nbsweep.testing import Pace
from unit.engine.world import FOR_EVER_S, IDENTITY, World, options, virtual_time, world

pytestmark = virtual_time

RUN = Run("run1", "cron", dry_run=False)
ME = Holder("me", "web-1", "boot-1", 100, 5000)
OTHER = Holder("other", "web-2", "boot-2", 200, 6000)
SLOW = Pace(deletion_s=20, delete_rate=Rate(1, 1.0))
"""One DELETE a second."""


@dataclass
class Register:
    """Everything that was done to the leases of a world's journal, and what may go wrong with them."""

    scene: World
    beats: list[float] = field(default_factory=list)
    """When a lease was taken or renewed, in seconds from the beginning."""
    fault: Exception | None = None
    hangs: bool = False

    def __post_init__(self) -> None:
        self._take = self.scene.journal.leases.take
        self.scene.journal.leases.take = self.take  # type: ignore[method-assign]  # the journal is the test's own

    async def take(self, lease: TargetLease, seen: TargetLease | None) -> TargetLease | None:
        """Take note, and pass it on."""
        self.beats.append(self.scene.clock.steady_s())
        if self.hangs:
            await asyncio.sleep(FOR_EVER_S)
        if self.fault:
            raise self.fault
        return await self._take(lease, seen)

    async def steal(self) -> None:
        """Take the lease over, whoever has it, as one does whose clock goes wrong."""
        seen = await self.scene.journal.leases.find("research")
        now = self.scene.clock.now()
        await self._take(lease_of(OTHER, taken_at=now, beat_at=now), seen)


def lease_of(holder: Holder, **changes: Any) -> TargetLease:
    """Return a lease of the world's target."""
    return target_lease(holder=holder, project=IDENTITY.project, extent=IDENTITY.extent, **changes)


@dataclass
class Thinker:
    """Lets every plan go, after a while; remembers when it was asked."""

    seconds: float = 0.0
    asked: int = 0

    async def __call__(self, _plan: Plan, _spared: object) -> bool:
        """Be asked."""
        self.asked += 1
        await asyncio.sleep(self.seconds)
        return True


def with_lease(alive: bool | None = None, holder: Holder = ME, **changes: object) -> SweepOptions:  # noqa: FBT001  # as the port has it
    """Return options with a lease of a minute; `alive` is what is known of other processes."""
    return options(lease=LeaseOptions(holder, timedelta(seconds=60), lambda _: alive), **changes)


def sweeper(scene: World, how: SweepOptions | None = None) -> Sweeper:
    """Return the sweeper of the world's one target."""
    area = Area("research", None, ("NOTEBOOK",))
    return Sweeper(area, scene.ports, how or with_lease(), Brakes(None, None, None), scene.shutdown)


async def swept(scene: World, how: SweepOptions | None = None, thinks_s: float = 0.0) -> Report:
    """Do a whole sweep."""
    with anyio.fail_after(FOR_EVER_S):
        report = await sweeper(scene, how).sweep(RUN, Thinker(thinks_s))
    scene.check_story()
    return report


async def held_by(scene: World, holder: Holder, beat_at: datetime = NOON) -> TargetLease:
    """Let somebody else have the lease."""
    lease = lease_of(holder, taken_at=ago(hours=1), beat_at=beat_at)
    await scene.journal.leases.take(lease, None)
    return lease


def deleted_until(scene: World) -> list[float]:
    """Return when DELETEs were sent."""
    return [call.at_s for call in scene.cloud.calls if call.kind == "delete"]


# ---- taking and giving back -----------------------------------------------------------------------------------------------


async def test_the_lease_is_held_while_sweeping_and_given_back_at_the_end() -> None:
    """While somebody thinks about the plan it is ours, with who wants the sweep; afterwards nobody's."""
    scene = world(*fleet(2))
    seen: list[TargetLease | None] = []

    async def look(_plan: Plan, _spared: object) -> bool:
        seen.append(await scene.journal.leases.find("research"))
        return True

    report = await sweeper(scene).sweep(RUN, look)
    assert (report.outcome, report.counts) == ("finished", {"deleted": 2})
    assert seen[0]
    assert (seen[0].holder, seen[0].started_by, seen[0].taken_at) == (ME, "cron", NOON)
    assert await scene.journal.leases.find("research") is None


async def test_a_target_that_another_sweeps_is_left_alone() -> None:
    """No call is sent; the report, the record and the log name the holder, who keeps the lease."""
    scene = world(*fleet(2))
    lease = await held_by(scene, OTHER)
    report = await swept(scene)
    assert (report.outcome, scene.cloud.calls) == ("held-elsewhere", [])
    assert isinstance(report.error, HeldElsewhere)
    assert "process 200 on host web-2, started by li" in str(report.error)
    [record] = await scene.journal.run("run1")
    assert (record.outcome, record.problem) == ("held-elsewhere", str(report.error))
    [told] = scene.telemetry.of(LeaseHeldElsewhere)
    assert (told.host, told.pid, told.started_by) == ("web-2", 200, "li")
    assert await scene.journal.leases.find("research") == lease


async def test_what_another_has_under_way_is_not_recovered() -> None:
    """Neither by a sweep nor by a recovery alone, nor is the other's run closed; whether dry or not."""
    scene = world(*fleet(1))
    left = lifecycle.request(removal(1, run_id="run0"), NOON, timedelta(minutes=30))
    await scene.journal.write([left])
    await held_by(scene, OTHER)
    for run in (RUN, replace(RUN, dry_run=True)):
        report = await sweeper(scene).recover(run)
        assert (report.outcome, report.recovered) == ("held-elsewhere", ())
    assert (await swept(scene)).recovered == ()
    assert await scene.journal.unfinished("research") == (left,)


async def test_a_recovery_alone_holds_the_lease_and_gives_it_back() -> None:
    """As a service does it when it starts."""
    scene = world(*fleet(1, status=Status.DELETING))
    register = Register(scene)
    await scene.journal.write([lifecycle.request(removal(1, run_id="run0"), NOON, timedelta(minutes=30))])
    scene.cloud.at(scene.clock.steady_s() + 50, lambda: scene.cloud.vanish("nb1"))
    report = await sweeper(scene).recover(RUN)
    assert (report.outcome, [done.state for done in report.recovered]) == ("finished", [State.DELETED])
    assert len(register.beats) >= 3
    assert await scene.journal.leases.find("research") is None


async def test_a_dry_run_needs_no_lease() -> None:
    """It changes nothing, and may look on while another sweeps."""
    scene = world(*fleet(2))
    await held_by(scene, OTHER)
    report = await sweeper(scene).sweep(replace(RUN, dry_run=True), Thinker())
    assert report.outcome == "dry-run"


@pytest.mark.parametrize(("alive", "silent_s"), [(False, 0), (None, 60)], ids=["dead", "silent"])
async def test_the_lease_of_one_who_is_dead_or_silent_is_taken_over(alive: bool | None, silent_s: float) -> None:  # noqa: FBT001  # a table
    """The sweep goes its way, and the log says from whom."""
    scene = world(*fleet(2))
    await held_by(scene, OTHER, NOON - timedelta(seconds=silent_s))
    report = await swept(scene, with_lease(alive))
    assert report.counts == {"deleted": 2}
    [told] = scene.telemetry.of(LeaseTakenOver)
    assert (told.host, told.pid) == ("web-2", 200)
    assert await scene.journal.leases.find("research") is None


async def test_who_is_alive_here_is_not_taken_over_whatever_the_clock_says() -> None:
    """The clock was set forward by a day: the holder only seems silent."""
    scene = world(*fleet(2))
    await held_by(scene, OTHER, NOON - timedelta(days=1))
    assert (await swept(scene, with_lease(alive=True))).outcome == "held-elsewhere"


async def test_ones_own_lease_that_could_not_be_given_back_is_no_obstacle() -> None:
    """A process never waits for itself, nor tells that it took over from itself."""
    scene = world(*fleet(2))
    await held_by(scene, ME)
    report = await swept(scene, with_lease(alive=True))
    assert (report.counts, scene.telemetry.of(LeaseTakenOver)) == ({"deleted": 2}, [])


async def test_who_is_in_the_way_can_be_asked_without_a_record() -> None:
    """A process that waits for its turn may look any number of times."""
    scene = world(*fleet(1))
    assert await sweeper(scene).held_elsewhere() is None
    await held_by(scene, OTHER)
    assert "host web-2" in str(await sweeper(scene).held_elsewhere())
    assert await sweeper(scene, with_lease(alive=False)).held_elsewhere() is None
    assert await sweeper(scene, options()).held_elsewhere() is None
    assert await scene.journal.runs(10) == ()


async def test_a_journal_that_cannot_take_the_lease_ends_the_sweep_before_anything_else() -> None:
    """Without the journal nobody can be the only one."""
    scene = world(*fleet(2))
    Register(scene).fault = JournalError("disk full")
    report = await swept(scene)
    assert (report.outcome, str(report.error), scene.cloud.calls) == ("failed", "disk full", [])


async def test_a_cancelled_sweep_gives_the_lease_back() -> None:
    """Cancelled in the middle of the removals, and though the journal takes its time."""
    scene = world(*fleet(40), pace=SLOW)
    release = scene.journal.leases.release

    async def release_slowly(lease: TargetLease) -> None:
        await asyncio.sleep(1)
        await release(lease)

    scene.journal.leases.release = release_slowly  # type: ignore[method-assign]  # the journal is the test's own
    with anyio.move_on_after(10):
        await sweeper(scene).sweep(RUN, Thinker())
    assert scene.cloud.accepted
    assert await scene.journal.leases.find("research") is None


async def test_giving_back_does_not_keep_a_sweep_from_ending() -> None:
    """The journal hangs: after three seconds the sweep has ended all the same."""
    scene = world()

    async def hang(lease: TargetLease) -> None:  # noqa: ARG001  # as the port has it
        await asyncio.sleep(FOR_EVER_S)

    scene.journal.leases.release = hang  # type: ignore[method-assign]  # the journal is the test's own
    report = await swept(scene)
    assert report.outcome == "finished"
    assert scene.clock.now() - NOON == timedelta(seconds=3)


async def test_a_bug_in_a_sweep_gives_the_lease_back() -> None:
    """It comes out, and the next sweep need not wait."""
    scene = world(*fleet(2))

    async def stumble(_plan: Plan, _spared: object) -> bool:
        raise ZeroDivisionError

    with pytest.raises(ExceptionGroup):
        await sweeper(scene).sweep(RUN, stumble)
    assert await scene.journal.leases.find("research") is None


# ---- beating --------------------------------------------------------------------------------------------------------------


async def test_it_beats_every_third_of_the_leases_time() -> None:
    """While somebody thinks about the plan for 110 seconds: taken at 0, and then every twenty seconds."""
    scene = world(*fleet(1))
    register = Register(scene)
    began_s = scene.clock.steady_s()
    lease: list[TargetLease | None] = []

    async def think(_plan: Plan, _spared: object) -> bool:
        await asyncio.sleep(110)
        lease.append(await scene.journal.leases.find("research"))
        return False

    await sweeper(scene).sweep(RUN, think)
    assert [round(at_s - began_s, 3) for at_s in register.beats] == [0, 20, 40, 60, 80, 100]
    assert lease[0]
    assert (lease[0].taken_at, lease[0].beat_at) == (NOON, NOON + timedelta(seconds=100))


async def test_a_beat_that_fails_is_made_good_by_the_next() -> None:
    """The journal is locked from second 15 to 35: one beat fails, and the sweep does not notice."""
    scene = world(*fleet(2))
    register = Register(scene)
    began_s = scene.clock.steady_s()
    scene.cloud.at(began_s + 15, lambda: setattr(register, "fault", JournalError("locked")))
    scene.cloud.at(began_s + 35, lambda: setattr(register, "fault", None))
    report = await swept(scene, thinks_s=70)
    assert (report.counts, scene.telemetry.of(LeaseLost)) == ({"deleted": 2}, [])


@pytest.mark.parametrize("ahead", [timedelta(hours=3), timedelta(hours=-3)])
async def test_beats_are_dated_by_the_clock_of_the_journal(ahead: timedelta) -> None:
    """The machine's clock is three hours off, and the next process counts by the journal's too."""
    scene = world(*fleet(1))
    scene.journal.leases.ahead = ahead
    lease: list[TargetLease | None] = []

    async def think(_plan: Plan, _spared: object) -> bool:
        await asyncio.sleep(50)
        lease.append(await scene.journal.leases.find("research"))
        assert "host web-1" in str(await sweeper(scene, with_lease(holder=OTHER)).held_elsewhere())
        return True

    assert (await sweeper(scene).sweep(RUN, think)).counts == {"deleted": 1}
    assert lease[0]
    assert (lease[0].taken_at, lease[0].beat_at) == (NOON + ahead, NOON + ahead + timedelta(seconds=40))


# ---- losing it ------------------------------------------------------------------------------------------------------------


async def test_who_was_taken_over_sends_no_more_and_leaves_the_rest_to_the_other() -> None:
    """Stolen at 30; the beat at 40 finds it out, and from then on nothing leaves, nor is anything waited for."""
    scene = world(*fleet(200), pace=SLOW)
    register = Register(scene)
    began_s = scene.clock.steady_s()
    steal = asyncio.get_running_loop().call_later(30, lambda: asyncio.ensure_future(register.steal()))
    report = await swept(scene)
    steal.cancel()
    assert report.outcome == "held-elsewhere"
    assert isinstance(report.error, HeldElsewhere)
    assert "has taken research over during the sweep: process 200 on host web-2" in str(report.error)
    [lost] = scene.telemetry.of(LeaseLost)
    assert lost.problem == str(report.error)
    assert max(deleted_until(scene)) - began_s <= 40
    assert scene.clock.steady_s() - began_s <= 41
    held = await scene.journal.leases.find("research")
    assert held
    assert held.holder == OTHER


@pytest.mark.parametrize("how", ["fails", "hangs"])
async def test_who_cannot_beat_stops_before_another_may_take_over(how: str) -> None:
    """The last beat was at 20; by 80 another may take over, and by 70 nothing leaves any more."""
    scene = world(*fleet(200), pace=SLOW)
    register = Register(scene)
    began_s = scene.clock.steady_s()

    def spoil() -> None:
        register.fault = JournalError("The journal is locked.") if how == "fails" else None
        register.hangs = how == "hangs"

    scene.cloud.at(began_s + 25, spoil)
    report = await swept(scene)
    assert report.outcome == "failed"
    assert isinstance(report.error, JournalError)
    assert "the lease of research could not be renewed in time" in str(report.error)
    assert 60 < max(deleted_until(scene)) - began_s <= 70
    assert scene.clock.steady_s() - began_s <= 75
    assert len(scene.telemetry.of(LeaseLost)) == 1


async def test_a_lease_lost_while_somebody_thinks_ends_the_sweep_before_the_first_change() -> None:
    """The answer is not waited for."""
    scene = world(*fleet(2))
    register = Register(scene)
    asyncio.get_running_loop().call_later(30, lambda: asyncio.ensure_future(register.steal()))
    report = await swept(scene, thinks_s=3600)
    assert (report.outcome, deleted_until(scene)) == ("held-elsewhere", [])
    assert scene.clock.now() - NOON == timedelta(seconds=40)


async def test_a_sweep_that_cannot_beat_ends_though_it_has_nothing_to_send() -> None:
    """The last beat was at 20; fifty seconds later it is over, whatever is being waited for."""
    scene = world(*fleet(2))
    register = Register(scene)
    asyncio.get_running_loop().call_later(25, lambda: setattr(register, "fault", JournalError("locked")))
    report = await swept(scene, thinks_s=3600)
    assert (report.outcome, deleted_until(scene)) == ("failed", [])
    assert scene.clock.now() - NOON == timedelta(seconds=70)


async def test_who_has_slept_asks_before_the_next_delete() -> None:
    """The clock shows ten minutes more at 30 and another has taken over; the beat would be at 40, the very next DELETE asks."""
    scene = world(*fleet(200), pace=SLOW)
    register = Register(scene)
    began_s = scene.clock.steady_s()

    def sleep() -> None:
        scene.clock.jump(600)
        steals.append(asyncio.ensure_future(register.steal()))

    steals: list[asyncio.Future[None]] = []
    scene.cloud.at(began_s + 30, sleep)
    report = await swept(scene)
    assert report.outcome == "held-elsewhere"
    assert max(deleted_until(scene)) - began_s <= 30


@pytest.mark.parametrize("jump_s", [600, -600])
async def test_a_clock_that_is_set_in_mid_sweep_does_not_cost_the_lease(jump_s: float) -> None:
    """The lease proves to be ours, its beat is told by the new time; a brake stops the sweep, and all that was begun ends."""
    scene = world(*fleet(50), pace=SLOW)
    register = Register(scene)
    scene.cloud.at(scene.clock.steady_s() + 30, lambda: scene.clock.jump(jump_s))
    report = await swept(scene)
    assert report.outcome == "refused"
    assert report.plan
    assert report.plan.refusal
    assert report.plan.refusal.brake == "clock-skew"
    assert scene.telemetry.of(LeaseLost) == []
    assert report.counts["deleted"] + report.counts["spared"] == 50
    assert set(scene.cloud.accepted) == {row.notebook_id for row in report.removals if row.state is State.DELETED}
    assert len(register.beats) < 12


# ---- the fence ------------------------------------------------------------------------------------------------------------


def tenure(scene: World) -> LeaseGuard:
    """Return a hold on the world's target that is not taken yet."""
    how = with_lease().lease
    assert how
    return LeaseGuard(scene.ports, how, lease_of(ME), IDENTITY, Shutdown())


async def test_what_a_lease_is_held_for_goes_through() -> None:
    """Each call reaches the cloud as it is."""
    scene = world(*fleet(2), notebook(3, status=Status.RUNNING))
    mine = tenure(scene)
    async with mine.held() as cloud:
        assert await cloud.workspaces() == ("0",)
        assert (await cloud.page(SCOPE, 0)).total == 3
        assert (await cloud.show("nb2")).id == "nb2"
        await cloud.stop("nb3", facts=good_for(10, scene.clock))
        await cloud.delete_turn()
        assert await cloud.delete("nb1", facts=good_for(10, scene.clock))
        assert cloud.lanes_state() == scene.cloud.lanes_state()
    assert scene.cloud.accepted == ["nb1"]


async def test_without_the_lease_nothing_that_changes_something_is_sent() -> None:
    """The beat at 20 found another; a DELETE and a stop are held back as ones that came too late."""
    scene = world(*fleet(2))
    register = Register(scene)
    mine = tenure(scene)
    async with mine.held() as cloud:
        await register.steal()
        await asyncio.sleep(21)
        assert isinstance(mine.error, HeldElsewhere)
        assert (mine.shutdown.begun.is_set(), mine.shutdown.hurried.is_set()) == (True, True)
        with pytest.raises(FactsTooOld, match="lease"):
            await cloud.delete("nb1", facts=good_for(10, scene.clock))
        with pytest.raises(FactsTooOld, match="lease"):
            await cloud.stop("nb1", facts=good_for(10, scene.clock))
    assert scene.cloud.calls == []


async def test_a_delete_leaves_before_its_lease_could_have_been_taken() -> None:
    """Facts may be good for longer; the lease is for fifty seconds after the last beat."""
    scene = world(*fleet(1))
    told: list[float] = []

    async def delete(notebook_id: str, *, facts: Freshness, leaving: Callable[[], object] = unheeded) -> str:
        leaving()
        told.append(facts.left_s(scene.clock.read()))
        return notebook_id

    scene.cloud.delete = delete  # type: ignore[method-assign]  # the cloud is the test's own
    async with tenure(scene).held() as cloud:
        await asyncio.sleep(10)
        await cloud.delete("nb1", facts=good_for(3600, scene.clock))
        await cloud.delete("nb1", facts=good_for(5, scene.clock))
    assert told == [40, 5]


@pytest.mark.parametrize("jump_s", [50, -50])
async def test_a_jump_of_the_clock_is_looked_into_once(jump_s: float) -> None:
    """Ten DELETEs at the same moment: the first asks the journal, and the answer is for all of them."""
    scene = world(*fleet(10))
    register = Register(scene)
    async with tenure(scene).held() as cloud:
        scene.clock.jump(jump_s)
        async with anyio.create_task_group() as group:
            for number in range(1, 11):
                group.start_soon(partial(cloud.delete, f"nb{number}", facts=good_for(10, scene.clock)))
    assert len(register.beats) == 2
    assert len(scene.cloud.accepted) == 10


async def test_a_jump_of_the_clock_after_which_another_has_the_lease_sends_nothing() -> None:
    """This machine was asleep, and the next beat would be at 20; the DELETE at 0 asks before it leaves."""
    scene = world(*fleet(1))
    register = Register(scene)
    mine = tenure(scene)
    async with mine.held() as cloud:
        scene.clock.jump(600)
        await register.steal()
        with pytest.raises(FactsTooOld, match="lease"):
            await cloud.delete("nb1", facts=good_for(10, scene.clock))
    assert (scene.cloud.calls, type(mine.error)) == ([], HeldElsewhere)


async def test_a_jump_of_the_clock_that_cannot_be_looked_into_holds_a_delete_back() -> None:
    """The journal is locked: in doubt nothing is sent, and the lease is not lost for that alone."""
    scene = world(*fleet(1))
    register = Register(scene)
    mine = tenure(scene)
    async with mine.held() as cloud:
        scene.clock.jump(600)
        register.fault = JournalError("locked")
        with pytest.raises(FactsTooOld, match="lease"):
            await cloud.delete("nb1", facts=good_for(10, scene.clock))
        assert mine.error is None
        register.fault = None
        await cloud.delete("nb1", facts=good_for(10, scene.clock))
    assert scene.cloud.accepted == ["nb1"]


async def test_a_lease_that_goes_from_hand_to_hand_is_given_up() -> None:
    """Whoever loses the race five times leaves it to the others."""
    scene = world()

    async def vanish(lease: TargetLease, seen: TargetLease | None) -> None:  # noqa: ARG001  # as the port has it
        return None

    scene.journal.leases.take = vanish  # type: ignore[method-assign]  # the journal is the test's own
    with pytest.raises(JournalError, match="changed its holder"):
        async with tenure(scene).held():
            pass
