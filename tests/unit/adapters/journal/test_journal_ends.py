"""What is written stays, however its writer, the journal or the whole process ends; and nothing else stays."""

import asyncio
import sys
import threading
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from sqlite3 import connect

import anyio
import pytest

from builders import NOON, removal
from nbsweep.adapters.journal import SqlJournal, Timeouts, open_journal
from nbsweep.core.errors import JournalError

WRITE_AND_STAY = """
import asyncio, sys
from nbsweep.adapters.journal import open_journal
from nbsweep.core.runs import RunRecord
from datetime import UTC, datetime

async def main(address):
    async with open_journal(address) as journal:
        async with asyncio.TaskGroup() as tasks:
            for number in range(20):
                run = RunRecord(f"run{number:02}", "research", datetime(2026, 3, 1, tzinfo=UTC), "cron", dry_run=False)
                tasks.create_task(journal.open_run(run))
        print("written", flush=True)
        await asyncio.Event().wait()

asyncio.run(main(sys.argv[1]))
"""


@pytest.fixture
def address(tmp_path: Path) -> str:
    """Name a journal that does not exist yet."""
    return f"sqlite:///{tmp_path}/journal.db"


def files_beside(address: str) -> set[str]:
    """Name all files in the journal's folder."""
    return {path.name for path in Path(address.removeprefix("sqlite:///")).parent.iterdir()}


async def written(address: str) -> set[str]:
    """List what is in the journal for somebody who opens it later."""
    async with open_journal(address) as journal:
        return {row.notebook_id for row in await journal.removals("run1")}


async def connections_end() -> None:
    """Wait until the thread of every connection has ended, those too that nobody waited for."""
    threads = [thread for thread in threading.enumerate() if "connection_worker" in thread.name]
    await asyncio.gather(*(asyncio.to_thread(thread.join, timeout=5) for thread in threads))
    assert not any(thread.is_alive() for thread in threads)


async def turns(journal: SqlJournal, numbers: range) -> None:
    """Write one after another, each when the one before is stored."""
    for number in numbers:
        await journal.write([removal(number)])


async def test_a_cancelled_writer_takes_nothing_with_it(address: str) -> None:
    """Its neighbours are stored, and so is what it had asked for."""
    async with open_journal(address) as journal:
        tasks = [asyncio.create_task(journal.write([removal(number)])) for number in range(10)]
        await asyncio.sleep(0)
        tasks[3].cancel()
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        assert [number for number, outcome in enumerate(outcomes) if outcome is not None] == [3]
        await journal.write([removal(10)])
        assert len(await journal.removals("run1")) == 11


@pytest.mark.parametrize("by_scope", [False, True])
async def test_readers_that_are_cancelled_leave_the_journal_whole(address: str, *, by_scope: bool) -> None:
    """At whatever moment they are, once or again and again; it is read and written as before."""

    async def reader() -> None:
        with scope:
            await journal.removals("run1")

    async with open_journal(address) as journal:
        await journal.write([removal(1)])
        for steps in range(30):
            scope = anyio.CancelScope()
            reading = asyncio.create_task(reader())
            for _ in range(steps):
                await asyncio.sleep(0)
            (scope if by_scope else reading).cancel()
            await asyncio.wait([reading])
        await journal.write([removal(2)])
        assert len(await journal.removals("run1")) == 2
    await connections_end()
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_leaving_writes_what_is_still_queued(address: str) -> None:
    """Those who wait get their answer, too."""
    async with open_journal(address) as journal:
        tasks = [asyncio.create_task(journal.write([removal(number)])) for number in range(5)]
        await asyncio.sleep(0)
    assert await asyncio.gather(*tasks) == [None] * 5
    assert len(await written(address)) == 5


async def test_last_words_are_written_though_their_writer_is_being_cancelled(address: str) -> None:
    """The writing task itself does not fall with the scope that it was started in."""
    with anyio.CancelScope() as scope:
        async with open_journal(address) as journal:
            scope.cancel()
            try:
                await anyio.sleep_forever()
            finally:
                with anyio.move_on_after(3, shield=True):
                    await journal.write([removal(1)])
    assert scope.cancelled_caught
    assert await written(address) == {"nb1"}


async def test_what_is_queued_is_written_though_everything_is_cancelled(address: str) -> None:
    """By the end of the whole task, as Ctrl-C does it."""

    async def sweep() -> None:
        async with open_journal(address) as journal:
            asyncio.current_task().cancel()  # type: ignore[union-attr]  # there is always a task here
            await journal.write([removal(1)])

    assert isinstance((await asyncio.gather(asyncio.create_task(sweep()), return_exceptions=True))[0], asyncio.CancelledError)
    assert await written(address) == {"nb1"}


async def test_an_error_of_its_user_comes_out_as_it_is(address: str) -> None:
    """Not wrapped in a group, though there is a task group inside."""
    with pytest.raises(LookupError, match="as it is"):
        async with open_journal(address):
            raise LookupError("as it is")


async def test_nothing_is_left_running(address: str) -> None:
    """No task, no thread, no file beside the journal."""
    async with open_journal(address) as journal:
        await asyncio.gather(*(journal.removals("run1") for _ in range(10)), journal.write([removal(1)]))
    assert asyncio.all_tasks() == {asyncio.current_task()}
    await connections_end()
    assert files_beside(address) == {"journal.db"}


async def test_closing_does_not_wait_for_ever(address: str, tmp_path: Path) -> None:
    """Whoever still waits is told that it was not written in time."""
    with closing(connect(tmp_path / "journal.db", isolation_level=None, check_same_thread=False)) as other:
        async with open_journal(address, Timeouts(busy_s=1, close_s=0.05)) as journal:
            other.execute("BEGIN IMMEDIATE")
            writing = asyncio.create_task(journal.write([removal(1)]))
            await asyncio.sleep(0)
        with pytest.raises(JournalError, match="could not be written in time"):
            await writing
    assert await written(address) == set()
    await connections_end()


async def test_closing_can_be_hurried(address: str, tmp_path: Path) -> None:
    """A second cancellation, as by a second Ctrl-C, ends even the waiting for the last writes."""

    async def sweep() -> None:
        async with open_journal(address, Timeouts(busy_s=0.5, close_s=30)) as journal:
            other.execute("BEGIN IMMEDIATE")
            writing.set()
            await journal.write([removal(1)])

    writing = asyncio.Event()
    with closing(connect(tmp_path / "journal.db", isolation_level=None)) as other:
        sweeping = asyncio.create_task(sweep())
        await writing.wait()
        for _ in range(2):
            sweeping.cancel()
            await asyncio.sleep(0)
        await asyncio.wait([sweeping], timeout=20)
    assert sweeping.cancelled()
    assert await written(address) == set()
    await connections_end()


async def test_a_closed_journal_refuses_everything(address: str) -> None:
    """It neither opens the file again by itself nor lets anybody wait for nothing."""
    async with open_journal(address) as journal:
        pass
    for call in (
        journal.write([removal(1)]),
        journal.write([]),
        journal.removals("run1"),
        journal.sightings.note("t", [], NOON),
    ):
        with pytest.raises(JournalError, match="was closed already"):
            await call


async def test_two_programs_may_use_one_journal(address: str) -> None:
    """Each sees what the other has committed; both may write, and open it for the first time together."""
    async with open_journal(address) as one, open_journal(address) as other:
        await asyncio.gather(turns(one, range(20)), turns(other, range(20, 40)))
        assert len(await one.removals("run1")) == len(await other.removals("run1")) == 40
        await one.sightings.note("research", ["nb1"], NOON + timedelta(hours=1))
        await other.sightings.note("research", ["nb1"], NOON)
        assert await other.sightings.latest("research") == {"nb1": NOON + timedelta(hours=1)}


async def test_a_commit_survives_the_end_of_the_process(address: str) -> None:
    """What a write has returned from is there after `kill -9`."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", WRITE_AND_STAY, address, stdout=asyncio.subprocess.PIPE
    )
    if process.stdout is None:
        pytest.fail("its output cannot be read")
    try:
        assert await process.stdout.readline() == b"written\n"
    finally:
        process.kill()
        await process.wait()
    async with open_journal(address) as journal:
        assert len(await journal.runs(100)) == 20
