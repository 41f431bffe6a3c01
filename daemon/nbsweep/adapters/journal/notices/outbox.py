"""The port `OutboxRecords` on SQLAlchemy Core.

A message is changed only if its version is still the one that was read, so that of several processes one leases it, and one
records its result.
"""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

import msgspec
from msgspec.structs import replace
from sqlalchemy import ColumnElement, Dialect, RowMapping, Select, bindparam, delete, func, literal_column, or_, select, update

from nbsweep.adapters.journal.dialects import compiled, insert_if_unique, upsert
from nbsweep.adapters.journal.errors import journal_errors
from nbsweep.adapters.journal.notices.mark_writer import ITEM_MAPPER, MARK_MAPPER, MarkWriter
from nbsweep.adapters.journal.notices.marks import checked
from nbsweep.adapters.journal.notices.tables import COMPOSED, FAILED, ITEMS, MARKS, MESSAGES, UNSENT, WAITING
from nbsweep.adapters.journal.records.access import Access
from nbsweep.adapters.journal.records.audit import chains_of
from nbsweep.adapters.journal.rows import Row, RowMapper
from nbsweep.adapters.journal.sql.beginnings import begins_with
from nbsweep.adapters.journal.tables import META
from nbsweep.adapters.journal.transaction import Change, Overtaken, Steps, Transaction
from nbsweep.core.audit.control import entry_of_retry
from nbsweep.core.control.requests import Pause
from nbsweep.core.marks.model import Mark
from nbsweep.core.model import microseconds, require_aware
from nbsweep.core.notices.outbox import Item, Listed, Message, MessageState, OutboxCount, WaitingItems

MESSAGE_MAPPER = RowMapper(Message, MESSAGES)
PAUSED = "sending paused"
"""The key of the pause in the table of facts."""
_MESSAGE = select(*MESSAGE_MAPPER.columns)
_LISTED = select(*ITEM_MAPPER.columns, *MARK_MAPPER.columns).join_from(ITEMS, MARKS)
_FEW = (
    (UNSENT, frozenset({MessageState.PENDING, MessageState.LEASED})),
    (FAILED, frozenset({MessageState.FAILED})),
)
"""The partial indices of messages, with the states that they hold; an index is used only for its own literals."""
_BY_MARK = (MARKS.c.marked_at, MARKS.c.id, ITEMS.c.id)


class SqlOutbox:
    """The items and messages of the outbox, in tables of the journal."""

    def __init__(self, access: Access, writer: MarkWriter) -> None:
        """Compile the statements; `writer` writes the marks and items of a result."""
        self._access = access
        self._writer = writer
        self._sql = OutboxStatements(access.dialect)

    async def waiting(self, now: datetime, limit: int) -> tuple[Listed, ...]:
        """List the waiting items whose time has come, with their marks, the oldest first."""
        come = _LISTED.where(ITEMS.c.not_before <= now, WAITING)
        return await self._listed(come.order_by(ITEMS.c.not_before, *_BY_MARK).limit(limit))

    async def count_waiting(self, now: datetime) -> WaitingItems:
        """Count the waiting items whose time has come."""
        columns: list[ColumnElement[Any]] = [func.count().label("count"), func.min(ITEMS.c.not_before).label("oldest_at")]
        [row] = await self._access.rows(select(*columns).where(ITEMS.c.not_before <= now, WAITING))
        return WaitingItems(row["count"], row["oldest_at"])

    async def drop(self, item_ids: Sequence[str], why: str) -> None:
        """Drop waiting items: they will never be sent."""
        rows = [{"of_id": item_id, "dropped": why} for item_id in item_ids]

        def drop(transaction: Transaction) -> None:
            transaction.execute(self._writer.drop_item, iter(rows))

        if rows:
            await self._access.perform(drop)

    async def compose(self, message: Message, item_ids: Sequence[str]) -> bool:
        """Store a new message, and assign these waiting items to it, unless another process was faster."""
        MESSAGE_MAPPER.check(message)
        assigned = [{"of_id": item_id, "message_key": message.key} for item_id in item_ids]

        def store(transaction: Transaction) -> None:
            _require(transaction.execute(self._sql.insert, iter([_next_row(message)])) == 1)
            _require(transaction.execute(self._sql.assign, iter(assigned)) == len(assigned))

        return await self._unless_overtaken(store)

    async def lease(self, now: datetime, until: datetime, by: str, limit: int) -> tuple[Message, ...]:
        """Lease up to `limit` messages that are due; a message that another process takes meanwhile is left out."""
        due = await self._messages(_due(now).limit(limit))
        wanted = [replace(message, state=MessageState.LEASED, leased_until=until, leased_by=by) for message in due]
        require_aware(until)
        leased: list[Message] = []

        def take(transaction: Transaction) -> None:
            leased.clear()
            leased.extend(message for message in wanted if self._update(transaction, message))

        if wanted:
            await self._access.perform(take)
        return tuple(replace(message, version=message.version + 1) for message in leased)

    async def listed(self, message_key: str) -> tuple[Listed, ...]:
        """List the items of a message with their marks, in the order of the marks' creation."""
        return await self._listed(_LISTED.where(ITEMS.c.message_key == message_key, COMPOSED).order_by(*_BY_MARK))

    async def items_of(self, notebook_id: str, limit: int) -> tuple[Listed, ...]:
        """List items about a notebook with their marks, the latest first."""
        query = _LISTED.where(MARKS.c.notebook_id == notebook_id)
        return await self._listed(query.order_by(ITEMS.c.not_before.desc(), ITEMS.c.id.desc()).limit(limit))

    async def record(
        self,
        message: Message,
        now: datetime,
        accepted: Sequence[str] = (),
        marks: Sequence[Mark] = (),
        items: Sequence[Item] = (),
    ) -> bool:
        """Store the result of an attempt, unless another process has written the message since it was leased."""
        MESSAGE_MAPPER.check(message)
        marks, items = checked(marks, items)
        moment = microseconds(now)
        rows = [{"of_id": item_id, "of_key": message.key, "accepted_at": moment} for item_id in accepted]

        def store(transaction: Transaction) -> None:
            _require(self._update(transaction, message))
            transaction.execute(self._sql.accept, iter(rows))
            self._writer.write(transaction, marks)
            self._writer.add_items(transaction, items)

        return await self._unless_overtaken(store, chains_of(marks))

    async def messages(self, limit: int, states: Collection[MessageState] = ()) -> tuple[Message, ...]:
        """List the latest messages, the newest first."""
        wanted: list[Any] = [MESSAGES.c.state.in_(sorted(state.value for state in states))] if states else []
        # They are few. A subquery, or SQLite would rather read all messages in the order of time.
        few = [select(MESSAGES.c.key).where(literal) for literal, those in _FEW if states and those.issuperset(states)]
        wanted += [MESSAGES.c.key.in_(keys) for keys in few]
        newest_first = _MESSAGE.where(*wanted).order_by(MESSAGES.c.created_at.desc(), MESSAGES.c.key.desc())
        return await self._messages(newest_first.limit(limit))

    async def message(self, key: str) -> Message | None:
        """Return a message by its key, or by a beginning of it that no other key has."""
        begins = begins_with(self._access.dialect.name, MESSAGES.c.key, key)
        exact = await self._messages(_MESSAGE.where(MESSAGES.c.key == key))
        found = exact or await self._messages(_MESSAGE.where(begins).limit(2))
        return found[0] if len(found) == 1 else None

    async def retry(self, key: str, now: datetime, by: str) -> bool:
        """Make a failed message PENDING and due, with no attempts."""
        row = {"of_key": key, "next_at": microseconds(now)}

        def again(transaction: Transaction) -> None:
            _require(transaction.execute(self._sql.retry, iter([row])) == 1)
            self._access.trail.append_one(transaction, "", partial(entry_of_retry, key, now, by))

        return await self._unless_overtaken(again, frozenset({""}))

    async def counts(self) -> tuple[OutboxCount, ...]:
        """Count the unsent messages, sorted by channel."""
        oldest = func.min(MESSAGES.c.created_at).label("oldest_at")
        query = select(MESSAGES.c.channel, func.count().label("pending"), oldest).where(UNSENT).group_by(MESSAGES.c.channel)
        rows = await self._access.rows(query)
        return tuple(sorted((_count_of(row) for row in rows), key=lambda count: count.channel))

    async def pause(self, pause: Pause) -> None:
        """Send nothing until it is resumed; it replaces an earlier pause."""
        moments = {"since": require_aware(pause.since), "until": require_aware(pause.until) if pause.until else None}
        in_utc = {name: moment.astimezone(UTC) if moment else None for name, moment in moments.items()}
        document = msgspec.json.encode(replace(pause, **in_utc)).decode()
        await self._access.write(Change(self._sql.upsert_meta, [{"key": PAUSED, "value": document}], dict))

    async def resume(self) -> None:
        """End the pause, if there is one."""
        await self._access.write(Change(self._sql.delete_meta, [{"of_key": PAUSED}], dict))

    async def paused(self) -> Pause | None:
        """Return the pause, also one that has ended by itself; None if there is none."""
        rows = await self._access.rows(select(META.c.value).where(META.c.key == PAUSED))
        with journal_errors(self._access.address):
            return next((msgspec.json.decode(row["value"], type=Pause) for row in rows), None)

    def _update(self, transaction: Transaction, message: Message) -> bool:
        row = {**_next_row(message), "of_key": message.key, "of_version": message.version}
        return transaction.execute(self._sql.update, iter([row])) == 1

    async def _unless_overtaken(self, steps: Steps, chains: frozenset[str] = frozenset()) -> bool:
        try:
            await self._access.perform(steps, chains=chains)
        except Overtaken:
            return False
        return True

    async def _messages(self, query: Select[Any]) -> tuple[Message, ...]:
        return await self._access.records(MESSAGE_MAPPER, query)

    async def _listed(self, query: Select[Any]) -> tuple[Listed, ...]:
        rows = await self._access.rows(query)
        with journal_errors(self._access.address):
            return tuple(Listed(ITEM_MAPPER.record_of(row), MARK_MAPPER.record_of(row)) for row in rows)


class OutboxStatements:
    """The compiled write statements of the outbox."""

    def __init__(self, dialect: Dialect) -> None:
        """Compile the statements for one kind of database."""
        statement = partial(compiled, dialect)
        unchanged = (MESSAGES.c.key == bindparam("of_key")) & (MESSAGES.c.version == bindparam("of_version"))
        failed = (MESSAGES.c.key == bindparam("of_key")) & (MESSAGES.c.state == literal_column("'FAILED'"))
        named = ITEMS.c.id == bindparam("of_id")
        listed = named & (ITEMS.c.message_key == bindparam("of_key")) & ITEMS.c.accepted_at.is_(None)
        pending = {
            "state": literal_column("'PENDING'"),
            "attempts": literal_column("0"),
            "leased_until": literal_column("NULL"),
            "leased_by": literal_column("''"),
            "ended_at": literal_column("NULL"),
            "version": MESSAGES.c.version + literal_column("1"),
        }
        self.insert = statement(insert_if_unique(dialect.name, MESSAGES), MESSAGE_MAPPER.names)
        self.update = statement(update(MESSAGES).where(unchanged), MESSAGE_MAPPER.names)
        self.retry = statement(update(MESSAGES).where(failed).values(pending), ["next_at", *pending])
        self.assign = statement(update(ITEMS).where(named, WAITING), ["message_key"])
        self.accept = statement(update(ITEMS).where(listed), ["accepted_at"])
        self.upsert_meta = statement(upsert(dialect.name, META), META.columns.keys())
        self.delete_meta = statement(delete(META).where(META.c.key == bindparam("of_key")), [])


def _due(now: datetime) -> Select[Any]:
    pending = (MESSAGES.c.state == MessageState.PENDING.value) & (MESSAGES.c.next_at <= now)
    lapsed = (MESSAGES.c.state == MessageState.LEASED.value) & or_(
        MESSAGES.c.leased_until.is_(None), MESSAGES.c.leased_until <= now
    )
    return _MESSAGE.where(UNSENT, pending | lapsed).order_by(MESSAGES.c.next_at, MESSAGES.c.created_at, MESSAGES.c.key)


def _next_row(message: Message) -> Row:
    return {**MESSAGE_MAPPER.row_of(message), "version": message.version + 1}


def _require(held: bool) -> None:  # noqa: FBT001  # a condition
    """Roll the transaction back if a condition does not hold.

    Raises:
        Overtaken: it does not.
    """
    if not held:
        raise Overtaken("The row has changed since it was read.")


def _count_of(row: RowMapping) -> OutboxCount:
    return OutboxCount(row["channel"], row["pending"], row["oldest_at"])
