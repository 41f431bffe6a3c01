"""How marks, the outbox and exemptions are kept in a database: statements, indexes, and rows that nobody can read."""

import re
import sqlite3
import tracemalloc
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Dialect
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.postgresql.psycopg import PGDialectAsync_psycopg

from builders import NOON, removal
from nbsweep.adapters.journal import SqlJournal, open_journal
from nbsweep.adapters.journal.notices.mark_writer import MarkWriter
from nbsweep.adapters.journal.notices.outbox import OutboxStatements
from nbsweep.adapters.journal.notices.tables import ITEMS, MARKS, MESSAGES
from nbsweep.adapters.journal.records.audit import TrailWriter
from nbsweep.core.errors import JournalError
from notice_builders import exemption, item, mark, message

Spoil = Callable[[str], None]
PROJECT = mark().project


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Name a journal that does not exist yet."""
    return tmp_path / "journal.db"


async def fill(journal: SqlJournal) -> None:
    """Write a row into each table."""
    await journal.marks.write([mark()], [item()])
    await journal.outbox.compose(message(), ["i1"])
    await journal.exemptions.grant(exemption())


@pytest.mark.parametrize(
    ("dialect", "parameter"),
    [
        (sqlite.dialect(paramstyle="named"), r"(?<!:):(\w+)"),
        (PGDialectAsync_psycopg(), r"%\((\w+)\)s"),  # type: ignore[no-untyped-call]  # SQLAlchemy says no types here
    ],
    ids=["sqlite", "postgresql"],
)
def test_all_that_a_statement_needs_stands_in_its_rows(dialect: Dialect, parameter: str) -> None:
    """Each is compiled once and handed to the driver as it is, so nothing may be left for SQLAlchemy to fill in."""
    marks, outbox = MarkWriter(dialect, TrailWriter(dialect)), OutboxStatements(dialect)
    of_mark, of_item, of_message = ({column.name for column in table.columns} for table in (MARKS, ITEMS, MESSAGES))
    expected = {
        marks.known: {"marks"},
        marks.insert: of_mark,
        marks.update: of_mark | {"of_id", "of_version"},
        marks.insert_item: of_item,
        marks.drop_others: {"of_mark", "stay", "dropped"},
        marks.drop_item: {"of_id", "dropped"},
        outbox.insert: of_message,
        outbox.update: of_message | {"of_key", "of_version"},
        outbox.retry: {"of_key", "next_at"},
        outbox.assign: {"of_id", "message_key"},
        outbox.accept: {"of_id", "of_key", "accepted_at"},
        outbox.upsert_meta: {"key", "value"},
        outbox.delete_meta: {"of_key"},
    }
    assert {text: set(re.findall(parameter, text)) for text in expected} == expected


async def test_what_every_sweep_and_every_round_of_the_relay_asks_has_an_index(path: Path, statements: list[str]) -> None:
    """However many marks, items and messages there have been."""
    async with open_journal(f"sqlite:///{path}") as journal:
        statements.clear()
        await journal.marks.open_marks(PROJECT)
        await journal.outbox.waiting(NOON, 10)
        assert await journal.outbox.lease(NOON, NOON, "relay", 10) == ()
        await journal.outbox.listed("k1")
        asked = [text for text in statements if text.startswith("SELECT")]
    with closing(sqlite3.connect(path)) as connection:
        plans = [[row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {text}")] for text in asked]
    indexes = ["marks_open", "outbox_items_waiting", "outbox_messages_unsent", "outbox_items_by_message"]
    assert [next(name for name in indexes if name in " ".join(plan)) for plan in plans] == indexes
    # The index of unsent messages has no others in it.
    scans = {line for plan in plans for line in plan if line.startswith("SCAN")}
    assert scans <= {"SCAN outbox_messages USING INDEX outbox_messages_unsent"}


async def test_a_lease_of_nothing_takes_no_lock(path: Path, statements: list[str]) -> None:
    """A relay asks every few seconds, and must not keep sweeps from writing."""
    async with open_journal(f"sqlite:///{path}") as journal:
        statements.clear()
        await journal.outbox.lease(NOON, NOON, "relay", 10)
        assert [text for text in statements if text.startswith("BEGIN IMMEDIATE")] == []


async def test_only_a_removal_with_a_version_asks_for_it_and_once_for_a_commit(path: Path, statements: list[str]) -> None:
    """A sweep without exemptions must not pay for them."""
    async with open_journal(f"sqlite:///{path}") as journal:
        await journal.write([removal(1)])
        assert not any("exemptions" in text for text in statements if text.startswith("SELECT"))
        statements.clear()
        await journal.write([removal(2)], exemptions_version=0)
        [asked] = [text for text in statements if "exemptions" in text]
        begun, *_, ended = statements
        assert asked.startswith("SELECT")
        assert (begun, ended) == ("BEGIN IMMEDIATE", "COMMIT")


async def test_thousands_of_marks_are_never_thousands_of_rows(path: Path) -> None:
    """They are laid out as the driver takes them: the memory of a write is that of the list, and of a chunk of entries."""
    many = [mark(number) for number in range(1, 2_001)]
    async with open_journal(f"sqlite:///{path}") as journal:
        await journal.marks.write([mark(0)])
        tracemalloc.start()
        try:
            await journal.marks.write(many)
            _, peak_bytes = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert len(await journal.marks.open_marks(PROJECT)) == 2_001
    assert peak_bytes < 1_500_000, "a row of a mark takes more than 2 kB"


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("UPDATE marks SET state = 'TOLD', status = 'DREAMING'", "status"),
        ("UPDATE marks SET deadline = 'soon'", "a moment that is not a number"),
        ("UPDATE marks SET tags = '{'", "not understood"),
        ("UPDATE marks SET remedies = '7'", "remedies"),
        ("UPDATE marks SET version = 'many'", "version"),
    ],
)
async def test_a_mark_that_cannot_be_read_is_refused(path: Path, statement: str, named: str) -> None:
    """It is neither guessed nor passed over, so nothing that rests on it is deleted."""
    async with open_journal(f"sqlite:///{path}") as journal:
        await fill(journal)
        spoil(path, statement)
        for read in (journal.marks.open_marks(PROJECT), journal.marks.marks_of("nb1"), journal.outbox.listed("k1")):
            with pytest.raises(JournalError, match=named):
                await read


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE exemptions SET until = 'never'",
        "UPDATE exemptions SET until = 9223372036854775807",
        "UPDATE exemptions SET granted_as = 'fate'",
        "UPDATE exemptions SET name = x'00ff'",
    ],
)
async def test_an_exemption_that_cannot_be_read_is_refused(path: Path, statement: str) -> None:
    """It might be what keeps a notebook."""
    async with open_journal(f"sqlite:///{path}") as journal:
        await fill(journal)
        spoil(path, statement)
        with pytest.raises(JournalError):
            await journal.exemptions.in_force(NOON)


@pytest.mark.parametrize(
    "statement", ["UPDATE outbox_messages SET kind = 'gossip'", "UPDATE outbox_messages SET next_at = 'x'"]
)
async def test_a_message_that_cannot_be_read_is_refused(path: Path, statement: str) -> None:
    """Nobody sends what they cannot read."""
    async with open_journal(f"sqlite:///{path}") as journal:
        await fill(journal)
        spoil(path, statement)
        with pytest.raises(JournalError):
            await journal.outbox.messages(10)


async def test_an_exemption_always_has_an_end(path: Path) -> None:
    """The database itself refuses one without."""
    async with open_journal(f"sqlite:///{path}") as journal:
        await fill(journal)
    with pytest.raises(sqlite3.IntegrityError, match="until"):
        spoil(path, "UPDATE exemptions SET until = NULL")


async def test_a_message_is_recorded_with_thousands_of_items(path: Path) -> None:
    """A digest may list all of somebody's notebooks."""
    numbers = range(1, 1_202)
    async with open_journal(f"sqlite:///{path}") as journal:
        await journal.marks.write([mark(number) for number in numbers], [item(number) for number in numbers])
        ids = [f"i{number}" for number in numbers]
        assert await journal.outbox.compose(message(), ids)
        [leased] = await journal.outbox.lease(NOON, NOON + timedelta(minutes=5), "relay", 1)
        assert await journal.outbox.record(leased, NOON, ids)
        assert {each.item.accepted_at for each in await journal.outbox.listed("k1")} == {NOON}


def spoil(path: Path, statement: str) -> None:
    """Run a statement on the journal's file, behind its back."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(statement)
        connection.commit()
