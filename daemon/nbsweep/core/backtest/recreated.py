"""Finds notebooks that their owners created again after nbsweep had deleted them: regret of deletions that really happened.

A hint and no proof: an owner who lost a notebook may also have given up, and the same image may be chosen for other work. So
each result says by what the new notebook resembles the deleted one.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from enum import IntEnum

from msgspec import Struct

from nbsweep.core.lifecycle import Removal
from nbsweep.core.model import Notebook

WITHIN = timedelta(days=14)


class Resemblance(IntEnum):
    """By what a new notebook resembles one that was deleted; the stronger sign is the larger."""

    IMAGE = 1
    NAME = 2


class Deleted(Struct, frozen=True):
    """A notebook that nbsweep deleted."""

    removal: Removal
    facts: Notebook | None
    """The last facts of the inventory; None if it has none."""


class Created(Struct, frozen=True):
    """A notebook of the inventory, with the facts of its first state."""

    project: str
    """The endpoint and project, see `identity`."""
    notebook: Notebook


class Recreated(Struct, frozen=True):
    """A notebook that was deleted, and the one that its owner created after that."""

    removal: Removal
    notebook: Notebook
    created_at: datetime
    by: Resemblance


def find_recreated(deleted: Iterable[Deleted], created: Iterable[Created], within: timedelta = WITHIN) -> tuple[Recreated, ...]:
    """Find the notebooks that were created again within a time after their deletion, in the order of the new ones.

    Each new notebook stands for one that was deleted, and each deleted one is replaced once: the same name counts before the
    same image, and the shorter time before the longer one.
    """
    by_project: dict[str, list[Deleted]] = {}
    for each in deleted:
        by_project.setdefault(each.removal.project, []).append(each)
    pairs = [pair for new in created for pair in _pairs(by_project.get(new.project, ()), new.notebook, within)]
    pairs.sort(
        key=lambda pair: (-pair.by, pair.created_at - _asked_at(pair.removal), pair.notebook.id, pair.removal.notebook_id)
    )
    return tuple(sorted(_first_of_each(pairs), key=lambda pair: (pair.created_at, pair.notebook.id)))


def _pairs(deleted: Sequence[Deleted], new: Notebook, within: timedelta) -> Iterator[Recreated]:
    if new.created_at is None:
        return
    for old in deleted:
        resemblance = _resemblance(old, new)
        if (
            resemblance
            and new.id != old.removal.notebook_id
            and timedelta(0) < new.created_at - _asked_at(old.removal) <= within
        ):
            yield Recreated(old.removal, new, new.created_at, resemblance)


def _first_of_each(pairs: Iterable[Recreated]) -> Iterator[Recreated]:
    taken: set[tuple[str, str]] = set()
    for pair in pairs:
        both = {("new", pair.notebook.id), ("old", pair.removal.notebook_id)}
        if not both & taken:
            taken |= both
            yield pair


def _resemblance(old: Deleted, new: Notebook) -> Resemblance | None:
    if not _same_owner(old, new):
        return None
    name = old.facts.name if old.facts else old.removal.name
    if name and name == new.name:
        return Resemblance.NAME
    image = old.facts.image.id or old.facts.image.name if old.facts else None
    return Resemblance.IMAGE if image and image in (new.image.id, new.image.name) else None


def _same_owner(old: Deleted, new: Notebook) -> bool:
    """Compare ids if both are known, otherwise names; an unknown owner is nobody's."""
    owner = old.facts.owner if old.facts else None
    if owner and owner.id and new.owner.id:
        return owner.id == new.owner.id
    name = owner.name if owner else old.removal.owner
    return bool(name) and name in (new.owner.name, new.owner.id)


def _asked_at(removal: Removal) -> datetime:
    """Return when the DELETE was about to leave: from then on its owner may have known."""
    return removal.requested_at or removal.planned_at
