"""How far this machine's clock is from the cloud's, by the Date of its answers.

A Date says in whole seconds when an answer was made, which was at some time between sending and the answer's arrival. Each
answer so gives two bounds, and what counts is the least that they allow: a slow answer allows more, and never looks like a
clock that is off. Answers are put down by the steady clock, and the wall clock is looked at when somebody asks: one that was
set in between, or a machine that slept, is seen without another answer.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import NamedTuple

from nbsweep.adapters.cloud.session import read_date
from nbsweep.core.ports import Clock

SEVERAL = 8
"""So many answers are heard: one server of several may be wrong about the time, and the least counts."""
AT_ONE_TIME_S = 60.0
"""So far apart they may be: an old answer must not speak for a clock that has gone astray since."""
A_SECOND_S = 1.0
"""A Date leaves out the rest of its second."""


class Told(NamedTuple):
    """What an answer has told."""

    sent_s: float
    came_s: float
    """Both of the steady clock."""
    there_s: float
    """The time where it was made, since 1970."""


@dataclass(slots=True)
class Dates:
    """Remembers the latest answers."""

    clock: Clock
    _told: deque[Told] = field(default_factory=lambda: deque(maxlen=SEVERAL))
    _text: str = ""
    _there_s: float | None = None
    """What `_text` means: it is the same for all answers of a second, and read once."""

    def note(self, text: str, sent_s: float) -> None:
        """Take the Date of an answer that has just come to a call that was sent then; one that cannot be read says nothing."""
        if text != self._text:
            date = read_date(text)
            self._text, self._there_s = text, date.timestamp() if date else None
        if self._there_s is not None:
            self._told.append(Told(sent_s, self.clock.steady_s(), self._there_s))

    def skew_s(self) -> float | None:
        """Tell by how many seconds at least the wall clock is ahead of the cloud's; None while nothing is known."""
        if not self._told:
            return None
        offset_s = self.clock.now().timestamp() - self.clock.steady_s()
        latest_s = self._told[-1].came_s
        recent = (told for told in self._told if latest_s - told.came_s <= AT_ONE_TIME_S)
        return min((_least(told, offset_s) for told in recent), key=abs)


def _least(told: Told, offset_s: float) -> float:
    """Tell the least that an answer allows; `offset_s` is what the wall clock shows more than the steady one."""
    low = offset_s + told.sent_s - told.there_s - A_SECOND_S
    high = offset_s + told.came_s - told.there_s
    return max(low, 0.0) or min(high, 0.0)
