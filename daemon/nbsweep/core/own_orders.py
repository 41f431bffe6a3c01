"""Distinguishes what nbsweep's own orders (stop, DELETE) changed on a notebook from what its owner changed since.

A decision after an own order ignores only what that order is known to change. Every other difference, and every state that no
own order leads to, counts as the owner's, and keeps the notebook. The changes of an order are known from a recorded life of a
notebook (ModelArts API, section 12, E1). A stop moves `lease.update_at` and the end of the lease, and also the notebook's
`update_at` once the notebook is at rest; the requested time of the lease stays. A DELETE is only known to change the state and
the notebook's `update_at`. The billing items depend on whether the notebook runs.
"""

from datetime import datetime, timedelta
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from nbsweep.core.freshness import ClockReading, Freshness, have_diverged
from nbsweep.core.model import Lease, Notebook, Status
from nbsweep.core.reasons.model import Cause, CauseCode

LATE = timedelta(seconds=2)
"""How much later than the answer the cloud may date a stop, because dates are compared in whole seconds."""
IN_USE = frozenset(
    {Status.INIT, Status.CREATING, Status.STARTING, Status.RUNNING, Status.STOPPING, Status.SNAPSHOTTING, Status.FROZEN}
)
"""States to which no DELETE leads: the owner, or the cloud, has used the notebook."""


class OrderKind(StrEnum):
    """The kinds of orders."""

    STOP = "stop"
    DELETE = "DELETE"


RESULT = {OrderKind.STOP: Status.STOPPED, OrderKind.DELETE: Status.DELETE_FAILED}
"""The state that an order leaves if the notebook still exists."""


class OwnOrder(Struct, frozen=True):
    """An own order, and what was seen of its notebook from just before the order was sent."""

    kind: OrderKind
    before: Notebook
    """The facts that the decision was based on."""
    taken: bool = False
    """Whether the cloud has accepted the order."""
    answered_at: datetime | None = None
    """When the call ended, by the cloud's clock."""
    lease: Lease | None = None
    """The notebook's lease in the answer, whether the order has moved it or not; None if the answer shows none."""
    began: bool = False
    """Whether the notebook was seen in a state to which the order leads."""
    in_use: Status | None = None
    """A state in which the notebook was seen since, and to which no own order leads."""
    result: Notebook | None = None
    """The notebook when it was first seen in the state that the order leaves."""
    seen_at: ClockReading | None = None
    """When the notebook was last seen."""
    slept: bool = False
    """Whether the machine slept, or a clock was set, before the call ended: the notebook may have been used meanwhile."""
    unwatched: bool = False
    """Whether the notebook was not seen for so long that it may have been started and stopped in between."""


def answered(
    order: OwnOrder, at: datetime, shown: Notebook | None, *, taken: bool, ended: ClockReading | None = None
) -> OwnOrder:
    """Record how the call of an order ended: when by the cloud's clock, and with which notebook in the answer.

    `ended` is the same time by the clocks of this machine, if they were read.
    """
    lease = shown.lease if shown else None
    slept = ended is not None and order.seen_at is not None and have_diverged(order.seen_at, ended)
    return replace(order, taken=order.taken or taken, answered_at=at, lease=lease, slept=slept)


def note_seen(order: OwnOrder, seen: Notebook, at: ClockReading, watch_s: float) -> OwnOrder:
    """Record an observation that began at `at`; more than `watch_s` seconds between two observations count as unwatched."""
    began = order.began or seen.status in _leads_to(order)
    in_use = order.in_use or (seen.status if _shows_use(order, seen.status) else None)
    at_rest = order.result is None and seen.status is RESULT[order.kind] and seen.status is not order.before.status
    unwatched = order.unwatched or (order.seen_at is not None and Freshness(order.seen_at, watch_s).left_s(at) < 0)
    result = seen if at_rest or _failed_anew(order, seen) else order.result
    return replace(order, began=began, in_use=in_use, result=result, seen_at=at, unwatched=unwatched)


def sign_of_owner(order: OwnOrder, now: Notebook) -> Cause | None:
    """Return the evidence that someone has used or changed the notebook since the order; None if there is none."""
    ours = {"order": order.kind.value}
    if order.in_use is not None:
        return Cause(CauseCode.SEEN_IN_USE, params={**ours, "status": order.in_use.value})
    if changed := _changed(order.before, now):
        return Cause(CauseCode.FIELD_CHANGED, params={**ours, "field": changed})
    if not _lease_unchanged_since(order, now):
        return Cause(CauseCode.LEASE_CHANGED, params=ours)
    if order.result and now.status is order.result.status and now.updated_at != order.result.updated_at:
        return Cause(CauseCode.CHANGED_AFTER_ORDER, params=ours)
    return _possible_unseen_use(order, now)


def _possible_unseen_use(order: OwnOrder, now: Notebook) -> Cause | None:
    """Return why the notebook may have been used without a trace; None if it cannot have been."""
    ours = {"order": order.kind.value}
    if order.slept:
        return Cause(CauseCode.SLEPT_DURING_ORDER, params=ours)
    dated = now.lease is not None and now.lease.updated_at is not None
    if order.kind is OrderKind.STOP and order.unwatched and not dated:
        return Cause(CauseCode.NOT_WATCHED, params=ours)
    return None


def as_before(order: OwnOrder, now: Notebook) -> Notebook:
    """Return the notebook as it would be without the order; only the known changes of the order are reverted."""
    before = order.before
    if now.status is not RESULT[order.kind] or (now.status is before.status and order.result is None):
        return now
    aside = replace(now, status=before.status, updated_at=before.updated_at)
    if order.kind is OrderKind.STOP:
        # If the answer was lost, the owner may have renewed the lease for the same time, so the present lease counts.
        return replace(aside, lease=before.lease if order.taken else now.lease, billing=before.billing)
    return replace(aside, fail_reason=before.fail_reason)


def _leads_to(order: OwnOrder) -> frozenset[Status]:
    if order.kind is OrderKind.STOP:
        return frozenset({Status.STOPPING, Status.STOPPED})
    return frozenset({Status.DELETING})


def _shows_use(order: OwnOrder, status: Status) -> bool:
    """Return whether no own order leads to a state; after a stop, a notebook stays RUNNING until the stop shows."""
    if order.kind is OrderKind.DELETE:
        return status in IN_USE and status is not order.before.status
    return status in IN_USE - {Status.STOPPING, Status.FROZEN} and (order.began or status is not order.before.status)


def _failed_anew(order: OwnOrder, seen: Notebook) -> bool:
    """Return whether the deletion of a notebook that was DELETE_FAILED before has failed again.

    The notebook's `update_at` moves when a state settles, and only a deletion leads to DELETE_FAILED: it cannot be started.
    """
    ended = order.kind is OrderKind.DELETE and seen.status is order.before.status is Status.DELETE_FAILED
    return ended and order.result is None and seen.updated_at != order.before.updated_at


def _changed(before: Notebook, now: Notebook) -> str:
    """Return the name of a changed field that only people change; a field that is missing on either side is not compared."""
    pairs = {
        "name": (before.name, now.name),
        "description": (before.description, now.description),
        "owner": (before.owner.id, now.owner.id),
        "flavor": (before.flavor, now.flavor),
        "image": (before.image.id, now.image.id),
        "size": (before.volume and before.volume.capacity_gb, now.volume and now.volume.capacity_gb),
    }
    differing = (what for what, (was, is_now) in pairs.items() if None not in (was, is_now) and was != is_now)
    tags_differ = None not in (before.tags, now.tags) and sorted(map(str, before.all_tags)) != sorted(map(str, now.all_tags))
    return next(differing, "tags" if tags_differ else "")


def _lease_unchanged_since(order: OwnOrder, now: Notebook) -> bool:
    """Return whether the lease is in the state that the order left."""
    before, lease = order.before.lease, now.lease
    if lease == before:
        return True
    if order.kind is OrderKind.DELETE or lease is None or before is None:
        return False
    if order.lease is not None:
        return lease == order.lease and not _requests_other_time(before, lease)
    in_time = order.answered_at is not None and lease.updated_at is not None and lease.updated_at <= order.answered_at + LATE
    return in_time and _requests_same_time(before, lease)


def _requests_other_time(before: Lease, lease: Lease) -> bool:
    """Return whether an enabled lease has another requested time than before."""
    before_time, time = _requested_time(before), _requested_time(lease)
    return bool(lease.enabled) and before_time is not None and time is not None and abs(before_time - time) > LATE


def _requests_same_time(before: Lease, lease: Lease) -> bool:
    """Return whether two leases have the same type, and the same end or the same requested time."""
    if (before.enabled, before.type, before.created_at) != (lease.enabled, lease.type, lease.created_at):
        return False
    if lease.duration == before.duration:
        return True
    before_time, time = _requested_time(before), _requested_time(lease)
    return before_time is not None and time is not None and abs(before_time - time) <= LATE


def _requested_time(lease: Lease) -> timedelta | None:
    """Return the requested time of a lease; the API rebases it at each order (ModelArts API, section 8)."""
    if lease.created_at is None or lease.duration is None or lease.updated_at is None:
        return None
    return lease.created_at + lease.duration - lease.updated_at
