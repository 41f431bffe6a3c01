"""What the fences of every journal keep to, by the port's own words; the journal for tests too."""

import asyncio
from datetime import timedelta

import anyio
import pytest
from msgspec.structs import replace

from contract.conftest import Opener
from hand_clock import HandClock
from nbsweep.core.errors import HeldElsewhere
from nbsweep.core.fences.model import Fence
from nbsweep.core.lease import Holder
from nbsweep.core.ports import Journal
from nbsweep.engine.coordination.fence import FenceGuard, FenceOptions
from nbsweep.testing import RecordingTelemetry

HOUR = timedelta(hours=1)
AT_ONCE = timedelta(0)
"""With this, every beat is too old."""
ODD = 'lanes:a_%b/"quoted"'


def holder(owner: str = "a") -> Holder:
    """Return a process."""
    return Holder(owner=owner, host=f"host-{owner}", machine="boot", pid=2**40, started=7)


async def stored(journal: Journal, name: str = "cron") -> Fence:
    """Return the record of a fence, as anybody reads it."""
    [fence] = [fence for fence in await journal.fences.all() if fence.name == name]
    return fence


async def test_a_free_fence_goes_to_the_first(opener: Opener) -> None:
    """Whoever comes second is told who holds it; the record survives."""
    async with opener() as journal:
        mine = await journal.fences.take("cron", holder("a"), HOUR)
        assert mine.is_of(holder("a"))
        assert (mine.epoch, mine.memory, mine.held) == (1, "", True)
        assert mine.taken_at <= mine.beat_at
        theirs = await journal.fences.take("cron", holder("b"), HOUR)
        assert theirs.holder == holder("a")
        assert not theirs.is_of(holder("b"))
    async with opener() as journal:
        again = await stored(journal)
        assert (again.holder, again.epoch, again.taken_at, again.held) == (holder("a"), 1, mine.taken_at, True)


async def test_of_many_who_take_a_fence_at_once_one_gets_it(opener: Opener) -> None:
    """All of them are told the same holder."""
    async with opener() as one, opener() as other:
        processes = [(journal, holder(f"p{number}")) for number, journal in enumerate([one, other] * 5)]
        taken = await asyncio.gather(*(journal.fences.take("cron", process, HOUR) for journal, process in processes))
        assert len({fence.holder.owner for fence in taken}) == 1


async def test_a_holder_may_take_its_fence_again(opener: Opener) -> None:
    """As after a write whose answer was lost: it stays the same holder, in the same epoch."""
    async with opener() as journal:
        first = await journal.fences.take("cron", holder(), HOUR)
        again = await journal.fences.take("cron", holder(), AT_ONCE)
        assert (again.epoch, again.taken_at) == (first.epoch, first.taken_at)
        assert again.beat_at >= first.beat_at


async def test_a_released_fence_goes_to_the_next_with_its_memory(opener: Opener) -> None:
    """In a new epoch, also if the next one is the same process."""
    async with opener() as journal:
        first = await journal.fences.take("cron", holder("a"), HOUR)
        await journal.fences.release(first, '{"learned": 7}')
        free = await stored(journal)
        assert (free.held, free.memory, free.epoch, free.holder) == (False, '{"learned": 7}', 1, holder("a"))
        second = await journal.fences.take("cron", holder("b"), HOUR)
        assert (second.holder, second.epoch, second.memory) == (holder("b"), 2, '{"learned": 7}')
        await journal.fences.release(second)
        third = await journal.fences.take("cron", holder("b"), HOUR)
        assert (third.epoch, third.memory) == (3, '{"learned": 7}')


async def test_a_silent_fence_is_taken_over(opener: Opener) -> None:
    """Its earlier holder learns that at its next beat, which changes nothing."""
    async with opener() as journal:
        first = await journal.fences.take("cron", holder("a"), HOUR)
        second = await journal.fences.take("cron", holder("b"), AT_ONCE)
        assert (second.holder, second.epoch) == (holder("b"), 2)
        assert not await journal.fences.beat(first, "too late")
        await journal.fences.release(first, "too late")
        after = await stored(journal)
        assert (after.holder, after.held, after.memory, after.beat_at) == (holder("b"), True, "", second.beat_at)


async def test_a_beat_renews_a_fence(opener: Opener) -> None:
    """With a memory it replaces that; without one it keeps it."""
    async with opener() as journal:
        mine = await journal.fences.take("cron", holder(), HOUR)
        assert await journal.fences.beat(mine, "first")
        assert (await stored(journal)).memory == "first"
        assert await journal.fences.beat(mine)
        after = await stored(journal)
        assert (after.memory, after.epoch, after.taken_at) == ("first", mine.epoch, mine.taken_at)
        assert after.beat_at >= mine.beat_at


async def test_a_beat_of_an_earlier_epoch_counts_for_nothing(opener: Opener) -> None:
    """Also if the same process holds the fence again."""
    async with opener() as journal:
        first = await journal.fences.take("cron", holder(), HOUR)
        await journal.fences.release(first)
        assert not await journal.fences.beat(first)
        await journal.fences.take("cron", holder(), HOUR)
        assert not await journal.fences.beat(first)
        await journal.fences.release(first)
        assert (await stored(journal)).held


async def test_a_beat_of_a_fence_that_is_not_there_counts_for_nothing(opener: Opener) -> None:
    """It makes no record."""
    async with opener() as journal:
        mine = await journal.fences.take("cron", holder(), HOUR)
        assert not await journal.fences.beat(replace(mine, name="another"))
        assert [fence.name for fence in await journal.fences.all()] == ["cron"]


async def test_fences_are_listed_by_the_beginning_of_their_names(opener: Opener) -> None:
    """Sorted; every character of the beginning means itself, and case counts."""
    async with opener() as journal:
        for name in (ODD, "lanes:b", "cron", "LANES:c", "lanes:axxb"):
            await journal.fences.take(name, holder(), HOUR)
        assert [fence.name for fence in await journal.fences.all("lanes:")] == [ODD, "lanes:axxb", "lanes:b"]
        assert [fence.name for fence in await journal.fences.all("lanes:a_%")] == [ODD]
        assert len(await journal.fences.all()) == 5


async def test_ages_are_counted_by_the_database(opener: Opener) -> None:
    """Those of the beat and of the memory, which may be older; nothing here takes an hour."""
    async with opener() as journal:
        mine = await journal.fences.take("cron", holder(), HOUR)
        assert mine.memory_age_s == 0
        assert await journal.fences.beat(mine, "learned")
        assert await journal.fences.beat(mine)
        after = await stored(journal)
        assert 0 <= after.age_s <= after.memory_age_s < HOUR.total_seconds()


@pytest.mark.parametrize("silent", [True, False])
async def test_the_duration_decides_whether_a_fence_is_silent(opener: Opener, *, silent: bool) -> None:
    """What the record says about it is what `take` decides."""
    lasts = AT_ONCE if silent else HOUR
    async with opener() as journal:
        await journal.fences.take("cron", holder("a"), HOUR)
        assert (await stored(journal)).is_silent(lasts.total_seconds()) is silent
        assert (await journal.fences.take("cron", holder("b"), lasts)).is_of(holder("b")) is silent


def guard_of(journal: Journal, owner: str, ahead: timedelta) -> FenceGuard:
    """Return the guard of a process whose clock is so far ahead of noon, whatever time it is."""
    clock = HandClock()
    clock.set_s = ahead.total_seconds()
    return FenceGuard("cron", journal.fences, clock, RecordingTelemetry(), FenceOptions(holder(owner), HOUR))


@pytest.mark.parametrize("ahead", [timedelta(hours=5), timedelta(hours=-5)])
async def test_the_clocks_of_the_processes_do_not_matter(opener: Opener, ahead: timedelta) -> None:
    """Hours apart, and further from that of the database: what is held is waited for, and what is released is taken."""
    impatient = anyio.Event()
    impatient.set()
    async with opener() as one, opener() as other:
        async with guard_of(one, "a", timedelta(0)).held(impatient) as first:
            assert first.is_of(holder("a"))
            with pytest.raises(HeldElsewhere, match="host-a"):
                async with guard_of(other, "b", ahead).held(impatient):
                    pass
        guard = guard_of(other, "b", ahead)
        async with guard.held(impatient) as second:
            guard.require()
            assert (second.holder, second.epoch) == (holder("b"), 2)
