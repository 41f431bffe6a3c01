"""The first tables: runs, removals, sightings, meta.

A revision spells its columns out and takes nothing from `tables.py`: that goes on changing, a revision never does.
"""

from alembic.operations import Operations
from sqlalchemy import BigInteger, Boolean, Column, Integer, PrimaryKeyConstraint, Text

revision = "0001"
down_revision = None


def upgrade(operations: Operations) -> None:
    """Create them."""
    _create_runs(operations)
    _create_removals(operations)
    operations.create_table(
        "sightings",
        Column("target", Text, nullable=False),
        Column("notebook_id", Text, nullable=False),
        Column("last_active", BigInteger, nullable=False),
        PrimaryKeyConstraint("target", "notebook_id"),
    )
    operations.create_table(
        "meta",
        Column("key", Text, nullable=False),
        Column("value", Text, nullable=False),
        PrimaryKeyConstraint("key"),
    )


def _create_runs(operations: Operations) -> None:
    operations.create_table(
        "runs",
        Column("run_id", Text, nullable=False),
        Column("target", Text, nullable=False),
        Column("started_at", BigInteger, nullable=False),
        Column("started_by", Text, nullable=False),
        Column("dry_run", Boolean, nullable=False),
        Column("ended_at", BigInteger),
        Column("outcome", Text, nullable=False),
        Column("problem", Text, nullable=False),
        Column("fleet", BigInteger, nullable=False),
        Column("planned", BigInteger, nullable=False),
        Column("kept", Text),
        PrimaryKeyConstraint("run_id", "target"),
    )
    operations.create_index("runs_by_start", "runs", ["started_at"])


def _create_removals(operations: Operations) -> None:
    operations.create_table(
        "removals",
        Column("run_id", Text, nullable=False),
        Column("target", Text, nullable=False),
        Column("notebook_id", Text, nullable=False),
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
        Column("planned_at", BigInteger, nullable=False),
        Column("state", Text, nullable=False),
        Column("requested_at", BigInteger),
        Column("sent_at", BigInteger),
        Column("accepted_at", BigInteger),
        Column("ended_at", BigInteger),
        Column("deadline", BigInteger),
        Column("requests", BigInteger, nullable=False),
        Column("failures", BigInteger, nullable=False),
        Column("saw_deleting", Boolean, nullable=False),
        Column("request_id", Text, nullable=False),
        Column("end_reason", Text, nullable=False),
        PrimaryKeyConstraint("run_id", "target", "notebook_id"),
    )
    operations.create_index("removals_by_state", "removals", ["target", "state"])
    operations.create_index("removals_by_notebook", "removals", ["notebook_id"])
    operations.create_index("removals_by_run", "removals", ["run_id", "position"])
