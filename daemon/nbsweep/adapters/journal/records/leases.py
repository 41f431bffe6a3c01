"""The port `LeaseRecords` on SQLAlchemy Core: only one of several processes gets a lease.

The writing transaction reads nothing: the lease that was seen is in the condition of the statement, which matches only an
unchanged row. So leases use the group writer like all other changes, and only one of several concurrent processes gets a lease,
on every database.
"""

from datetime import datetime
from typing import Any

import msgspec
from msgspec.structs import asdict
from sqlalchemy import Dialect, RowMapping, Select, bindparam, delete, select, update

from nbsweep.adapters.journal.dialects import compiled, insert_new, now_us
from nbsweep.adapters.journal.errors import journal_errors
from nbsweep.adapters.journal.records.access import Access
from nbsweep.adapters.journal.rows import Row
from nbsweep.adapters.journal.tables import LEASES
from nbsweep.adapters.journal.transaction import Change
from nbsweep.core.lease import Holder, TargetLease
from nbsweep.core.model import microseconds, moment_of

_OF_HOLDER = Holder.__struct_fields__
_OWNED = (LEASES.c.target == bindparam("of_target")) & (LEASES.c.owner == bindparam("of_owner"))
# A holder may always replace its own lease, also after a write whose result it does not know.
_UNCHANGED = (LEASES.c.beat_at == bindparam("of_beat_at")) | (LEASES.c.owner == bindparam("by_owner"))

_REPLACE = update(LEASES).where(_OWNED & _UNCHANGED)
_RELEASE = delete(LEASES).where(_OWNED)


class LeaseStatements:
    """The compiled write statements."""

    def __init__(self, dialect: Dialect) -> None:
        """Compile the statements for one kind of database."""
        self.insert = compiled(dialect, insert_new(dialect.name, LEASES), LEASES.columns.keys())
        self.replace = compiled(dialect, _REPLACE, LEASES.columns.keys())
        self.release = compiled(dialect, _RELEASE, [])


class SqlLeases:
    """The leases, in a table of the journal."""

    def __init__(self, access: Access, *, shared: bool) -> None:
        """Compile the statements; `shared` says whether processes of several machines use the journal."""
        self._access = access
        self._shared = shared
        self._sql = LeaseStatements(access.dialect)

    async def now(self, here: datetime) -> datetime:
        """Return the time by the clock that dates leases; `here` is this machine's."""
        if not self._shared:
            return here
        [row] = await self._access.rows(select(now_us(self._access.dialect.name).label("now")))
        return moment_of(int(row["now"]))

    async def all(self) -> tuple[TargetLease, ...]:
        """List all leases, sorted by target."""
        return await self._leases(select(LEASES).order_by(LEASES.c.target))

    async def find(self, target: str) -> TargetLease | None:
        """Return a target's lease with its holder; None if no process holds it."""
        return next(iter(await self._leases(select(LEASES).where(LEASES.c.target == target))), None)

    async def take(self, lease: TargetLease, seen: TargetLease | None) -> TargetLease | None:
        """Replace the lease that was seen unless it has changed meanwhile, and return the lease that is held then."""
        if seen is None:
            await self._access.write(Change(self._sql.insert, [lease_row(lease)], dict))
        else:
            await self._access.write(Change(self._sql.replace, [replacing_row(lease, seen)], dict))
        return await self.find(lease.target)

    async def release(self, lease: TargetLease) -> None:
        """Release a lease; a lease that another holder has taken stays."""
        await self._access.write(Change(self._sql.release, [owned_row(lease)], dict))

    async def _leases(self, query: Select[Any]) -> tuple[TargetLease, ...]:
        rows = await self._access.rows(query)
        with journal_errors(self._access.address):
            return tuple(map(lease_of, rows))


def lease_row(lease: TargetLease) -> Row:
    """Convert a lease to the values that the driver stores in its columns.

    Raises:
        ValueError: one of its moments has no time zone.
    """
    return {
        "target": lease.target,
        "project": lease.project,
        "extent": lease.extent,
        **asdict(lease.holder),
        "started_by": lease.started_by,
        "taken_at": microseconds(lease.taken_at),
        "beat_at": microseconds(lease.beat_at),
    }


def replacing_row(lease: TargetLease, seen: TargetLease) -> Row:
    """Return the parameters of `LeaseStatements.replace`: the new lease, and the one that was seen."""
    seen_beat_at = microseconds(seen.beat_at)
    return {**lease_row(lease), **owned_row(seen), "of_beat_at": seen_beat_at, "by_owner": lease.holder.owner}


def owned_row(lease: TargetLease) -> Row:
    """Return the key of a lease with its holder, so that no other holder's lease matches."""
    return {"of_target": lease.target, "of_owner": lease.holder.owner}


def lease_of(row: RowMapping) -> TargetLease:
    """Convert a row to a lease.

    Raises:
        ValueError: it holds something that a lease cannot have.
    """
    holder = {name: row[name] for name in _OF_HOLDER}
    own = {name: row[name] for name in ("target", "project", "extent", "started_by", "taken_at", "beat_at")}
    return msgspec.convert({**own, "holder": holder}, TargetLease)
