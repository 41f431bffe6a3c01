"""A chain of audit entries for each target; the entries so far stay one chain, with the same numbers and digests."""

from alembic.operations import Operations
from sqlalchemy import BigInteger, Column, PrimaryKeyConstraint, Text, text

revision = "0018"
down_revision = "0017"

_WITHOUT_GUARDS = {
    "sqlite": (
        "DROP TRIGGER IF EXISTS audit_never_changes",
        "DROP TRIGGER IF EXISTS audit_never_shrinks",
        "DROP TRIGGER IF EXISTS audit_only_grows",
    ),
    "postgresql": ("DROP TRIGGER IF EXISTS audit_never_changes ON audit",),
}
_GUARDS = {
    "sqlite": (
        """CREATE TRIGGER audit_never_changes BEFORE UPDATE ON audit
        BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END""",
        """CREATE TRIGGER audit_never_shrinks BEFORE DELETE ON audit
        BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END""",
        """CREATE TRIGGER audit_only_grows BEFORE INSERT ON audit
        WHEN NEW.chain IS '(legacy)'
        OR NEW.sequence IS NOT (SELECT coalesce(max(sequence), 0) + 1 FROM audit WHERE chain = NEW.chain)
        OR EXISTS (SELECT 1 FROM audit WHERE id = NEW.id)
        BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END""",
    ),
    "postgresql": (
        """CREATE TRIGGER audit_never_changes BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
        FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only()""",
        """CREATE TRIGGER audit_legacy_never_grows BEFORE INSERT ON audit
        FOR EACH ROW WHEN (NEW.chain = '(legacy)') EXECUTE FUNCTION audit_is_append_only()""",
    ),
}
_NUMBERED_BY_DATABASE = (
    "ALTER TABLE audit ALTER COLUMN id TYPE BIGINT",
    "CREATE SEQUENCE audit_id_seq OWNED BY audit.id",
    "SELECT setval('audit_id_seq', (SELECT coalesce(max(id), 0) + 1 FROM audit), false)",
    "ALTER TABLE audit ALTER COLUMN id SET DEFAULT nextval('audit_id_seq'::regclass)",
)


def upgrade(operations: Operations) -> None:
    """Call the number of an entry among all entries `id`, number entries by chain, and create the table of heads."""
    dialect = operations.get_bind().dialect.name
    for statement in _WITHOUT_GUARDS[dialect]:
        operations.execute(statement)
    operations.execute("ALTER TABLE audit RENAME COLUMN sequence TO id")
    if dialect == "postgresql":
        for statement in _NUMBERED_BY_DATABASE:
            operations.execute(statement)
    operations.add_column("audit", Column("chain", Text, nullable=False, server_default="(legacy)"))
    operations.add_column("audit", Column("sequence", BigInteger, nullable=False, server_default=text("0")))
    operations.execute("UPDATE audit SET sequence = id")
    operations.create_index("audit_by_chain", "audit", ["chain", "sequence"], unique=True)
    operations.create_table(
        "audit_chains",
        Column("chain", Text, nullable=False),
        Column("sequence", BigInteger, nullable=False),
        Column("digest", Text, nullable=False),
        PrimaryKeyConstraint("chain"),
    )
    operations.execute(
        "INSERT INTO audit_chains (chain, sequence, digest) SELECT chain, sequence, digest FROM audit ORDER BY id DESC LIMIT 1"
    )
    for statement in _GUARDS[dialect]:
        operations.execute(statement)
