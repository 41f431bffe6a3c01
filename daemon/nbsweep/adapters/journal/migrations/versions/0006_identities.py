"""The project of each row. Older rows have an empty project, because it is unknown, and belong to a target by its name."""

from alembic.operations import Operations
from sqlalchemy import BigInteger, Column, PrimaryKeyConstraint, Text

revision = "0006"
down_revision = "0005"


def upgrade(operations: Operations) -> None:
    """Add the columns, and make the tables anew whose primary key they are in."""
    for table in ("runs", "removals", "leases", "audit"):
        operations.add_column(table, Column("project", Text, nullable=False, server_default=""))
    for table in ("runs", "leases"):
        operations.add_column(table, Column("extent", Text, nullable=False, server_default=""))
    operations.drop_index("removals_by_state", "removals")
    operations.create_index("removals_by_project", "removals", ["project", "state"])
    operations.create_index("removals_by_end", "removals", ["ended_at"])
    _remake_sightings(operations)


def _remake_sightings(operations: Operations) -> None:
    operations.rename_table("sightings", "sightings_by_target")
    operations.create_table(
        "sightings",
        Column("project", Text, nullable=False, server_default=""),
        Column("notebook_id", Text, nullable=False),
        Column("last_active", BigInteger, nullable=False),
        PrimaryKeyConstraint("project", "notebook_id"),
    )
    operations.execute(
        "INSERT INTO sightings (project, notebook_id, last_active) "
        "SELECT '', notebook_id, max(last_active) FROM sightings_by_target GROUP BY notebook_id"
    )
    operations.drop_table("sightings_by_target")
