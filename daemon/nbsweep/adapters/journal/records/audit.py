"""The audit trail in the database; entries are written in the same transaction as their removals."""

import json
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import Any, Protocol

from sqlalchemy import (
    BigInteger,
    Dialect,
    RowMapping,
    Select,
    bindparam,
    case,
    func,
    insert,
    literal_column,
    select,
    tuple_,
    type_coerce,
)

from nbsweep.adapters.journal.audit_tables import AUDIT, AUDIT_CHAINS
from nbsweep.adapters.journal.dialects import compiled, compiled_positionally, compiled_question, listed_in, upsert
from nbsweep.adapters.journal.records.audit_search import latest_entries, people_like
from nbsweep.adapters.journal.tables import REMOVALS, RUNS
from nbsweep.adapters.journal.transaction import Transaction
from nbsweep.core.audit.chain import LEGACY, Head, Link, join
from nbsweep.core.audit.entries import AuditCoverage, AuditEntry, AuditQuery, RemovalSnapshot, entries_of
from nbsweep.core.audit.heads import in_order
from nbsweep.core.audit.steps import AuditStep
from nbsweep.core.audit.verification import anchor_of
from nbsweep.core.lifecycle import Removal

CHUNK = 1000
"""Number of removals that are in memory at once with their entries."""

Fetch = Callable[[Select[*tuple[Any, ...]]], Awaitable[Sequence[RowMapping]]]
"""Runs a query."""

_SEQUENCE, *_OLDER, _NEWER = AuditEntry._fields
_COLUMNS = (*_OLDER, "digest", _NEWER, "chain", _SEQUENCE)
"""The columns in the order of the table, to which some were added later; the database fills the first."""
_LINK = select(AUDIT.c.id, *(AUDIT.c[name] for name in _COLUMNS))
_RECORDED = select(AUDIT_CHAINS.c.chain, AUDIT_CHAINS.c.sequence, AUDIT_CHAINS.c.digest)
_ENTRIES = select(AUDIT.c.chain).distinct()


def _coverage() -> Select[str, int, int]:
    same = [REMOVALS.c[name] for name in ("run_id", "target", "notebook_id")]
    decided = select(AUDIT.c.run_id, AUDIT.c.target, AUDIT.c.notebook_id).where(AUDIT.c.what == AuditStep.DECIDED.value)
    # With NOT IN, PostgreSQL would read all decisions for each removal.
    undecided = select(*same).except_(decided)
    first = select(func.min(AUDIT.c.id)).scalar_subquery()
    began_us = select(AUDIT.c.moment_us).where(AUDIT.c.id == first).scalar_subquery()
    later = case((type_coerce(REMOVALS.c.planned_at, BigInteger) >= began_us, 1))
    counts = select(REMOVALS.c.target, func.count().label("undecided"), func.count(later).label("missing"))
    return counts.where(tuple_(*same).in_(undecided)).group_by(REMOVALS.c.target)


_COVERAGE = _coverage()


class TrailWriter:
    """Appends entries to chains, and builds those for removals that are about to be written."""

    def __init__(self, dialect: Dialect) -> None:
        """Compile the statements, because a sweep needs each of them in every commit."""
        mine = [REMOVALS.c.run_id == bindparam("run"), REMOVALS.c.target == bindparam("target")]
        stage = select(REMOVALS.c.notebook_id, REMOVALS.c.state, REMOVALS.c.requests, REMOVALS.c.failures, REMOVALS.c.sent_at)
        asked_for = listed_in(dialect.name, REMOVALS.c.notebook_id, "notebooks")
        starter = select(RUNS.c.started_by).where(RUNS.c.run_id == bindparam("run"), RUNS.c.target == bindparam("target"))
        self._stages = compiled_question(dialect, stage.where(*mine, asked_for))
        self._starter = compiled_question(dialect, starter)
        legacy_too = AUDIT_CHAINS.c.chain.in_([bindparam("chain"), literal_column(f"'{LEGACY}'")])
        self.ask_head = compiled_question(dialect, _RECORDED.where(legacy_too))
        self.insert = compiled_positionally(dialect, insert(AUDIT), _COLUMNS)
        self.upsert_head = compiled(dialect, upsert(dialect.name, AUDIT_CHAINS), AUDIT_CHAINS.columns.keys())

    def append(self, transaction: Transaction, removals: Iterator[Removal]) -> None:
        """Append the entries for writes of removals, before the removals are written.

        Raises:
            ValueError: a moment has no time zone.
        """
        appender = self.appender(transaction)
        while chunk := list(islice(removals, CHUNK)):
            self._append(transaction, chunk, appender)

    def appender(self, transaction: Transaction) -> "Appender":
        """Return what appends entries in one transaction."""
        return Appender(self, transaction)

    def append_one(self, transaction: Transaction, target: str, entry_of: Callable[[int], AuditEntry]) -> None:
        """Append one entry, made with its number, to the chain of a target."""
        self.appender(transaction).append(target, lambda last: [entry_of(last + 1)])

    def _append(self, transaction: Transaction, removals: Sequence[Removal], appender: "Appender") -> None:
        runs = {(removal.run_id, removal.target) for removal in removals}
        starters = {run: self._started_by(transaction, run) for run in runs}
        stages = {run: self._known(transaction, run, removals) for run in runs}
        met: dict[tuple[str, str, str], Removal] = {}
        for removal in removals:
            run, key = (removal.run_id, removal.target), (removal.run_id, removal.target, removal.notebook_id)
            before = RemovalSnapshot.of(met[key]) if key in met else stages[run].get(as_stored(removal.notebook_id))
            met[key] = removal
            appender.add(removal.target, partial(entries_of, removal, before, starters[run]))
        appender.write()

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


@dataclass(slots=True)
class Appender:
    """Appends entries to chains in one transaction; on PostgreSQL, the transaction has locked these chains."""

    _trail: TrailWriter
    _transaction: Transaction
    _heads: dict[str, Head] = field(default_factory=dict, init=False)
    _links: list[Link] = field(default_factory=list, init=False)
    _grown: set[str] = field(default_factory=set, init=False)

    def append(self, target: str, entries_after: Callable[[int], Iterable[AuditEntry]]) -> None:
        """Append entries to the chain of a target; `entries_after` numbers them from the last entry on."""
        self.add(target, entries_after)
        self.write()

    def add(self, target: str, entries_after: Callable[[int], Iterable[AuditEntry]]) -> None:
        """Do what `append` does, but keep the entries until `write` is called."""
        chain = chain_of(target)
        head = self._heads.get(chain) or self._recorded(chain)
        links = join(entries_after(head.sequence), head, chain)
        if links:
            head = Head(links[-1].entry.sequence, links[-1].digest)
            self._links += links
            self._grown.add(chain)
        self._heads[chain] = head

    def write(self) -> None:
        """Write the entries that were added, and the heads of their chains."""
        if not self._links:
            return
        self._transaction.execute(self._trail.insert, map(_laid_out, self._links))
        grown = ((chain, self._heads[chain]) for chain in sorted(self._grown))
        self._transaction.execute(
            self._trail.upsert_head,
            ({"chain": chain, "sequence": head.sequence, "digest": head.digest} for chain, head in grown),
        )
        self._links = []
        self._grown.clear()

    def _recorded(self, chain: str) -> Head:
        rows = self._transaction.fetch(self._trail.ask_head, {"chain": chain})
        heads = {name: Head(sequence, digest) for name, sequence, digest in rows}
        return heads.get(chain) or anchor_of(heads.get(LEGACY))


class SqlTrail:
    """The `AuditTrail` port: reads the audit trail."""

    def __init__(self, fetch: Fetch) -> None:
        """Store the function that runs queries."""
        self._fetch = fetch

    async def heads(self) -> Mapping[str, Head]:
        """Return the recorded head of each chain."""
        return {row["chain"]: Head(row["sequence"], row["digest"]) for row in await self._fetch(_RECORDED)}

    async def chains(self) -> tuple[str, ...]:
        """List the chains that have entries or a recorded head."""
        with_entries = {row["chain"] for row in await self._fetch(_ENTRIES)}
        return tuple(in_order(with_entries | (await self.heads()).keys()))

    async def head(self, chain: str) -> Head | None:
        """Return the recorded head of a chain."""
        rows = await self._fetch(_RECORDED.where(AUDIT_CHAINS.c.chain == chain))
        return next((Head(row["sequence"], row["digest"]) for row in rows), None)

    async def after(self, chain: str, sequence: int, limit: int) -> tuple[Link, ...]:
        """List the entries of a chain after one, in its order."""
        following = _LINK.where(AUDIT.c.chain == chain, AUDIT.c.sequence > sequence).order_by(AUDIT.c.sequence)
        return tuple(map(_link_of, await self._fetch(following.limit(limit))))

    async def latest(self, query: AuditQuery, limit: int) -> tuple[Link, ...]:
        """List the latest entries that match the query, the newest first."""
        names = None if query.who is None else [row["name"] for row in await self._fetch(people_like(query.who))]
        if names is not None and not names:
            return ()
        return tuple(map(_link_of, await self._fetch(latest_entries(_LINK, query, names, limit))))

    async def coverage(self) -> tuple[AuditCoverage, ...]:
        """Count the removals whose decision is not on the trail, for each target that has some."""
        rows = await self._fetch(_COVERAGE)
        found = (AuditCoverage(row["target"], row["undecided"] - row["missing"], row["missing"]) for row in rows)
        return tuple(sorted(found, key=lambda each: each.target))


def _laid_out(link: Link) -> tuple[Any, ...]:
    sequence, *older, newer = link.entry
    return (*older, link.digest, newer, link.chain, sequence)


def as_stored(notebook_id: str) -> str:
    """Return an id without NUL, which PostgreSQL rejects, so that a query for any id succeeds."""
    return notebook_id.replace("\0", "\ufffd")


def chain_of(target: str) -> str:
    """Return the chain of a target's entries."""
    return as_stored(target)


class OfTarget(Protocol):
    """A record of one target."""

    @property
    def target(self) -> str:
        """The name of the target; empty if it is none or all."""
        ...


def chains_of(records: Iterable[OfTarget]) -> frozenset[str]:
    """Return the chains of the targets of records."""
    return frozenset({chain_of(record.target) for record in records})


def _link_of(row: RowMapping) -> Link:
    entry = AuditEntry(*(row[name] for name in AuditEntry._fields))
    return Link(entry, row["digest"], row["chain"], row["id"])
