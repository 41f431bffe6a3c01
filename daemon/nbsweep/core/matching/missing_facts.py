"""Finds the facts that a response lacked, by the API's field names, if a condition could not be checked."""

from collections.abc import Iterable, Mapping

from nbsweep.core.facts import IDLE_LEASE, TEXT_FACTS, Moment
from nbsweep.core.matching.conditions import CapacityOver, Condition, LeaseEnabled, LongerThan, TagIs, TextIs
from nbsweep.core.matching.globs import skeleton
from nbsweep.core.matching.structure import single_conditions
from nbsweep.core.model import LeaseType, Notebook
from nbsweep.core.reasons.finding import Truth

FIELDS: Mapping[str, tuple[str, ...]] = {
    "status": ("status",),
    "feature": ("feature",),
    "name": ("name",),
    "owner": ("user.name", "user.id"),
    "workspace": ("workspace_id",),
    "flavor": ("flavor",),
    "pool": ("pool.name", "pool.id"),
    "image": ("image.name", "image.swr_path", "image.id"),
    "fail_reason": ("fail_reason",),
    "billing": ("billing_items",),
    "volume.category": ("volume.category",),
    "volume.ownership": ("volume.ownership",),
    "lease.type": ("lease.type",),
}
"""The field in a response for each text of `TEXT_FACTS`, in the same order."""


def missing_facts(condition: Condition, notebook: Notebook) -> tuple[str, ...]:
    """List the missing facts that a single condition needs; none for `all`, `any` and `not`."""
    match condition:
        case LongerThan(key="idle_over"):
            return _of_idleness(notebook)
        case LongerThan(key="lease_expired_over"):
            return _of_lease_end(notebook)
        case _:
            return tuple(field for field, fact in _facts(condition, notebook) if fact is None)


def lacks_facts(condition: Condition, notebook: Notebook, moment: Moment) -> bool:
    """Return whether a condition, or a part of it, is unknown because a fact is missing, not because a text looks alike."""
    return any(
        leaf.check(notebook, moment).truth is Truth.UNKNOWN and bool(missing_facts(leaf, notebook))
        for leaf in single_conditions(condition)
    )


def left_out(notebook: Notebook) -> tuple[str, ...]:
    """List the fields that a row leaves out, of those that every notebook has and policies can check."""
    facts: Mapping[str, object] = {
        "tags": notebook.tags,
        "create_at": notebook.created_at,
        "update_at": notebook.updated_at,
        "user": notebook.owner.id or notebook.owner.name,
        "lease": notebook.lease,
        "billing_items": notebook.billing,
        "workspace_id": notebook.workspace_id,
        "feature": notebook.feature,
        "name": notebook.name,
        "flavor": notebook.flavor,
        "image": notebook.image.id or notebook.image.name or notebook.image.swr_path,
        "volume": notebook.volume,
    }
    return tuple(field for field, fact in facts.items() if fact is None)


def _facts(condition: Condition, notebook: Notebook) -> Iterable[tuple[str, object]]:
    match condition:
        case TextIs(key=key):
            # An empty tuple of texts is a fact, and no missing one.
            return zip(FIELDS[key], TEXT_FACTS[key](notebook), strict=False)
        case TagIs(key=key):
            return _of_tag(key, notebook)
        case LongerThan():
            return (("create_at", notebook.created_at),)
        case CapacityOver():
            return (("volume.capacity", notebook.volume.capacity_gb if notebook.volume else None),)
        case LeaseEnabled():
            return (("lease.enable", notebook.lease.enabled if notebook.lease else None),)
        case _:
            return ()


def _of_tag(key: str, notebook: Notebook) -> Iterable[tuple[str, object]]:
    hidden = [tag for tag, value in notebook.all_tags if value is None and skeleton(tag) == skeleton(key)]
    return (("tags", notebook.tags), *((f"the value of tag {tag}", None) for tag in hidden))


def _of_idleness(notebook: Notebook) -> tuple[str, ...]:
    missing = ("update_at",) if notebook.updated_at is None else ()
    lease = notebook.lease
    if lease is None and notebook.listed:
        return (*missing, "lease")
    if lease is None or lease.enabled is False or lease.type is LeaseType.IDLE:
        return missing
    return missing + _of_lease_end(notebook)


def _of_lease_end(notebook: Notebook) -> tuple[str, ...]:
    lease = notebook.lease
    if lease is None:
        return ("lease",)
    if lease.enabled is None:
        return ("lease.enable",)
    if lease.type is LeaseType.IDLE:
        return (IDLE_LEASE,)
    needed = {"lease.create_at": lease.created_at, "lease.duration": lease.duration}
    absent = tuple(field for field, value in needed.items() if value is None)
    # If both exist, their sum is a date out of range.
    return absent if absent or lease.ends_at else ("lease.duration",)
