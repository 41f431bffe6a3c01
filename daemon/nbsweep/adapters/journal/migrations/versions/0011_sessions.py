"""The sessions of people who are signed in to the pages."""

from alembic.operations import Operations
from sqlalchemy import BigInteger, Column, PrimaryKeyConstraint, Text

revision = "0011"
down_revision = "0010"


def upgrade(operations: Operations) -> None:
    """Create the table."""
    operations.create_table(
        "sessions",
        Column("id", Text, nullable=False),
        Column("token", Text, nullable=False),
        Column("began_at", BigInteger, nullable=False),
        Column("ends_at", BigInteger, nullable=False),
        PrimaryKeyConstraint("id"),
    )
