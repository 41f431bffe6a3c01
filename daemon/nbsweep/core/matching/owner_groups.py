"""Groups of owners: a rule names all of them as one, `@team`."""

from functools import lru_cache

from msgspec import Struct

from nbsweep.core.matching.globs import Glob

PREFIX = "@"
MOST_SHOWN = 3
"""Number of owners that a description of a group names."""


class OwnerGroup(Struct, frozen=True):
    """A named group of owners."""

    name: str
    owners: tuple[Glob, ...]

    @property
    def reference(self) -> str:
        """Return the text that stands for the group in a rule."""
        return f"{PREFIX}{self.name}"

    def __str__(self) -> str:
        """Return the reference with the first owners: ``@team (alice, bob, svc-*, 4 more)``."""
        more = len(self.owners) - MOST_SHOWN
        shown = [glob.text for glob in self.owners[:MOST_SHOWN]] + ([f"{more} more"] if more > 0 else [])
        return f"{self.reference} ({', '.join(shown)})"


def names_of(globs: tuple[Glob, ...], groups: tuple[OwnerGroup, ...] = ()) -> tuple[str, ...]:
    """Return the texts that a rule names. `globs` ends with the owners of the groups, which are named in place of these."""
    return _once((*outside_groups(globs, groups), *(group.reference for group in groups)))


def describe_names(globs: tuple[Glob, ...], groups: tuple[OwnerGroup, ...] = ()) -> str:
    """Return the texts that a rule names in words, with the first owners of each group."""
    return _alternatives((*outside_groups(globs, groups), *map(str, groups)))


def outside_groups(globs: tuple[Glob, ...], groups: tuple[OwnerGroup, ...]) -> tuple[str, ...]:
    """Return the texts that a rule names beside groups; `globs` ends with the owners of the groups."""
    inside = sum(len(group.owners) for group in groups)
    return tuple(glob.text for glob in globs[: len(globs) - inside])


# The results are kept in the findings of each notebook, so that equal ones are kept once. The key is not the globs: two of them
# are equal if they match the same texts, whatever their own text is.


@lru_cache
def _once(texts: tuple[str, ...]) -> tuple[str, ...]:
    return texts


@lru_cache
def _alternatives(texts: tuple[str, ...]) -> str:
    return " or ".join(texts)
