"""The lease of a target in the journal, and the port that keeps leases; only its holder may sweep the target.

It has nothing to do with the leases of notebooks, which are in `model`.
"""

from datetime import datetime, timedelta
from typing import Protocol

from msgspec import Struct

from nbsweep.core.facts import format_age
from nbsweep.core.identity import TargetIdentity, identity_on_record

BEATS = 3
"""The number of beats within the time that a lease lasts without one."""
GOOD_FOR = 5 / 6
"""The share of a lease's time on which its holder relies; the rest is for clock differences and calls under way."""


class Holder(Struct, frozen=True):
    """A process that holds leases."""

    owner: str
    """A unique id of the process."""
    host: str
    """The name of its host, for people."""
    machine: str
    """The boot id of its host, because a `pid` is unique only until the host restarts; empty if there is none."""
    pid: int
    started: int
    """When the process started, by its machine's clock; distinguishes it from a later process with the same `pid`."""


class TargetLease(Struct, frozen=True):
    """The right to sweep a target, until its holder releases it, dies or stops sending beats."""

    target: str
    holder: Holder
    started_by: str
    """Who or what started the sweep."""
    taken_at: datetime
    beat_at: datetime
    """The time of the last beat; as all times of leases by the clock that all processes share, see `LeaseRecords.now`."""
    project: str = ""
    """The endpoint and project of the sweep, see `identity`; empty if they are not on record."""
    extent: str = ""
    """The part of the project that is covered, see `identity`; empty if it is not on record."""


class LeaseRecords(Protocol):
    """The part of the journal that keeps the leases of targets. All methods raise JournalError."""

    async def now(self, here: datetime) -> datetime:
        """Return the time by the clock that dates leases, which all processes on this journal share.

        It is that of the database server. If the journal is a file, all processes are on one machine, whose clock this process
        has read already: `here`.
        """
        ...

    async def all(self) -> tuple[TargetLease, ...]:
        """List all leases, sorted by target."""
        ...

    async def find(self, target: str) -> TargetLease | None:
        """Return a target's lease with its holder; None if no process holds it."""
        ...

    async def take(self, lease: TargetLease, seen: TargetLease | None) -> TargetLease | None:
        """Replace the lease that was seen, unless it has changed meanwhile; return the lease that is stored afterwards.

        If several processes saw the same lease and take it at the same time, one of them gets it. A holder records a beat in
        the same way, also after an earlier write whose result is unknown.
        """
        ...

    async def release(self, lease: TargetLease) -> None:
        """Release a lease; a lease that another process holds by now stays."""
        ...


def blocks(lease: TargetLease, target: str, identity: TargetIdentity) -> bool:
    """Return whether a lease excludes a sweep of a target at the same time.

    It does if it has the same name, or if both can cover the same notebooks under any name.
    """
    other = identity_on_record(lease.project, lease.extent)
    same = other is not None and other.project == identity.project and other.overlaps(identity)
    return lease.target == target or same


def is_silent(lease: TargetLease, now: datetime, lasts: timedelta) -> bool:
    """Return whether the last beat of a holder is older than the time that a lease lasts.

    A beat that is further than that in the future was made by a wrong clock, and does not count.
    """
    return abs(now - lease.beat_at) >= lasts


def is_held(lease: TargetLease, now: datetime, lasts: timedelta, *, alive: bool | None) -> bool:
    """Return whether a lease in the journal is still held.

    `alive` says whether the holder's process exists. If it is None, this host cannot check that, and the last beat decides.
    """
    return not is_silent(lease, now, lasts) if alive is None else alive


def may_take(lease: TargetLease | None, me: Holder, now: datetime, lasts: timedelta, *, alive: bool | None) -> bool:
    """Return whether this process may take the lease that the journal holds; `alive` as for `is_held`."""
    return lease is None or lease.holder.owner == me.owner or not is_held(lease, now, lasts, alive=alive)


def describe_holder(lease: TargetLease) -> str:
    """Describe the holder of a lease, and since when it holds it."""
    started_by, holder = lease.started_by or "unknown", lease.holder
    return f"process {holder.pid} on host {holder.host}, started by {started_by}, since {lease.taken_at:%Y-%m-%d %H:%M:%SZ}"


def describe_held(lease: TargetLease, target: str, lasts: timedelta) -> str:
    """Describe which process holds a target, and what to do."""
    known_as = "" if lease.target == target else f", which calls it {lease.target},"
    return (
        f"{target} is being swept by another nbsweep on this journal{known_as}: {describe_holder(lease)}. Wait until it has "
        "ended, or end it; one that has died is taken over at once on its own host, and after "
        f"{format_age(lasts)} from elsewhere"
    )


def describe_taken_over(target: str, holds: TargetLease | None) -> str:
    """Describe why a sweep ended that lost its lease to another process."""
    holder = describe_holder(holds) if holds else "no process holds it now"
    return (
        f"another nbsweep has taken {target} over during the sweep: {holder}. This one began no more removals. It was "
        "stopped, asleep or cut off from the journal for longer than service.lease"
    )
