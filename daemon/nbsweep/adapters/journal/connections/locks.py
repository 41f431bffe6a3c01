"""The locks of transactions on PostgreSQL, so that writers wait only for those that append to the same chains.

A transaction takes all its locks first, and always in the same order: of records, of grants, and then of the chains, sorted.
So transactions cannot deadlock on them, however many targets they write for. Readers do not wait. The locks belong to the
transaction, so that a PgBouncer in transaction mode may stand before the server.
"""

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, func, literal, select, text

from nbsweep.adapters.journal.audit_tables import AUDIT_CHAINS
from nbsweep.adapters.journal.sql.inserts import insert_of
from nbsweep.adapters.journal.transaction import AnyChange, Change, Procedure, Turn
from nbsweep.core.audit.chain import LEGACY, START

RECORDS = 0x6E62_7377_6565_71
"""The advisory lock of procedures for records that belong to no target."""
GRANTS = 0x6E62_7377_6565_72
"""The advisory lock of grants; changes with a guard share it."""
_LOCK = text("SELECT pg_advisory_xact_lock(:lock)")
_SHARE = text("SELECT pg_advisory_xact_lock_shared(:lock)")
_CHAINS = (
    select(AUDIT_CHAINS.c.chain)
    .where(AUDIT_CHAINS.c.chain.in_(bindparam("chains", expanding=True)))
    .order_by(AUDIT_CHAINS.c.chain)
    .with_for_update()
)


def lock_for(connection: Connection, changes: Sequence[AnyChange]) -> None:
    """Take the locks of all changes."""
    turns = {change.turn for change in changes if isinstance(change, Procedure)}
    if Turn.RECORDS in turns:
        connection.execute(_LOCK, {"lock": RECORDS})
    if Turn.GRANTS in turns:
        connection.execute(_LOCK, {"lock": GRANTS})
    elif any(isinstance(change, Change) and change.guard for change in changes):
        connection.execute(_SHARE, {"lock": GRANTS})
    chains = frozenset[str]().union(*(change.chains for change in changes))
    if chains:
        lock_chains(connection, sorted(chains))


def lock_chains(connection: Connection, chains: Sequence[str]) -> None:
    """Lock the heads of chains; those of new chains are made first."""
    found = set(connection.execute(_CHAINS, {"chains": chains}).scalars())
    missing = [chain for chain in chains if chain not in found]
    if missing:
        _begin(connection, missing)
        connection.execute(_CHAINS, {"chains": chains})


def _begin(connection: Connection, chains: Sequence[str]) -> None:
    """Insert the heads of new chains, unless another process does so at the same time."""
    anchor = select(AUDIT_CHAINS.c.digest).where(AUDIT_CHAINS.c.chain == LEGACY).scalar_subquery()
    for chain in chains:
        new = select(literal(chain), literal(0), func.coalesce(anchor, START.digest))
        connection.execute(
            insert_of("postgresql", AUDIT_CHAINS).from_select(["chain", "sequence", "digest"], new).on_conflict_do_nothing()
        )
