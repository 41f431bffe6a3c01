import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

import anyio
import pytest

from builders import NOON
from nbsweep.core.errors import FenceLost, HeldElsewhere, JournalError
from nbsweep.core.events.fence import FenceGone, FenceHeldElsewhere, FenceTaken
from nbsweep.core.fences.model import Fence
from nbsweep.core.lease import Holder
from nbsweep.engine.coordination.fence import FenceGuard, FenceOptions
from nbsweep.testing import FakeClock, InMemoryJournal, RecordingTelemetry
from unit.engine.world import FOR_EVER_S, virtual_time

pytestmark = virtual_time

ME, OTHER = Holder("me", "web-1", "boot-1", 100, 5000), Holder("other", "web-2", "boot-2", 200, 6000)
LASTS = timedelta(seconds=60)


class Fleet:
    """Several processes on one journal, each with a clock of its own."""

    def __init__(self) -> None:
        self.journal = InMemoryJournal()
        self.telemetry = RecordingTelemetry()
        self.given_up = anyio.Event()
        self.clock = FakeClock(NOON)

    def guard(
        self, holder: Holder = ME, clock: FakeClock | None = None, remember: Callable[[], str] | None = None
    ) -> FenceGuard:
        """Return a guard of one process."""
        options = FenceOptions(holder, LASTS)
        return FenceGuard("cron", self.journal.fences, clock or self.clock, self.telemetry, options, remember)

    async def stored(self) -> Fence:
        """Return the record of the fence."""
        [fence] = await self.journal.fences.all()
        return fence

    async def steal(self) -> None:
        """Give the fence to somebody else, whoever has it."""
        await self.journal.fences.take("cron", OTHER, timedelta(0))


@dataclass
class Beats:
    """The beats that reach a journal, which may fail or hang."""

    scene: Fleet
    at_s: list[float] = field(default_factory=list)
    fault: Exception | None = None
    hangs: bool = False

    def __post_init__(self) -> None:
        self._beat = self.scene.journal.fences.beat
        self.scene.journal.fences.beat = self.beat  # type: ignore[method-assign]  # the journal is the test's own

    async def beat(self, fence: Fence, memory: str | None = None) -> bool:
        """Take note, and pass it on."""
        self.at_s.append(round(self.scene.clock.steady_s(), 3))
        if self.hangs:
            await asyncio.sleep(FOR_EVER_S)
        if self.fault:
            raise self.fault
        return await self._beat(fence, memory)


async def test_a_fence_is_held_inside_and_released_at_the_end() -> None:
    """It is renewed every third of its time, and what was learned goes to the next one."""
    scene = Fleet()
    beats = Beats(scene)
    learned = iter(["a", "b", "c", "d"])
    async with scene.guard(remember=lambda: next(learned)).held(scene.given_up) as taken:
        assert (taken.epoch, taken.memory) == (1, "")
        await anyio.sleep(61)
        assert (await scene.stored()).memory == "c"
    assert beats.at_s == [20, 40, 60]
    after = await scene.stored()
    assert (after.held, after.memory) == (False, "d")
    async with scene.guard(OTHER).held(scene.given_up) as taken:
        assert (taken.epoch, taken.memory, taken.memory_age_s) == (2, "d", 0)
    [first, second] = scene.telemetry.of(FenceTaken)
    assert (first.fence, first.epoch, first.waited_s, second.epoch) == ("cron", 1, 0, 2)


@pytest.mark.parametrize("apart", [timedelta(0), timedelta(hours=5), timedelta(hours=-5)])
async def test_who_waits_gets_a_fence_that_is_released(apart: timedelta) -> None:
    """Within two seconds, whatever the clocks of the two processes say; that it waits is told once."""
    scene, got_s = Fleet(), []
    other_clock = FakeClock(NOON + apart)

    async def wait() -> None:
        async with scene.guard(OTHER, other_clock).held(scene.given_up):
            got_s.append(scene.clock.steady_s())

    async with anyio.create_task_group() as group:
        async with scene.guard().held(scene.given_up):
            group.start_soon(wait)
            await anyio.sleep(305)
            assert got_s == []
        released_s = scene.clock.steady_s()
    assert 0 <= got_s[0] - released_s <= 2
    [told] = scene.telemetry.of(FenceHeldElsewhere)
    assert (told.host, told.pid) == ("web-1", 100)


@pytest.mark.parametrize("apart", [timedelta(0), timedelta(hours=5), timedelta(hours=-5)])
async def test_a_fence_of_one_who_died_is_taken_over_in_time(apart: timedelta) -> None:
    """A minute after the last beat by the database, whatever the clock of the one who waits says."""
    scene = Fleet()
    await scene.journal.fences.take("cron", ME, LASTS)
    async with scene.guard(OTHER, FakeClock(NOON + apart)).held(scene.given_up) as taken:
        assert taken.epoch == 2
        assert 60 <= scene.clock.steady_s() <= 62


async def test_who_waits_may_give_up() -> None:
    """At once, and the error names the holder."""
    scene = Fleet()
    await scene.journal.fences.take("cron", OTHER, LASTS)
    asyncio.get_running_loop().call_later(5, scene.given_up.set)
    with pytest.raises(HeldElsewhere, match="process 200 on host web-2"):
        async with scene.guard().held(scene.given_up):
            pass
    assert scene.clock.steady_s() == pytest.approx(5)
    assert (await scene.stored()).holder == OTHER


async def test_a_fence_that_another_took_is_lost_at_the_next_beat() -> None:
    """Whoever waits for that learns it, nothing may be sent any more, and the other keeps it."""
    scene = Fleet()
    guard = scene.guard()
    async with guard.held(scene.given_up):
        await scene.steal()
        guard.require()
        await guard.lost.wait()
        assert scene.clock.steady_s() == pytest.approx(20)
        with pytest.raises(FenceLost, match="another process has taken the fence cron"):
            guard.require()
        with pytest.raises(FenceLost):
            await guard.ensure()
    after = await scene.stored()
    assert (after.holder, after.held, after.epoch) == (OTHER, True, 2)
    [told] = scene.telemetry.of(FenceGone)
    assert told.fence == "cron"


@pytest.mark.parametrize("how", ["fails", "hangs"])
async def test_a_fence_that_cannot_be_renewed_is_lost_before_another_may_take_it(how: str) -> None:
    """The last beat was at 20: it is certain until 70, and free for others from 80."""
    scene = Fleet()
    beats = Beats(scene)
    guard = scene.guard()
    async with guard.held(scene.given_up):
        await anyio.sleep(25)
        beats.fault, beats.hangs = (JournalError("away"), False) if how == "fails" else (None, True)
        await anyio.sleep(44)
        guard.require()
        await anyio.sleep(2)
        with pytest.raises(FenceLost):
            guard.require()
        await guard.lost.wait()
        assert scene.clock.steady_s() <= 75


async def test_an_outage_between_two_beats_is_not_noticed() -> None:
    """The journal is away from second 15 to 35; the beat at 40 makes up for it."""
    scene = Fleet()
    beats = Beats(scene)
    guard = scene.guard()
    async with guard.held(scene.given_up):
        await anyio.sleep(15)
        beats.fault = JournalError("away")
        await anyio.sleep(20)
        beats.fault = None
        await anyio.sleep(30)
        guard.require()
    assert not guard.lost.is_set()


async def test_after_sleep_nothing_is_certain_until_the_journal_was_asked() -> None:
    """Nobody took the fence meanwhile: it is renewed, and held again."""
    scene = Fleet()
    guard = scene.guard()
    async with guard.held(scene.given_up):
        scene.clock.sleep(90)
        with pytest.raises(FenceLost, match="asleep"):
            guard.require()
        assert not guard.lost.is_set()
        await guard.ensure()
        guard.require()


async def test_who_slept_while_another_took_the_fence_has_lost_it() -> None:
    """That is found out when it is needed, not at the next beat."""
    scene = Fleet()
    guard = scene.guard()
    async with guard.held(scene.given_up):
        scene.clock.sleep(90)
        await scene.steal()
        with pytest.raises(FenceLost, match="taken"):
            await guard.ensure()
        assert guard.lost.is_set()


async def test_a_fence_is_not_held_before_and_after() -> None:
    """A call that is late by one step is not sent."""
    scene = Fleet()
    guard = scene.guard()
    with pytest.raises(FenceLost):
        guard.require()
    async with guard.held(scene.given_up):
        guard.require()
    with pytest.raises(FenceLost, match="released"):
        guard.require()
    with pytest.raises(FenceLost):
        await guard.ensure()
    assert not (await scene.stored()).held


async def test_a_cancelled_holder_releases_its_fence() -> None:
    """The next one does not wait."""
    scene = Fleet()
    with anyio.move_on_after(10):
        async with scene.guard().held(scene.given_up):
            await anyio.sleep(FOR_EVER_S)
    assert not (await scene.stored()).held
