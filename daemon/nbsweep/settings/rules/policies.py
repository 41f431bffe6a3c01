"""`policies`, `protect` and `brakes`: which notebooks are deleted, which are kept, and how many at a time."""

from fractions import Fraction
from hashlib import sha256
from typing import Annotated

from pydantic import BeforeValidator, Field, StrictInt

from nbsweep.core.holdout.model import Holdout
from nbsweep.core.judging.rules import Policy, Protection, Running
from nbsweep.core.marks.grace import Grace, UnlessTold
from nbsweep.core.matching.conditions import AllOf, AnyOf, CapacityOver, Condition, LeaseEnabled, LongerThan, TagIs, TextIs
from nbsweep.core.matching.owner_groups import PREFIX, names_of
from nbsweep.core.planning.brakes import MOST_FAILURES, Brakes, OnExcess
from nbsweep.core.reasons.finding import Truth
from nbsweep.core.windows.window import Window
from nbsweep.settings.fields.base import Group, Label
from nbsweep.settings.fields.types import IfGiven
from nbsweep.settings.fields.units import Share, format_duration
from nbsweep.settings.people.marks import GraceSettings
from nbsweep.settings.rules.holdout import HoldoutOrShare
from nbsweep.settings.rules.match import NO_GROUPS, MatchSettings, OwnerGroups, PolicyMatchSettings
from nbsweep.settings.rules.windows import WindowSettings

Count = Annotated[StrictInt, Field(ge=0)]


def _no_null(grace: object) -> object:
    if grace is None:
        raise ValueError("must not be null: write a grace, such as {for: 7d}, or remove the key to delete unannounced")
    return grace


class PolicySettings(Group):
    """A rule that selects notebooks for deletion."""

    name: Label
    """The name in reports and the journal; no two policies share a name."""
    match: PolicyMatchSettings
    """Which notebooks the policy selects."""
    running: Running = Running.SKIP
    """What to do with a running notebook: skip it, or stop it and then delete it."""
    grace: Annotated[IfGiven[GraceSettings], BeforeValidator(_no_null)] = None
    """How the owner is told before the deletion; without it, the policy deletes unannounced."""

    windows: tuple[WindowSettings, ...] | None = None
    """The times in which its DELETEs may leave, in place of the windows of the whole configuration; [] for always."""
    holdout: HoldoutOrShare | None = None
    """The share that is spared for a time, in place of the holdout of the whole configuration; 0% for none."""

    def to_core(
        self,
        groups: OwnerGroups = NO_GROUPS,
        grace: Grace | None = None,
        windows: tuple[Window, ...] = (),
        holdout: Holdout | None = None,
    ) -> Policy:
        """Convert the group to the core's rule; `grace` is the grace within the limits of `marks`."""
        return Policy(self.name, self.match.to_core(groups), self.running, grace, self._digest(groups), windows, holdout)

    def _digest(self, groups: OwnerGroups) -> str:
        """Return a digest of what the policy matches, and of whether somebody else than the owner, or nobody, may be told.

        An edit of a group of owners changes it, too.
        """
        owners = {name: [glob.text for glob in group.owners] for name, group in sorted(groups.items())}
        # Without defaults, so that a key which a later version adds changes no digest.
        matched = self.model_dump_json(include={"match", "running"}, by_alias=True, exclude_defaults=True)
        named = {name: texts for name, texts in owners.items() if f'"{PREFIX}{name}"' in matched}
        unless_told = self.grace.unless_told if self.grace else UnlessTold.KEEP
        instead = "" if unless_told is UnlessTold.KEEP else f"\n{unless_told.value}"
        return sha256(f"{matched}\n{named}{instead}".encode()).hexdigest()[:16]


class BrakeSettings(Group):
    """Limits on what one sweep may delete on one target; null switches one off."""

    max_deletions: Count | None = 100
    """How many notebooks at most."""
    max_share: Share | None = Fraction(1, 4)
    """How much of the fleet at most; one notebook at least, unless it is 0%."""
    max_per_owner: Count | None = None
    """How many notebooks of one owner at most."""
    max_per_day: Count | None = None
    """How many notebooks in any 24 hours at most, over all runs; each sent DELETE counts, whatever its result."""
    max_fleet_drop: Share | None = Fraction(1, 2)
    """The largest share by which the fleet may shrink between surveys, apart from what nbsweep deletes."""
    max_failures: Share | None = MOST_FAILURES
    """The share of failed removals from which a sweep starts no more; counted from 10 ended removals on."""
    on_excess: OnExcess = OnExcess.REFUSE
    """With a larger plan: refuse it as a whole, or trim it so that the longest idle go first."""

    def to_core(self) -> Brakes:
        """Convert the group to the core's brakes."""
        return Brakes(
            max_deletions=self.max_deletions,
            max_share=self.max_share,
            max_per_owner=self.max_per_owner,
            on_excess=self.on_excess,
            max_per_day=self.max_per_day,
            max_fleet_drop=self.max_fleet_drop,
        )


def protection(match: MatchSettings, groups: OwnerGroups = NO_GROUPS) -> Protection:
    """Build the core's rule of an entry under `protect`, named after what it says; what looks alike is protected too."""
    condition = match.to_core(groups, alike=Truth.PASS)
    return Protection(describe(condition), condition)


def describe(condition: Condition) -> str:
    """Describe a condition in the words of the configuration: ``name keep-*, prod-*``."""
    match condition:
        case TextIs(key=key, globs=globs, groups=named):
            text = f"{key} {', '.join(names_of(globs, named))}"
        case TagIs(key=key, globs=globs):
            text = f"tags.{key} {', '.join(glob.text for glob in globs)}"
        case LongerThan(key=key, threshold=threshold):
            text = f"{key} {format_duration(threshold)}"
        case CapacityOver(threshold_gb=size):
            text = f"volume.capacity_over {size}"
        case LeaseEnabled(enabled=enabled):
            text = f"lease.enabled {str(enabled).lower()}"
        case AllOf(parts=parts):
            text = " and ".join(describe(part) for part in parts)
        case AnyOf(parts=parts):
            text = f"any ({' | '.join(describe(part) for part in parts)})"
        case _:
            text = f"not ({describe(condition.part)})"
    return text
