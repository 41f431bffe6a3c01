"""The saved plans that people have approved."""

from alembic.operations import Operations
from sqlalchemy import BigInteger, Column, LargeBinary, PrimaryKeyConstraint, Text

revision = "0013"
down_revision = "0012"


def upgrade(operations: Operations) -> None:
    """Create the table."""
    operations.create_table(
        "plans",
        Column("plan_id", Text, nullable=False),
        Column("target", Text, nullable=False),
        Column("digest", Text, nullable=False),
        Column("created_at", BigInteger, nullable=False),
        Column("expires_at", BigInteger, nullable=False),
        Column("notebooks", BigInteger, nullable=False),
        Column("approved_at", BigInteger, nullable=False),
        Column("approved_by", Text, nullable=False),
        Column("carried_out_at", BigInteger),
        Column("carried_out_by", Text, nullable=False),
        Column("run_id", Text, nullable=False),
        Column("document", LargeBinary, nullable=False),
        PrimaryKeyConstraint("plan_id"),
    )
