"""What is told of a journal that cannot be used, before anything is deleted."""

import asyncio
import sqlite3
import stat
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry, Pool

from builders import removal
from nbsweep.adapters.journal import Timeouts, open_journal
from nbsweep.core.errors import JournalError

IMPATIENT = Timeouts(busy_s=0.02)

OPEN_AND_TELL = """
import asyncio, resource, sys
from nbsweep.adapters.journal import open_journal
from nbsweep.core.errors import JournalError

async def main(address, largest_file):
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(largest_file), resource.RLIM_INFINITY))
    try:
        async with open_journal(address):
            print("opened")
    except JournalError as error:
        print(error)

asyncio.run(main(*sys.argv[1:]))
"""

# File modes bind root only after it has given up the privilege to ignore them (CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH); dropped
# from the bounding set (PR_CAPBSET_DROP), it is gone from the program that follows.
BOUND_BY_FILE_MODES = """
import ctypes, os, sys
prctl = ctypes.CDLL(None).prctl
for capability in (1, 2):
    prctl(24, capability, 0, 0, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""


async def refusal(address: str) -> str:
    """Open a journal that cannot be opened, and give what is said about it."""
    with pytest.raises(JournalError) as told:
        async with open_journal(address, IMPATIENT):
            pass
    return str(told.value)


async def told_by_program(path: Path, largest_file: int = 2**40) -> str:
    """Open a journal in a program of its own that file modes and a largest file size do bind, and give what it says."""
    program = [sys.executable, "-c", OPEN_AND_TELL, f"sqlite:///{path}", str(largest_file)]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", BOUND_BY_FILE_MODES, *program, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    return output.decode()


@contextmanager
def on_connect(pragma: str) -> Iterator[None]:
    """Run a pragma on every connection that is made meanwhile."""

    def run(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
        cursor = connection.cursor()
        cursor.execute(pragma)
        cursor.close()

    event.listen(Pool, "connect", run)
    try:
        yield
    finally:
        event.remove(Pool, "connect", run)


def files_in(folder: Path) -> set[str]:
    """Name them all."""
    return {path.name for path in folder.iterdir()}


async def make_journal(path: Path) -> None:
    """Leave a good journal behind."""
    async with open_journal(f"sqlite:///{path}") as journal:
        await journal.write([removal()])


# ---- a good one -----------------------------------------------------------------------------------------------------------


async def test_file_and_folder_are_made_for_nobody_else(tmp_path: Path) -> None:
    """The folder is 0700, and all files in it are 0600, those beside the journal too."""
    folder = tmp_path / "state"
    async with open_journal(f"sqlite:///{folder}/journal.db") as journal:
        await journal.write([removal()])
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    assert modes == dict.fromkeys(["journal.db", "journal.db-wal", "journal.db-shm", ".journal.db.lock"], 0o600)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


async def test_the_mode_of_a_file_that_exists_is_its_owners_choice(tmp_path: Path) -> None:
    """Opening it again changes nothing about that."""
    path = tmp_path / "journal.db"
    await make_journal(path)
    path.chmod(0o640)
    await make_journal(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


async def test_a_relative_address_is_read_from_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three slashes, and a path without a fourth."""
    monkeypatch.chdir(tmp_path)
    async with open_journal("sqlite:///relative.db"):
        assert (tmp_path / "relative.db").exists()


async def test_a_commit_waits_for_the_disk(tmp_path: Path) -> None:
    """Each connection writes ahead, waits for the disk at every commit, and is patient with locks."""
    found: dict[str, object] = {}

    def look(connection: DBAPIConnection, _entry: ConnectionPoolEntry, _proxy: object) -> None:
        cursor = connection.cursor()
        for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout"):
            cursor.execute(f"PRAGMA {name}")
            found[name] = (cursor.fetchone() or [None])[0]
        cursor.close()

    event.listen(Pool, "checkout", look)
    try:
        await make_journal(tmp_path / "journal.db")
    finally:
        event.remove(Pool, "checkout", look)
    assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 5000}


async def test_opening_writes_each_time(tmp_path: Path) -> None:
    """That is the proof that it can be written: a commit that is there afterwards."""
    path = tmp_path / "journal.db"
    seen = set()
    for _ in range(2):
        await make_journal(path)
        with closing(sqlite3.connect(path)) as connection:
            seen.add(connection.execute("SELECT value FROM meta WHERE key = 'opened_at'").fetchone())
    assert len(seen) == 2


async def test_first_starts_at_the_same_time_make_one_journal(tmp_path: Path) -> None:
    """Each of four finds the tables, made once."""
    path = tmp_path / "journal.db"
    async with asyncio.TaskGroup() as tasks:
        for _ in range(4):
            tasks.create_task(make_journal(path))
    async with open_journal(f"sqlite:///{path}") as journal:
        assert await journal.removals("run1") == (removal(),)


# ---- its files -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ["", "-wal", "-shm"])
async def test_nothing_is_written_once_a_file_is_not_the_one_that_is_open(tmp_path: Path, ending: str) -> None:
    """Neither a write nor a DELETE goes on; with the file in its place again both do."""
    path = tmp_path / "journal.db"
    lost = tmp_path / f"journal.db{ending}"
    async with open_journal(f"sqlite:///{path}") as journal:
        await journal.write([removal(1)])
        journal.require_in_place()
        lost.rename(tmp_path / "elsewhere")
        with pytest.raises(JournalError, match="was moved, deleted or replaced") as told:
            journal.require_in_place()
        assert str(lost) in str(told.value)
        with pytest.raises(JournalError, match="was moved, deleted or replaced"):
            await journal.write([removal(2)])
        (tmp_path / "elsewhere").rename(lost)
        await journal.write([removal(3)])
    async with open_journal(f"sqlite:///{path}") as journal:
        assert await journal.removals("run1") == (removal(1), removal(3))


async def test_a_new_file_is_not_made_beside_what_an_old_one_has_written_ahead(tmp_path: Path) -> None:
    """SQLite would throw that away, and with it the latest commits of a file that may only have been moved."""
    ahead = tmp_path / "journal.db-wal"
    ahead.write_bytes(b"the latest commits")
    said = await refusal(f"sqlite:///{tmp_path}/journal.db")
    assert "journal.db-wal, which holds its latest commits, is still there" in said
    assert files_in(tmp_path) == {"journal.db-wal"}
    assert ahead.read_bytes() == b"the latest commits"


async def test_the_lock_of_the_path_goes_with_the_last_one_who_uses_it(tmp_path: Path) -> None:
    """Two may use the same file; while one of them is there, no other file is begun under the path."""
    path = tmp_path / "journal.db"
    address = f"sqlite:///{path}"
    async with open_journal(address):
        async with open_journal(address):
            pass
        path.rename(tmp_path / "elsewhere")
        assert "Another nbsweep is still at work" in await refusal(address)
        assert not path.exists()
        (tmp_path / "elsewhere").rename(path)
        async with open_journal(address):
            pass
    assert files_in(tmp_path) == {"journal.db"}


# ---- bad ones -------------------------------------------------------------------------------------------------------------


async def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    """Somebody pointed the journal at some other file."""
    path = tmp_path / "notes.txt"
    path.write_text("Do not forget the milk.\n" * 500)
    before = path.read_bytes()
    said = await refusal(f"sqlite:///{path}")
    assert said == (f"The journal {path} is not a database: move that file away, or name another in the configuration.")
    assert path.read_bytes() == before
    assert files_in(tmp_path) == {"notes.txt"}


async def test_a_damaged_journal_is_told(tmp_path: Path) -> None:
    """Its first page is good, and the rest is not."""
    path = tmp_path / "journal.db"
    await make_journal(path)
    path.write_bytes(path.read_bytes()[:4096] + b"\xff" * 100_000)
    assert "is damaged: check the disk" in await refusal(f"sqlite:///{path}")


async def test_a_path_below_a_file_cannot_be_created(tmp_path: Path) -> None:
    """A part of it would have to be a folder."""
    (tmp_path / "file").touch()
    for path in (tmp_path / "file" / "journal.db", tmp_path / "file" / "deeper" / "journal.db"):
        assert "cannot be created, because a part of its path is a file" in await refusal(f"sqlite:///{path}")


async def test_a_folder_is_no_journal(tmp_path: Path) -> None:
    """The address names a folder."""
    assert "is a folder, not a file" in await refusal(f"sqlite:///{tmp_path}")


async def test_a_locked_journal_is_told_after_some_patience(tmp_path: Path) -> None:
    """Another process is in a transaction of its own."""
    path = tmp_path / "journal.db"
    await make_journal(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert f"The journal {path} is locked by another process: wait" in await refusal(f"sqlite:///{path}")


async def test_a_lock_while_it_is_open_fails_the_write_and_nothing_else(tmp_path: Path) -> None:
    """Reading goes on meanwhile, and writing does once the lock is gone."""
    path = tmp_path / "journal.db"
    async with open_journal(f"sqlite:///{path}", IMPATIENT) as journal:
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(JournalError, match="locked by another process") as told:
                await journal.write([removal(1)])
            assert await journal.removals("run1") == ()
        await journal.write([removal(2)])
        assert await journal.removals("run1") == (removal(2),)
    assert told.value.__cause__ is not None


async def test_a_lock_is_outlasted(tmp_path: Path) -> None:
    """By a journal that has been told to be patient: what is written meanwhile is written when the lock is gone."""
    path = tmp_path / "journal.db"
    async with open_journal(f"sqlite:///{path}", Timeouts(busy_s=0.01, patience_s=60)) as journal:
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            asyncio.get_running_loop().call_later(0.05, other.execute, "ROLLBACK")
            await journal.write([removal(1)])
        assert await journal.removals("run1") == (removal(1),)


async def test_a_full_disk_is_told_on_opening(tmp_path: Path) -> None:
    """There is no room for the first tables."""
    with on_connect("PRAGMA max_page_count=2"):
        assert "cannot grow, because the disk is full: make room" in await refusal(f"sqlite:///{tmp_path}/journal.db")


async def test_a_disk_that_fills_up_fails_the_write_whole(tmp_path: Path) -> None:
    """Nothing of a write that did not fit is stored."""
    path = tmp_path / "journal.db"
    await make_journal(path)
    with on_connect("PRAGMA max_page_count=30"):
        async with open_journal(f"sqlite:///{path}") as journal:
            many = [removal(number, reason="long " * 100) for number in range(1000)]
            with pytest.raises(JournalError, match="the disk is full"):
                await journal.write(many)
            assert await journal.removals("run1") == (removal(),)


async def test_a_disk_error_is_told(tmp_path: Path) -> None:
    """The system refuses to let the file grow, as it does beyond a quota."""
    path = tmp_path / "journal.db"
    await make_journal(path)
    assert "met a disk I/O error: check the disk" in await told_by_program(path, largest_file=2000)


async def test_a_read_only_file_is_told(tmp_path: Path) -> None:
    """It belongs to somebody else, or was made so by hand."""
    path = tmp_path / "journal.db"
    await make_journal(path)
    path.chmod(0o400)
    assert f"The journal {path} is read-only: let the user that runs nbsweep write" in await told_by_program(path)


async def test_a_folder_that_is_not_writable_is_told(tmp_path: Path) -> None:
    """Neither a new journal nor the files beside an old one can be made there."""
    for name in ("journal.db", "state/journal.db"):
        folder = tmp_path / "locked"
        folder.mkdir(exist_ok=True)
        folder.chmod(0o500)
        assert "cannot be created, because its folder is not writable" in await told_by_program(folder / name)


async def test_a_journal_in_a_folder_that_is_not_writable_is_told(tmp_path: Path) -> None:
    """The file alone is not enough: what is written ahead goes beside it."""
    path = tmp_path / "locked" / "journal.db"
    await make_journal(path)
    path.parent.chmod(0o500)
    assert "let the user that runs nbsweep" in await told_by_program(path)
