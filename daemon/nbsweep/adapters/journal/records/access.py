"""What the records of this package share: how they read, write, and reach the audit trail."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Dialect, Select

from nbsweep.adapters.journal.address import JournalAddress
from nbsweep.adapters.journal.errors import journal_errors
from nbsweep.adapters.journal.records.audit import TrailWriter
from nbsweep.adapters.journal.rows import Record, RowMapper
from nbsweep.adapters.journal.transaction import Procedure, Read, Steps, Turn, Write


@dataclass(frozen=True, slots=True)
class Access:
    """An open journal."""

    dialect: Dialect
    address: JournalAddress
    write: Write
    rows: Read
    trail: TrailWriter

    async def records(self, mapper: RowMapper[Record], query: Select[Any]) -> tuple[Record, ...]:
        """Run a query, and return its rows as records."""
        rows = await self.rows(query)
        with journal_errors(self.address):
            return tuple(map(mapper.record_of, rows))

    async def perform(self, steps: Steps, *, chains: frozenset[str] = frozenset(), turn: Turn = Turn.RECORDS) -> None:
        """Take steps in one transaction; if they raise, nothing is stored. They may append to these chains."""
        await self.write(Procedure(steps, chains, turn))
