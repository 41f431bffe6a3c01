"""Journals as they were before each target had a chain of audit entries."""

from sqlalchemy import Connection, text

from nbsweep.adapters.journal.migrations.run import revision_scripts
from nbsweep.core.audit.chain import START, Head, Link, join
from nbsweep.core.audit.entries import AuditEntry


def legacy_links(*targets: str) -> list[Link]:
    """Return one chain over entries of these targets; of each the beginning of a removal."""
    return join((_entry(number, target) for number, target in enumerate(targets, 1)), START)


def _entry(number: int, target: str) -> AuditEntry:
    moment_us = 1_772_366_400_000_000 + number
    named = ("decided", target, "run0", "cron", f"old{number}", "experiment", "alice", "old", "age 200d")
    return AuditEntry(number, moment_us, *named, 0, "", "STOPPED", "0", "NOTEBOOK", 50, "EVS", "project" if number % 2 else "")


def make_legacy(connection: Connection, links: list[Link]) -> Head:
    """Bring an empty database to revision 0013, and write the entries as that version did; return their head."""
    from alembic.operations import Operations  # noqa: PLC0415  # as the migration, it is needed only here
    from alembic.runtime.migration import MigrationContext  # noqa: PLC0415

    scripts = revision_scripts()
    context = MigrationContext.configure(connection)
    operations = Operations(context)
    for script in reversed(list(scripts.iterate_revisions("0013", "base"))):
        script.module.upgrade(operations)
    context.stamp(scripts, "0013")
    names = (*AuditEntry._fields, "digest")
    insert = text(f"INSERT INTO audit ({', '.join(names)}) VALUES ({', '.join(f':{name}' for name in names)})")  # noqa: S608  # names of columns
    for link in links:
        connection.execute(insert, {**link.entry._asdict(), "digest": link.digest})
    return Head(links[-1].entry.sequence, links[-1].digest) if links else START
