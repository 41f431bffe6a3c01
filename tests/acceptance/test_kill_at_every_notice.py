"""Kill -9 at every write of marks, of the outbox and of exemptions."""

import asyncio
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from acceptance.killed_notices import STEPS, content
from acceptance.support import Desk
from nbsweep.adapters.journal import open_journal
from nbsweep.testing import InMemoryJournal
from trails import whole_trail

KILLED = Path(__file__).with_name("killed_notices.py")
# Some twenty processes, one after the other.
pytestmark = pytest.mark.timeout(400)
MOMENTS = ("before-commit", "after-commit", "at-write")


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_process_killed_at_any_notice_has_stored_all_of_a_step_or_nothing(moment: str, tmp_path: Path) -> None:
    """The journal holds what one in memory holds after the steps so far, and takes the others from there."""
    check_every_kill(moment, lambda number: f"sqlite:///{tmp_path}/{number}.db")


def check_every_kill(moment: str, address_of: Callable[[int], str]) -> None:
    """Kill a process at its first, second, ... moment until none is left, each in a journal of its own."""
    expected = asyncio.run(contents())
    steps_killed: set[int] = set()
    for number in range(1, 100):
        code, returned = killed(moment, number, address_of(number))
        if code == 0:
            assert returned == len(STEPS)
            print(f"killed at each of {number - 1} moments of the kind {moment}")  # noqa: T201  # how much is proven
            assert steps_killed >= set(range(1, len(STEPS) + 1)), "it was killed at each of its writes"
            return
        assert code == -signal.SIGKILL
        taken = asyncio.run(go_on(address_of(number), expected, returned))
        assert taken == returned or (moment == "after-commit" and taken == returned + 1)
        steps_killed.add(returned + 1)
    pytest.fail("every one of so many processes was killed")


def killed(moment: str, number: int, address: str) -> tuple[int, int]:
    """Take the steps in a process that is killed; return its exit code, and how many steps have returned."""
    desk = Desk(KILLED.parent, program=(sys.executable, str(KILLED), moment, str(number)), names_config=False)
    ended = desk.run(address)
    assert ended.code in (0, -signal.SIGKILL), ended.err
    return ended.code, len(ended.out.split())


async def contents() -> list[tuple[object, ...]]:
    """Return what a journal holds before the first step and after each, as the one in memory has it."""
    journal = InMemoryJournal()
    found = [await content(journal)]
    for step in STEPS:
        await step(journal)
        found.append(await content(journal))
    return found


async def go_on(address: str, expected: list[tuple[object, ...]], returned: int) -> int:
    """Open the journal again; return how many steps it holds whole, those that have returned at least; take the others."""
    async with open_journal(address) as journal:
        taken = expected.index(await content(journal), returned)
        for step in STEPS[taken:]:
            await step(journal)
        assert await content(journal) == expected[-1]
        await whole_trail(journal)
        return taken
