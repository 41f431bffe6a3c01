"""The port `ControlRecords` on SQLAlchemy Core: how commands and services find each other through the journal."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar

import msgspec
from msgspec.structs import asdict
from sqlalchemy import BigInteger, Dialect, RowMapping, Select, bindparam, delete, select, type_coerce

from nbsweep.adapters.journal.address import JournalAddress
from nbsweep.adapters.journal.dialects import compiled, compiled_question, upsert
from nbsweep.adapters.journal.errors import journal_errors
from nbsweep.adapters.journal.records.audit import TrailWriter, chain_of
from nbsweep.adapters.journal.rows import Row
from nbsweep.adapters.journal.tables import META, PAUSES, SERVICES, SWEEP_REQUESTS
from nbsweep.adapters.journal.transaction import Change, Procedure, Read, Steps, Transaction, Turn, Write
from nbsweep.core.audit.control import entry_of_pause, entry_of_request, entry_of_resumption
from nbsweep.core.audit.entries import AuditEntry
from nbsweep.core.control.requests import ACCEPTED, Pause, Resumption, SweepRequest
from nbsweep.core.control.services import ServiceRecord
from nbsweep.core.model import microseconds

DUE = "due of "
"""The prefix of a target's name in the key of its due time."""
ANSWER = "answer for "
"""The prefix of a target's name in the key of the answer to the latest request for it."""
Record = TypeVar("Record", Pause, SweepRequest)


class SqlControl:
    """Pauses, requests for sweeps, due times, and records of services, in tables of the journal."""

    def __init__(self, dialect: Dialect, write: Write, rows: Read, address: JournalAddress, trail: TrailWriter) -> None:
        """Compile the statements for one kind of database."""
        self._write = write
        self._rows = rows
        self._address = address
        self._trail = trail
        self._sql = _Statements(dialect)

    async def pause(self, pause: Pause) -> None:
        """Record a pause, with its entry in the audit trail; it replaces an earlier pause of the same target."""
        row, of_target = _stored(pause), {"of_target": pause.target}

        def store(transaction: Transaction) -> None:
            known = transaction.fetch(self._sql.ask_pause, of_target)
            if [tuple(each) for each in known] != [tuple(row[column.name] for column in PAUSES.columns)]:
                transaction.execute(self._sql.upsert_pause, iter([row]))
                self._trail.append_one(transaction, pause.target, partial(entry_of_pause, pause))

        await self._write(self._of_target(store, pause.target))

    async def resume(self, resumption: Resumption) -> None:
        """Delete a target's pause, with an entry in the audit trail, if there is a pause."""
        of_target = {"of_target": resumption.target}
        entry_of = partial(entry_of_resumption, resumption)
        await self._on_record(resumption.target, entry_of, self._sql.delete_pause, of_target)

    async def pauses(self) -> tuple[Pause, ...]:
        """List all pauses, sorted by target."""
        return await self._pauses(select(PAUSES).order_by(PAUSES.c.target))

    async def pause_of(self, target: str) -> Pause | None:
        """Return the pause of a target; None if there is none."""
        return next(iter(await self._pauses(select(PAUSES).where(PAUSES.c.target == target))), None)

    async def request_sweep(self, request: SweepRequest) -> None:
        """Record a request, with its entry in the audit trail; it replaces an earlier request for the same target."""
        entry_of = partial(entry_of_request, request)
        await self._on_record(request.target, entry_of, self._sql.upsert_request, _stored(request))

    async def note_request(self, request: SweepRequest) -> None:
        """Record in the audit trail a request for a sweep that this service has taken already."""
        await self._on_record(request.target, partial(entry_of_request, request))

    async def sweep_requests(self) -> tuple[SweepRequest, ...]:
        """List the requests that no service has taken, sorted by target."""
        rows = await self._rows(select(SWEEP_REQUESTS).order_by(SWEEP_REQUESTS.c.target))
        with journal_errors(self._address):
            return tuple(_record(row, SweepRequest) for row in rows)

    async def answer_request(self, request: SweepRequest, answer: str) -> None:
        """Delete a request, and store the answer to it; a later request for the same target stays."""
        note = {"key": f"{ANSWER}{request.target}", "value": f"{microseconds(request.asked_at)} {answer}"}

        def store(transaction: Transaction) -> None:
            first = transaction.execute(self._sql.delete_request, iter([_key_of(request)]))
            if first or answer == ACCEPTED:
                transaction.execute(self._sql.upsert_meta, iter([note]))

        await self._write(Procedure(store))

    async def answer_to(self, request: SweepRequest) -> str | None:
        """Return the answer to a request; None if there is none."""
        rows = await self._rows(select(META.c.value).where(META.c.key == f"{ANSWER}{request.target}"))
        answers = (row["value"].partition(" ") for row in rows)
        return next((answer for at, _, answer in answers if at == str(microseconds(request.asked_at))), None)

    async def withdraw_request(self, request: SweepRequest) -> None:
        """Delete a request; a later request for the same target stays."""
        await self._write(Change(self._sql.delete_request, [_key_of(request)], dict))

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

    async def _on_record(
        self, target: str, entry_of: Callable[[int], AuditEntry], sql: str = "", row: Row | None = None
    ) -> None:
        """Make a change of one row with its entry in the audit trail, in one transaction; none of both if no row changes."""
        entry_of(1)  # A moment without a zone is refused at once.

        def store(transaction: Transaction) -> None:
            if row is None or transaction.execute(sql, iter([row])):
                self._trail.append_one(transaction, target, entry_of)

        await self._write(self._of_target(store, target))

    @staticmethod
    def _of_target(steps: Steps, target: str) -> Procedure:
        return Procedure(steps, frozenset({chain_of(target)}), Turn.NONE)

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
        self.ask_pause = compiled_question(dialect, _raw_pause())
        self.delete_pause = compiled(dialect, delete(PAUSES).where(PAUSES.c.target == bindparam("of_target")), [])
        self.upsert_request = compiled(dialect, upsert(name, SWEEP_REQUESTS), SWEEP_REQUESTS.columns.keys())
        self.delete_request = compiled(dialect, delete(SWEEP_REQUESTS).where(requested), [])
        self.upsert_service = compiled(dialect, upsert(name, SERVICES), SERVICES.columns.keys())
        self.delete_services = compiled(dialect, delete(SERVICES).where(SERVICES.c.beat_at < bindparam("of_before")), [])


def _key_of(request: SweepRequest) -> Row:
    return {"of_target": request.target, "of_asked_at": microseconds(request.asked_at)}


def _raw_pause() -> Select[Any]:
    """Return the query for the pause of a target with the values as they are stored."""
    columns = [type_coerce(column, BigInteger) if column.name in ("since", "until") else column for column in PAUSES.columns]
    return select(*columns).where(PAUSES.c.target == bindparam("of_target"))


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
