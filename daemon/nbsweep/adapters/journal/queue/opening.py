"""Opens the queue of a journal on PostgreSQL."""

from collections.abc import Sequence

from sqlalchemy import Connection

from nbsweep.adapters.journal.journal import SqlJournal
from nbsweep.adapters.journal.queue.connector import JournalConnector, Row
from nbsweep.adapters.journal.queue.queue import ProcrastinateQueue
from nbsweep.adapters.journal.queue.schema import bring_up_to_date
from nbsweep.core.errors import JournalError


async def open_queue(journal: SqlJournal, config: str, lease_s: float) -> ProcrastinateQueue:
    """Create or migrate the tables of the queue beside those of the journal, and return the queue.

    `config` is the digest of the configuration of this process, and `lease_s` how long its leases last, in seconds.

    Raises:
        JournalError: the journal is not on PostgreSQL, or its queue is of another version.
    """
    if not journal.on_postgresql:
        raise JournalError(
            f"The journal {journal.place} is not on PostgreSQL, which a fleet needs: name a PostgreSQL database in `journal`, "
            "or remove `service.fleet`."
        )
    connector = JournalConnector(journal.engine, journal.address, journal.patience_s)

    def prepare(connection: Connection) -> Sequence[Row]:
        bring_up_to_date(connection, journal.place)
        return ()

    await connector.perform(prepare)
    return ProcrastinateQueue(connector, config, lease_s)
