"""The tables as the code reads and writes them; `migrations/` brings a database to this shape.

The tables of the audit trail are in `audit_tables`, those of marks, of the outbox and of exemptions in `notices/tables`,
those of the inventory in `inventory/tables`, and those of a fleet in `fleet/tables`.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Dialect,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    TextClause,
    text,
)
from sqlalchemy.event import listen
from sqlalchemy.types import TypeDecorator

from nbsweep.core.model import microseconds, moment_of


class UtcDateTime(TypeDecorator[datetime]):
    """An aware datetime, stored as whole microseconds since 1970: exact, and in the right order on every database."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002  # SQLAlchemy's signature
        """Convert a datetime for storage.

        Raises:
            ValueError: the moment has no time zone.
        """
        return None if value is None else microseconds(value)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002  # SQLAlchemy's signature
        """Convert a stored value to a datetime in UTC.

        Raises:
            ValueError: what is stored is no moment; SQLite lets any value into any column.
        """
        if value is None:
            return None
        if not isinstance(value, int):
            raise ValueError("a moment that is not a number")  # noqa: TRY004  # the value is wrong, not the program
        return moment_of(value)


METADATA = MetaData()

# Literals and no parameters, because a database uses a partial index only for a query with the same literals, or with a
# comparison that implies them.
NO_END = text("ended_at IS NULL")
REQUESTED = text("requested_at IS NOT NULL")
SENT = text("sent_at IS NOT NULL")
ENDED = text("ended_at IS NOT NULL")


def partial_index(name: str, *columns: str, where: TextClause, unique: bool = False) -> Index:
    """Build an index of the rows that meet a condition."""
    return _with_option(Index(name, *columns, unique=unique), {"sqlite": {"where": where}, "postgresql": {"where": where}})


def prefix_index(name: str, column: str) -> Index:
    """Build an index of a text that is also used to find its beginnings, whatever the order of letters in the database."""
    return _with_option(Index(name, column), {"postgresql": {"ops": {column: "text_pattern_ops"}}})


def _with_option(index: Index, options: Mapping[str, Mapping[str, Any]]) -> Index:
    """Add options of dialects to an index; to name PostgreSQL's in its definition would import that dialect at every start."""

    def add(_: object, connection: Connection, **__: object) -> None:
        dialect = connection.dialect.name
        for option, value in options.get(dialect, {}).items():
            index.dialect_kwargs[f"{dialect}_{option}"] = value

    listen(METADATA, "before_create", add)
    return index


RUNS = Table(
    "runs",
    METADATA,
    Column("run_id", Text, primary_key=True),
    Column("target", Text, primary_key=True),
    Column("started_at", UtcDateTime, nullable=False),
    Column("started_by", Text, nullable=False),
    Column("dry_run", Boolean, nullable=False),
    Column("ended_at", UtcDateTime),
    Column("outcome", Text, nullable=False),
    Column("problem", Text, nullable=False),
    Column("fleet", BigInteger, nullable=False),
    Column("planned", BigInteger, nullable=False),
    Column("kept", Text),
    Column("lanes", Text),
    Column("project", Text, nullable=False, server_default=""),
    Column("extent", Text, nullable=False, server_default=""),
    Column("overrides", Text, nullable=False, server_default=""),
    Column("statements", Text),
    Index("runs_by_start", "started_at"),
    Index("runs_by_target", "target", "started_at", "run_id"),
    Index("runs_by_extent", "project", "extent", "started_at", "run_id"),
    prefix_index("runs_by_id", "run_id"),
    partial_index("runs_open", "started_at", where=NO_END),
)
"""One row for each target's sweep; the columns are the fields of `RunRecord`, with `kept`, `lanes` and `statements` as JSON."""

REMOVALS = Table(
    "removals",
    METADATA,
    Column("run_id", Text, primary_key=True),
    Column("target", Text, primary_key=True),
    Column("notebook_id", Text, primary_key=True),
    Column("position", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("workspace_id", Text, nullable=False),
    Column("feature", Text, nullable=False),
    Column("policy", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("status_before", Text, nullable=False),
    Column("capacity_gb", BigInteger),
    Column("category", Text),
    Column("planned_at", UtcDateTime, nullable=False),
    Column("state", Text, nullable=False),
    Column("requested_at", UtcDateTime),
    Column("sent_at", UtcDateTime),
    Column("accepted_at", UtcDateTime),
    Column("ended_at", UtcDateTime),
    Column("deadline", UtcDateTime),
    Column("requests", BigInteger, nullable=False),
    Column("failures", BigInteger, nullable=False),
    Column("saw_deleting", Boolean, nullable=False),
    Column("request_id", Text, nullable=False),
    Column("end_reason", Text, nullable=False),
    Column("project", Text, nullable=False, server_default=""),
    Column("end_cause", Text, nullable=False, server_default=""),
    partial_index("removals_by_request", "requested_at", where=REQUESTED),
    partial_index("removals_by_delete", "project", "sent_at", where=SENT),
    partial_index("removals_by_project", "project", "ended_at", where=ENDED),
    Index("removals_by_end", "ended_at"),
    prefix_index("removals_by_notebook", "notebook_id"),
    Index("removals_by_name", text("lower(name)")),
    Index("removals_by_run", "run_id", "position"),
)
"""One row for each removal: the fields of `Removal`, and its position in the plan of its run, counted from 0."""

SIGHTINGS = Table(
    "sightings",
    METADATA,
    Column("project", Text, primary_key=True, server_default=""),
    Column("notebook_id", Text, primary_key=True),
    Column("last_active", UtcDateTime, nullable=False),
)
"""When a notebook was last seen in a state other than at rest."""

LEASES = Table(
    "leases",
    METADATA,
    Column("target", Text, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("host", Text, nullable=False),
    Column("machine", Text, nullable=False),
    Column("pid", BigInteger, nullable=False),
    Column("started", BigInteger, nullable=False),
    Column("started_by", Text, nullable=False),
    Column("taken_at", UtcDateTime, nullable=False),
    Column("beat_at", UtcDateTime, nullable=False),
    Column("project", Text, nullable=False, server_default=""),
    Column("extent", Text, nullable=False, server_default=""),
)
"""The leases of targets: the fields of `TargetLease` and of its holder."""

PAUSES = Table(
    "pauses",
    METADATA,
    Column("target", Text, primary_key=True),
    Column("since", UtcDateTime, nullable=False),
    Column("by", Text, nullable=False, server_default=""),
    Column("reason", Text, nullable=False, server_default=""),
    Column("until", UtcDateTime),
)
"""The targets that are paused: the fields of `Pause`."""

SWEEP_REQUESTS = Table(
    "sweep_requests",
    METADATA,
    Column("target", Text, primary_key=True),
    Column("asked_at", UtcDateTime, nullable=False),
    Column("by", Text, nullable=False),
)
"""The requests for a sweep that no service has taken: the fields of `SweepRequest`."""

SERVICES = Table(
    "services",
    METADATA,
    Column("owner", Text, primary_key=True),
    Column("beat_at", UtcDateTime, nullable=False),
    Column("document", Text, nullable=False),
)
"""What services report about themselves: a `ServiceRecord` as JSON, by the unique ID of its process."""

SESSIONS = Table(
    "sessions",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("token", Text, nullable=False),
    Column("began_at", UtcDateTime, nullable=False),
    Column("ends_at", UtcDateTime, nullable=False),
)
"""The sessions of the pages: the fields of `Session`, which hold neither the cookie nor the token."""

PLANS = Table(
    "plans",
    METADATA,
    Column("plan_id", Text, primary_key=True),
    Column("target", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("notebooks", BigInteger, nullable=False),
    Column("approved_at", UtcDateTime, nullable=False),
    Column("approved_by", Text, nullable=False),
    Column("carried_out_at", UtcDateTime),
    Column("carried_out_by", Text, nullable=False),
    Column("run_id", Text, nullable=False),
    Column("document", LargeBinary, nullable=False),
)
"""The approved plans: the fields of `ApprovedPlan`, and the document of the plan."""

META = Table(
    "meta",
    METADATA,
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),
)
"""Facts about the journal itself."""

REVISION = Table(
    "alembic_version",
    MetaData(),
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)
"""Alembic's own table with the revision of a database; not part of `METADATA`."""

NEWEST = "0021"
"""The newest revision in `migrations/`; a database with this revision needs no migration."""
