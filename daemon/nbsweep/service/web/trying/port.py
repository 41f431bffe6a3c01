"""What is asked of a back-test, and how it may end.

A back-test costs time and memory, so that it runs apart from the service.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Protocol

from msgspec import Struct

from nbsweep.charts.bins import Bins
from nbsweep.core.errors import Mistake
from nbsweep.core.reasons.statement import Statement
from nbsweep.documents.past.backtest import BacktestDocument

PASTED = "the pasted policies"
"""What documents call policies that were pasted."""
MOST_REGRETS = 100
MOST_RECREATED = 50
TIME_S = 50.0
"""Seconds that a back-test may take: less than the minute after which proxies give up."""
MEMORY_BYTES = 1024**3


class Question(Struct, frozen=True):
    """What is asked of a back-test."""

    policies: str
    """The pasted text; empty for the current policies."""
    targets: tuple[str, ...]
    since: timedelta
    horizon: timedelta
    thresholds: tuple[tuple[str, timedelta], ...] = ()
    compared: bool = False
    """Whether the pasted policies are compared with the current ones."""
    max_regret: Fraction | None = None


class Tried(Struct, frozen=True, tag="tried"):
    """The result."""

    document: BacktestDocument
    """With at most `MOST_REGRETS` deletions, all of them regrets, and without those of the comparison and of the holdout."""
    regrets: int
    returns: Bins
    """How long after their deletion people came back."""
    assumptions: tuple[Statement, ...]
    """Those of the document, for each language to render."""
    no_idle_time: bool
    """Whether thresholds were left out because no policy asks for an idle time."""
    json: bytes
    """The whole document as JSON, compressed with gzip."""
    report: bytes
    """The report as HTML, compressed with gzip."""


class Mistaken(Struct, frozen=True, tag="mistaken"):
    """The pasted text cannot be used."""

    mistakes: Sequence[Mistake]


class NoSurvey(Struct, frozen=True, tag="no-survey"):
    """There is no survey in the time that was asked for."""

    first: datetime | None
    """The time of the first survey that there is; None if there is none at all."""
    last: datetime | None


class Unreadable(Struct, frozen=True, tag="unreadable"):
    """The journal cannot be read."""

    problem: str


class TooMuch(Struct, frozen=True, tag="too-much"):
    """It took more time or memory than it may."""


Answer = Tried | Mistaken | NoSurvey | Unreadable | TooMuch


class Backtester(Protocol):
    """Tries policies on the past."""

    async def answer(self, question: Question, now: datetime) -> Answer:
        """Try policies up to a moment. It neither calls the cloud nor writes into the journal."""
        ...
