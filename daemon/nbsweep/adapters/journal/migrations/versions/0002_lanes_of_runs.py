"""How fast the account's lanes went at the end of a run."""

from alembic.operations import Operations
from sqlalchemy import Column, Text

revision = "0002"
down_revision = "0001"


def upgrade(operations: Operations) -> None:
    """Add the column; what is known of older runs does not say it."""
    operations.add_column("runs", Column("lanes", Text))
