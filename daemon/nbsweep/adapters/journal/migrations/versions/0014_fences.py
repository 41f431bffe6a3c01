"""The fences of a fleet."""

from alembic.operations import Operations
from sqlalchemy import BigInteger, Boolean, Column, PrimaryKeyConstraint, Text

revision = "0014"
down_revision = "0013"


def upgrade(operations: Operations) -> None:
    """Create the table."""
    operations.create_table(
        "fences",
        Column("name", Text, nullable=False),
        Column("owner", Text, nullable=False),
        Column("host", Text, nullable=False),
        Column("machine", Text, nullable=False),
        Column("pid", BigInteger, nullable=False),
        Column("started", BigInteger, nullable=False),
        Column("epoch", BigInteger, nullable=False),
        Column("taken_at", BigInteger, nullable=False),
        Column("beat_at", BigInteger, nullable=False),
        Column("held", Boolean, nullable=False),
        Column("memory", Text, nullable=False),
        Column("memory_at", BigInteger, nullable=False),
        PrimaryKeyConstraint("name"),
    )
