"""Fills a journal with years of sweeps, as rows and past the ports, so that a million removals take a minute or two.

Every row is laid out by the mappers of the journal from records that it could have written; the audit trail is a valid chain
with the decision of each removal. The same numbers give the same journal.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice
from random import Random
from typing import Any

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Connection, Table, create_engine, make_url, text

import builders
import notice_builders
from nbsweep.adapters.journal import open_journal
from nbsweep.adapters.journal.audit_tables import AUDIT, AUDIT_CHAINS
from nbsweep.adapters.journal.inventory.tables import HOLDS, INVENTORY, SURVEYS
from nbsweep.adapters.journal.notices.tables import EXEMPTIONS, ITEMS, MARKS, MESSAGES
from nbsweep.adapters.journal.rows import RowMapper
from nbsweep.adapters.journal.tables import REMOVALS, RUNS, SIGHTINGS
from nbsweep.core.audit.chain import START, Head, join
from nbsweep.core.audit.entries import AuditEntry, entries_of
from nbsweep.core.identity import TargetIdentity
from nbsweep.core.lifecycle import Removal, State
from nbsweep.core.marks.model import ClearCause, Mark, MarkState
from nbsweep.core.model import Status, microseconds
from nbsweep.core.notices.outbox import Item, Message, MessageState
from nbsweep.core.runs import Outcome, RunRecord

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
NAMES = 20_000
OWNERS = 500
Row = Sequence[Any]


class Amount(Struct, frozen=True):
    """How much a journal holds."""

    removals: int = 1_000_000
    targets: int = 50
    nights: int = 730
    """One run each, over a fifth of the targets."""
    marks: int = 100_000
    """Of which one in fifty is open."""
    states: int = 200_000
    """States of the inventory that have ended; beside them, there are 400 open ones for each target."""
    endpoint: str = "https://modelarts.test"
    until: datetime = builders.NOON
    """The night of the last sweep is the one before."""

    def identity_of(self, target: int) -> TargetIdentity:
        """Return the identity of a target."""
        return builders.identity(endpoint=self.endpoint, project_id=project_id_of(target))


class Filling:
    """Makes the rows of one journal."""

    def __init__(self, amount: Amount) -> None:
        """Store how much to make."""
        self.amount = amount
        self._dice = Random(19)  # noqa: S311  # seeded dice, not cryptography
        self._heads: dict[str, Head] = {}
        self._runs = [
            (night, target)
            for night in range(amount.nights)
            for target in range(night % 5, amount.targets, min(5, amount.targets))
        ]

    def runs(self) -> Iterator[RunRecord]:
        """Yield the sweeps, the oldest first."""
        planned = len(range(0, self.amount.removals, len(self._runs)))
        for night, target in self._runs:
            begun = self._night(night)
            mine = self.amount.identity_of(target)
            yield RunRecord(
                run_id_of(night),
                name_of(target),
                begun,
                "schedule",
                dry_run=False,
                ended_at=begun + HOUR,
                outcome=Outcome.FINISHED,
                fleet=400,
                planned=planned,
                kept={"young": 200},
                project=mine.project,
                extent=mine.extent,
            )

    def removals(self) -> Iterator[Removal]:
        """Yield the removals in the order of their sweeps; most were deleted."""
        for number in range(self.amount.removals):
            night, target = self._runs[number * len(self._runs) // self.amount.removals]
            planned = self._night(night) + MINUTE
            owner = self._dice.randrange(OWNERS)
            state = State.DELETED if number % 50 else State.FAILED
            yield Removal(
                run_id=run_id_of(night),
                target=name_of(target),
                notebook_id=notebook_id_of(number),
                name=f"bert-eval-{number * 7919 % NAMES}",
                owner=f"user-{owner}",
                workspace_id="0",
                feature="NOTEBOOK",
                policy=f"policy-{number % 5}",
                reason="idle 200d (over 14d)",
                status_before=Status.STOPPED,
                capacity_gb=50,
                category="EVS",
                planned_at=planned,
                state=state,
                requested_at=planned + MINUTE,
                sent_at=planned + MINUTE,
                accepted_at=planned + MINUTE,
                ended_at=planned + 2 * MINUTE,
                deadline=planned + HOUR,
                requests=1,
                saw_deleting=True,
                request_id=f"{number:032x}",
                end_reason="" if state is State.DELETED else "the cloud says ERROR",
                project=self.amount.identity_of(target).project,
            )

    def marks(self) -> Iterator[Mark]:
        """Yield the marks, the oldest first; the latest ones are open."""
        count = self.amount.marks
        for number in range(count):
            is_open = number >= count - count // 50
            marked = self._night(number * self.amount.nights // count)
            target = number % self.amount.targets
            owner = number * 31 % OWNERS
            ended = (MarkState.REMOVED, None) if number % 3 else (MarkState.CLEARED, ClearCause.USED)
            state, cleared = (MarkState.TOLD, None) if is_open else ended
            yield replace(
                notice_builders.mark(number),
                id=f"mark-{number}",
                target=name_of(target),
                project=self.amount.identity_of(target).project,
                notebook_id=notebook_id_of(number, "m"),
                name=f"bert-eval-{number * 7919 % NAMES}",
                owner_id=f"{owner:032x}",
                owner_name=f"user-{owner}",
                marked_at=marked,
                state=state,
                told_at=marked + MINUTE,
                told_by="mail",
                deadline=marked + timedelta(days=7),
                notices=1,
                ended_at=None if is_open else marked + timedelta(days=8),
                cleared=cleared,
                version=2,
            )

    def items(self) -> Iterator[Item]:
        """Yield the announcement of each mark, ten in a message."""
        for number, mark in enumerate(self.marks()):
            yield replace(
                notice_builders.item(number),
                id=f"item-{number}",
                mark_id=mark.id,
                not_before=mark.marked_at,
                message_key=f"message-{number // 10}",
                accepted_at=mark.told_at,
            )

    def messages(self) -> Iterator[Message]:
        """Yield the messages, all of them sent."""
        for number, mark in enumerate(islice(self.marks(), 0, None, 10)):
            yield replace(
                notice_builders.message(number),
                key=f"message-{number}",
                created_at=mark.marked_at,
                next_at=mark.marked_at,
                slot=f"slot-{number}",
                state=MessageState.SENT,
                ended_at=mark.told_at,
                attempts=1,
                version=2,
            )

    def surveys(self) -> Iterator[Row]:
        """Yield the surveys, one of each sweep."""
        for number, (night, target) in enumerate(self._runs, 1):
            mine = self.amount.identity_of(target)
            yield (number, mine.project, name_of(target), mine.extent, microseconds(self._night(night)), True, 400, "c0ffee")

    def states(self) -> Iterator[Row]:
        """Yield the states of the inventory: those that have ended, and 400 open ones for each target."""
        of_target: dict[int, list[int]] = {}
        for number, (_, target) in enumerate(self._runs, 1):
            of_target.setdefault(target, []).append(number)
        for number in range(self.amount.states):
            target = number % self.amount.targets
            mine = of_target[target]
            place = number // self.amount.targets * (len(mine) - 1) // (self.amount.states // self.amount.targets + 1)
            yield self._state(notebook_id_of(number, "s"), target, (mine[place], mine[place + 1]), number)
        for target, mine in of_target.items():
            for number in range(400):
                yield self._state(notebook_id_of(target * 400 + number, "o"), target, (mine[-1], None), number)

    def entries(self) -> Iterator[Row]:
        """Yield the audit trail with the decision of each removal."""
        for place, removal in enumerate(self.removals(), 1):
            head = self._heads.get(removal.target, START)
            [link] = join(_decision(removal, head), head, removal.target)
            sequence, *older, newer = link.entry
            self._heads[removal.target] = Head(sequence, link.digest)
            yield (place, *older, link.digest, newer, link.chain, sequence)

    def heads(self) -> Iterator[Row]:
        """Yield the heads of the chains, when all entries were made."""
        for chain, head in self._heads.items():
            yield (chain, head.sequence, head.digest)

    def sightings(self) -> Iterator[Row]:
        """Yield when notebooks were last seen in use."""
        at = microseconds(builders.NOON)
        for number in range(self.amount.marks):
            yield (self.amount.identity_of(number % self.amount.targets).project, notebook_id_of(number, "m"), at)

    def exemptions(self) -> Iterator[Row]:
        """Yield exemptions that have ended."""
        at = microseconds(builders.NOON)
        for number in range(1000):
            target = name_of(number % self.amount.targets)
            given = (f"exemption-{number}", target, None, None, "alice", None, "leave", "", "li", "administrator", at)
            yield (*given, at + 1, None, "", "")

    def holds(self) -> Iterator[Row]:
        """Yield holds that have ended."""
        at = microseconds(builders.NOON)
        for number in range(2000):
            target = number % self.amount.targets
            held = (self.amount.identity_of(target).project, notebook_id_of(number, "h"), at, at, at + 1)
            yield (*held, name_of(target), "policy-1", "bert", "alice", 50)

    def _night(self, night: int) -> datetime:
        return self.amount.until - timedelta(days=self.amount.nights - night)

    def _state(self, notebook_id: str, target: int, surveys: tuple[int, int | None], number: int) -> Row:
        facts = (
            f'{{"n":"bert-train-{number * 7919 % NAMES}","s":"STOPPED","o":"user-{number % OWNERS}","f":"modelarts.vm.cpu.2u"}}'
        )
        key = (notebook_id, *surveys, self.amount.identity_of(target).project, "", "0", "NOTEBOOK")
        return (*key, None, number, None, None, None, None, facts)


def name_of(target: int) -> str:
    """Return the name of a target."""
    return f"target-{target}"


def project_id_of(target: int) -> str:
    """Return the id of a target's project."""
    return f"{0x0123456789ABCDEF0123456789ABCDEF + target:032x}"


def run_id_of(night: int) -> str:
    """Return the id of the run of one night."""
    return f"{night * 2654435761 % 2**32:08x}-{night:04}"


def notebook_id_of(number: int, kind: str = "r") -> str:
    """Return an id whose beginnings are spread as those of real ids."""
    return f"{number * 2654435761 % 2**32:08x}-{kind}-{number:020}"


def fill_journal(url: str, amount: Amount) -> None:
    """Make a journal at `url`, and fill it; on SQLite or PostgreSQL."""
    asyncio.run(_create(url))
    filling = Filling(amount)
    tables: Sequence[tuple[Table, Callable[[], Iterable[Row]]]] = (
        (RUNS, lambda: _rows(RUNS, RunRecord, filling.runs())),
        (REMOVALS, lambda: _planned(filling.removals())),
        (MARKS, lambda: _rows(MARKS, Mark, filling.marks())),
        (ITEMS, lambda: _rows(ITEMS, Item, filling.items())),
        (MESSAGES, lambda: _rows(MESSAGES, Message, filling.messages())),
        (SURVEYS, filling.surveys),
        (INVENTORY, filling.states),
        (SIGHTINGS, filling.sightings),
        (EXEMPTIONS, filling.exemptions),
        (HOLDS, filling.holds),
        (AUDIT, filling.entries),
        (AUDIT_CHAINS, filling.heads),
    )
    engine = create_engine(make_url(url).set(drivername="sqlite" if url.startswith("sqlite") else "postgresql+psycopg"))
    with engine.begin() as connection:
        indices = _dropped_indices(connection, [table.name for table, _ in tables])
        for table, rows in tables:
            _insert(connection, table, rows())
        for statement in indices:
            connection.execute(text(statement))
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT setval('audit_id_seq', (SELECT max(id) FROM audit))"))
    engine.dispose()


async def _create(url: str) -> None:
    async with open_journal(url):
        pass


def _rows(table: Table, kind: Any, records: Iterable[Any]) -> Iterator[Row]:
    mapper: Any = RowMapper(kind, table)
    names = [column.name for column in table.columns]
    for record in records:
        row = mapper.row_of(record)
        yield tuple(row[name] for name in names)


def _planned(removals: Iterable[Removal]) -> Iterator[Row]:
    mapper = RowMapper(Removal, REMOVALS)
    names = [column.name for column in REMOVALS.columns]
    run, position = "", 0
    for removal in removals:
        position = position + 1 if run == removal.run_id else 0
        run = removal.run_id
        row = {**mapper.row_of(removal), "position": position}
        yield tuple(row[name] for name in names)


def _decision(removal: Removal, head: Head) -> Sequence[AuditEntry]:
    planned = replace(removal, state=State.PLANNED, requests=0, request_id="", end_reason="")
    return entries_of(planned, None, "schedule", head.sequence)


def _dropped_indices(connection: Connection, tables: Sequence[str]) -> list[str]:
    """Drop the indices of these tables, which make a bulk of rows slow, and return the statements that make them again."""
    if connection.dialect.name == "sqlite":
        found = connection.execute(
            text("SELECT tbl_name, name, sql FROM sqlite_master WHERE type = 'index' AND sql <> ''")
        ).all()
    else:
        found = connection.execute(
            text(
                "SELECT tablename, indexname, indexdef FROM pg_indexes "
                "WHERE schemaname = 'public' AND indexname NOT IN (SELECT conname FROM pg_constraint)"
            )
        ).all()
    # A trigger looks for the last entry of a chain before each insertion.
    mine = [(name, statement) for table, name, statement in found if table in tables and name != "audit_by_chain"]
    for name, _ in mine:
        connection.execute(text(f"DROP INDEX {name}"))
    return [statement for _, statement in mine]


def _insert(connection: Connection, table: Table, rows: Iterable[Row]) -> None:
    names = ", ".join(f'"{column.name}"' for column in table.columns)
    driver: Any = connection.connection.driver_connection
    if connection.dialect.name == "sqlite":
        places = ", ".join("?" for _ in table.columns)
        driver.executemany(f"INSERT INTO {table.name} ({names}) VALUES ({places})", rows)  # noqa: S608  # names of columns
        return
    with driver.cursor() as cursor, cursor.copy(f"COPY {table.name} ({names}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)
