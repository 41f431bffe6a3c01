"""Timers, which run when the state is read, each with the time at which it was due."""

from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count


class Timers:
    """Actions by due time."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Callable[[float], None]]] = []
        self._serials = count()

    def add(self, due_s: float, action: Callable[[float], None]) -> None:
        """Call `action` with `due_s` when that time has come."""
        heappush(self._heap, (due_s, next(self._serials), action))

    def run_due(self, now_s: float) -> None:
        """Run all actions that are due, in order of time, including those that an action adds."""
        while self._heap and self._heap[0][0] <= now_s:
            due_s, _, action = heappop(self._heap)
            action(due_s)
