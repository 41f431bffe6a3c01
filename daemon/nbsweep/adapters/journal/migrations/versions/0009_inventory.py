"""The inventory: surveys, and the states of notebooks between them."""

from alembic.operations import Operations
from sqlalchemy import BigInteger, Boolean, Column, PrimaryKeyConstraint, Text, text

revision = "0009"
down_revision = "0008"


def upgrade(operations: Operations) -> None:
    """Create the tables."""
    operations.create_table(
        "surveys",
        Column("id", BigInteger, nullable=False, autoincrement=False),
        Column("project", Text, nullable=False),
        Column("target", Text, nullable=False),
        Column("extent", Text, nullable=False),
        Column("at", BigInteger, nullable=False),
        Column("complete", Boolean, nullable=False),
        Column("fleet", BigInteger, nullable=False),
        Column("config", Text, nullable=False),
        PrimaryKeyConstraint("id"),
    )
    operations.create_index("surveys_by_time", "surveys", ["at"])
    operations.create_table(
        "inventory",
        Column("notebook_id", Text, nullable=False),
        Column("first_survey", BigInteger, nullable=False, autoincrement=False),
        Column("ended_by", BigInteger),
        Column("project", Text, nullable=False),
        Column("caller", Text, nullable=False),
        Column("workspace_id", Text, nullable=False),
        Column("feature", Text, nullable=False),
        Column("created_us", BigInteger),
        Column("digest", BigInteger, nullable=False),
        Column("updated_us", BigInteger),
        Column("lease_updated_us", BigInteger),
        Column("latest_updated_us", BigInteger),
        Column("latest_lease_updated_us", BigInteger),
        Column("facts", Text, nullable=False),
        PrimaryKeyConstraint("notebook_id", "first_survey"),
    )
    lasts = text("ended_by IS NULL")
    columns = ["project", "caller", "notebook_id"]
    operations.create_index("inventory_open", "inventory", columns, unique=True, sqlite_where=lasts, postgresql_where=lasts)
