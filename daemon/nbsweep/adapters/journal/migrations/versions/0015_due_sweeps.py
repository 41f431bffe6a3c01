"""The sweeps that are due, which the workers of a fleet carry out."""

from alembic.operations import Operations
from sqlalchemy import BigInteger, Column, PrimaryKeyConstraint, Text

revision = "0015"
down_revision = "0014"


def upgrade(operations: Operations) -> None:
    """Create the table."""
    operations.create_table(
        "due_sweeps",
        Column("target", Text, nullable=False),
        Column("plan_id", Text, nullable=False),
        Column("account", Text, nullable=False),
        Column("due_at", BigInteger, nullable=False),
        Column("by", Text, nullable=False),
        Column("not_before", BigInteger, nullable=False),
        Column("failures", BigInteger, nullable=False),
        Column("problem", Text, nullable=False),
        Column("begun_at", BigInteger),
        Column("ended_at", BigInteger),
        PrimaryKeyConstraint("target", "plan_id"),
    )
