"""The rates of the account's lanes at the end of a run."""

from alembic.operations import Operations
from sqlalchemy import Column, Text

revision = "0002"
down_revision = "0001"


def upgrade(operations: Operations) -> None:
    """Add the column; it is empty for older runs."""
    operations.add_column("runs", Column("lanes", Text))
