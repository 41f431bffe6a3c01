"""What is going to happen later; it happens when somebody looks, at the time it was due."""

from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count


class Timers:
    """Actions by due time."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Callable[[float], None]]] = []
        self._serials = count()

    def add(self, due_s: float, action: Callable[[float], None]) -> None:
        """Have `action` called with `due_s` once that time has come."""
        heappush(self._heap, (due_s, next(self._serials), action))

    def run_due(self, now_s: float) -> None:
        """Do what is due, in the order of time; what an action adds may be due as well."""
        while self._heap and self._heap[0][0] <= now_s:
            due_s, _, action = heappop(self._heap)
            action(due_s)
