"""Marks, the outbox, and exemptions."""

from alembic.operations import Operations
from sqlalchemy import BigInteger, Boolean, Column, ForeignKeyConstraint, PrimaryKeyConstraint, Text, text

revision = "0008"
down_revision = "0007"

_OPEN = "state IN ('MARKED', 'TOLD')"
_WAITING = "message_key = '' AND dropped = ''"
_COMPOSED = "message_key <> ''"
_UNSENT = "state IN ('PENDING', 'LEASED')"


def upgrade(operations: Operations) -> None:
    """Create the tables."""
    _create_marks(operations)
    _create_items(operations)
    _create_messages(operations)
    _create_exemptions(operations)


def _create_marks(operations: Operations) -> None:
    operations.create_table(
        "marks",
        Column("id", Text, nullable=False),
        Column("target", Text, nullable=False),
        Column("project", Text, nullable=False),
        Column("notebook_id", Text, nullable=False),
        Column("notebook_created_at", BigInteger, nullable=False),
        Column("name", Text, nullable=False),
        Column("owner_id", Text, nullable=False),
        Column("owner_name", Text, nullable=False),
        Column("workspace_id", Text, nullable=False),
        Column("feature", Text, nullable=False),
        Column("policy", Text, nullable=False),
        Column("policy_digest", Text, nullable=False),
        Column("reason", Text, nullable=False),
        Column("cause", Text, nullable=False),
        Column("status", Text, nullable=False),
        Column("updated_at", BigInteger),
        Column("lease_updated_at", BigInteger),
        Column("marked_at", BigInteger, nullable=False),
        Column("state", Text, nullable=False),
        Column("surveys", BigInteger, nullable=False),
        Column("last_survey_at", BigInteger),
        Column("told_at", BigInteger),
        Column("told_by", Text, nullable=False),
        Column("clock_verified", Boolean, nullable=False),
        Column("deadline", BigInteger),
        Column("notices", BigInteger, nullable=False),
        Column("untold", Text, nullable=False),
        Column("remedies", Text, nullable=False),
        Column("capacity_gb", BigInteger),
        Column("tell", Text, nullable=False),
        Column("tags", Text, nullable=False),
        Column("ended_at", BigInteger),
        Column("cleared", Text),
        Column("run_id", Text, nullable=False),
        Column("version", BigInteger, nullable=False),
        PrimaryKeyConstraint("id"),
    )
    _create_partial_index(operations, "marks_open", ("marks", "project", "notebook_id"), _OPEN, unique=True)
    operations.create_index("marks_by_notebook", "marks", ["notebook_id"])
    operations.create_index("marks_by_time", "marks", ["marked_at"])


def _create_items(operations: Operations) -> None:
    operations.create_table(
        "outbox_items",
        Column("id", Text, nullable=False),
        Column("kind", Text, nullable=False),
        Column("mark_id", Text, nullable=False),
        Column("tell", Text, nullable=False),
        Column("not_before", BigInteger, nullable=False),
        Column("deadline", BigInteger),
        Column("message_key", Text, nullable=False),
        Column("accepted_at", BigInteger),
        Column("dropped", Text, nullable=False),
        PrimaryKeyConstraint("id"),
        ForeignKeyConstraint(["mark_id"], ["marks.id"]),
    )
    _create_partial_index(operations, "outbox_items_waiting", ("outbox_items", "not_before"), _WAITING)
    operations.create_index("outbox_items_by_mark", "outbox_items", ["mark_id"])
    _create_partial_index(operations, "outbox_items_by_message", ("outbox_items", "message_key"), _COMPOSED)


def _create_messages(operations: Operations) -> None:
    operations.create_table(
        "outbox_messages",
        Column("key", Text, nullable=False),
        Column("kind", Text, nullable=False),
        Column("recipient", Text, nullable=False),
        Column("channel", Text, nullable=False),
        Column("created_at", BigInteger, nullable=False),
        Column("slot", Text, nullable=False),
        Column("next_at", BigInteger, nullable=False),
        Column("state", Text, nullable=False),
        Column("document", Text, nullable=False),
        Column("attempts", BigInteger, nullable=False),
        Column("leased_until", BigInteger),
        Column("leased_by", Text, nullable=False),
        Column("ended_at", BigInteger),
        Column("proof", Text, nullable=False),
        Column("problem", Text, nullable=False),
        Column("version", BigInteger, nullable=False),
        PrimaryKeyConstraint("key"),
    )
    operations.create_index("outbox_messages_by_slot", "outbox_messages", ["recipient", "channel", "slot"], unique=True)
    _create_partial_index(operations, "outbox_messages_unsent", ("outbox_messages", "next_at"), _UNSENT)


def _create_exemptions(operations: Operations) -> None:
    operations.create_table(
        "exemptions",
        Column("id", Text, nullable=False),
        Column("target", Text, nullable=False),
        Column("notebook_id", Text),
        Column("notebook_created_at", BigInteger),
        Column("owner", Text),
        Column("name", Text),
        Column("reason", Text, nullable=False),
        Column("ticket", Text, nullable=False),
        Column("granted_by", Text, nullable=False),
        Column("granted_as", Text, nullable=False),
        Column("granted_at", BigInteger, nullable=False),
        Column("until", BigInteger, nullable=False),
        Column("revoked_at", BigInteger),
        Column("revoked_by", Text, nullable=False),
        Column("revoked_reason", Text, nullable=False),
        PrimaryKeyConstraint("id"),
    )


def _create_partial_index(
    operations: Operations, name: str, place: tuple[str, ...], where: str, *, unique: bool = False
) -> None:
    table, *columns = place
    condition = text(where)
    operations.create_index(name, table, columns, unique=unique, sqlite_where=condition, postgresql_where=condition)
