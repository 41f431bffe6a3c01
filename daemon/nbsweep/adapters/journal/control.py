"""The port `ControlRecords` on SQLAlchemy Core: how commands and services find each other through the journal."""

from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec
from msgspec.structs import asdict
from sqlalchemy import Dialect, RowMapping, Select, bindparam, delete, select

from nbsweep.adapters.journal.address import JournalAddress
from nbsweep.adapters.journal.dialects import compiled, upsert
from nbsweep.adapters.journal.errors import journal_errors
from nbsweep.adapters.journal.rows import Row
from nbsweep.adapters.journal.tables import META, PAUSES, SERVICES, SWEEP_REQUESTS
from nbsweep.adapters.journal.transaction import Change, Read, Write
from nbsweep.core.control.requests import Pause, SweepRequest
from nbsweep.core.control.services import ServiceRecord
from nbsweep.core.model import microseconds

DUE = "due of "
"""The prefix of a target's name in the key of its due time."""
Record = TypeVar("Record", Pause, SweepRequest)


class SqlControl:
    """Pauses, requests for sweeps, due times, and records of services, in tables of the journal."""

    def __init__(self, dialect: Dialect, write: Write, rows: Read, address: JournalAddress) -> None:
        """Compile the statements for one kind of database."""
        self._write = write
        self._rows = rows
        self._address = address
        self._sql = _Statements(dialect)

    async def pause(self, pause: Pause) -> None:
        """Record a pause; it replaces an earlier pause of the same target."""
        await self._write(Change(self._sql.upsert_pause, [_stored(pause)], dict))

    async def resume(self, target: str) -> None:
        """Delete a target's pause, if there is one."""
        await self._write(Change(self._sql.delete_pause, [{"of_target": target}], dict))

    async def pauses(self) -> tuple[Pause, ...]:
        """List all pauses, sorted by target."""
        return await self._pauses(select(PAUSES).order_by(PAUSES.c.target))

    async def pause_of(self, target: str) -> Pause | None:
        """Return the pause of a target; None if there is none."""
        return next(iter(await self._pauses(select(PAUSES).where(PAUSES.c.target == target))), None)

    async def request_sweep(self, request: SweepRequest) -> None:
        """Record a request for a sweep; it replaces an earlier request for the same target."""
        await self._write(Change(self._sql.upsert_request, [_stored(request)], dict))

    async def sweep_requests(self) -> tuple[SweepRequest, ...]:
        """List the requests that no service has taken, sorted by target."""
        rows = await self._rows(select(SWEEP_REQUESTS).order_by(SWEEP_REQUESTS.c.target))
        with journal_errors(self._address):
            return tuple(_record(row, SweepRequest) for row in rows)

    async def drop_request(self, request: SweepRequest) -> None:
        """Delete a request; a later request for the same target stays."""
        key = {"of_target": request.target, "of_asked_at": microseconds(request.asked_at)}
        await self._write(Change(self._sql.delete_request, [key], dict))

    async def beat(self, record: ServiceRecord) -> None:
        """Store the present state of a service."""
        document = msgspec.json.encode(record).decode()
        row = {"owner": record.holder.owner, "beat_at": microseconds(record.beat_at), "document": document}
        await self._write(Change(self._sql.upsert_service, [row], dict))

    async def services(self) -> tuple[ServiceRecord, ...]:
        """List the records of services, sorted by their start."""
        rows = await self._rows(select(SERVICES.c.document))
        with journal_errors(self._address):
            records = [msgspec.json.decode(row["document"], type=ServiceRecord) for row in rows]
        return tuple(sorted(records, key=lambda record: (record.started_at, record.holder.owner)))

    async def forget_services(self, before: datetime) -> None:
        """Delete the records of services whose last beat is older than a moment."""
        await self._write(Change(self._sql.delete_services, [{"of_before": microseconds(before)}], dict))

    async def note_due(self, target: str, due: datetime) -> None:
        """Record when a target is due next; only the latest record is kept."""
        note = {"key": f"{DUE}{target}", "value": due.astimezone(UTC).isoformat()}
        await self._write(Change(self._sql.upsert_meta, [note], dict))

    async def noted_due(self, target: str) -> datetime | None:
        """Return the recorded next due time of a target; None if there is no record."""
        rows = await self._rows(select(META.c.value).where(META.c.key == f"{DUE}{target}"))
        with journal_errors(self._address):
            return next((datetime.fromisoformat(row["value"]) for row in rows), None)

    async def _pauses(self, query: Select[Any]) -> tuple[Pause, ...]:
        rows = await self._rows(query)
        with journal_errors(self._address):
            return tuple(_record(row, Pause) for row in rows)


class _Statements:
    def __init__(self, dialect: Dialect) -> None:
        name = dialect.name
        requested = (SWEEP_REQUESTS.c.target == bindparam("of_target")) & (
            SWEEP_REQUESTS.c.asked_at == bindparam("of_asked_at")
        )
        self.upsert_meta = compiled(dialect, upsert(name, META), META.columns.keys())
        self.upsert_pause = compiled(dialect, upsert(name, PAUSES), PAUSES.columns.keys())
        self.delete_pause = compiled(dialect, delete(PAUSES).where(PAUSES.c.target == bindparam("of_target")), [])
        self.upsert_request = compiled(dialect, upsert(name, SWEEP_REQUESTS), SWEEP_REQUESTS.columns.keys())
        self.delete_request = compiled(dialect, delete(SWEEP_REQUESTS).where(requested), [])
        self.upsert_service = compiled(dialect, upsert(name, SERVICES), SERVICES.columns.keys())
        self.delete_services = compiled(dialect, delete(SERVICES).where(SERVICES.c.beat_at < bindparam("of_before")), [])


def _stored(record: Pause | SweepRequest) -> Row:
    """Return the values of a record's columns.

    Raises:
        ValueError: one of its moments has no time zone.
    """
    values = asdict(record)
    return {name: microseconds(value) if isinstance(value, datetime) else value for name, value in values.items()}


def _record(row: RowMapping, kind: type[Record]) -> Record:
    """Convert a row to a record.

    Raises:
        msgspec.ValidationError: it holds something that the record cannot have.
    """
    return msgspec.convert({name: row[name] for name in kind.__struct_fields__}, kind)
