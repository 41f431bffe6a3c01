"""Changes to write: statements compiled once, and records that are converted to rows only when the driver needs them."""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from enum import Enum, auto
from itertools import chain, groupby
from typing import Any, TypeAlias

from msgspec import Struct
from sqlalchemy import RowMapping, Select

from nbsweep.adapters.journal.rows import Row
from nbsweep.core.errors import JournalError, NbsweepError


class Transaction(Struct, frozen=True):
    """The operations inside a transaction that the caller begins and ends."""

    execute: Callable[[str, Iterator[Row] | Iterator[tuple[Any, ...]]], int]
    """Executes a statement for each row, and returns how many rows of the table it matched."""
    fetch: Callable[[str, Row], Sequence[Sequence[Any]]]
    """Runs a query, and returns all rows."""


Beforehand = Callable[[Transaction, Iterator[Any]], None]
"""Called in the same transaction before a change, with the items that will be written."""
Guard = Callable[[Transaction], None]
"""Called in the same transaction before a change; raises if the change must not be made. Equal guards are called once."""


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
    guard: Guard | None = None
    """Only together with `beforehand`; no grant is committed between the guard and the change."""
    chains: frozenset[str] = frozenset()
    """The chains of the audit trail that `beforehand` appends to."""

    @property
    def reads_first(self) -> bool:
        """Return whether what the transaction reads before it writes must not change until then."""
        return self.beforehand is not None


Steps = Callable[[Transaction], None]
"""Steps that depend on what they find in the tables."""


class Turn(Enum):
    """The transactions that a procedure takes turns with, beside those that append to the same chains."""

    NONE = auto()
    RECORDS = auto()
    """Other procedures of records that belong to no target."""
    GRANTS = auto()
    """Changes with a guard, and other grants."""


class Procedure(Struct, frozen=True, eq=False):
    """Steps of one transaction that depend on what they find in the tables."""

    perform: Steps
    """Takes the steps; if it raises, nothing is stored. It may be called again, so it starts from the beginning each time."""
    chains: frozenset[str] = frozenset()
    """The chains of the audit trail that the steps append to."""
    turn: Turn = Turn.RECORDS

    @property
    def reads_first(self) -> bool:
        """Return True: what the steps have read must not change before they write."""
        return True


AnyChange: TypeAlias = Change | Procedure
Write = Callable[[AnyChange], Awaitable[None]]
"""Writes a change, and returns when it is committed."""
Read = Callable[[Select[Any]], Awaitable[Sequence[RowMapping]]]
"""Runs a query outside of the transactions that write."""


class Overtaken(NbsweepError):
    """Nothing was stored, because the row is not as it was read: another process was faster."""


def carry_out(changes: Iterable[AnyChange], transaction: Transaction) -> None:
    """Execute all changes in order.

    Neighbours of the same statement go together: of two states of one removal the later one stays.

    Raises:
        JournalError: a row that must have been there was not.
    """
    passed: set[Guard | None] = {None}
    for statement, same in groupby(changes, key=_statement):
        if isinstance(statement, Procedure):
            statement.perform(transaction)
            passed = {None}
            continue
        group = [change for change in same if isinstance(change, Change)]
        for guard in {change.guard for change in group} - passed:
            _check(guard, transaction)
            passed.add(guard)
        _execute(group, transaction)


def _check(guard: Guard | None, transaction: Transaction) -> None:
    if guard is not None:
        guard(transaction)


def _execute(group: Sequence[Change], transaction: Transaction) -> None:
    sql, unmatched, beforehand = group[0].sql, group[0].unmatched, group[0].beforehand
    if beforehand is not None:
        beforehand(transaction, chain.from_iterable(change.items for change in group))
    met = transaction.execute(sql, chain.from_iterable(map(change.lay_out, change.items) for change in group))
    if unmatched and met != sum(len(change.items) for change in group):
        raise JournalError(unmatched)


def _statement(change: AnyChange) -> tuple[str, str, Beforehand | None] | Procedure:
    return change if isinstance(change, Procedure) else (change.sql, change.unmatched, change.beforehand)
