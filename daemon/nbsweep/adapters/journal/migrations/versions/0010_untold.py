"""Since when an owner could not be told, and whether another attempt follows by itself."""

from alembic.operations import Operations
from sqlalchemy import BigInteger, Boolean, Column, false

revision = "0010"
down_revision = "0009"


def upgrade(operations: Operations) -> None:
    """Add the columns."""
    operations.add_column("marks", Column("untold_at", BigInteger))
    operations.add_column("marks", Column("retried", Boolean, nullable=False, server_default=false()))
