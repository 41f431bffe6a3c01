"""What is to be written: statements that were compiled once, and records that become rows only when the driver takes them."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, groupby
from typing import Any

from msgspec import Struct

from nbsweep.adapters.journal.rows import Row
from nbsweep.core.errors import JournalError


class Transaction(Struct, frozen=True):
    """What can be done inside a transaction that somebody else begins and ends."""

    execute: Callable[[str, Iterator[Row] | Iterator[tuple[Any, ...]]], int]
    """Executes a statement for each row, and tells how many rows of the table it has met."""
    fetch: Callable[[str, Row], Sequence[Sequence[Any]]]
    """Asks a question, and gives all rows of the answer."""


Beforehand = Callable[[Transaction, Iterator[Any]], None]
"""Does what has to be done in the same transaction ahead of a change; is given the items that will be written."""


class Change(Struct, frozen=True, eq=False):
    """A statement, and what it is for."""

    sql: str
    """As the driver takes it; its parameters have names."""
    items: Sequence[Any]
    lay_out: Callable[[Any], Row]
    """Makes a row of an item. Thousands of items are thus never thousands of rows at once."""
    unmatched: str = ""
    """What to say when not every row met one in the table; empty when they need not."""
    beforehand: Beforehand | None = None


def carry_out(changes: Iterable[Change], transaction: Transaction) -> None:
    """Carry all of them out in order.

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
