"""What a stop or a DELETE of ours has changed on a notebook, told apart from what its owner has done since.

A decision after an order of ours sets aside only what that order is known to change. Everything else that differs, and every
state that no order of ours leads to, is a sign of the owner, and keeps the notebook. What an order changes is known from a
captured life of a notebook (ModelArts API, section 12, E1): a stop moves `lease.update_at` and the lease's end, and the top
`update_at` once the notebook has come to rest; the lease keeps the time that was asked for. A DELETE is only known to change
the state, and the top `update_at` with it. What is billed depends on whether the notebook runs.
"""

from datetime import datetime, timedelta
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from nbsweep.core.freshness import ClockReading, Freshness, have_parted
from nbsweep.core.model import Lease, Notebook, Status

LATE = timedelta(seconds=2)
"""How much later than the answer to a stop the cloud may date it: its dates and its clock are compared in whole seconds."""
IN_USE = frozenset(
    {Status.INIT, Status.CREATING, Status.STARTING, Status.RUNNING, Status.STOPPING, Status.SNAPSHOTTING, Status.FROZEN}
)
"""States to which no DELETE leads: someone, or the cloud, has done something else with the notebook."""


class OrderKind(StrEnum):
    """What was ordered."""

    STOP = "stop"
    DELETE = "DELETE"


RESULT = {OrderKind.STOP: Status.STOPPED, OrderKind.DELETE: Status.DELETE_FAILED}
"""The state in which an order leaves a notebook that is still there."""


class OwnOrder(Struct, frozen=True):
    """An order of ours, and what has been seen of its notebook since it was about to leave."""

    kind: OrderKind
    before: Notebook
    """The facts on which it was decided."""
    taken: bool = False
    """Whether the cloud has said that it takes the order on."""
    answered_at: datetime | None = None
    """When the call ended, by the cloud's clock."""
    lease: Lease | None = None
    """The notebook's lease in the answer, where that shows one other than before."""
    began: bool = False
    """Whether the notebook has been seen in a state to which the order leads."""
    in_use: Status | None = None
    """A state in which it was seen since, to which no order of ours leads."""
    result: Notebook | None = None
    """As it was first seen in the state in which the order leaves it."""
    seen_at: ClockReading | None = None
    """When it was seen last."""
    slept: bool = False
    """Whether the machine slept, or a clock was set, before the call ended: someone may have used the notebook in that time."""
    unwatched: bool = False
    """Whether it was not seen for so long that someone may have started and stopped it unseen."""


def answered(
    order: OwnOrder, at: datetime, shown: Notebook | None, *, taken: bool, ended: ClockReading | None = None
) -> OwnOrder:
    """Record how the call of an order ended, at that moment of the cloud's clock, and the notebook that the answer shows.

    `ended` is that moment by the clocks of this machine, where they were read.
    """
    moved = shown.lease if shown and shown.lease != order.before.lease else None
    slept = ended is not None and order.seen_at is not None and have_parted(order.seen_at, ended)
    return replace(order, taken=order.taken or taken, answered_at=at, lease=moved, slept=slept)


def note_seen(order: OwnOrder, seen: Notebook, at: ClockReading, watch_s: float) -> OwnOrder:
    """Record a look that began then; between two looks no more than `watch_s` seconds may pass unseen."""
    began = order.began or seen.status in _leads_to(order)
    in_use = order.in_use or (seen.status if _shows_use(order, seen.status) else None)
    at_rest = order.result is None and seen.status is RESULT[order.kind] and seen.status is not order.before.status
    unwatched = order.unwatched or (order.seen_at is not None and Freshness(order.seen_at, watch_s).left_s(at) < 0)
    result = seen if at_rest or _failed_anew(order, seen) else order.result
    return replace(order, began=began, in_use=in_use, result=result, seen_at=at, unwatched=unwatched)


def sign_of_owner(order: OwnOrder, now: Notebook) -> str:
    """Describe what shows that someone has done something with the notebook since; empty if nothing does."""
    since = f"since our {order.kind}"
    if order.in_use is not None:
        return f"it was seen {order.in_use} {since}"
    if changed := _changed(order.before, now):
        return f"its {changed} has changed {since}"
    if not _lease_is_as_left(order, now):
        return f"its lease has changed {since}"
    if order.result and now.status is order.result.status and now.updated_at != order.result.updated_at:
        return f"it has been changed {since}, and after that had ended"
    return _use_that_would_not_show(order, now)


def _use_that_would_not_show(order: OwnOrder, now: Notebook) -> str:
    """Describe when someone may have used the notebook though nothing shows it; empty if nobody can have."""
    if order.slept:
        return f"the machine slept, or a clock was set, while our {order.kind} was on its way"
    dated = now.lease is not None and now.lease.updated_at is not None
    if order.kind is OrderKind.STOP and order.unwatched and not dated:
        return f"it was not seen for a while since our {order.kind}, and shows no lease that would tell of a start"
    return ""


def as_before(order: OwnOrder, now: Notebook) -> Notebook:
    """Return the notebook as it would be without the order: only what the order is known to change is set aside."""
    before = order.before
    if now.status is not RESULT[order.kind] or (now.status is before.status and order.result is None):
        return now
    aside = replace(now, status=before.status, updated_at=before.updated_at)
    if order.kind is OrderKind.STOP:
        # Where the answer was lost, an owner may have renewed the lease for the same time: it counts as it is now.
        return replace(aside, lease=before.lease if order.taken else now.lease, billing=before.billing)
    return replace(aside, fail_reason=before.fail_reason)


def _leads_to(order: OwnOrder) -> frozenset[Status]:
    if order.kind is OrderKind.STOP:
        return frozenset({Status.STOPPING, Status.STOPPED})
    return frozenset({Status.DELETING})


def _shows_use(order: OwnOrder, status: Status) -> bool:
    """Return whether no order of ours leads to a state; a notebook that is to stop is RUNNING until the stop shows."""
    if order.kind is OrderKind.DELETE:
        return status in IN_USE and status is not order.before.status
    return status in IN_USE - {Status.STOPPING, Status.FROZEN} and (order.began or status is not order.before.status)


def _failed_anew(order: OwnOrder, seen: Notebook) -> bool:
    """Return whether a deletion of what was DELETE_FAILED before has failed once more.

    The top date moves when a state settles, and nothing but a deletion leads to this one: it cannot be started.
    """
    ended = order.kind is OrderKind.DELETE and seen.status is order.before.status is Status.DELETE_FAILED
    return ended and order.result is None and seen.updated_at != order.before.updated_at


def _changed(before: Notebook, now: Notebook) -> str:
    """Name something that only people change; what either of the two looks did not show cannot be compared."""
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
    return next(differing, "set of tags" if tags_differ else "")


def _lease_is_as_left(order: OwnOrder, now: Notebook) -> bool:
    """Return whether the lease is as the order has left it."""
    before, lease = order.before.lease, now.lease
    if lease == before:
        return True
    if order.kind is OrderKind.DELETE or lease is None or before is None:
        return False
    if order.lease is not None:
        return lease == order.lease and not _asks_otherwise(before, lease)
    in_time = order.answered_at is not None and lease.updated_at is not None and lease.updated_at <= order.answered_at + LATE
    return in_time and _asks_for_the_same(before, lease)


def _asks_otherwise(before: Lease, lease: Lease) -> bool:
    """Return whether a lease in force is for another time than before; one that is switched off asks for none."""
    asked, asks = _asked(before), _asked(lease)
    return bool(lease.enabled) and asked is not None and asks is not None and abs(asked - asks) > LATE


def _asks_for_the_same(before: Lease, lease: Lease) -> bool:
    """Return whether two leases are of one kind, and end when they did, or as long after their last change."""
    if (before.enabled, before.type, before.created_at) != (lease.enabled, lease.type, lease.created_at):
        return False
    if lease.duration == before.duration:
        return True
    asked, asks = _asked(before), _asked(lease)
    return asked is not None and asks is not None and abs(asked - asks) <= LATE


def _asked(lease: Lease) -> timedelta | None:
    """Return the time that a lease was asked for: it is rebased at each order (ModelArts API, section 8)."""
    if lease.created_at is None or lease.duration is None or lease.updated_at is None:
        return None
    return lease.created_at + lease.duration - lease.updated_at
