"""The audit trail in the database; entries are written in the same transaction as their removals."""

import json
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Dialect,
    RowMapping,
    Select,
    bindparam,
    case,
    func,
    insert,
    select,
    tuple_,
    type_coerce,
)

from nbsweep.adapters.journal.dialects import compiled_positionally, compiled_question, listed_in
from nbsweep.adapters.journal.tables import AUDIT, REMOVALS, RUNS
from nbsweep.adapters.journal.transaction import Transaction
from nbsweep.core.audit.chain import START, Head, Link, join
from nbsweep.core.audit.entries import AuditCoverage, AuditEntry, AuditQuery, RemovalSnapshot, entries_of
from nbsweep.core.audit.steps import AuditStep
from nbsweep.core.lifecycle import Removal
from nbsweep.core.model import microseconds

CHUNK = 1000
"""Number of removals that are in memory at once with their entries."""

Fetch = Callable[[Select[*tuple[Any, ...]]], Awaitable[Sequence[RowMapping]]]
"""Runs a query."""

*_OLDER, _NEWER = AuditEntry._fields
_COLUMNS = (*_OLDER, "digest", _NEWER)
"""The columns in the order of the table, to which `project` was added later."""
_LINK = select(*(AUDIT.c[name] for name in _COLUMNS))
_LAST = select(func.max(AUDIT.c.sequence)).scalar_subquery()
_HEAD = select(AUDIT.c.sequence, AUDIT.c.digest).where(AUDIT.c.sequence == _LAST)


def _coverage() -> Select[int, int]:
    same = [REMOVALS.c[name] for name in ("run_id", "target", "notebook_id")]
    decided = select(AUDIT.c.run_id, AUDIT.c.target, AUDIT.c.notebook_id).where(AUDIT.c.what == AuditStep.DECIDED.value)
    first = select(func.min(AUDIT.c.sequence)).scalar_subquery()
    began_us = select(AUDIT.c.moment_us).where(AUDIT.c.sequence == first).scalar_subquery()
    later = case((type_coerce(REMOVALS.c.planned_at, BigInteger) >= began_us, 1))
    counts = select(func.count().label("undecided"), func.count(later).label("missing"))
    return counts.select_from(REMOVALS).where(tuple_(*same).not_in(decided))


_COVERAGE = _coverage()


class TrailWriter:
    """Appends entries to the chain, and builds those for removals that are about to be written."""

    def __init__(self, dialect: Dialect) -> None:
        """Compile the statements, because a sweep needs each of them in every commit."""
        mine = [REMOVALS.c.run_id == bindparam("run"), REMOVALS.c.target == bindparam("target")]
        stage = select(REMOVALS.c.notebook_id, REMOVALS.c.state, REMOVALS.c.requests, REMOVALS.c.failures, REMOVALS.c.sent_at)
        asked_for = listed_in(dialect.name, REMOVALS.c.notebook_id, "notebooks")
        starter = select(RUNS.c.started_by).where(RUNS.c.run_id == bindparam("run"), RUNS.c.target == bindparam("target"))
        self._stages = compiled_question(dialect, stage.where(*mine, asked_for))
        self._starter = compiled_question(dialect, starter)
        self._head = compiled_question(dialect, _HEAD)
        self._insert = compiled_positionally(dialect, insert(AUDIT), _COLUMNS)

    def append(self, transaction: Transaction, removals: Iterator[Removal]) -> None:
        """Append the entries for writes of removals, before the removals are written.

        Raises:
            ValueError: a moment has no time zone.
        """
        head = self.head(transaction)
        while chunk := list(islice(removals, CHUNK)):
            head = self.extend(transaction, self._entries(transaction, chunk, head.sequence), head)

    def head(self, transaction: Transaction) -> Head:
        """Return the head of the chain."""
        return _head_of(transaction.fetch(self._head, {}))

    def extend(self, transaction: Transaction, entries: Iterable[AuditEntry], head: Head) -> Head:
        """Append entries, which are numbered from the head on, and return the new head."""
        links = join(entries, head)
        if not links:
            return head
        transaction.execute(self._insert, (_laid_out(link) for link in links))
        return Head(links[-1].entry.sequence, links[-1].digest)

    def _entries(self, transaction: Transaction, removals: Sequence[Removal], last: int) -> Iterator[AuditEntry]:
        runs = {(removal.run_id, removal.target) for removal in removals}
        starters = {run: self._started_by(transaction, run) for run in runs}
        stages = {run: self._known(transaction, run, removals) for run in runs}
        met: dict[tuple[str, str, str], Removal] = {}
        for removal in removals:
            run, key = (removal.run_id, removal.target), (removal.run_id, removal.target, removal.notebook_id)
            before = RemovalSnapshot.of(met[key]) if key in met else stages[run].get(as_stored(removal.notebook_id))
            met[key] = removal
            entries = entries_of(removal, before, starters[run], last)
            last += len(entries)
            yield from entries

    def _known(self, transaction: Transaction, run: tuple[str, str], removals: Sequence[Removal]) -> dict[str, RemovalSnapshot]:
        run_id, target = run
        asked_for = [
            as_stored(removal.notebook_id) for removal in removals if removal.run_id == run_id and removal.target == target
        ]
        rows = transaction.fetch(self._stages, {"run": run_id, "target": target, "notebooks": json.dumps(asked_for)})
        return {row[0]: RemovalSnapshot(*row[1:]) for row in rows}

    def _started_by(self, transaction: Transaction, run: tuple[str, str]) -> str:
        rows = transaction.fetch(self._starter, {"run": run[0], "target": run[1]})
        return str(rows[0][0]) if rows else ""


class SqlTrail:
    """The `AuditTrail` port: reads the audit trail."""

    def __init__(self, fetch: Fetch) -> None:
        """Store the function that runs queries."""
        self._fetch = fetch

    async def head(self) -> Head:
        """Return the sequence number and the digest of the last entry."""
        return _head_of([(row["sequence"], row["digest"]) for row in await self._fetch(_HEAD)])

    async def after(self, sequence: int, limit: int) -> tuple[Link, ...]:
        """List the entries after one, in the order of the chain."""
        following = _LINK.where(AUDIT.c.sequence > sequence).order_by(AUDIT.c.sequence)
        return tuple(map(_link_of, await self._fetch(following.limit(limit))))

    async def latest(self, query: AuditQuery, limit: int) -> tuple[Link, ...]:
        """List the latest entries that match the query, the newest first."""
        matching = _LINK.where(*_conditions(query)).order_by(AUDIT.c.sequence.desc())
        return tuple(map(_link_of, await self._fetch(matching.limit(limit))))

    async def coverage(self) -> AuditCoverage:
        """Count the removals whose decision is not on the trail."""
        row = (await self._fetch(_COVERAGE))[0]
        return AuditCoverage(row["undecided"] - row["missing"], row["missing"])


def _laid_out(link: Link) -> tuple[Any, ...]:
    *older, newer = link.entry
    return (*older, link.digest, newer)


def _conditions(query: AuditQuery) -> Iterable[ColumnElement[bool]]:
    for name in ("target", "run_id", "notebook_id", "policy", "what"):
        value = getattr(query, name)
        if value is not None:
            yield AUDIT.c[name] == str(value)
    if query.since is not None:
        yield AUDIT.c.moment_us >= microseconds(query.since)
    if query.who is not None:
        # A database may fold only ASCII letters, and what is written in the same case has to match anyway.
        folded = func.lower(AUDIT.c.started_by).contains(query.who.lower(), autoescape=True)
        yield folded | AUDIT.c.started_by.contains(query.who, autoescape=True)
    if query.before is not None:
        yield AUDIT.c.sequence < query.before


def as_stored(notebook_id: str) -> str:
    """Return an id without NUL, which PostgreSQL rejects, so that a query for any id succeeds."""
    return notebook_id.replace("\0", "\ufffd")


def _head_of(rows: Sequence[Sequence[Any]]) -> Head:
    return Head(*rows[0]) if rows else START


def _link_of(row: RowMapping) -> Link:
    return Link(AuditEntry(*(row[name] for name in AuditEntry._fields)), row["digest"])
