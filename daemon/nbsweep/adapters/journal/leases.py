"""Leases to rows and back, and the statements that let one process of several have one.

Nothing is read inside the transaction that writes: what a lease was decided on stands in the statement's own condition, and it
matches only a row that is still the same. So a lease goes through the group writer like everything else, and of several
processes that want it at once one gets it, on every database.
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
# A holder may always put a beat in the place of its own: after a write of which it does not know whether it was done, too.
_UNCHANGED = (LEASES.c.beat_at == bindparam("of_beat_at")) | (LEASES.c.owner == bindparam("by_owner"))

REPLACE = update(LEASES).where(_OWNED & _UNCHANGED)
RELEASE = delete(LEASES).where(_OWNED)


def lease_row(lease: TargetLease) -> Row:
    """Lay a lease out as what the driver stores in its columns.

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
    """Lay a lease out for `REPLACE`, in the place of the one that was seen."""
    seen_beat_at = microseconds(seen.beat_at)
    return {**lease_row(lease), **owned_row(seen), "of_beat_at": seen_beat_at, "by_owner": lease.holder.owner}


def owned_row(lease: TargetLease) -> Row:
    """Return which lease is meant, as long as its holder has it."""
    return {"of_target": lease.target, "of_owner": lease.holder.owner}


def lease_of(row: RowMapping) -> TargetLease:
    """Read a row as a lease.

    Raises:
        ValueError: it holds something that a lease cannot have.
    """
    holder = {name: row[name] for name in _OF_HOLDER}
    own = {name: row[name] for name in ("target", "project", "extent", "started_by", "taken_at", "beat_at")}
    return msgspec.convert({**own, "holder": holder}, TargetLease)
