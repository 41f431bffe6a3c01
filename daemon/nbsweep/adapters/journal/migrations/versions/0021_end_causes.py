"""Why removals ended that kept their notebook, as causes, which each language renders."""

from alembic.operations import Operations
from sqlalchemy import Column, Text

revision = "0021"
down_revision = "0020"


def upgrade(operations: Operations) -> None:
    """Add the column."""
    operations.add_column("removals", Column("end_cause", Text, nullable=False, server_default=""))
