"""The paused targets."""

from alembic.operations import Operations
from sqlalchemy import BigInteger, Column, PrimaryKeyConstraint, Text

revision = "0005"
down_revision = "0004"


def upgrade(operations: Operations) -> None:
    """Create the table."""
    operations.create_table(
        "pauses",
        Column("target", Text, nullable=False),
        Column("since", BigInteger, nullable=False),
        PrimaryKeyConstraint("target"),
    )
