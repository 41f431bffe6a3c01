"""A plan that was saved, to be looked at by people and carried out later: the values.

It is permission to look again, for a time, on the targets and under the configuration that it was made with.
"""

from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct

from nbsweep.core.identity import TargetIdentity
from nbsweep.core.saved_plan.evidence import Evidence


class SavedItem(Struct, frozen=True):
    """One notebook that may go, and what that rests on."""

    id: str
    name: str | None
    status: str
    """As it was, for people; the one in the evidence is what counts."""
    owner: str
    workspace: str
    feature: str
    policy: str
    reason: str
    """The verdict's sentence."""
    stop_first: bool
    """It ran, and its policy wants it stopped and then deleted."""
    evidence: Evidence


class SavedTarget(Struct, frozen=True, omit_defaults=True):
    """What may go on one target."""

    target: str
    identity: TargetIdentity
    fleet: int
    refusal: str | None
    """Which brake refused it, and why; then nothing may go. None when none did."""
    kept: Mapping[str, int]
    """By the verdict's reason."""
    items: tuple[SavedItem, ...]
    """In the order of the plan."""
    project: str = ""
    """The endpoint and project that was surveyed, also where it was looked up; empty in plans from before that was saved."""


class SavedPlan(Struct, frozen=True):
    """What may go on all targets together, how long that holds, and under which configuration."""

    plan_id: str
    created_at: datetime
    expires_at: datetime
    configuration: Mapping[str, str]
    """The digest of each part of the configuration that decides, by the part's name."""
    targets: tuple[SavedTarget, ...]


class Spared(Struct, frozen=True):
    """A notebook that a saved plan had permitted to go, and that is kept after all."""

    item: SavedItem
    why: str
