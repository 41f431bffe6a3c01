"""Converts records to rows and back. A row that is no valid record is refused; nothing is guessed."""

from collections.abc import Callable, Mapping
from datetime import datetime
from enum import Enum
from operator import attrgetter
from types import UnionType
from typing import Any, Generic, TypeVar, get_args, get_origin, get_type_hints

import msgspec
from sqlalchemy import ColumnElement, RowMapping, Table

from nbsweep.core.holdout.model import Hold
from nbsweep.core.lifecycle import Removal
from nbsweep.core.marks.model import Mark
from nbsweep.core.model import microseconds, require_aware
from nbsweep.core.notices.outbox import Item, Message
from nbsweep.core.runs import RunRecord

Row = dict[str, Any]
Record = TypeVar("Record", Removal, RunRecord, Mark, Item, Message, Hold)


class RowMapper(Generic[Record]):
    """The layout of one kind of record in its table; computed once, because a sweep stores thousands of records."""

    def __init__(self, kind: type[Record], table: Table, prefix: str = "") -> None:
        """Store the kind of record; each of its fields has a column. `prefix` begins the names of columns in results."""
        self._kind: type[Record] = kind
        self._prefix = prefix
        hints = get_type_hints(kind)
        self.names = kind.__struct_fields__
        self._values = attrgetter(*self.names)
        self._storing = tuple(_storing(hints[name]) for name in self.names)
        self._moments = tuple(name for name, store in zip(self.names, self._storing, strict=True) if store is microseconds)
        self._documents = tuple(name for name, store in zip(self.names, self._storing, strict=True) if store is _json)
        self.columns: list[ColumnElement[Any]] = [
            table.columns[name].label(f"{prefix}{name}") if prefix else table.columns[name] for name in self.names
        ]

    def check(self, record: Record) -> None:
        """Check that a record can be stored.

        Raises:
            ValueError: one of its moments has no time zone.
        """
        for name in self._moments:
            moment = getattr(record, name)
            if moment is not None:
                require_aware(moment)

    def row_of(self, record: Record) -> Row:
        """Convert a record to the values that the driver stores in its columns.

        Raises:
            ValueError: one of its moments has no time zone.
        """
        return {
            name: value if store is None or value is None else store(value)
            for name, value, store in zip(self.names, self._values(record), self._storing, strict=True)
        }

    def record_of(self, row: RowMapping) -> Record:
        """Convert a row to a record.

        Raises:
            ValueError: it holds something that the record cannot have.
        """
        values = {name: row[f"{self._prefix}{name}"] for name in self.names}
        for name in self._documents:
            values[name] = None if values[name] is None else msgspec.json.decode(values[name])
        record: Record = msgspec.convert(values, self._kind)
        return record


def _storing(hint: Any) -> Callable[[Any], object] | None:
    """Return the function that converts a field's values for storage; None if they are stored unchanged."""
    kinds = [get_origin(kind) or kind for kind in (get_args(hint) if isinstance(hint, UnionType) else (hint,))]
    if datetime in kinds:
        return microseconds
    if any(issubclass(kind, Enum) for kind in kinds):
        return attrgetter("value")
    return _json if kinds[0] in (Mapping, tuple) else None


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
