"""Indices for a journal with a million removals: for what brakes, for names, beginnings of ids, owners and states."""

from collections.abc import Sequence

from alembic.operations import Operations
from sqlalchemy import text

revision = "0017"
down_revision = "0016"

_PLAIN = (
    ("runs_by_target", "runs", ["target", "started_at", "run_id"]),
    ("runs_by_extent", "runs", ["project", "extent", "started_at", "run_id"]),
    ("marks_by_time", "marks", ["marked_at", "id"]),
    ("marks_by_target", "marks", ["target", "marked_at", "id"]),
    ("marks_by_state", "marks", ["state", "marked_at", "id"]),
    ("outbox_messages_by_time", "outbox_messages", ["created_at", "key"]),
    ("inventory_by_survey", "inventory", ["project", "first_survey", "notebook_id"]),
)
_OF_PART = (
    ("runs_open", "runs", ["started_at"], "ended_at IS NULL"),
    ("removals_by_request", "removals", ["requested_at"], "requested_at IS NOT NULL"),
    ("removals_by_delete", "removals", ["project", "sent_at"], "sent_at IS NOT NULL"),
    ("removals_by_project", "removals", ["project", "ended_at"], "ended_at IS NOT NULL"),
    ("outbox_messages_failed", "outbox_messages", ["created_at", "key"], "state = 'FAILED'"),
    ("inventory_by_end", "inventory", ["ended_by"], "ended_by IS NOT NULL"),
)
_OF_BEGINNINGS = (
    ("runs_by_id", "runs", "run_id"),
    ("removals_by_notebook", "removals", "notebook_id"),
    ("marks_by_notebook", "marks", "notebook_id"),
    ("outbox_messages_by_key", "outbox_messages", "key"),
    ("inventory_by_notebook", "inventory", "notebook_id"),
)
_IN_LOWER_CASE = (
    ("removals_by_name", "removals", "name"),
    ("marks_by_name", "marks", "name"),
    ("marks_by_owner", "marks", "owner_id"),
    ("marks_by_owner_name", "marks", "owner_name"),
)
_REPLACED: Sequence[tuple[str, str]] = (
    ("removals_by_project", "removals"),
    ("removals_by_notebook", "removals"),
    ("marks_by_notebook", "marks"),
    ("marks_by_time", "marks"),
)


def upgrade(operations: Operations) -> None:
    """Replace four indices, and add the others."""
    for name, table in _REPLACED:
        operations.drop_index(name, table)
    for name, table, columns in _PLAIN:
        operations.create_index(name, table, columns)
    for name, table, columns, condition in _OF_PART:
        where = text(condition)
        operations.create_index(name, table, columns, sqlite_where=where, postgresql_where=where)
    for name, table, column in _OF_BEGINNINGS:
        operations.create_index(name, table, [column], postgresql_ops={column: "text_pattern_ops"})
    for name, table, column in _IN_LOWER_CASE:
        operations.create_index(name, table, [text(f"lower({column})")])
