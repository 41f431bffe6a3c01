"""Builders of what a journal keeps of notices, before its first write; each takes the fields that differ."""

from datetime import timedelta
from typing import Any

from msgspec.structs import replace

import builders
from builders import NOON
from nbsweep.core.exemptions.model import Exemption, Selector
from nbsweep.core.marks.model import Mark
from nbsweep.core.notices.outbox import Item, ItemKind, Message, MessageKind


def mark(number: int = 1, /, **changes: Any) -> Mark:
    """Return a new mark of the notebook with this number, of alice; a higher number was marked seconds later."""
    plain = builders.mark(
        number,
        id=f"m{number}",
        project="https://modelarts.test/a",
        policy="idle",
        reason="idle 21d (over 14d)",
        lease_updated_at=None,
        marked_at=NOON + timedelta(seconds=number - 1),
        last_survey_at=None,
        remedies=("start it",),
        capacity_gb=50,
        tags={"team": "vision", "keep": ""},
        version=0,
    )
    return replace(plain, **changes)


def item(number: int = 1, /, **changes: Any) -> Item:
    """Return the announcement of the mark with this number."""
    return replace(Item(f"i{number}", ItemKind.ANNOUNCE, f"m{number}", "owner", NOON), **changes)


def message(number: int = 1, /, **changes: Any) -> Message:
    """Return a new message to alice, in a slot of its own, due at `NOON`."""
    plain = Message(f"k{number}", MessageKind.OWNER, "owner:u1", "mail", NOON, f"2026-03-{number:02}", NOON)
    return replace(plain, **changes)


def exemption(number: int = 1, /, **changes: Any) -> Exemption:
    """Return an exemption of alice's notebooks for a day; a higher number was granted seconds later."""
    plain = builders.exemption(
        id=f"e{number}",
        granted_by="li",
        granted_at=NOON + timedelta(seconds=number - 1),
        until=NOON + timedelta(days=1),
    )
    return replace(plain, **{"selector": Selector(owner="alice"), **changes})
