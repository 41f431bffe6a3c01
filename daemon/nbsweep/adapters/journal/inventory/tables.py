"""The tables of the inventory and of the holdout; a part of `METADATA`."""

from sqlalchemy import BigInteger, Boolean, Column, Index, Table, Text, text

from nbsweep.adapters.journal.tables import METADATA, UtcDateTime, partial_index, prefix_index

# A literal and no parameter, because a database uses a partial index only for a query with the same literal.
LASTS = text("ended_by IS NULL")
"""The condition that a state has not ended."""

SURVEYS = Table(
    "surveys",
    METADATA,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("project", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("extent", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("complete", Boolean, nullable=False),
    Column("fleet", BigInteger, nullable=False),
    Column("config", Text, nullable=False),
    Index("surveys_by_time", "at"),
)
"""The surveys: the fields of `SurveyRecord`."""

INVENTORY = Table(
    "inventory",
    METADATA,
    Column("notebook_id", Text, primary_key=True),
    Column("first_survey", BigInteger, primary_key=True, autoincrement=False),
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
    partial_index("inventory_open", "project", "caller", "notebook_id", where=LASTS, unique=True),
    Index("inventory_by_survey", "project", "first_survey", "notebook_id"),
    partial_index("inventory_by_end", "ended_by", where=text("ended_by IS NOT NULL")),
    prefix_index("inventory_by_notebook", "notebook_id"),
)
"""The states of notebooks, from one survey to another. Facts are JSON, see `core/inventory/facts`.

The caller is that of the target's identity: what a target with scope own does not see, another one may.
"""

HOLDS = Table(
    "holds",
    METADATA,
    Column("project", Text, primary_key=True),
    Column("notebook_id", Text, primary_key=True),
    Column("since", UtcDateTime, primary_key=True, autoincrement=False),
    Column("notebook_created_at", UtcDateTime, nullable=False),
    Column("until", UtcDateTime, nullable=False),
    Column("target", Text, nullable=False),
    Column("policy", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("capacity_gb", BigInteger),
    Index("holds_by_time", "since"),
)
"""The notebooks that are or were held out: the fields of `Hold`. No row is ever deleted."""
