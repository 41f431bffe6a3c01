"""What earlier runs have left without an end, and which target follows it. Pure.

A target follows what is in its project and covered by it, whatever the target was called then, and what has its name. What is
known to be in another project it never follows: of that project's notebooks it would only hear that they do not exist.
"""

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from nbsweep.core.identity import UNKNOWN, TargetIdentity, describe_project, identity_on_record
from nbsweep.core.lease import Lease
from nbsweep.core.lifecycle import Removal


def follows(target: str, identity: TargetIdentity, removal: Removal) -> bool:
    """Tell whether a target's sweeps follow a removal; one whose project is not on record goes by the target's name."""
    if UNKNOWN in (removal.project, identity.project):
        return removal.target == target
    covered = identity.covers(removal.workspace_id, removal.feature)
    return removal.project == identity.project and (covered or removal.target == target)


class LeftAlone(Struct, frozen=True):
    """Removals without an end that no target of the configuration follows."""

    target: str
    """What their target was called."""
    project: str
    removals: tuple[Removal, ...]
    renamed: bool = False
    """Whether a target of the configuration is called the same, and is another project."""

    def __str__(self) -> str:
        """Say so, and what to do."""
        one = len(self.removals) == 1
        count = "1 removal" if one else f"{len(self.removals)} removals"
        state = f"{count} of target {self.target} ({describe_project(self.project)}) {'is' if one else 'are'} still open"
        why = f"target {self.target} is another project now" if self.renamed else "no target of the configuration covers them"
        return (
            f"{state}, and {why}: to have {'it' if one else 'them'} followed to the end, put a target of that project and its "
            "workspaces back, under whatever name, and run once"
        )


def left_alone(
    removals: Iterable[Removal], targets: Mapping[str, TargetIdentity], held: Iterable[Lease] = ()
) -> Sequence[LeftAlone]:
    """Find what no target follows, nor anybody who holds one of these leases, by target and project."""
    swept = [(lease.target, identity_on_record(lease.project, lease.extent)) for lease in held]
    followers = [*targets.items(), *((name, identity) for name, identity in swept if identity)]
    groups: dict[tuple[str, str], list[Removal]] = {}
    for removal in removals:
        if not any(follows(name, identity, removal) for name, identity in followers):
            groups.setdefault((removal.target, removal.project), []).append(removal)
    return [LeftAlone(*key, tuple(found), key[0] in targets) for key, found in sorted(groups.items())]
