"""Changes to write: statements compiled once, and records that are converted to rows only when the driver needs them."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, groupby
from typing import Any

from msgspec import Struct

from nbsweep.adapters.journal.rows import Row
from nbsweep.core.errors import JournalError


class Transaction(Struct, frozen=True):
    """The operations inside a transaction that the caller begins and ends."""

    execute: Callable[[str, Iterator[Row] | Iterator[tuple[Any, ...]]], int]
    """Executes a statement for each row, and returns how many rows of the table it matched."""
    fetch: Callable[[str, Row], Sequence[Sequence[Any]]]
    """Runs a query, and returns all rows."""


Beforehand = Callable[[Transaction, Iterator[Any]], None]
"""Called in the same transaction before a change, with the items that will be written."""


class Change(Struct, frozen=True, eq=False):
    """A statement, and how items become its parameters."""

    sql: str
    """The SQL text for the driver, with named parameters."""
    items: Sequence[Any]
    lay_out: Callable[[Any], Row]
    """Converts an item to a row, so that thousands of items are never thousands of rows at the same time."""
    unmatched: str = ""
    """The error message if a row matched none in the table; empty if that is allowed."""
    beforehand: Beforehand | None = None


def carry_out(changes: Iterable[Change], transaction: Transaction) -> None:
    """Execute all changes in order.

    Neighbours of the same statement go together: of two states of one removal the later one stays.

    Raises:
        JournalError: a row that must have been there was not.
    """
    for (sql, unmatched, beforehand), same in groupby(changes, key=_statement):
        group = list(same)
        if beforehand is not None:
            beforehand(transaction, chain.from_iterable(change.items for change in group))
        met = transaction.execute(sql, chain.from_iterable(map(change.lay_out, change.items) for change in group))
        if unmatched and met != sum(len(change.items) for change in group):
            raise JournalError(unmatched)


def _statement(change: Change) -> tuple[str, str, Beforehand | None]:
    return change.sql, change.unmatched, change.beforehand
