"""The query that finds notebooks in the inventory by what people type."""

from typing import Any

from sqlalchemy import JSON, ColumnElement, Select, cast, func, select

from nbsweep.adapters.journal.inventory.tables import INVENTORY, SURVEYS

NAME, OWNER, OWNER_ID = "n", "o", "oi"
"""The stored names of these facts, see `core/inventory/facts`."""


def notebooks_beginning(dialect: str, text: str, limit: int) -> Select[Any]:
    """Find the notebooks whose name or id begins with a text, those that were seen in a new state last first."""
    name = _fact(dialect, NAME)
    owner = func.coalesce(func.nullif(_fact(dialect, OWNER), ""), func.nullif(_fact(dialect, OWNER_ID), ""), "unknown")
    columns = [SURVEYS.c.target, INVENTORY.c.notebook_id, name.label("name"), owner.label("owner")]
    found = select(*columns).select_from(INVENTORY.join(SURVEYS, SURVEYS.c.id == INVENTORY.c.first_survey))
    by_name = _begins(name, text) | (func.lower(func.substr(name, 1, len(text))) == func.lower(text))
    latest = func.max(INVENTORY.c.first_survey).desc()
    wanted = found.where(_begins(INVENTORY.c.notebook_id, text) | by_name)
    return wanted.group_by(*columns).order_by(latest, *columns).limit(limit)


def _begins(column: ColumnElement[str], text: str) -> ColumnElement[bool]:
    # No LIKE, because SQLite ignores the case there, and a text may hold wildcards.
    return func.substr(column, 1, len(text)) == text


def _fact(dialect: str, key: str) -> ColumnElement[str]:
    """Return the text of a fact; NULL if it is not known."""
    if dialect == "sqlite":
        return func.json_extract(INVENTORY.c.facts, f"$.{key}")
    fact: ColumnElement[str] = cast(INVENTORY.c.facts, JSON)[key].as_string()
    return fact
