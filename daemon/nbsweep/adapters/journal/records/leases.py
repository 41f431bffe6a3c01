"""Converts leases to rows and back, and has the statements by which only one of several processes gets a lease.

The writing transaction reads nothing: the lease that was seen is in the condition of the statement, which matches only an
unchanged row. So leases use the group writer like all other changes, and only one of several concurrent processes gets a lease,
on every database.
"""

import msgspec
from msgspec.structs import asdict
from sqlalchemy import RowMapping, bindparam, delete, update

from nbsweep.adapters.journal.rows import Row
from nbsweep.adapters.journal.tables import LEASES
from nbsweep.core.lease import Holder, TargetLease
from nbsweep.core.model import microseconds

_OF_HOLDER = Holder.__struct_fields__
_OWNED = (LEASES.c.target == bindparam("of_target")) & (LEASES.c.owner == bindparam("of_owner"))
# A holder may always replace its own lease, also after a write whose result it does not know.
_UNCHANGED = (LEASES.c.beat_at == bindparam("of_beat_at")) | (LEASES.c.owner == bindparam("by_owner"))

REPLACE = update(LEASES).where(_OWNED & _UNCHANGED)
RELEASE = delete(LEASES).where(_OWNED)


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
    """Return the parameters of `REPLACE`: the new lease, and the one that was seen."""
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
