"""The append-only audit trail. Earlier removals have no entries, because their decisions could not be verified any more."""

from alembic.operations import Operations
from sqlalchemy import BigInteger, Column, Integer, PrimaryKeyConstraint, Text

revision = "0004"
down_revision = "0003"

_GUARDS = {
    "sqlite": (
        """CREATE TRIGGER audit_never_changes BEFORE UPDATE ON audit
        BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END""",
        """CREATE TRIGGER audit_never_shrinks BEFORE DELETE ON audit
        BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END""",
        """CREATE TRIGGER audit_only_grows BEFORE INSERT ON audit
        WHEN NEW.sequence IS NOT (SELECT coalesce(max(sequence), 0) + 1 FROM audit)
        BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END""",
    ),
    "postgresql": (
        """CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'the audit trail is append-only'; END $$""",
        """CREATE TRIGGER audit_never_changes BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
        FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only()""",
    ),
}


def upgrade(operations: Operations) -> None:
    """Create the table, and what keeps it from being changed."""
    operations.create_table(
        "audit",
        Column("sequence", Integer, nullable=False, autoincrement=False),
        Column("moment_us", BigInteger, nullable=False),
        Column("what", Text, nullable=False),
        Column("target", Text, nullable=False),
        Column("run_id", Text, nullable=False),
        Column("started_by", Text, nullable=False),
        Column("notebook_id", Text, nullable=False),
        Column("name", Text, nullable=False),
        Column("owner", Text, nullable=False),
        Column("policy", Text, nullable=False),
        Column("reason", Text, nullable=False),
        Column("requests", BigInteger, nullable=False),
        Column("request_id", Text, nullable=False),
        Column("status_before", Text),
        Column("workspace_id", Text),
        Column("feature", Text),
        Column("capacity_gb", BigInteger),
        Column("category", Text),
        Column("digest", Text, nullable=False),
        PrimaryKeyConstraint("sequence"),
    )
    for statement in _GUARDS[operations.get_bind().dialect.name]:
        operations.execute(statement)
