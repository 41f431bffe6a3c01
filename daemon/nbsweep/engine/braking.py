"""Holds a sweep under way against the brakes that can stop it. What they say is for the core; this only asks, and stops."""

from collections.abc import Mapping
from fractions import Fraction

from msgspec import Struct

from nbsweep.core.brakes import Refusal, judge_failures, judge_skew
from nbsweep.core.events.sweep import SweepBraked
from nbsweep.core.lifecycle import State
from nbsweep.core.ports import Ports
from nbsweep.engine.orders import Closing


class Watch(Struct, frozen=True):
    """Watches one sweep."""

    ports: Ports
    closing: Closing
    max_failures: Fraction | None
    """Of the removals; None for no limit."""

    def count(self, states: Mapping[State, int]) -> None:
        """Look at how many removals have come to which state, after one has ended."""
        self._stop(judge_failures(states, self.max_failures))

    def look_at_clock(self) -> None:
        """Look whether the time can be trusted, before anything is decided by it."""
        self._stop(judge_skew(self.ports.cloud.clock_skew_s()))

    def _stop(self, refusal: Refusal | None) -> None:
        if refusal and not self.closing.no_more:
            self.closing.refuse(refusal)
            self.ports.telemetry.emit(SweepBraked(refusal.brake, refusal.message))
