"""The tables of the audit trail, and the triggers that protect it; a part of `METADATA`."""

from collections.abc import Mapping

from sqlalchemy import DDL, BigInteger, Column, Index, Integer, Table, Text, literal_column
from sqlalchemy.event import listen

from nbsweep.adapters.journal.tables import METADATA
from nbsweep.core.audit.chain import LEGACY

GUARDS: Mapping[str, tuple[str, ...]] = {
    "sqlite": (
        """CREATE TRIGGER audit_never_changes BEFORE UPDATE ON audit
        BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END""",
        """CREATE TRIGGER audit_never_shrinks BEFORE DELETE ON audit
        BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END""",
        # An INSERT OR REPLACE would replace an entry without firing the DELETE trigger.
        """CREATE TRIGGER audit_only_grows BEFORE INSERT ON audit
        WHEN NEW.chain IS '(legacy)'
        OR NEW.sequence IS NOT (SELECT coalesce(max(sequence), 0) + 1 FROM audit WHERE chain = NEW.chain)
        OR EXISTS (SELECT 1 FROM audit WHERE id = NEW.id)
        BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END""",
    ),
    "postgresql": (
        """CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'the audit trail is append-only'; END $$""",
        """CREATE TRIGGER audit_never_changes BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
        FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only()""",
        """CREATE TRIGGER audit_legacy_never_grows BEFORE INSERT ON audit
        FOR EACH ROW WHEN (NEW.chain = '(legacy)') EXECUTE FUNCTION audit_is_append_only()""",
    ),
}
"""By the database's name: the triggers that keep the audit trail append-only, whatever writes to it.

A user who may change tables can still change entries; the chain of digests shows that.
"""

AUDIT = Table(
    "audit",
    METADATA,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
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
    Column("project", Text, nullable=False, server_default=""),
    Column("chain", Text, nullable=False, server_default=LEGACY),
    Column("sequence", BigInteger, nullable=False, server_default=literal_column("0")),
    Index("audit_by_chain", "chain", "sequence", unique=True),
    Index("audit_by_time", "moment_us"),
    Index("audit_by_step", "what"),
    Index("audit_by_target", "target"),
    Index("audit_by_run", "run_id"),
    Index("audit_by_notebook", "notebook_id"),
    Index("audit_by_policy", "policy"),
    Index("audit_by_starter", "started_by"),
)
"""The audit trail: the fields of `AuditEntry` and of `Link`, in plain types, because the digest is made of what is stored.

The database numbers `id` when an entry is inserted. On PostgreSQL a higher number may be committed before a lower one, so
nothing reads forward by `id`, only by the number in the chain, which is taken under the lock of the chain.
"""

AUDIT_CHAINS = Table(
    "audit_chains",
    METADATA,
    Column("chain", Text, primary_key=True),
    Column("sequence", BigInteger, nullable=False),
    Column("digest", Text, nullable=False),
)
"""The head of each chain, which writers on PostgreSQL lock before they append. A chain without an entry has number 0."""

for _dialect, _statements in GUARDS.items():
    for _statement in _statements:
        listen(AUDIT, "after_create", DDL(_statement).execute_if(dialect=_dialect))  # type: ignore[no-untyped-call]  # SQLAlchemy says no types
