"""What is in the database: its revisions, its tables, and rows that nobody can read; and which addresses there are."""

import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Dialect, create_engine, inspect
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.postgresql.psycopg import PGDialectAsync_psycopg

from builders import NOON, removal, run_record, target_lease
from nbsweep.adapters.journal import SqlJournal, open_journal
from nbsweep.adapters.journal.audit_tables import AUDIT
from nbsweep.adapters.journal.dialects import insert_new, upsert
from nbsweep.adapters.journal.migrations.run import upgrade
from nbsweep.adapters.journal.notices.tables import EXEMPTIONS, ITEMS, MARKS, MESSAGES
from nbsweep.adapters.journal.opening import make_tables
from nbsweep.adapters.journal.records.leases import LeaseStatements
from nbsweep.adapters.journal.statements import Statements
from nbsweep.adapters.journal.tables import LEASES, METADATA, NEWEST, REMOVALS, RUNS, SIGHTINGS
from nbsweep.core.audit.entries import AuditEntry
from nbsweep.core.errors import JournalError
from nbsweep.core.exemptions.model import Exemption, Selector
from nbsweep.core.lease import Holder, TargetLease
from nbsweep.core.lifecycle import Removal
from nbsweep.core.marks.model import Mark
from nbsweep.core.notices.outbox import Item, Message
from nbsweep.core.runs import RunRecord

Spoil = Callable[[str], None]
"""Runs a statement on the journal's file, behind its back."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Name a journal that does not exist yet."""
    return tmp_path / "journal.db"


@pytest.fixture
def spoil(path: Path) -> Spoil:
    """Return what changes the file behind the journal's back."""

    def run(statement: str) -> None:
        with closing(sqlite3.connect(path)) as connection:
            connection.execute(statement)
            connection.commit()

    return run


async def fill(path: Path) -> None:
    """Leave a journal with a row in each table behind."""
    async with open_journal(f"sqlite:///{path}") as journal:
        await journal.open_run(run_record(kept={"young": 1}))
        await journal.write([removal()])
        await journal.sightings.note("research", ["nb1"], NOON)
        await journal.leases.take(target_lease(), None)


def content(path: Path) -> bytes:
    """Read all of a file."""
    return path.read_bytes()


async def refusal(address: str) -> str:
    """Open a journal that cannot be opened, and give what is said about it."""
    with pytest.raises(JournalError) as told:
        async with open_journal(address):
            pass
    return str(told.value)


# ---- tables and revisions -------------------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore:Skipped unsupported reflection of expression-based index")
@pytest.mark.filterwarnings("ignore:autogenerate skipping metadata-specified expression-based index")
def test_the_revisions_lead_to_the_tables_that_the_code_knows() -> None:
    """A database that came all the way has every table, column and index, and no other.

    The next test compares the indices of expressions.
    """
    engine = create_engine("sqlite://")
    with engine.connect() as connection:
        upgrade(connection, "here")
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, METADATA) == []
    engine.dispose()


def test_a_new_journal_is_what_the_revisions_would_have_made_it() -> None:
    """It is made without them, in one step; nothing tells it from one that is as old as nbsweep."""
    made = [schema_after(upgrade_here), schema_after(make_tables)]
    assert made[0] == made[1]
    assert "alembic_version" in made[0]
    assert made[0]["indexes and triggers"]


def upgrade_here(connection: Connection) -> None:
    """Go through all revisions."""
    upgrade(connection, "here")


def schema_after(make: Callable[[Connection], None]) -> dict[str, object]:
    """Return all that can be known of the tables of a database that was empty before, and which revision it is at."""
    engine = create_engine("sqlite://")
    with engine.connect() as connection:
        make(connection)
        found = inspect(connection)
        tables: dict[str, object] = {
            name: (
                [(column["name"], str(column["type"]), column["nullable"]) for column in found.get_columns(name)],
                found.get_pk_constraint(name),
                found.get_foreign_keys(name),
            )
            for name in found.get_table_names()
        }
        tables["indexes and triggers"] = connection.exec_driver_sql(
            "SELECT name, tbl_name, sql FROM sqlite_master WHERE type IN ('index', 'trigger') ORDER BY name"
        ).all()
        tables["revision"] = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalars().all()
    engine.dispose()
    return tables


async def test_a_journal_that_an_older_version_made_is_brought_up_to_date(path: Path, spoil: Spoil) -> None:
    """By the revisions that it does not have yet; here, all of them."""
    spoil("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
    await fill(path)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [(NEWEST,)]
        assert connection.execute("SELECT count(*) FROM removals").fetchone() == (1,)


def test_every_field_has_a_column() -> None:
    """And every column a field, but for the planned order."""
    assert {column.name for column in RUNS.columns} == set(RunRecord.__struct_fields__)
    assert {column.name for column in REMOVALS.columns} == set(Removal.__struct_fields__) | {"position"}
    assert {column.name for column in AUDIT.columns} == {*AuditEntry._fields, "digest", "chain", "id"}
    assert {column.name for column in MARKS.columns} == set(Mark.__struct_fields__)
    assert {column.name for column in ITEMS.columns} == set(Item.__struct_fields__)
    assert {column.name for column in MESSAGES.columns} == set(Message.__struct_fields__)
    of_exemption = {field for kind in (Exemption, Selector) for field in kind.__struct_fields__} - {"selector"}
    assert {column.name for column in EXEMPTIONS.columns} == of_exemption
    of_lease = {field for kind in (TargetLease, Holder) for field in kind.__struct_fields__} - {"holder"}
    assert {column.name for column in LEASES.columns} == of_lease


async def test_a_journal_of_a_newer_version_is_refused_and_left_alone(path: Path, spoil: Spoil) -> None:
    """Both revisions are named, and what to do."""
    await fill(path)
    spoil("UPDATE alembic_version SET version_num = '0777'")
    before = content(path)
    assert await refusal(f"sqlite:///{path}") == (
        f"The journal {path} was written by a newer nbsweep: it is at revision 0777, and this version knows revisions up to "
        f"{NEWEST}. Upgrade nbsweep, or name another journal in the configuration."
    )
    assert content(path) == before


async def test_a_revision_that_fails_leaves_nothing_behind(path: Path, spoil: Spoil) -> None:
    """Its tables are made in one transaction, or not at all."""
    spoil("CREATE TABLE meta (something INTEGER)")
    assert "table meta already exists" in await refusal(f"sqlite:///{path}")
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("meta",)]


# ---- rows that nobody can read --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("UPDATE removals SET state = 'VANISHED'", "state"),
        ("UPDATE removals SET status_before = 'DREAMING'", "status_before"),
        ("UPDATE removals SET planned_at = 'yesterday'", "a moment that is not a number"),
        ("UPDATE removals SET planned_at = 9223372036854775807", "OverflowError"),
        ("UPDATE removals SET requests = 'many'", "requests"),
        ("UPDATE removals SET owner = x'00ff'", "owner"),
    ],
)
async def test_a_removal_that_cannot_be_read_is_refused(path: Path, spoil: Spoil, statement: str, named: str) -> None:
    """An unknown state or value is told; it is neither guessed nor passed over, not in the list of the unfinished either."""
    await fill(path)
    spoil(statement)
    async with open_journal(f"sqlite:///{path}") as journal:
        reads = (journal.unfinished("research"), journal.removals("run1"), journal.removals_of("nb1"))
        for read in reads:
            with pytest.raises(JournalError, match=named):
                await read


@pytest.mark.parametrize("kept", ["{", "[]", '{"young": "some"}', "7"])
async def test_a_run_that_cannot_be_read_is_refused(path: Path, spoil: Spoil, kept: str) -> None:
    """Its counts are no counts."""
    await fill(path)
    spoil(f"UPDATE runs SET kept = '{kept}'")  # noqa: S608  # the values stand above
    async with open_journal(f"sqlite:///{path}") as journal:
        for read in (journal.runs(1), journal.run("run1")):
            with pytest.raises(JournalError, match="not understood"):
                await read


@pytest.mark.parametrize("spoilt", ["pid = 'some'", "beat_at = 'yesterday'", "owner = x'00ff'"])
async def test_a_lease_that_cannot_be_read_is_refused(path: Path, spoil: Spoil, spoilt: str) -> None:
    """Nobody takes over what he cannot read."""
    await fill(path)
    spoil(f"UPDATE leases SET {spoilt}")  # noqa: S608  # the values stand above
    async with open_journal(f"sqlite:///{path}") as journal:
        with pytest.raises(JournalError, match="not understood"):
            await journal.leases.find("research")


async def test_a_table_that_is_gone_is_told(path: Path, spoil: Spoil) -> None:
    """Any error of the database becomes a sentence without SQL, with the cause behind it."""
    async with open_journal(f"sqlite:///{path}") as journal:
        spoil("DROP TABLE sightings")
        for said in (await _told(journal, write=False), await _told(journal, write=True)):
            assert str(said).startswith(f"The journal {path} cannot be read or written")
            assert "SELECT" not in str(said)
            assert "INSERT" not in str(said)
            assert said.__cause__ is not None


async def _told(journal: SqlJournal, *, write: bool) -> JournalError:
    with pytest.raises(JournalError) as told:
        await (journal.sightings.note("research", ["nb1"], NOON) if write else journal.sightings.latest("research"))
    return told.value


# ---- addresses ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", ["mysql://li:secret@host/db", "sqlite+pysqlite:////tmp/journal.db", "postgres://host/db"])
async def test_an_unknown_kind_of_journal_is_told_which_exist(address: str) -> None:
    """Without the rest of the address, which may hold a password."""
    said = await refusal(address)
    assert "only sqlite and postgresql" in said
    assert "secret" not in said


@pytest.mark.parametrize("address", ["", "/var/lib/nbsweep/journal.db", "postgresql://li:secret@host:port/db"])
async def test_what_is_no_address_is_told_how_one_looks(address: str) -> None:
    """By an example of each kind, and without repeating it."""
    said = await refusal(address)
    assert "sqlite:////var/lib/nbsweep/journal.db or postgresql://" in said
    assert "secret" not in said


@pytest.mark.parametrize(
    "address", ["sqlite://", "sqlite:///", "sqlite:///:memory:", "sqlite://var/journal.db", "sqlite:///j.db?mode=ro"]
)
async def test_a_journal_that_is_not_just_a_file_is_refused(address: str) -> None:
    """What is only in memory would not survive a crash; two slashes make the first folder a host."""
    assert "must name a file, and nothing else" in await refusal(address)


async def test_postgresql_without_its_driver_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """User, host and database are named."""
    monkeypatch.setitem(__import__("sys").modules, "psycopg", None)
    said = await refusal("postgresql://li:secret@host/db")
    assert said == "The journal postgresql://li@host/db needs a driver that is not installed: pip install nbsweep[postgresql]"


# ---- PostgreSQL -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])
def test_both_databases_upsert_alike(dialect: str) -> None:
    """An older moment does not take the place of a newer one, and a removal keeps its place in the order."""
    sightings = " ".join(str(upsert(dialect, SIGHTINGS, newest="last_active")).split())
    removals = " ".join(str(upsert(dialect, REMOVALS, frozen=["position"])).split())
    assert sightings.endswith(
        "ON CONFLICT (project, notebook_id) DO UPDATE SET last_active = excluded.last_active "
        "WHERE excluded.last_active > sightings.last_active"
    )
    assert "ON CONFLICT (run_id, target, notebook_id) DO UPDATE SET name = excluded.name" in removals
    assert "position = excluded" not in removals
    assert str(insert_new(dialect, LEASES)).endswith("ON CONFLICT (target) DO NOTHING")


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
    statements, leases = Statements(dialect), LeaseStatements(dialect)
    run, removal = {column.name for column in RUNS.columns}, {column.name for column in REMOVALS.columns} - {"position"}
    lease = {column.name for column in LEASES.columns}
    expected = {
        leases.insert: lease,
        leases.replace: lease | {"of_target", "of_owner", "of_beat_at", "by_owner"},
        leases.release: {"of_target", "of_owner"},
        statements.open_run: run,
        statements.close_run: run | {"of_run", "of_target"},
        statements.upsert_removal: removal | {"of_run"},
    }
    assert {text: set(re.findall(parameter, text)) for text in expected} == expected


def test_the_newest_revision_is_the_head_of_the_scripts() -> None:
    """Otherwise a journal would not be brought up to date, or every start would look for what is missing."""
    config = Config()
    config.set_main_option("script_location", "nbsweep.adapters.journal:migrations")
    assert ScriptDirectory.from_config(config).get_heads() == [NEWEST]
