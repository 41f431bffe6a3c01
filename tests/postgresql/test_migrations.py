"""The revisions of the journal on a real PostgreSQL server."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from alembic.autogenerate import compare_metadata
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, inspect, make_url, text
from sqlalchemy.exc import DBAPIError

from builders import NOON
from nbsweep.adapters.journal import open_journal
from nbsweep.adapters.journal.migrations.run import revision_scripts, upgrade
from nbsweep.adapters.journal.opening import make_tables
from nbsweep.adapters.journal.tables import METADATA, NEWEST
from nbsweep.core.control.requests import Pause
from nbsweep.core.model import microseconds
from postgresql.conftest import Server


@contextmanager
def connected(address: str) -> Iterator[Connection]:
    """Connect to a database, and commit in the end."""
    engine = create_engine(make_url(address).set(drivername="postgresql+psycopg"))
    try:
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()


def schema(connection: Connection) -> dict[str, object]:
    """Return all that can be known of the tables of a database."""
    found = inspect(connection)
    tables: dict[str, object] = {
        name: (
            [
                (column["name"], str(column["type"]), column["nullable"], column["default"])
                for column in found.get_columns(name)
            ],
            found.get_pk_constraint(name)["constrained_columns"],
            sorted((index["name"], tuple(index["column_names"])) for index in found.get_indexes(name)),
        )
        for name in found.get_table_names()
    }
    triggers = "SELECT event_object_table, trigger_name, event_manipulation FROM information_schema.triggers ORDER BY 1, 2, 3"
    tables["triggers"] = connection.execute(text(triggers)).all()
    return tables


def test_all_revisions_lead_to_the_tables_that_a_new_journal_gets(server: Server) -> None:
    """Every table, column, type, default, key, index and trigger."""
    with connected(server.new_database()) as connection:
        upgrade(connection, "here")
        assert compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), METADATA) == []
        migrated = schema(connection)
    with connected(server.new_database()) as connection:
        make_tables(connection)
        assert schema(connection) == migrated
    assert migrated["triggers"]


async def test_a_pause_of_an_older_version_survives_the_upgrade(server: Server) -> None:
    """At revision 0006 a pause had no giver, no reason and no end."""
    address = server.new_database()
    with connected(address) as connection:
        go_to(connection, "0006", revision_scripts())
        connection.execute(
            text("INSERT INTO pauses (target, since) VALUES ('research', :since)"), {"since": microseconds(NOON)}
        )
    async with open_journal(address) as journal:
        assert await journal.control.pauses() == (Pause("research", NOON),)
    with connected(address) as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalars().all() == [NEWEST]


def test_a_migrated_audit_trail_is_append_only(server: Server) -> None:
    """Not even the owner of the tables can delete from it."""
    address = server.new_database()
    with connected(address) as connection:
        upgrade(connection, "here")
    with pytest.raises(DBAPIError, match="append-only"), connected(address) as connection:
        connection.execute(text("DELETE FROM audit"))


def go_to(connection: Connection, revision: str, scripts: ScriptDirectory) -> None:
    """Bring an empty database to an earlier revision."""
    context = MigrationContext.configure(connection)
    operations = Operations(context)
    for script in reversed(list(scripts.iterate_revisions(revision, "base"))):
        script.module.upgrade(operations)
    context.stamp(scripts, revision)
