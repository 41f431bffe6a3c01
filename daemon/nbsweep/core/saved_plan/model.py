"""The model of a saved plan, which people can review before it is carried out.

A saved plan is a permission to look again. It is valid for a limited time, and for the targets and configuration it was made
with.
"""

from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct

from nbsweep.core.identity import TargetIdentity
from nbsweep.core.reasons.english import describe
from nbsweep.core.reasons.model import Cause
from nbsweep.core.saved_plan.evidence import Evidence
from nbsweep.core.selection import Excluded


class SavedItem(Struct, frozen=True):
    """One notebook that may be deleted, with the evidence."""

    id: str
    name: str | None
    status: str
    """The status at that time, for people; rules use the one in the evidence."""
    owner: str
    workspace: str
    feature: str
    policy: str
    reason: str
    """The verdict's sentence."""
    stop_first: bool
    """Whether it was running, and its policy stops running notebooks before it deletes them."""
    evidence: Evidence


class SavedTarget(Struct, frozen=True, omit_defaults=True):
    """The plan of one target."""

    target: str
    identity: TargetIdentity
    fleet: int
    refusal: str | None
    """The brakes that refused the plan, and why; then nothing may be deleted. None if no brake did."""
    kept: Mapping[str, int]
    """The number of kept notebooks by the reason of the verdict."""
    items: tuple[SavedItem, ...]
    """In the order of the plan."""
    project: str = ""
    """The endpoint and project that was surveyed, even if it was looked up; empty in plans of older versions."""
    excluded: tuple[Excluded, ...] = ()
    """The notebooks that were excluded from the plan, and by whom."""
    policies: tuple[str, ...] = ()
    """The policies that the plan was restricted to; empty for all."""


class SavedPlan(Struct, frozen=True):
    """The plans of all targets, how long they are valid, and for which configuration."""

    plan_id: str
    created_at: datetime
    expires_at: datetime
    configuration: Mapping[str, str]
    """The digest of each part of the configuration that affects decisions, by the name of the part."""
    targets: tuple[SavedTarget, ...]


class Spared(Struct, frozen=True):
    """A notebook that a saved plan permits to delete, and that is kept anyway."""

    item: SavedItem
    cause: Cause

    @property
    def why(self) -> str:
        """The cause in English words."""
        return describe(self.cause)
