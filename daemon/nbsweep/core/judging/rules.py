"""The rules that decide on a notebook: policies, protections, and what belongs to them."""

from collections.abc import Mapping
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from nbsweep.core.exemptions.model import Exemption
from nbsweep.core.holdout.model import Hold, Holdout
from nbsweep.core.listing.belonging import EVERYTHING, Coverage
from nbsweep.core.marks.grace import Grace
from nbsweep.core.marks.model import Mark
from nbsweep.core.matching.conditions import AllOf
from nbsweep.core.selection import EVERY_NOTEBOOK, Selection
from nbsweep.core.windows.window import Window


class Running(StrEnum):
    """What a policy does with a running notebook."""

    SKIP = "skip"
    STOP = "stop"


class Policy(Struct, frozen=True):
    """A rule for notebooks that may be deleted."""

    name: str
    match: AllOf
    running: Running = Running.SKIP
    grace: Grace | None = None
    """How its deletions are announced; None if they are not."""
    digest: str = ""
    """A digest of what the policy matches; a mark that was made by an edited policy does not count."""
    windows: tuple[Window, ...] = ()
    """The times in which its DELETEs may leave; empty for always."""
    holdout: Holdout | None = None
    """Which of its notebooks are spared for a time; None for none."""


class Protection(Struct, frozen=True):
    """A rule for notebooks that are kept, whatever the policies say."""

    name: str
    match: AllOf


class Rules(Struct, frozen=True):
    """All rules of the configuration; without a policy nothing is ever deleted."""

    policies: tuple[Policy, ...]
    protections: tuple[Protection, ...] = ()
    coverage: Coverage = EVERYTHING
    """What the target covers: nothing else may be deleted, whatever the policies say."""
    selection: Selection = EVERY_NOTEBOOK
    """What a person has chosen for this command: nothing else may be deleted, whatever the policies say."""
    exemptions: tuple[Exemption, ...] = ()
    """The exemptions of the target."""
    marks: Mapping[str, Mark] = {}
    """The open marks by notebook id. Without a mark that is due, a policy with grace deletes nothing."""
    holds: Mapping[str, Hold] = {}
    """The latest hold of each notebook, by notebook id. A policy with a holdout spares its share until their holds end."""

    @property
    def unannounced(self) -> "Rules":
        """The same rules as if no policy had a grace, windows or a holdout, and nothing were marked."""
        plain = tuple(replace(policy, grace=None, windows=(), holdout=None) for policy in self.policies)
        return replace(self, policies=plain, marks={})

    @property
    def without_holdout(self) -> "Rules":
        """The same rules as if no policy held anything out."""
        return replace(self, policies=tuple(replace(policy, holdout=None) for policy in self.policies))

    def windows_of(self, policy: str) -> tuple[Window, ...]:
        """Return the windows of a policy; none if there is no such policy."""
        return next((each.windows for each in self.policies if each.name == policy), ())

    def holdout_of(self, policy: str) -> Holdout | None:
        """Return the holdout of a policy; None if it has none, or there is no such policy."""
        return next((each.holdout for each in self.policies if each.name == policy), None)

    @property
    def holdouts(self) -> Mapping[str, Holdout]:
        """The holdout of each policy that has one, by the policy's name."""
        return {policy.name: policy.holdout for policy in self.policies if policy.holdout}

    @property
    def holds_out(self) -> bool:
        """Whether any policy has a holdout."""
        return any(policy.holdout for policy in self.policies)

    @property
    def graces(self) -> Mapping[str, Grace]:
        """The grace of each policy that has one, by the policy's name."""
        return {policy.name: policy.grace for policy in self.policies if policy.grace}

    @property
    def conditions(self) -> tuple[AllOf, ...]:
        """The condition of each rule, protections first, in the order in which they are checked."""
        return (*(rule.match for rule in self.protections), *(rule.match for rule in self.policies))
