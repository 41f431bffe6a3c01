"""What must hold at the end, after all faults have ended and enough sweeps and rounds have followed."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from nbsweep.core.model import Notebook
from nbsweep.core.notices.outbox import Item, ItemKind, MessageState
from simulation.people.judge import ROUNDED, covers
from simulation.people.post import NOBODY_KNOWS
from simulation.people.scenario import Config

if TYPE_CHECKING:
    from simulation.people.world import World

OWNERLESS = "the cloud does not show who owns it"
REASONS_TO_DROP = ("its mark", "its deadline", "the notebook was deleted", NOBODY_KNOWS, OWNERLESS)
"""The beginnings of the reasons for which an item may be dropped."""


def would_go(world: "World", one: Notebook, config: Config, now: datetime) -> bool:
    """Return whether a notebook is surely to be deleted, sooner or later, by an oracle."""
    name = one.name or ""
    idle_since = max(world.truth.uses(name))
    if name in world.truth.tagged:
        return False
    for exemption, _, revoked in world.judge.exemptions.values():
        if covers(exemption, one) and (revoked is None or revoked > now) and now - timedelta(minutes=2) < exemption.until:
            return False
    return any(rule.selects(one, idle_since, now - ROUNDED) for rule in config.rules)


def leftover(world: "World", config: Config) -> list[str]:
    """List the notebooks that are to be deleted and still exist."""
    now = world.now()
    there = [one for one in world.cloud.all() if one.workspace_id in world.scenario.targets]
    return [one.name or "" for one in there if one.owner.name and would_go(world, one, config, now)]


def is_at_rest(world: "World", config: Config) -> bool:
    """Return whether nothing is left to delete or to tell."""
    if leftover(world, config):
        return False
    store = world.store.notices
    unsent = any(message.state is not MessageState.SENT for message in store.messages.values())
    return not unsent and not any(_lost(world, item) for item in store.items.values())


def check(world: "World", config: Config) -> None:
    """Check the end of a seed."""
    judge = world.judge
    for name in leftover(world, config):
        judge.violation(4, f"{name} is neither deleted nor kept for a reason")
    for item in world.store.notices.items.values():
        if problem := _lost(world, item):
            judge.violation(4, f"{item.kind} of {world.truth.mark_names[item.mark_id]} is lost: {problem}")
    _check_keys(world)


def _lost(world: "World", item: Item) -> str:
    """Return why an item is lost; empty if it was told, or need not be."""
    store = world.store.notices
    mark = store.marks[item.mark_id]
    if item.accepted_at is not None:
        listed = any(letter.counts and any(line.item_id == item.id for line in letter.lines) for letter in world.truth.letters)
        return "" if listed else "no letter that was accepted has listed it"
    if item.dropped:
        holds = item.dropped.startswith(REASONS_TO_DROP) and not (item.kind is ItemKind.ANNOUNCE and mark.open)
        return "" if holds else f"dropped: {item.dropped}"
    if not item.message_key:
        # The owner of such a notebook is never found: it is kept, and its mark says why.
        return "" if mark.open and not mark.owner_key else "it waits for ever"
    message = store.messages[item.message_key]
    if message.state is not MessageState.SENT:
        return f"its message is {message.state}: {message.problem}"
    if item.kind is ItemKind.ANNOUNCE and mark.open:
        return "its message was sent without it, and its mark is open"
    return "its message was sent without it" if item.kind in (ItemKind.CLEARED, ItemKind.DELETED) else ""


def _check_keys(world: "World") -> None:
    keys: dict[str, set[str]] = {}
    for letter in world.truth.letters:
        for line in letter.lines:
            keys.setdefault(line.item_id, set()).add(letter.message)
    for item, messages in keys.items():
        if len(messages) > 1:
            world.judge.violation(4, f"item {item} was sent by {len(messages)} messages")
