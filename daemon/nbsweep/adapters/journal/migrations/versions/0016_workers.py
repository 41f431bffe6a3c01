"""The workers of a fleet, as they report themselves."""

from alembic.operations import Operations
from sqlalchemy import BigInteger, Boolean, Column, PrimaryKeyConstraint, Text

revision = "0016"
down_revision = "0015"


def upgrade(operations: Operations) -> None:
    """Create the table."""
    operations.create_table(
        "workers",
        Column("owner", Text, nullable=False),
        Column("beat_at", BigInteger, nullable=False),
        Column("drain", Boolean, nullable=False),
        Column("document", Text, nullable=False),
        PrimaryKeyConstraint("owner"),
    )
