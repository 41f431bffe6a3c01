"""Records to rows and back. What cannot be read as a record is refused, never guessed."""

import json
from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from enum import Enum
from typing import Any, TypeVar

import msgspec
from sqlalchemy import Column, RowMapping, Table

from nbsweep.core.lifecycle import Removal
from nbsweep.core.model import require_aware
from nbsweep.core.ports import RunRecord

Row = dict[str, Any]
Record = TypeVar("Record", Removal, RunRecord)


def row_of(record: Removal | RunRecord) -> Row:
    """Lay a record out as the values of its columns.

    Raises:
        ValueError: one of its moments has no time zone.
    """
    return {field.name: _stored(getattr(record, field.name)) for field in fields(record)}


def record_of(kind: type[Record], row: RowMapping) -> Record:
    """Read a row as a record.

    Raises:
        ValueError: it holds something that the record cannot have.
    """
    values = {field.name: row[field.name] for field in fields(kind)}
    if values.get("kept") is not None:
        values["kept"] = json.loads(values["kept"])
    return msgspec.convert(values, kind)


def columns_of(kind: type[Removal] | type[RunRecord], table: Table) -> list[Column[Any]]:
    """List the columns that make up a record."""
    return [table.columns[field.name] for field in fields(kind)]


def _stored(value: object) -> object:
    match value:
        case Enum():
            return value.value
        case datetime():
            return require_aware(value)
        case Mapping():
            return json.dumps(dict(value))
        case _:
            return value
