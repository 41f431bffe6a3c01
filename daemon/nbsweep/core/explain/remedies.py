"""Changes by which an owner can keep a notebook that may be deleted; each is verified against the rules first."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from re import Match

from msgspec import Struct
from msgspec.structs import replace

from nbsweep.core.explain.flips import verdict_flips_at
from nbsweep.core.facts import Moment
from nbsweep.core.judging.rules import Rules
from nbsweep.core.judging.verdict import Decision
from nbsweep.core.matching.conditions import Condition, TagIs, TextIs
from nbsweep.core.matching.globs import WILDCARD, Glob, skeleton
from nbsweep.core.matching.structure import single_conditions
from nbsweep.core.model import Lease, Notebook, Status
from nbsweep.core.policy import judge
from nbsweep.core.reasons.actions import GLOBS_BETWEEN, Action, ActionCode, describe_action
from nbsweep.core.reasons.finding import Truth

SHORTEST_LEASE = timedelta(hours=1)
"""The lease of a notebook that is started without a duration (ModelArts API, section 1)."""
SAMPLE_VALUE = "yes"


class Remedy(Struct, frozen=True):
    """A change that is enough to keep a notebook."""

    action: Action
    until: datetime | None = None
    """How long it keeps the notebook, if nothing else happens; None if for good."""

    @property
    def words(self) -> str:
        """The change in English words."""
        return describe_action(self.action)


class OwnerAction(Struct, frozen=True):
    """A change that an owner may make."""

    action: Action
    make: Callable[[Notebook], Notebook]
    """Returns the notebook after the change."""


def remedies(notebook: Notebook, rules: Rules, moment: Moment) -> tuple[Remedy, ...]:
    """List the changes that would keep a notebook, the easiest first; the rules confirm each of them."""
    alone = [*_uses(notebook, rules, moment), *_relabellings(notebook, rules, moment)]
    found = [remedy for change in alone if (remedy := _proven(change, notebook, rules, moment))]
    helping = {remedy.action for remedy in found}
    for protection in rules.protections:
        together = [change for leaf in _labels(protection.match) for change in _changes(leaf, notebook, moment)]
        if len(together) > 1 and not helping & {change.action for change in together}:
            remedy = _proven(_together(together), notebook, rules, moment)
            found += [remedy] if remedy else []
    return tuple(dict.fromkeys(found))


def _proven(change: OwnerAction, notebook: Notebook, rules: Rules, moment: Moment) -> Remedy | None:
    changed = change.make(notebook)
    if judge(changed, rules, moment).decision is not Decision.KEEP:
        return None
    return Remedy(change.action, verdict_flips_at(changed, rules, moment))


def _uses(notebook: Notebook, rules: Rules, moment: Moment) -> Iterator[OwnerAction]:
    """List the ways to use the notebook in its state, except those during which it may be deleted anyway."""
    running = replace(_used(notebook, moment), status=Status.RUNNING)
    if notebook.status is Status.STOPPED and judge(running, rules, moment).decision is Decision.KEEP:
        yield OwnerAction(Action(ActionCode.USE_AGAIN), lambda row: _used(row, moment))
    if notebook.status is Status.RUNNING:
        yield OwnerAction(Action(ActionCode.RENEW_LEASE), lambda row: replace(row, lease=_renewed(row.lease, moment)))
        yield OwnerAction(Action(ActionCode.STOP), lambda row: _used(row, moment))


def _used(notebook: Notebook, moment: Moment) -> Notebook:
    return replace(notebook, status=Status.STOPPED, updated_at=moment.now, lease=_renewed(notebook.lease, moment))


def _renewed(lease: Lease | None, moment: Moment) -> Lease | None:
    """Return a lease after a start or a renewal; its duration counts from its creation (ModelArts API, section 8)."""
    if lease is None or lease.created_at is None:
        return lease
    return replace(lease, updated_at=moment.now, duration=moment.now - lease.created_at + SHORTEST_LEASE)


def _relabellings(notebook: Notebook, rules: Rules, moment: Moment) -> list[OwnerAction]:
    """List the changes of tags and names that rules check, tags first."""
    leaves = [leaf for condition in rules.conditions for leaf in _labels(condition)]
    ordered = sorted(leaves, key=lambda leaf: isinstance(leaf, TextIs))
    return [change for leaf in ordered for change in _changes(leaf, notebook, moment)]


def _labels(condition: Condition) -> Iterator[TagIs | TextIs]:
    """Yield the conditions on tags and on the name, which owners can change."""
    for leaf in single_conditions(condition):
        if isinstance(leaf, TagIs) or (isinstance(leaf, TextIs) and leaf.key == "name"):
            yield leaf


def _changes(leaf: TagIs | TextIs, notebook: Notebook, moment: Moment) -> Iterator[OwnerAction]:
    """Yield the changes that reverse one condition on a tag or on the name."""
    passes = leaf.check(notebook, moment).truth is Truth.PASS
    if isinstance(leaf, TagIs):
        yield from _untagged(leaf) if passes else _tagged(leaf)
    else:
        yield from _renamed_away(leaf, notebook) if passes else _renamed(leaf, notebook)


def _tagged(leaf: TagIs) -> Iterator[OwnerAction]:
    glob = leaf.globs[0]
    value = _fitting(glob, SAMPLE_VALUE)
    if value is not None:
        action = (
            Action(ActionCode.ADD_TAG, (("tag", leaf.key),))
            if glob.text == "*"
            else Action(ActionCode.ADD_FITTING_TAG, (("tag", leaf.key), ("glob", glob.text)))
        )

        def make(row: Notebook) -> Notebook:
            bare = _without_tag(row, leaf.key)
            return replace(bare, tags={**(bare.tags or {}), leaf.key: value})

        yield OwnerAction(action, make)


def _untagged(leaf: TagIs) -> Iterator[OwnerAction]:
    yield OwnerAction(Action(ActionCode.REMOVE_TAG, (("tag", leaf.key),)), lambda row: _without_tag(row, leaf.key))


def _without_tag(row: Notebook, removed: str) -> Notebook:
    """Remove all tags of a key, including those whose key only looks like it."""
    tags = {key: value for key, value in (row.tags or {}).items() if skeleton(key) != skeleton(removed)}
    return replace(
        row, tags=tags, repeated_tags=tuple(tag for tag in row.repeated_tags if skeleton(tag[0]) != skeleton(removed))
    )


def _renamed(leaf: TextIs, notebook: Notebook) -> Iterator[OwnerAction]:
    for glob in leaf.globs:
        name = _fitting(glob, notebook.name or "")
        if name:
            yield OwnerAction(Action(ActionCode.RENAME, (("glob", glob.text), ("name", name))), _naming(name))


def _renamed_away(leaf: TextIs, notebook: Notebook) -> Iterator[OwnerAction]:
    names = ("in-use", "needed", notebook.id)
    name = next((name for name in names if not any(glob.matches(name) for glob in leaf.globs)), None)
    if name:
        globs = GLOBS_BETWEEN.join(glob.text for glob in leaf.globs)
        yield OwnerAction(Action(ActionCode.RENAME_AWAY, (("globs", globs),)), _naming(name))


def _naming(name: str) -> Callable[[Notebook], Notebook]:
    return lambda row: replace(row, name=name)


def _together(changes: list[OwnerAction]) -> OwnerAction:
    def make(notebook: Notebook) -> Notebook:
        for change in changes:
            notebook = change.make(notebook)
        return notebook

    return OwnerAction(Action(ActionCode.TOGETHER, parts=tuple(change.action for change in changes)), make)


def _fitting(glob: Glob, inner: str) -> str | None:
    """Return a text that matches a glob, with `inner` in place of its first star; None if the result does not match."""
    remaining = iter([inner])

    def fill(found: Match[str]) -> str:
        text = found.group()
        if text == "*":
            return next(remaining, "")
        return "x" if text == "?" or text.startswith("[!") else text[1]

    made = WILDCARD.sub(fill, glob.text)
    return made if glob.matches(made) else None
