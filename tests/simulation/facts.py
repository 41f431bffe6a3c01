"""A notebook of the simulated cloud, and its JSON."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

START_MS = 1_767_225_600_000
"""The start of every simulation by the cloud's clock: 2026-01-01 UTC."""
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS

AT_WORK = frozenset({"INIT", "CREATING", "STARTING", "STOPPING", "DELETING", "SNAPSHOTTING"})
"""An operation of the cloud is under way."""
BROKEN = frozenset({"CREATE_FAILED", "START_FAILED", "DELETE_FAILED", "ERROR"})
RESTING = frozenset({"STOPPED", "FROZEN", "DELETED"}) | BROKEN
DELETABLE = frozenset({"STOPPED"}) | BROKEN


@dataclass(frozen=True, slots=True)
class Term:
    """A notebook's lease."""

    create_ms: int
    update_ms: int
    duration_ms: int
    enable: bool = True
    type: str | None = "TIMING"


@dataclass(frozen=True, slots=True)
class Facts:
    """The facts of one notebook during a time."""

    id: str
    name: str
    status: str
    workspace: str
    owner: str
    flavor: str
    tags: tuple[tuple[str, str | None], ...]
    """As written, some keys twice; None for a value that is not shown."""
    create_ms: int
    update_ms: int
    term: Term | None
    capacity_gb: int = 50
    fail_reason: str | None = None
    odd: str = ""
    """The defect of the answers: `status` (unknown), `date` (impossible), `tags` (left out).

    If listings show no dates, an impossible date is not seen, and the dates of the lease count.
    """
    feature: str = "NOTEBOOK"

    @property
    def exists(self) -> bool:
        """Return whether the notebook exists; a row with the status DELETED is only a record."""
        return self.status != "DELETED"


@lru_cache(maxsize=4096)
def row(facts: Facts, leaves_out: tuple[str, ...] = ()) -> str:
    """Write it as one row of a listing, or as the answer about one; the listings of some clouds leave fields out."""
    shown: dict[str, Any] = {
        "id": facts.id,
        "name": facts.name,
        "status": "RESIZING" if facts.odd == "status" else facts.status,
        "feature": facts.feature,
        "flavor": facts.flavor,
        "workspace_id": facts.workspace,
        "user": {"id": f"id-of-{facts.owner}", "name": facts.owner},
        "volume": {"category": "EVS", "ownership": "MANAGED", "capacity": facts.capacity_gb},
        "token": "never-to-be-seen",
        "url": "https://never-to-be-seen.example",
        "some_new_field": {"nested": [1, 2, 3]},
    }
    if facts.odd != "tags":
        shown["tags"] = [{"key": key} if value is None else {"key": key, "value": value} for key, value in facts.tags]
    shown |= {"create_at": 12 if facts.odd == "date" else facts.create_ms, "update_at": facts.update_ms}
    if facts.term:
        shown["lease"] = _term(facts.term)
    if facts.fail_reason:
        shown["fail_reason"] = facts.fail_reason
    return json.dumps({field: value for field, value in shown.items() if field not in leaves_out})


def _term(term: Term) -> Mapping[str, Any]:
    shown: dict[str, Any] = {
        "create_at": term.create_ms,
        "update_at": term.update_ms,
        "duration": term.duration_ms,
        "enable": term.enable,
    }
    return {**shown, "type": term.type} if term.type else shown
