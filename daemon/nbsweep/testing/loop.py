"""An event loop in virtual time, which can be stopped at any of its steps."""

import asyncio
import selectors
from collections.abc import Callable
from typing import Any


class Deadlock(Exception):
    """Nothing is due: all tasks would wait for ever."""


class _NoOutside(selectors.SelectSelector):
    """A selector without files, which advances the time instead of waiting."""

    def __init__(self) -> None:
        """Begin at zero."""
        super().__init__()
        self.now_s = 0.0
        self.steps = 0
        self.at_step: Callable[[int], None] = lambda _: None

    def select(self, timeout: float | None = None) -> list[Any]:
        """Advance to the next time at which something is due; called once in every step of the loop."""
        self.steps += 1
        if timeout is None:
            raise Deadlock("everything waits, and nothing is due")
        if timeout > 0:
            self.now_s += timeout
        self.at_step(self.steps)
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """Runs what is ready, then jumps to what is due next; a function is called in every step."""

    def __init__(self) -> None:
        """Begin at zero."""
        self._outside = _NoOutside()
        super().__init__(self._outside)

    def time(self) -> float:
        """Return the seconds since the beginning."""
        return self._outside.now_s

    @property
    def steps(self) -> int:
        """Return the number of steps; every await that waits ends a step."""
        return self._outside.steps

    def watch_steps(self, at_step: Callable[[int], None]) -> None:
        """Call this in every step from now on, with the step's number."""
        self._outside.at_step = at_step
