"""The port `InventoryRecords` on SQLAlchemy Core."""

from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import datetime, timedelta
from functools import cached_property
from itertools import chain
from typing import Any

from anyio import to_thread
from msgspec import convert, json
from msgspec.structs import replace
from sqlalchemy import (
    ColumnElement,
    Dialect,
    RowMapping,
    Select,
    bindparam,
    delete,
    exists,
    func,
    insert,
    literal_column,
    select,
    true,
    tuple_,
    update,
)

from nbsweep.adapters.journal.dialects import among, compiled, compiled_question, insert_if_unique, json_object, upsert
from nbsweep.adapters.journal.errors import journal_errors
from nbsweep.adapters.journal.inventory.covered import covered, known_with
from nbsweep.adapters.journal.inventory.search import notebooks_beginning
from nbsweep.adapters.journal.inventory.tables import INVENTORY, LASTS, SURVEYS
from nbsweep.adapters.journal.records.access import Access
from nbsweep.adapters.journal.rows import Row
from nbsweep.adapters.journal.sql.beginnings import begins_with
from nbsweep.adapters.journal.tables import META
from nbsweep.adapters.journal.transaction import Change, Transaction
from nbsweep.core.identity import TargetIdentity
from nbsweep.core.inventory.facts import KnownOwner, owners_of
from nbsweep.core.inventory.model import Closed, Moved, NotebookState, Opened, OpenState, SurveyRecord
from nbsweep.core.inventory.recording import Changes
from nbsweep.core.lookup import NotebookRef
from nbsweep.core.model import microseconds, moment_of

PRUNED = "inventory pruned"
"""The key in `META` of the time when old states were deleted last, in microseconds."""
A_DAY = timedelta(days=1)
PRUNED_AT_ONCE = 1000
_OPEN_FIELDS = OpenState.__struct_fields__
_OPEN_STATES = json.Decoder(dict[str, OpenState])
_FACTS = json.Decoder(dict[str, tuple[str]])
_ENDED = SURVEYS.alias("ended")
_STATE = select(INVENTORY, SURVEYS.c.target, SURVEYS.c.at.label("seen_from"), _ENDED.c.at.label("seen_until")).select_from(
    INVENTORY.join(SURVEYS, SURVEYS.c.id == INVENTORY.c.first_survey).outerjoin(_ENDED, _ENDED.c.id == INVENTORY.c.ended_by)
)


class SqlInventory:
    """The inventory, in two tables of the journal."""

    def __init__(self, access: Access) -> None:
        """Store the open journal."""
        self._access = access
        self._sql = _Statements(access.dialect)

    async def open_states(self, identity: TargetIdentity) -> Mapping[str, OpenState]:
        """Return the open states of the notebooks that a target covers, by notebook id."""
        columns = (INVENTORY.c.first_survey, *(INVENTORY.c[name] for name in _OPEN_FIELDS[1:]))
        states = json_object(self._access.dialect.name, INVENTORY.c.notebook_id, columns).label("states")
        [row] = await self._access.rows(select(states).where(LASTS, *covered(identity)))
        with journal_errors(self._access.address):
            return _OPEN_STATES.decode(row["states"] or "{}")

    async def record(self, survey: SurveyRecord, changes: Changes) -> int:
        """Store a survey and its changes in one transaction, and return the survey's number."""
        row, identity = _survey_row(survey), survey.identity
        caller = identity.caller if identity else ""
        number = 0

        def store(transaction: Transaction) -> None:
            nonlocal number
            [[number]] = transaction.fetch(self._sql.next_number, {})
            transaction.execute(self._sql.insert_survey, iter([{**row, "id": number}]))
            closed = (_closed_row(closed, number) for closed in changes.closed())
            _execute_for_rows(transaction, lambda: self._sql.close, closed)
            _execute_for_rows(transaction, lambda: self._sql.move, map(_moved_row, changes.moved()))
            shared = {"first_survey": number, "project": survey.project, "caller": caller}
            opened = ({**_opened_row(opened), **shared} for opened in changes.opened())
            _execute_for_rows(transaction, lambda: self._sql.open, opened)

        await self._access.perform(store)
        return number

    async def surveys(self, since: datetime, until: datetime, target: str | None = None) -> tuple[SurveyRecord, ...]:
        """List the surveys from `since` to `until`, both included, in the order of their numbers."""
        named = true() if target is None else SURVEYS.c.target == target
        query = select(SURVEYS).where(SURVEYS.c.at >= since, SURVEYS.c.at <= until, named)
        return await self._surveys(query.order_by(SURVEYS.c.id))

    async def surveys_at(self, at: datetime, target: str | None = None) -> tuple[SurveyRecord, ...]:
        """Return the latest survey of each target and extent that is not later than a moment, sorted by target."""
        named = true() if target is None else SURVEYS.c.target == target
        place = (SURVEYS.c.project, SURVEYS.c.target, SURVEYS.c.extent)
        latest = select(func.max(SURVEYS.c.id)).where(SURVEYS.c.at <= at, named).group_by(*place)
        query = select(SURVEYS).where(SURVEYS.c.id.in_(latest))
        return await self._surveys(query.order_by(SURVEYS.c.target, SURVEYS.c.id))

    async def states_at(self, survey: SurveyRecord, notebook_ids: Collection[str] | None = None) -> tuple[NotebookState, ...]:
        """List the states of the notebooks that a survey covers, or of these of them, as they were known with it, by id."""
        identity = survey.identity
        if identity is None:
            return ()
        known = known_with(_STATE.where(among(INVENTORY.c.notebook_id, notebook_ids)), survey, identity)
        return await self._states(select(known).order_by(known.c.notebook_id))

    async def owners_at(self, survey: SurveyRecord) -> tuple[KnownOwner, ...]:
        """List the owners of the notebooks that a survey covers as they were known with it, each with its notebooks."""
        identity = survey.identity
        if identity is None:
            return ()
        known = known_with(select(INVENTORY.c.notebook_id, INVENTORY.c.facts), survey, identity)
        key, encoded = known.c
        facts = json_object(self._access.dialect.name, key, [encoded]).label("facts")
        [row] = await self._access.rows(select(facts))
        with journal_errors(self._access.address):
            # Thousands of notebooks, which would hold up everything else.
            return await to_thread.run_sync(_owners_in, row["facts"])

    async def states_between(
        self, identity: TargetIdentity, surveys: tuple[int, int], after: tuple[int, str] | None, limit: int
    ) -> tuple[NotebookState, ...]:
        """List states that a target covers and that lasted at any of these surveys, by their first survey, in parts."""
        first, last = surveys
        began, key = INVENTORY.c.first_survey, INVENTORY.c.notebook_id
        lasted = INVENTORY.c.ended_by.is_(None) | (INVENTORY.c.ended_by > first)
        query = _STATE.where(*covered(identity), began <= last, lasted)
        if after is not None:
            query = query.where((began > after[0]) | ((began == after[0]) & (key > after[1])))
        return await self._states(query.order_by(began, key).limit(limit))

    async def states_of(self, beginning: str) -> tuple[NotebookState, ...]:
        """List all states of the notebooks with this id or beginning of an id, sorted by id, the oldest state first."""
        query = _STATE.where(begins_with(self._access.dialect.name, INVENTORY.c.notebook_id, beginning))
        return await self._states(query.order_by(INVENTORY.c.notebook_id, INVENTORY.c.first_survey))

    async def latest_states(self, notebook_id: str, limit: int) -> tuple[NotebookState, ...]:
        """List the latest states of the notebook with this id, the latest first."""
        query = _STATE.where(INVENTORY.c.notebook_id == notebook_id)
        return await self._states(query.order_by(INVENTORY.c.first_survey.desc()).limit(limit))

    async def notebooks(self, text: str, limit: int) -> tuple[NotebookRef, ...]:
        """List notebooks whose name or id begins with a text, those with a lasting state first."""
        found: list[NotebookRef] = []
        for lasting in (True, False):
            if len(found) < limit:
                rows = await self._access.rows(notebooks_beginning(self._access.dialect.name, text, limit, lasting=lasting))
                found += (NotebookRef(row["target"], row["notebook_id"], row["name"], row["owner"]) for row in rows)
        return tuple(dict.fromkeys(found))[:limit]

    async def prune(self, before: datetime, now: datetime) -> int:
        """Delete the states that ended before a moment, and the surveys that no state needs; return how many states."""
        if not await self._is_due(now):
            return 0
        note = {"key": PRUNED, "value": str(microseconds(now))}
        await self._access.write(Change(self._sql.upsert_meta, [note], dict))
        found, parameters = 0, {"before": microseconds(before)}
        while met := await self._delete(self._sql.prune, parameters):
            found += met
        while await self._delete(self._sql.prune_surveys, parameters):
            pass
        return found

    async def _is_due(self, now: datetime) -> bool:
        rows = await self._access.rows(select(META.c.value).where(META.c.key == PRUNED))
        with journal_errors(self._access.address):
            return all(abs(now - moment_of(int(row["value"]))) >= A_DAY for row in rows)

    async def _delete(self, sql: str, parameters: Row) -> int:
        met = 0

        def delete_some(transaction: Transaction) -> None:
            nonlocal met
            met = transaction.execute(sql, iter([parameters]))

        await self._access.perform(delete_some)
        return met

    async def _surveys(self, query: Select[Any]) -> tuple[SurveyRecord, ...]:
        rows = await self._access.rows(query)
        with journal_errors(self._access.address):
            return tuple(convert({name: row[name] for name in SurveyRecord.__struct_fields__}, SurveyRecord) for row in rows)

    async def _states(self, query: Select[Any]) -> tuple[NotebookState, ...]:
        rows = await self._access.rows(query)
        with journal_errors(self._access.address):
            return tuple(map(_state_of, rows))


def _execute_for_rows(transaction: Transaction, statement: Callable[[], str], rows: Iterator[Row]) -> None:
    """Execute a statement for each row; without a row, it is not even compiled."""
    for first in rows:
        transaction.execute(statement(), chain([first], rows))


class _Statements:
    """The statements, each compiled when it is needed first: most surveys change little, and prune nothing."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect

    @cached_property
    def next_number(self) -> str:
        # Literals, because all parameters in the text are taken from the rows.
        following = func.coalesce(func.max(SURVEYS.c.id) + literal_column("1"), literal_column("1"))
        return compiled_question(self._dialect, select(following))

    @cached_property
    def insert_survey(self) -> str:
        return compiled(self._dialect, insert(SURVEYS), SURVEYS.columns.keys())

    @cached_property
    def close(self) -> str:
        return compiled(self._dialect, _UPDATE_OPEN, ["ended_by"])

    @cached_property
    def move(self) -> str:
        return compiled(self._dialect, _UPDATE_OPEN, ["latest_updated_us", "latest_lease_updated_us"])

    @cached_property
    def open(self) -> str:
        return compiled(self._dialect, insert_if_unique(self._dialect.name, INVENTORY), INVENTORY.columns.keys())

    @cached_property
    def prune(self) -> str:
        past = select(SURVEYS.c.id).where(SURVEYS.c.at < bindparam("before"))
        ended = select(*_KEY).where(INVENTORY.c.ended_by.in_(past))
        return compiled(self._dialect, delete(INVENTORY).where(tuple_(*_KEY).in_(_first(ended))), [])

    @cached_property
    def prune_surveys(self) -> str:
        begun = exists().where(INVENTORY.c.project == SURVEYS.c.project, INVENTORY.c.first_survey == SURVEYS.c.id)
        ended = exists().where(INVENTORY.c.ended_by == SURVEYS.c.id)
        newest = select(func.max(SURVEYS.c.id)).scalar_subquery()
        past = select(SURVEYS.c.id).where(SURVEYS.c.at < bindparam("before"), ~begun, ~ended, SURVEYS.c.id < newest)
        return compiled(self._dialect, delete(SURVEYS).where(SURVEYS.c.id.in_(_first(past))), [])

    @cached_property
    def upsert_meta(self) -> str:
        return compiled(self._dialect, upsert(self._dialect.name, META), META.columns.keys())


_KEY = (INVENTORY.c.notebook_id, INVENTORY.c.first_survey)
_UPDATE_OPEN = update(INVENTORY).where(
    (INVENTORY.c.notebook_id == bindparam("of_id")) & (INVENTORY.c.first_survey == bindparam("of_survey")), LASTS
)


def _first(query: Select[Any]) -> Select[Any]:
    """Limit what one statement deletes; by literals, because all parameters in the text are taken from the rows."""
    most: ColumnElement[int] = literal_column(str(PRUNED_AT_ONCE))
    return query.limit(most).offset(literal_column("0"))


def _owners_in(document: str | None) -> tuple[KnownOwner, ...]:
    return owners_of((key, facts) for key, (facts,) in _FACTS.decode(document or "{}").items())


def _survey_row(survey: SurveyRecord) -> Row:
    return {name: getattr(survey, name) for name in survey.__struct_fields__} | {"at": microseconds(survey.at)}


def _closed_row(closed: Closed, number: int) -> Row:
    return {"of_id": closed.notebook_id, "of_survey": closed.survey, "ended_by": number}


def _moved_row(moved: Moved) -> Row:
    times = {"latest_updated_us": moved.updated_us, "latest_lease_updated_us": moved.lease_updated_us}
    return {"of_id": moved.notebook_id, "of_survey": moved.survey, **times}


def _opened_row(opened: Opened) -> Row:
    """Return the columns of a new state that are its own."""
    row: Row = {name: getattr(opened, name) for name in opened.__struct_fields__}
    return {**row, "facts": opened.facts.decode(), "ended_by": None, "latest_updated_us": None, "latest_lease_updated_us": None}


def _state_of(row: RowMapping) -> NotebookState:
    """Convert a row to a state.

    Raises:
        ValueError: it holds something that a state cannot have.
    """
    state = convert({name: row[name] for name in NotebookState.__struct_fields__}, NotebookState)
    if state.seen_until is None or state.seen_until >= state.seen_from:
        return state
    # The clock was set back in between.
    return replace(state, seen_until=state.seen_from)
