"""Measures the skew between this machine's clock and the cloud's, by the Date of the cloud's answers.

A Date says in whole seconds when an answer was made, which was between the request and the arrival of the answer. So each
answer gives two bounds, and the smallest skew within them counts: a slow answer widens the bounds, and never looks like a wrong
clock. If this machine's clocks have diverged since the last answer, the wall clock was set or the machine slept. Then the skew
is unknown until the next answer, because earlier answers no longer apply.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import NamedTuple

from nbsweep.adapters.cloud.session import read_date
from nbsweep.core.freshness import ClockReading, have_diverged
from nbsweep.core.ports import Clock

SEVERAL = 8
"""Number of answers of which the median counts, because one of several servers may have a wrong clock."""
AT_ONE_TIME_S = 60.0
"""The longest time between them, because an old answer says nothing about a clock that drifted since."""
A_SECOND_S = 1.0
"""A Date is truncated to whole seconds."""


class DateSample(NamedTuple):
    """The time of the cloud according to one answer, as the bounds of what its clock is ahead of the steady clock here."""

    came: ClockReading
    least_s: float
    most_s: float


@dataclass(slots=True)
class ClockSkew:
    """Computes the skew from the latest answers."""

    clock: Clock
    _samples: deque[DateSample] = field(default_factory=lambda: deque(maxlen=SEVERAL))
    _agreed_s: tuple[float, float] = (0.0, 0.0)
    """The bounds within which all samples allow a skew of zero."""
    _text: str = ""
    _there_s: float | None = None
    """The time that `_text` means; parsed once, because all answers within a second have the same Date."""

    def note(self, text: str, sent: ClockReading) -> None:
        """Record the Date of an answer that has just arrived to a call that was sent at `sent`.

        One that cannot be read says nothing, nor does one during which the clocks have parted.
        """
        if text != self._text:
            date = read_date(text)
            self._text, self._there_s = text, date.timestamp() if date else None
        came = self.clock.read()
        if self._there_s is None or have_diverged(sent, came):
            return
        if self._samples and have_diverged(self._samples[-1].came, came):
            self._samples.clear()
        while self._samples and came.steady_s - self._samples[0].came.steady_s > AT_ONE_TIME_S:
            self._samples.popleft()
        self._samples.append(DateSample(came, self._there_s - came.steady_s, self._there_s + A_SECOND_S - sent.steady_s))
        self._agreed_s = max(sample.least_s for sample in self._samples), min(sample.most_s for sample in self._samples)

    def skew_s(self) -> float | None:
        """Return the least number of seconds by which the wall clock is ahead of the cloud's; None while that is unknown.

        The middle one of the latest answers counts, and of an even number the one that allows more.
        """
        now = self.clock.read()
        if not self._samples or have_diverged(self._samples[-1].came, now):
            return None
        offset_s = now.wall.timestamp() - now.steady_s
        if self._agreed_s[0] <= offset_s <= self._agreed_s[1]:
            return 0.0
        return sorted([_least(sample, offset_s) for sample in self._samples], key=abs)[len(self._samples) // 2]


def _least(sample: DateSample, offset_s: float) -> float:
    """Return the smallest skew that an answer allows; `offset_s` is the wall clock minus the steady clock."""
    if offset_s > sample.most_s:
        return offset_s - sample.most_s
    return min(offset_s - sample.least_s, 0.0)
