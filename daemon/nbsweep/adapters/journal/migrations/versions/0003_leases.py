"""The leases of targets."""

from alembic.operations import Operations
from sqlalchemy import BigInteger, Column, PrimaryKeyConstraint, Text

revision = "0003"
down_revision = "0002"


def upgrade(operations: Operations) -> None:
    """Create the table."""
    operations.create_table(
        "leases",
        Column("target", Text, nullable=False),
        Column("owner", Text, nullable=False),
        Column("host", Text, nullable=False),
        Column("machine", Text, nullable=False),
        Column("pid", BigInteger, nullable=False),
        Column("started", BigInteger, nullable=False),
        Column("started_by", Text, nullable=False),
        Column("taken_at", BigInteger, nullable=False),
        Column("beat_at", BigInteger, nullable=False),
        PrimaryKeyConstraint("target"),
    )
