"""An event loop whose time flies, and which can be stopped at any of its steps."""

import asyncio
import selectors
from collections.abc import Callable
from typing import Any


class Deadlock(Exception):
    """Nothing is due and nothing can come from outside: what waits would wait for ever."""


class _NoOutside(selectors.SelectSelector):
    """Instead of waiting for the outside, which does not exist here, it lets the time pass."""

    def __init__(self) -> None:
        """Begin at nought."""
        super().__init__()
        self.now_s = 0.0
        self.steps = 0
        self.at_step: Callable[[int], None] = lambda _: None

    def select(self, timeout: float | None = None) -> list[Any]:
        """Go on to the next moment at which something is due; called once in every step of the loop."""
        self.steps += 1
        if timeout is None:
            raise Deadlock("everything waits, and nothing is due")
        if timeout > 0:
            self.now_s += timeout
        self.at_step(self.steps)
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """Runs what is ready, then jumps to what is due next; between any two of its steps the world may be asked to end."""

    def __init__(self) -> None:
        """Begin at nought, with no step made."""
        self._outside = _NoOutside()
        super().__init__(self._outside)

    def time(self) -> float:
        """Tell the seconds since the beginning."""
        return self._outside.now_s

    @property
    def steps(self) -> int:
        """Tell how many steps have been made; every await that really waits ends one."""
        return self._outside.steps

    def watch_steps(self, at_step: Callable[[int], None]) -> None:
        """Call this in every step from now on, with the step's number."""
        self._outside.at_step = at_step
