"""Writers share commits, and none of them pays for another's mistakes."""

import asyncio
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from sqlite3 import connect

import pytest
from sqlalchemy import Connection, Engine, event

from nbsweep.adapters.journal import Limits, SqlJournal, open_journal
from nbsweep.core.errors import JournalError
from nbsweep.core.lifecycle import Removal
from nbsweep.core.model import Status
from nbsweep.core.ports import RunRecord

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def removal(number: int) -> Removal:
    """Plan the removal of a stopped notebook."""
    where = ("r1", "research", f"n{number:04}", "training", "li", "0", "NOTEBOOK")
    return Removal(*where, "idle-lease", "idle for 20 days", Status.STOPPED, 50, "EVS", NOON)


@pytest.fixture
def address(tmp_path: Path) -> str:
    """Name a journal that does not exist yet."""
    return f"sqlite:///{tmp_path}/journal.db"


@contextmanager
def counted_commits() -> Iterator[list[Connection]]:
    """Collect every commit that is made meanwhile."""
    commits: list[Connection] = []
    note = commits.append
    event.listen(Engine, "commit", note)
    try:
        yield commits
    finally:
        event.remove(Engine, "commit", note)


async def turns(journal: SqlJournal, numbers: range) -> None:
    """Write one after another, each when the one before is stored."""
    for number in numbers:
        await journal.write([removal(number)])


async def test_a_thousand_writers_share_a_few_commits(address: str) -> None:
    """What waits while the disk is busy goes into the next commit, all of it."""
    async with open_journal(address) as journal:
        with counted_commits() as commits:
            async with asyncio.TaskGroup() as tasks:
                for number in range(1000):
                    tasks.create_task(journal.write([removal(number)]))
        assert len(await journal.removals("r1")) == 1000
    assert len(commits) <= 5


async def test_writers_that_come_again_and_again_still_share(address: str) -> None:
    """Fifty writers of twenty removals each need little more than twenty commits."""
    async with open_journal(address) as journal:
        with counted_commits() as commits:
            async with asyncio.TaskGroup() as tasks:
                for first in range(0, 1000, 20):
                    tasks.create_task(turns(journal, range(first, first + 20)))
        assert len(await journal.removals("r1")) == 1000
    assert len(commits) <= 60


async def test_twenty_thousand_sightings_are_one_commit(address: str) -> None:
    """A whole fleet is noted at once."""
    names = [f"n{number}" for number in range(20_000)]
    async with open_journal(address) as journal:
        with counted_commits() as commits:
            await journal.note_active("research", names, NOON)
        assert await journal.last_active("research") == dict.fromkeys(names, NOON)
    assert len(commits) == 1


async def test_what_cannot_be_stored_fails_its_own_writer_only(address: str) -> None:
    """The others of the same commit are stored as if it had not been there."""
    bad = replace(removal(1), name="\ud800")
    async with open_journal(address) as journal:
        async with asyncio.TaskGroup() as tasks:
            good = [tasks.create_task(journal.write([removal(number)])) for number in (0, 2)]
            refused = tasks.create_task(_refused(journal, bad))
        assert await refused is not None
        assert [task.exception() for task in good] == [None, None]
        assert [row.notebook_id for row in await journal.removals("r1")] == ["n0000", "n0002"]


async def _refused(journal: SqlJournal, what: Removal) -> BaseException | None:
    with pytest.raises(JournalError) as told:
        await journal.write([what])
    return told.value.__cause__


async def test_a_run_that_is_there_already_does_not_disturb_the_others(address: str) -> None:
    """Only who opens it again is refused, and told why."""
    run = RunRecord("r1", "research", NOON, "cron", dry_run=False)
    async with open_journal(address) as journal:
        outcomes = await asyncio.gather(
            journal.open_run(run), journal.open_run(run), journal.write([removal(1)]), return_exceptions=True
        )
        assert await journal.run("r1") == (run,)
        assert len(await journal.removals("r1")) == 1
    assert [outcome for outcome in outcomes if outcome is not None] == [outcomes[1]]
    assert "holds already what was to be new" in str(outcomes[1])


async def test_trouble_with_the_file_reaches_everybody_who_waits(address: str, tmp_path: Path) -> None:
    """Each gets an error of its own, with the cause behind it."""
    async with open_journal(address, Limits(busy_s=0.02)) as journal:
        with closing(connect(tmp_path / "journal.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            writes = (journal.write([removal(number)]) for number in range(10))
            outcomes = await asyncio.gather(*writes, return_exceptions=True)
        assert all(isinstance(outcome, JournalError) and outcome.__cause__ for outcome in outcomes)
        assert len({id(outcome) for outcome in outcomes}) == 10
        assert await journal.removals("r1") == ()
