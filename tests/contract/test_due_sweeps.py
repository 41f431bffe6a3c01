"""What the due sweeps of every journal keep to, by the port's own words; the journal for tests too."""

import asyncio
from datetime import timedelta

from hypothesis import given
from msgspec.structs import replace

from builders import NOON, ago
from contract.conftest import Opener
from contract.records import any_of, examples
from nbsweep.core.due_sweeps.model import DueSweep

A_MINUTE = timedelta(minutes=1)


def due(**changes: object) -> DueSweep:
    """Return a sweep of `research` that has been due since noon."""
    plain = DueSweep(target="research", account="a", due_at=NOON, by="the schedule", not_before=NOON)
    return replace(plain, **changes)


@examples
@given(sweep=any_of(DueSweep))
async def test_a_due_sweep_comes_back_as_it_was_written(opener: Opener, sweep: DueSweep) -> None:
    """Every field survives."""
    sweep = replace(sweep, ended_at=None)
    async with opener() as journal:
        if await journal.due_sweeps.add(sweep):
            assert sweep in await journal.due_sweeps.open()


async def test_open_sweeps_are_listed_with_those_that_were_due_first(opener: Opener) -> None:
    """Of one account if it is given; those that have ended are not listed."""
    late, early, other = due(), due(target="first", due_at=ago(hours=1)), due(target="other", account="b")
    async with opener() as journal:
        for sweep in (late, early, other):
            assert await journal.due_sweeps.add(sweep)
        assert await journal.due_sweeps.open() == (early, other, late)
        assert await journal.due_sweeps.open("a") == (early, late)
        await journal.due_sweeps.end(early, NOON)
        assert await journal.due_sweeps.open("a") == (late,)


async def test_a_due_time_is_recorded_once(opener: Opener) -> None:
    """Also after its sweep has ended, and whichever process records it; a later due time is another one."""
    async with opener() as journal:
        added = await asyncio.gather(*(journal.due_sweeps.add(due()) for _ in range(5)))
        assert sorted(added) == [False] * 4 + [True]
        await journal.due_sweeps.end(due(), NOON)
        assert not await journal.due_sweeps.add(due())
        assert not await journal.due_sweeps.add(due(due_at=ago(minutes=1)))
        assert await journal.due_sweeps.add(due(due_at=NOON + A_MINUTE))


async def test_a_request_does_not_depend_on_the_clock_of_the_schedule(opener: Opener) -> None:
    """The clock of the process that leads may be ahead of the server's, or behind it; no due time is lost by that."""
    async with opener() as journal:
        ahead, request = due(due_at=NOON + A_MINUTE), due(by="alice (page)")
        assert await journal.due_sweeps.add(ahead)
        await journal.due_sweeps.end(ahead, NOON)
        assert await journal.due_sweeps.add(request)
        await journal.due_sweeps.end(request, NOON)
        assert await journal.due_sweeps.add(due(due_at=ago(minutes=1)))


async def test_a_target_has_one_open_sweep_beside_those_of_plans(opener: Opener) -> None:
    """A later due time waits for no second sweep; an approved plan is a sweep of its own."""
    async with opener() as journal:
        assert await journal.due_sweeps.add(due())
        assert not await journal.due_sweeps.add(due(due_at=NOON + A_MINUTE))
        assert await journal.due_sweeps.add(due(plan_id="p1"))
        assert len(await journal.due_sweeps.open()) == 2


async def test_a_sweep_that_is_put_off_keeps_its_due_time(opener: Opener) -> None:
    """The time before which it does not begin, the failures and the problem are stored; it waits to begin again."""
    later = due(not_before=NOON + A_MINUTE, failures=2, problem="the cloud is away")
    async with opener() as journal:
        await journal.due_sweeps.add(due())
        assert await journal.due_sweeps.begin(due(), NOON)
        await journal.due_sweeps.put_off(later)
        assert await journal.due_sweeps.open() == (later,)


async def test_a_sweep_that_has_ended_does_not_begin(opener: Opener) -> None:
    """A worker that was stopped for a while may have read it before its end; what it stores then changes nothing."""
    async with opener() as journal:
        await journal.due_sweeps.add(due())
        await journal.due_sweeps.end(due(), NOON)
        assert not await journal.due_sweeps.begin(due(), NOON)
        await journal.due_sweeps.put_off(due(failures=1))
        following = due(due_at=NOON + A_MINUTE)
        await journal.due_sweeps.add(following)
        await journal.due_sweeps.end(due(), NOON)
        assert await journal.due_sweeps.open() == (following,)
