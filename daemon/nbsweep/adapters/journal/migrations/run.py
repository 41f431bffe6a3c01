"""Migrates a database to the newest revision.

Alembic's `command.upgrade` uses process-wide proxies, which two journals that open at the same time would share. This module
uses only objects of one connection and its transaction.
"""

from alembic.config import Config
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from nbsweep.core.errors import JournalError


def upgrade(connection: Connection, place: str) -> None:
    """Apply every revision that the database does not have yet.

    Raises:
        JournalError: the database has a revision that this version does not know.
    """
    scripts = revision_scripts()
    context = MigrationContext.configure(connection)
    current = context.get_current_heads()
    _refuse_newer(scripts, current, place)
    operations = Operations(context)
    missing = list(scripts.iterate_revisions("head", current or "base"))
    for revision in reversed(missing):
        revision.module.upgrade(operations)
    if missing:
        context.stamp(scripts, "head")


def revision_scripts() -> ScriptDirectory:
    """Return the revisions of the journal."""
    config = Config()
    config.set_main_option("script_location", "nbsweep.adapters.journal:migrations")
    return ScriptDirectory.from_config(config)


def _refuse_newer(scripts: ScriptDirectory, current: tuple[str, ...], place: str) -> None:
    known = {script.revision for script in scripts.walk_revisions()}
    unknown = sorted(set(current) - known)
    if unknown:
        raise JournalError(
            f"The journal {place} was written by a newer nbsweep: it is at revision {', '.join(unknown)}, and this version "
            f"knows revisions up to {scripts.get_current_head()}. Upgrade nbsweep, or name another journal in the "
            "configuration."
        )
