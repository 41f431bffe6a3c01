"""Which removals are between REQUESTED and their end, worked out from events. Pure."""

from collections import defaultdict
from typing import NamedTuple


class Labels(NamedTuple):
    """What was bound around an event."""

    target: str
    policy: str
    notebook_id: str


class InFlight:
    """How many removals of each target are between REQUESTED and their end."""

    def __init__(self) -> None:
        """Begin with none."""
        self._requested: defaultdict[str, set[str]] = defaultdict(set)
        self._inherited: defaultdict[str, int] = defaultdict(int)
        """What recovery follows: an earlier run has requested it, and only its end is heard of."""

    def count(self, target: str) -> int:
        """Tell how many there are."""
        return len(self._requested[target]) + self._inherited[target]

    def inherit(self, target: str, count: int) -> None:
        """Take on what an earlier run has left, instead of any that were taken on before."""
        self._inherited[target] = count

    def begin(self, labels: Labels) -> None:
        """Take one more; a DELETE that is sent again is the same removal."""
        self._requested[labels.target].add(labels.notebook_id)

    def end(self, labels: Labels) -> None:
        """Let one go; one that had never been requested changes nothing."""
        if labels.notebook_id in self._requested[labels.target]:
            self._requested[labels.target].remove(labels.notebook_id)
        elif self._inherited[labels.target]:
            self._inherited[labels.target] -= 1

    def forget(self, target: str) -> None:
        """Let all go: nobody follows them any more, until the next sweep does."""
        self._requested[target].clear()
        self._inherited[target] = 0
