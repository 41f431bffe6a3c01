"""The audit trail in the database: in one transaction with the removals, append-only, and honest about what is older."""

import asyncio
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Dialect
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.postgresql.psycopg import PGDialectAsync_psycopg

from builders import NOON, removal
from nbsweep.adapters.journal import Timeouts, open_journal
from nbsweep.adapters.journal.records.audit import TrailWriter
from nbsweep.adapters.journal.transaction import Transaction
from nbsweep.core import lifecycle
from nbsweep.core.audit.chain import Break, Flaw, Head, verify
from nbsweep.core.audit.entries import AuditCoverage, AuditQuery
from nbsweep.core.errors import JournalError
from trails import whole_trail

HALF_AN_HOUR = timedelta(minutes=30)

Spoil = Callable[..., None]
"""Runs statements on the journal's file, behind its back."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Name a journal that does not exist yet."""
    return tmp_path / "journal.db"


@pytest.fixture
def spoil(path: Path) -> Spoil:
    """Return what changes the file behind the journal's back."""

    def run(*statements: str) -> None:
        with closing(sqlite3.connect(path)) as connection:
            for statement in statements:
                connection.execute(statement)
            connection.commit()

    return run


WITHOUT_GUARDS = tuple(f"DROP TRIGGER audit_{name}" for name in ("never_changes", "never_shrinks", "only_grows"))
"""What somebody does first who wants to change the trail."""


def rows(path: Path, table: str) -> int:
    """Count what is in a table."""
    with closing(sqlite3.connect(path)) as connection:
        [count] = connection.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608  # named by the tests alone
        assert isinstance(count, int)
        return count


async def fill(path: Path, count: int = 3) -> None:
    """Leave a journal with so many planned removals behind."""
    async with open_journal(f"sqlite:///{path}") as journal:
        await journal.write([removal(number) for number in range(1, count + 1)])


async def found(path: Path) -> Head | Break:
    """Go along the whole trail of a journal."""
    async with open_journal(f"sqlite:///{path}") as journal:
        return verify(await journal.trail.after("research", 0, 1000))


# ---- one transaction ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("table", ["removals", "audit"])
async def test_a_write_that_fails_leaves_neither_a_removal_nor_an_entry(path: Path, spoil: Spoil, table: str) -> None:
    """Whichever of the two it fails at; and it is told, so that no DELETE follows."""
    await fill(path)
    spoil(f"CREATE TRIGGER trouble BEFORE INSERT ON {table} BEGIN SELECT RAISE(ABORT, 'trouble'); END")
    async with open_journal(f"sqlite:///{path}") as journal:
        for written in (removal(9), lifecycle.request(removal(1), NOON, HALF_AN_HOUR)):
            with pytest.raises(JournalError):
                await journal.write([written])
        assert [row.state for row in await journal.removals("run1")] == ["PLANNED"] * 3
    assert (rows(path, "removals"), rows(path, "audit")) == (3, 3)


async def test_what_cannot_be_stored_leaves_no_gap_in_the_chain(path: Path) -> None:
    """The others that shared its commit are written without it."""
    bad = removal(2, name="\ud800")
    async with open_journal(f"sqlite:///{path}") as journal:
        writes = [journal.write([row]) for row in (removal(1), bad, removal(3))]
        outcomes = await asyncio.gather(*writes, return_exceptions=True)
        links = await whole_trail(journal)
    assert [type(outcome) for outcome in outcomes] == [type(None), JournalError, type(None)]
    assert [link.entry.notebook_id for link in links] == ["nb1", "nb3"]


async def test_a_locked_file_leaves_neither(path: Path) -> None:
    """The head is not even asked for before the lock is held."""
    await fill(path)
    async with open_journal(f"sqlite:///{path}", Timeouts(busy_s=0.02)) as journal:
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(JournalError, match="locked"):
                await journal.write([removal(9)])
        await journal.write([removal(8)])
    assert (rows(path, "removals"), rows(path, "audit")) == (4, 4)
    assert isinstance(await found(path), Head)


async def test_more_removals_than_go_at_once_are_one_chain(path: Path) -> None:
    """A large plan is one write."""
    async with open_journal(f"sqlite:///{path}") as journal:
        await journal.write([removal(number) for number in range(2500)])
        assert len(await whole_trail(journal)) == 2500


# ---- append-only ----------------------------------------------------------------------------------------------------------


COPIED = """moment_us, 'spared', target, run_id, started_by, notebook_id, name, owner, policy, reason, requests, request_id,
status_before, workspace_id, feature, capacity_gb, category, digest, project"""
REPLACEMENTS = tuple(
    f"{verb} INTO audit SELECT {place}, {COPIED}, {end} FROM audit WHERE id = 1"  # noqa: S608  # the values stand below
    for verb, place, end in (
        ("INSERT OR REPLACE", 2, "'research', 4"),
        ("INSERT OR REPLACE", 9, "'research', 2"),
        ("INSERT", 9, "'(legacy)', 1"),
    )
)
"""Statements that replace an entry by its position, or by its number; and one that adds to the legacy chain."""
WITHOUT_INDICES = tuple(
    f"DROP INDEX {name}"
    for name in (
        "runs_by_target",
        "runs_by_extent",
        "runs_by_id",
        "runs_open",
        "removals_by_request",
        "removals_by_delete",
        "removals_by_name",
    )
)
"""Takes revision 0017 back, where the tables stay."""
WITHOUT_CONTROL = (
    "ALTER TABLE runs DROP COLUMN overrides",
    "ALTER TABLE runs DROP COLUMN statements",
    "ALTER TABLE removals DROP COLUMN end_cause",
    "DROP TABLE sweep_requests",
    "DROP TABLE services",
)
"""Takes revisions 0007, 0020 and 0021 back; the table of pauses goes whole."""
WITHOUT_SESSIONS = (
    "DROP TABLE sessions",
    "DROP TABLE plans",
    "DROP TABLE fences",
    "DROP TABLE due_sweeps",
    "DROP TABLE workers",
)
"""Takes revisions 0011, 0013 and 0014 back."""
WITHOUT_INVENTORY = ("DROP TABLE holds", "DROP TABLE inventory", "DROP TABLE surveys")
"""Takes revisions 0012 and 0009 back."""
WITHOUT_NOTICES = tuple(f"DROP TABLE {table}" for table in ("outbox_items", "outbox_messages", "marks", "exemptions"))
"""Takes revision 0008 back."""
WITHOUT_IDENTITIES = (
    "DROP INDEX removals_by_project",
    "DROP INDEX removals_by_end",
    "CREATE INDEX removals_by_state ON removals (target, state)",
    *(f"ALTER TABLE {table} DROP COLUMN project" for table in ("runs", "removals", "leases")),
    *(f"ALTER TABLE {table} DROP COLUMN extent" for table in ("runs", "leases")),
    "DROP TABLE sightings",
    "CREATE TABLE sightings (target TEXT, notebook_id TEXT, last_active BIGINT, PRIMARY KEY (target, notebook_id))",
)
"""Takes revision 0006 back."""


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET owner = 'somebody else' WHERE sequence = 2",
        "DELETE FROM audit WHERE sequence = 3",
        "DELETE FROM audit",
        *REPLACEMENTS,
    ],
)
async def test_the_database_itself_refuses_to_change_an_entry(path: Path, spoil: Spoil, statement: str) -> None:
    """Whoever asks for it."""
    await fill(path)
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        spoil(statement)
    head = await found(path)
    assert isinstance(head, Head)
    assert head.sequence == 3


@pytest.mark.parametrize(
    ("statement", "flaw", "sequence"),
    [
        ("UPDATE audit SET owner = 'somebody else' WHERE sequence = 2", Flaw.ALTERED, 2),
        ("UPDATE audit SET moment_us = 'yesterday' WHERE sequence = 1", Flaw.ALTERED, 1),
        ("UPDATE audit SET capacity_gb = 50.5 WHERE sequence = 1", Flaw.ALTERED, 1),
        ("UPDATE audit SET category = x'00ff' WHERE sequence = 3", Flaw.ALTERED, 3),
        ("UPDATE audit SET digest = (SELECT digest FROM audit WHERE sequence = 1) WHERE sequence = 3", Flaw.ALTERED, 3),
        ("DELETE FROM audit WHERE sequence = 2", Flaw.MISSING, 2),
        ("DELETE FROM audit WHERE sequence = 1", Flaw.MISSING, 1),
    ],
)
async def test_who_changes_it_all_the_same_is_found(
    path: Path, spoil: Spoil, statement: str, flaw: Flaw, sequence: int
) -> None:
    """Also where what stands there now is nothing that could ever have been written."""
    await fill(path)
    spoil(*WITHOUT_GUARDS, statement)
    broken = await found(path)
    assert isinstance(broken, Break)
    assert (broken.flaw, broken.sequence) == (flaw, sequence)


async def test_what_was_altered_can_still_be_shown(path: Path, spoil: Spoil) -> None:
    """It is evidence, too."""
    await fill(path)
    spoil(*WITHOUT_GUARDS, "UPDATE audit SET moment_us = 'yesterday', what = 'dreamt' WHERE sequence = 3")
    async with open_journal(f"sqlite:///{path}") as journal:
        [link] = await journal.trail.latest(AuditQuery(), 1)
    shown: tuple[object, ...] = (link.entry.moment_us, link.entry.what)
    assert shown == ("yesterday", "dreamt")


# ---- what is older, and what is gone --------------------------------------------------------------------------------------


async def test_a_journal_that_is_older_than_the_trail_says_so(path: Path, spoil: Spoil) -> None:
    """Its removals go on with entries, but nothing of their decision is on the trail; later ones are whole."""
    await fill(path)
    spoil(
        "DROP TABLE audit",
        "DROP TABLE audit_chains",
        "DROP TABLE pauses",
        *WITHOUT_INDICES,
        *WITHOUT_SESSIONS,
        *WITHOUT_INVENTORY,
        *WITHOUT_NOTICES,
        *WITHOUT_CONTROL,
        *WITHOUT_IDENTITIES,
        "UPDATE alembic_version SET version_num = '0003'",
    )
    async with open_journal(f"sqlite:///{path}") as journal:
        assert await journal.trail.coverage() == (AuditCoverage("research", older=3),)
        await journal.write([lifecycle.request(removal(1), NOON + timedelta(hours=1), HALF_AN_HOUR), removal(10_000)])
        assert [link.entry.what for link in await whole_trail(journal)] == ["requested", "decided"]
        assert await journal.trail.coverage() == (AuditCoverage("research", older=3),)
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        spoil("DELETE FROM audit")


async def test_a_trail_that_was_cut_is_known_by_its_removals(path: Path, spoil: Spoil) -> None:
    """What is left of it is unbroken; but they came after its beginning, and are not on it."""
    await fill(path)
    spoil(*WITHOUT_GUARDS, "DELETE FROM audit WHERE sequence > 1")
    assert isinstance(await found(path), Head)
    async with open_journal(f"sqlite:///{path}") as journal:
        assert await journal.trail.coverage() == (AuditCoverage("research", missing=2),)


# ---- both databases -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dialect", "named", "positional"),
    [
        (sqlite.dialect(paramstyle="named"), r"(?<!:):(\w+)", "?"),
        (PGDialectAsync_psycopg(), r"%\((\w+)\)s", "%s"),  # type: ignore[no-untyped-call]  # SQLAlchemy says no types here
    ],
    ids=["sqlite", "postgresql"],
)
def test_all_that_is_asked_and_written_is_handed_over(dialect: Dialect, named: str, positional: str) -> None:
    """Each statement is compiled once, so nothing may be left for SQLAlchemy to fill in."""
    asked: list[str] = []
    written: list[str] = []

    def fetch(sql: str, row: dict[str, object]) -> list[tuple[object, ...]]:
        assert set(re.findall(named, sql)) == set(row)
        asked.append(sql)
        return []

    def execute(sql: str, rows: Iterator[Any]) -> int:
        [row] = rows
        written.append(sql)
        if isinstance(row, dict):
            assert set(re.findall(named, sql)) == set(row)
        else:
            assert sql.count(positional) == len(row) == 21
        return 1

    TrailWriter(dialect).append(Transaction(execute, fetch), iter([removal()]))
    assert len(asked) == 3
    assert [sql.partition(" (")[0] for sql in written] == ["INSERT INTO audit", "INSERT INTO audit_chains"]
    assert written[0].startswith("INSERT INTO audit (moment_us, what,")
