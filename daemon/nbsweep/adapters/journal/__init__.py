"""The journal on a database: one implementation for SQLite and PostgreSQL."""

from nbsweep.adapters.journal.dialects import Timeouts
from nbsweep.adapters.journal.journal import SqlJournal
from nbsweep.adapters.journal.opening import open_journal

__all__ = ["SqlJournal", "Timeouts", "open_journal"]
