"""The tables of the queue, which are procrastinate's own, in the version that is installed.

The journal notes the newest migration that its tables have. procrastinate names the file of each migration by the version that
needs it (https://procrastinate.readthedocs.io/en/stable/howto/production/migrations.html), so the names are in order.
"""

from pathlib import Path

from procrastinate.schema import SchemaManager
from sqlalchemy import Connection, select

from nbsweep.adapters.journal.connections.postgresql import prepare_alone
from nbsweep.adapters.journal.dialects import upsert
from nbsweep.adapters.journal.tables import META
from nbsweep.core.errors import JournalError

NOTE = "migration of the queue"
"""The key of the name of the newest migration in `meta`."""


def migrations() -> tuple[Path, ...]:
    """Return the files of all migrations of the installed procrastinate, the oldest first."""
    return tuple(sorted(Path(SchemaManager.get_migrations_path()).glob("*.sql")))


def bring_up_to_date(connection: Connection, place: str) -> None:
    """Create the tables of the queue, or bring them to the installed version, in the transaction of the caller.

    Raises:
        JournalError: the tables are of a newer version, or not of this program.
    """
    prepare_alone(connection)
    files = migrations()
    noted = connection.execute(select(META.c.value).where(META.c.key == NOTE)).scalar()
    if noted == files[-1].stem:
        return
    if noted is None:
        _require_no_tables(connection, place)
        _run(connection, SchemaManager.get_schema())
    elif noted in {file.stem for file in files}:
        for file in files:
            if file.stem > noted:
                _run(connection, file.read_text(encoding="utf-8"))
    else:
        raise JournalError(
            f"The queue in the journal {place} was made by a newer procrastinate: it has the migration {noted}, and the "
            f"installed version knows migrations up to {files[-1].stem}. Install the same version of nbsweep everywhere."
        )
    connection.execute(upsert("postgresql", META), [{"key": NOTE, "value": files[-1].stem}])


def _require_no_tables(connection: Connection, place: str) -> None:
    found = connection.exec_driver_sql("SELECT to_regclass('procrastinate_jobs')").scalar()
    if found is not None:
        raise JournalError(
            f"The database of the journal {place} has tables of procrastinate that nbsweep did not make: give nbsweep a "
            "database, or a schema, of its own."
        )


def _run(connection: Connection, script: str) -> None:
    """Run a script of several statements as it is: without parameters, the driver does not look for placeholders in it."""
    connection.execution_options(no_parameters=True).exec_driver_sql(script)
