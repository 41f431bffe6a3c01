"""Builds INSERT statements of one dialect; a dialect that is not in use is not imported, because PostgreSQL's takes 2 MB."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from sqlalchemy import Table

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql, sqlite


def insert_of(dialect: str, table: Table) -> "sqlite.Insert | postgresql.Insert":
    """Build an INSERT that can say what happens to a row that exists already."""
    module: Any = import_module(f"sqlalchemy.dialects.{dialect}")
    insert: sqlite.Insert | postgresql.Insert = module.insert(table)
    return insert
