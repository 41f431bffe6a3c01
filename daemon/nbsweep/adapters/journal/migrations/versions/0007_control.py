"""Who paused a target, why and until when; requests for sweeps; services; and what a run set aside."""

from alembic.operations import Operations
from sqlalchemy import BigInteger, Column, PrimaryKeyConstraint, Text

revision = "0007"
down_revision = "0006"


def upgrade(operations: Operations) -> None:
    """Add the columns and tables."""
    for column in ("by", "reason"):
        operations.add_column("pauses", Column(column, Text, nullable=False, server_default=""))
    operations.add_column("pauses", Column("until", BigInteger))
    operations.add_column("runs", Column("overrides", Text, nullable=False, server_default=""))
    operations.create_table(
        "sweep_requests",
        Column("target", Text, nullable=False),
        Column("asked_at", BigInteger, nullable=False),
        Column("by", Text, nullable=False),
        PrimaryKeyConstraint("target"),
    )
    operations.create_table(
        "services",
        Column("owner", Text, nullable=False),
        Column("beat_at", BigInteger, nullable=False),
        Column("document", Text, nullable=False),
        PrimaryKeyConstraint("owner"),
    )
