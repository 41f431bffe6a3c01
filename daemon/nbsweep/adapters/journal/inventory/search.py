"""The query that finds notebooks in the inventory by what people type."""

from typing import Any

import msgspec
from sqlalchemy import JSON, ColumnElement, Select, cast, func, select

from nbsweep.adapters.journal.inventory.tables import INVENTORY, LASTS, SURVEYS

NAME, OWNER, OWNER_ID = "n", "o", "oi"
"""The stored names of these facts, see `core/inventory/facts`."""


def notebooks_beginning(dialect: str, text: str, limit: int, *, lasting: bool) -> Select[Any]:
    """Find the notebooks whose name or id begins with a text in states that last, or in states that have ended.

    Those that were seen in a new state last come first.
    """
    name = _fact(dialect, NAME)
    owner = func.coalesce(func.nullif(_fact(dialect, OWNER), ""), func.nullif(_fact(dialect, OWNER_ID), ""), "unknown")
    columns = [SURVEYS.c.target, INVENTORY.c.notebook_id, name.label("name"), owner.label("owner")]
    found = select(*columns).select_from(INVENTORY.join(SURVEYS, SURVEYS.c.id == INVENTORY.c.first_survey))
    wanted = found.where(
        LASTS if lasting else INVENTORY.c.ended_by.is_not(None),
        _begins(INVENTORY.c.notebook_id, text) | (_may_be_named(text) & _is_named(name, text)),
    )
    return wanted.group_by(*columns).order_by(func.max(INVENTORY.c.first_survey).desc(), *columns).limit(limit)


def _may_be_named(text: str) -> ColumnElement[bool]:
    """Return a condition that all wanted rows fulfil, and that is much faster than to parse the facts of every row."""
    quoted = msgspec.json.encode(text).decode()[1:-1]
    return INVENTORY.c.facts.icontains(f'"{NAME}":"{quoted}', autoescape=True)


def _is_named(name: ColumnElement[str], text: str) -> ColumnElement[bool]:
    return _begins(name, text) | (func.lower(func.substr(name, 1, len(text))) == func.lower(text))


def _begins(column: ColumnElement[str], text: str) -> ColumnElement[bool]:
    # No LIKE, because SQLite ignores the case there.
    return func.substr(column, 1, len(text)) == text


def _fact(dialect: str, key: str) -> ColumnElement[str]:
    """Return the text of a fact; NULL if it is not known."""
    if dialect == "sqlite":
        return func.json_extract(INVENTORY.c.facts, f"$.{key}")
    fact: ColumnElement[str] = cast(INVENTORY.c.facts, JSON)[key].as_string()
    return fact
