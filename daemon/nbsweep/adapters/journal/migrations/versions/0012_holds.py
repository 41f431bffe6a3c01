"""The holds: notebooks that would have been deleted, and are spared for a time."""

from alembic.operations import Operations
from sqlalchemy import BigInteger, Column, PrimaryKeyConstraint, Text

revision = "0012"
down_revision = "0011"


def upgrade(operations: Operations) -> None:
    """Create the table."""
    operations.create_table(
        "holds",
        Column("project", Text, nullable=False),
        Column("notebook_id", Text, nullable=False),
        Column("since", BigInteger, nullable=False, autoincrement=False),
        Column("notebook_created_at", BigInteger, nullable=False),
        Column("until", BigInteger, nullable=False),
        Column("target", Text, nullable=False),
        Column("policy", Text, nullable=False),
        Column("name", Text, nullable=False),
        Column("owner", Text, nullable=False),
        Column("capacity_gb", BigInteger),
        PrimaryKeyConstraint("project", "notebook_id", "since"),
    )
    operations.create_index("holds_by_time", "holds", ["since"])
