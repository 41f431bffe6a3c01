"""A selection: the policies that a command plans for, and the notebooks that it leaves out."""

from msgspec import Struct


class Selection(Struct, frozen=True):
    """What a person has chosen for one command; it can only keep notebooks that the rules would delete."""

    policies: tuple[str, ...] = ()
    """The policies whose notebooks are planned; empty for all policies."""
    excluded: frozenset[str] = frozenset()
    """Ids of notebooks that are kept."""
    by: str = ""
    """The person who has chosen."""

    def takes(self, policy: str) -> bool:
        """Return whether the notebooks of a policy are planned."""
        return not self.policies or policy in self.policies


EVERY_NOTEBOOK = Selection()


class Excluded(Struct, frozen=True):
    """A notebook that was excluded from a plan."""

    id: str
    name: str | None
    by: str
    """The person who has excluded it."""
