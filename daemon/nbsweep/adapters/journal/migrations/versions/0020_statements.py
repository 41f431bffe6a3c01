"""The problems of runs as statements, which each language renders."""

from alembic.operations import Operations
from sqlalchemy import Column, Text

revision = "0020"
down_revision = "0019"


def upgrade(operations: Operations) -> None:
    """Add the column."""
    operations.add_column("runs", Column("statements", Text))
