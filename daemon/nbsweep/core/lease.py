"""The lease of a target in the journal: only its holder sweeps the target.

Has nothing to do with the leases of notebooks, which are in `model`.
"""

from datetime import datetime, timedelta

from msgspec import Struct

from nbsweep.core.facts import format_age
from nbsweep.core.identity import TargetIdentity, identity_on_record

BEATS = 3
"""So many beats there are in the time that a lease lasts without one."""
GOOD_FOR = 5 / 6
"""Of the time that a lease lasts: how long its holder relies on it. The rest is for clocks that differ, and calls under way."""


class Holder(Struct, frozen=True):
    """A process that sweeps."""

    owner: str
    """Its own from its start to its end, and never any other's."""
    host: str
    """The name of its host, for people."""
    machine: str
    """What tells where its `pid` means something: one host from one start to the next; empty if that cannot be told."""
    pid: int
    started: int
    """When the process started, as its machine counts it; tells it from a later one with the same `pid`."""


class TargetLease(Struct, frozen=True):
    """The right to sweep a target, until its holder gives it back, dies or falls silent."""

    target: str
    holder: Holder
    started_by: str
    """Who or what started the sweep."""
    taken_at: datetime
    beat_at: datetime
    """The last sign of life, by the holder's clock."""
    project: str = ""
    """The endpoint and project that are swept, see `identity`; empty if that is not on record."""
    extent: str = ""
    """What of the project is covered, likewise."""


def is_in_the_way(lease: TargetLease, target: str, identity: TargetIdentity) -> bool:
    """Return whether what a lease is about must not be swept beside a target.

    It has the same name, or is the same project and something of it that both cover, whatever either is called.
    """
    other = identity_on_record(lease.project, lease.extent)
    same = other is not None and other.project == identity.project and other.overlaps(identity)
    return lease.target == target or same


def is_silent(lease: TargetLease, now: datetime, lasts: timedelta) -> bool:
    """Return whether a holder has not been heard of for as long as a lease lasts.

    A beat that lies further ahead than that was made by a clock that was wrong, and is none.
    """
    return abs(now - lease.beat_at) >= lasts


def is_held(lease: TargetLease, now: datetime, lasts: timedelta, *, alive: bool | None) -> bool:
    """Decide whether a lease that is as the journal has it is still held.

    `alive` says whether its holder's process is there; None when that cannot be told from here, and then its silence decides.
    """
    return not is_silent(lease, now, lasts) if alive is None else alive


def may_take(lease: TargetLease | None, me: Holder, now: datetime, lasts: timedelta, *, alive: bool | None) -> bool:
    """Return whether this process may take the lease that the journal holds; `alive` as for `is_held`."""
    return lease is None or lease.holder.owner == me.owner or not is_held(lease, now, lasts, alive=alive)


def describe_holder(lease: TargetLease) -> str:
    """Return who holds a lease, and since when, in words."""
    who, holder = lease.started_by or "unknown", lease.holder
    return f"process {holder.pid} on host {holder.host}, started by {who}, since {lease.taken_at:%Y-%m-%d %H:%M:%SZ}"


def describe_held(lease: TargetLease, target: str, lasts: timedelta) -> str:
    """Describe why a target is left alone, and what to do."""
    known_as = "" if lease.target == target else f", which calls it {lease.target},"
    return (
        f"{target} is being swept by another nbsweep on this journal{known_as}: {describe_holder(lease)}. Wait until it has "
        "ended, or end it; one that has died is taken over at once on its own host, and after "
        f"{format_age(lasts)} from elsewhere"
    )


def describe_taken_over(target: str, holds: TargetLease | None) -> str:
    """Return why a sweep ended that lost its lease to another process, in words."""
    who = describe_holder(holds) if holds else "nobody has it now"
    return (
        f"another nbsweep has taken {target} over in mid-sweep: {who}. This one took no more notebooks; if both hosts were "
        "well all the time, compare their clocks"
    )
