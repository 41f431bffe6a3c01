"""Counts the removals between REQUESTED and their end, by events. Pure."""

from collections import defaultdict
from typing import NamedTuple


class Labels(NamedTuple):
    """The context of an event."""

    target: str
    policy: str
    notebook_id: str


class InFlight:
    """The removals of each target between REQUESTED and their end."""

    def __init__(self) -> None:
        """Start without removals."""
        self._requested: defaultdict[str, set[str]] = defaultdict(set)
        self._inherited: defaultdict[str, int] = defaultdict(int)
        """The number of removals that recovery follows; an earlier run has requested them."""

    def count(self, target: str) -> int:
        """Return the number of removals."""
        return len(self._requested[target]) + self._inherited[target]

    def inherit(self, target: str, count: int) -> None:
        """Set the number of unfinished removals of an earlier run."""
        self._inherited[target] = count

    def begin(self, labels: Labels) -> None:
        """Add a removal; a DELETE that is sent again is the same removal."""
        self._requested[labels.target].add(labels.notebook_id)

    def end(self, labels: Labels) -> None:
        """Remove a removal; one that was never requested changes nothing."""
        if labels.notebook_id in self._requested[labels.target]:
            self._requested[labels.target].remove(labels.notebook_id)
        elif self._inherited[labels.target]:
            self._inherited[labels.target] -= 1

    def forget(self, target: str) -> None:
        """Remove all removals of a target: they are not followed until the next sweep."""
        self._requested[target].clear()
        self._inherited[target] = 0
