"""Writers share commits, and none of them pays for another's mistakes."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import groupby
from pathlib import Path
from sqlite3 import connect
from typing import Any

import pytest
from sqlalchemy import create_engine
from sqlalchemy.exc import IntegrityError

from builders import NOON, removal, run_record
from nbsweep.adapters.journal import SqlJournal, Timeouts, open_journal
from nbsweep.adapters.journal.connections.sqlite import SqliteConnection
from nbsweep.adapters.journal.dialects import commit_in_chunks, compiled, upsert
from nbsweep.adapters.journal.rows import Row
from nbsweep.adapters.journal.tables import METADATA, SIGHTINGS
from nbsweep.adapters.journal.transaction import Change, Transaction, carry_out
from nbsweep.core.errors import JournalError
from nbsweep.core.lifecycle import Removal, State
from trails import whole_trail


@pytest.fixture
def address(tmp_path: Path) -> str:
    """Name a journal that does not exist yet."""
    return f"sqlite:///{tmp_path}/journal.db"


@pytest.fixture
def visits(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Return what has been done in threads of SQLite so far."""
    found: list[object] = []
    execute = SqliteConnection._execute  # noqa: SLF001  # what every call of the driver goes through

    async def count(connection: SqliteConnection, function: object, *arguments: object, **options: object) -> object:
        found.append(function)
        return await execute(connection, function, *arguments, **options)  # type: ignore[no-untyped-call]  # aiosqlite says no types

    monkeypatch.setattr(SqliteConnection, "_execute", count)
    return found


async def turns(journal: SqlJournal, numbers: range) -> None:
    """Write one after another, each when the one before is stored."""
    for number in numbers:
        await journal.write([removal(number)])


async def test_a_thousand_writers_share_a_few_commits(address: str, statements: list[str]) -> None:
    """What waits while the disk is busy goes into the next commit, all of it."""
    async with open_journal(address) as journal:
        statements.clear()
        async with asyncio.TaskGroup() as tasks:
            for number in range(1000):
                tasks.create_task(journal.write([removal(number)]))
        assert len(await journal.removals("run1")) == 1000
    assert 1 <= statements.count("COMMIT") <= 5


async def test_writers_that_come_again_and_again_still_share(address: str, statements: list[str]) -> None:
    """Fifty writers of twenty removals each need little more than twenty commits."""
    async with open_journal(address) as journal:
        statements.clear()
        async with asyncio.TaskGroup() as tasks:
            for first in range(0, 1000, 20):
                tasks.create_task(turns(journal, range(first, first + 20)))
        assert len(await journal.removals("run1")) == 1000
    assert 20 <= statements.count("COMMIT") <= 60


async def test_a_rush_of_commits_is_not_paid_for_afterwards(address: str) -> None:
    """After sixty commits in a row, each full, a single write waits for a moment, and not for sixty."""
    async with open_journal(address) as journal:
        async with asyncio.TaskGroup() as tasks:
            for first in range(0, 3000, 60):
                tasks.create_task(turns(journal, range(first, first + 60)))
        async with asyncio.timeout(1.5):
            await journal.write([removal(0)])


async def test_writes_that_trickle_in_share_commits_too(address: str, statements: list[str]) -> None:
    """Two hundred that come one by one, and not all at once, are a few commits and not two hundred."""
    async with open_journal(address) as journal:
        statements.clear()
        async with asyncio.TaskGroup() as tasks:
            for number in range(200):
                tasks.create_task(journal.write([removal(number)]))
                for _ in range(20):
                    await asyncio.sleep(0)
        assert len(await journal.removals("run1")) == 200
    assert 1 <= statements.count("COMMIT") <= 40


async def test_twenty_thousand_sightings_are_one_commit(address: str, statements: list[str]) -> None:
    """A whole fleet is noted at once."""
    names = [f"nb{number}" for number in range(20_000)]
    async with open_journal(address) as journal:
        statements.clear()
        await journal.sightings.note("research", names, NOON)
        assert await journal.sightings.latest("research") == dict.fromkeys(names, NOON)
    assert statements.count("COMMIT") == 1


async def test_a_write_is_a_few_statements_and_one_visit_to_the_thread(
    address: str, statements: list[str], visits: list[object]
) -> None:
    """A sweep has three for each notebook, so whatever else were done for one of them would be done thousands of times."""
    async with open_journal(address) as journal:
        await journal.write([removal(1)])
        statements.clear()
        visits.clear()
        await journal.write([removal(1, state=State.SPARED, ended_at=NOON)])
        assert len(visits) == 1
        # A statement that sets off a trigger is traced again when the trigger's turn comes.
        begin, *asked, entry, head, upsert, commit = (" ".join(text.split()[:3]) for text, _ in groupby(statements))
    assert (begin, entry, head, upsert, commit) == (
        "BEGIN IMMEDIATE",
        "INSERT INTO audit",
        "INSERT INTO audit_chains",
        "INSERT INTO removals",
        "COMMIT",
    )
    assert [text.split()[0] for text in asked] == ["SELECT"] * 3


async def test_writers_that_share_a_commit_share_what_is_asked_for_the_audit_trail(address: str, statements: list[str]) -> None:
    """The head, who started the run, and how all of them stood: once, however many there are."""
    async with open_journal(address) as journal:
        statements.clear()
        async with asyncio.TaskGroup() as tasks:
            for number in range(15):
                tasks.create_task(journal.write([removal(number)]))
        assert [text.split()[0] for text in statements].count("SELECT") == 3
        assert len(await whole_trail(journal)) == 15


def no_questions(sql: str, row: Row) -> Sequence[Sequence[Any]]:
    """Answer nothing, because nothing may be asked."""
    pytest.fail(f"{sql} was asked, with {row}")


def test_rows_are_made_one_by_one() -> None:
    """Twenty thousand planned removals are never there as rows all at once."""
    made: list[int] = []

    def lay_out(number: int) -> Row:
        made.append(number)
        return {"number": number}

    def execute(sql: str, rows: Iterator[Any]) -> int:
        assert sql == "INSERT"
        for number, row in enumerate(rows):
            assert row == {"number": number}
            assert made == list(range(number + 1))
        return len(made)

    carry_out([Change("INSERT", [0, 1], lay_out), Change("INSERT", [2, 3], lay_out)], Transaction(execute, no_questions))
    assert made == [0, 1, 2, 3]


def test_neighbours_of_one_statement_go_together_and_in_order() -> None:
    """Another statement between them is not overtaken."""
    done: list[tuple[str, list[Row]]] = []

    def execute(sql: str, rows: Iterator[Any]) -> int:
        done.append((sql, list(rows)))
        return 0

    changes = [
        Change(sql, items, lambda item: {"item": item}) for sql, items in (("A", "1"), ("A", "23"), ("B", "4"), ("A", "5"))
    ]
    carry_out(changes, Transaction(execute, no_questions))
    assert [(sql, [row["item"] for row in rows]) for sql, rows in done] == [("A", ["1", "2", "3"]), ("B", ["4"]), ("A", ["5"])]


def test_what_every_driver_can_do_writes_the_same(tmp_path: Path) -> None:
    """The road that PostgreSQL takes, walked with a driver that is there: more rows than go at once, all of them or none."""
    engine = create_engine(f"sqlite:///{tmp_path}/other.db", paramstyle="named")
    METADATA.create_all(engine)
    statement = compiled(engine.dialect, upsert("sqlite", SIGHTINGS), SIGHTINGS.columns.keys())
    names = [f"nb{number}" for number in range(2500)]

    def seen_at(moment: int | None) -> Change:
        return Change(statement, names, lambda name: {"project": "research", "notebook_id": name, "last_active": moment})

    with engine.connect() as connection:
        commit_in_chunks(connection, [seen_at(1), seen_at(2)])
        with pytest.raises(IntegrityError):
            commit_in_chunks(connection, [seen_at(3), seen_at(None)])
        seen = connection.exec_driver_sql("SELECT last_active, count(*) FROM sightings GROUP BY 1").all()
    engine.dispose()
    assert seen == [(2, 2500)]


async def test_what_cannot_be_stored_fails_its_own_writer_only(address: str) -> None:
    """The others of the same commit are stored as if it had not been there."""
    bad = removal(1, name="\ud800")
    async with open_journal(address) as journal:
        async with asyncio.TaskGroup() as tasks:
            good = [tasks.create_task(journal.write([removal(number)])) for number in (0, 2)]
            refused = tasks.create_task(_refused(journal, bad))
        assert await refused is not None
        assert [task.exception() for task in good] == [None, None]
        assert [row.notebook_id for row in await journal.removals("run1")] == ["nb0", "nb2"]


async def _refused(journal: SqlJournal, what: Removal) -> BaseException | None:
    with pytest.raises(JournalError) as told:
        await journal.write([what])
    return told.value.__cause__


async def test_a_run_that_is_there_already_does_not_disturb_the_others(address: str) -> None:
    """Only who opens it again is refused, and told why."""
    run = run_record()
    async with open_journal(address) as journal:
        outcomes = await asyncio.gather(
            journal.open_run(run), journal.open_run(run), journal.write([removal(1)]), return_exceptions=True
        )
        assert await journal.run("run1") == (run,)
        assert len(await journal.removals("run1")) == 1
    assert [outcome for outcome in outcomes if outcome is not None] == [outcomes[1]]
    assert "holds already what was to be new" in str(outcomes[1])


async def test_trouble_with_the_file_reaches_everybody_who_waits(address: str, tmp_path: Path) -> None:
    """Each gets an error of its own, with the cause behind it."""
    async with open_journal(address, Timeouts(busy_s=0.02)) as journal:
        with closing(connect(tmp_path / "journal.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            writes = (journal.write([removal(number)]) for number in range(10))
            outcomes = await asyncio.gather(*writes, return_exceptions=True)
        assert all(isinstance(outcome, JournalError) and outcome.__cause__ for outcome in outcomes)
        assert len({id(outcome) for outcome in outcomes}) == 10
        assert await journal.removals("run1") == ()
