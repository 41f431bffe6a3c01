"""Work for many callers at once takes a few turns."""

import asyncio
from collections.abc import Collection

import anyio

from nbsweep.adapters.journal.queue.batches import Batches
from nbsweep.core.errors import JournalError
from unit.engine.world import virtual_time

pytestmark = virtual_time
A_TURN_S = 1.0


class Work:
    """Records each turn; one takes a second."""

    def __init__(self, *failures: JournalError) -> None:
        """Fail in as many turns as there are failures."""
        self.turns: list[list[str]] = []
        self._failures = list(failures)

    async def __call__(self, names: Collection[str]) -> Collection[str]:
        """Do something for all but "busy"."""
        self.turns.append(list(names))
        await anyio.sleep(A_TURN_S)
        if self._failures:
            raise self._failures.pop(0)
        return set(names) - {"busy"}


async def after(seconds: float, batches: Batches, *names: str) -> list[str]:
    """Ask after some time."""
    await anyio.sleep(seconds)
    return await batches.do(names)


async def test_callers_at_the_same_time_share_a_turn() -> None:
    """A thousand of them take one; each learns what was done of what it asked for."""
    work = Work()
    batches = Batches(work)
    found = await asyncio.gather(*(batches.do([f"a{number}", "busy"]) for number in range(1000)))
    assert found == [[f"a{number}"] for number in range(1000)]
    assert [len(turn) for turn in work.turns] == [1001]


async def test_what_is_wanted_during_a_turn_is_done_in_the_next() -> None:
    """In the order in which it was asked for, each name once."""
    work = Work()
    batches = Batches(work)
    later = (after(0.2, batches, "c", "b"), after(0.4, batches, "b", "d", "c"), after(0.6, batches, "a"))
    await asyncio.gather(batches.do(["a"]), *later)
    assert work.turns == [["a"], ["c", "b", "d", "a"]]


async def test_a_failure_is_that_of_all_who_shared_the_turn() -> None:
    """Nobody tries again for the others; whoever comes later begins a new turn."""
    work = Work(JournalError("away"), JournalError("still away"))
    batches = Batches(work)
    callers = (batches.do(["a"]), after(0.2, batches, "b"), after(0.4, batches, "c"))
    found = await asyncio.gather(*callers, return_exceptions=True)
    assert [str(error) for error in found] == ["away", "still away", "still away"]
    assert await batches.do(["d"]) == ["d"]
    assert work.turns == [["a"], ["b", "c"], ["d"]]


async def test_the_work_of_a_cancelled_caller_is_done_by_the_next_one() -> None:
    """The caller that had the turn gives up in the middle of it."""
    work = Work()
    batches = Batches(work)
    first, second, third = (asyncio.ensure_future(after(number / 5, batches, name)) for number, name in enumerate("abc"))
    await anyio.sleep(1.5 * A_TURN_S)
    second.cancel()
    assert await third == ["c"]
    assert await first == ["a"]
    assert second.cancelled()
    assert work.turns == [["a"], ["b", "c"], ["b", "c"]]
