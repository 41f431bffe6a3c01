"""Cool-down after failed deletions, longer after each failure in a row; and failures grouped by cause. Pure.

The second look does not check this: a planned notebook was not cooling down, and only the same sweep could change that.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from nbsweep.core.judging.verdict import Reason, Verdict, keep
from nbsweep.core.lifecycle import Removal, State
from nbsweep.core.reasons.model import Cause, CauseCode
from nbsweep.core.runs import FAILURES

PARTICULAR = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[0-9a-fA-F]{16,}")
"""Ids in the text of a cause, which are ignored when causes are compared."""


class CoolDown(Struct, frozen=True):
    """How long a notebook is left alone after its deletion failed."""

    first: timedelta = timedelta(hours=1)
    """The time after the first failure; it doubles with each further failure in a row."""
    longest: timedelta = timedelta(days=7)

    def lasts(self, failures: int) -> timedelta:
        """Return the cool-down after a number of failures in a row, which is at least 1."""
        times = 2 ** (failures - 1)
        return self.longest if times >= self.longest / self.first else self.first * times


USUAL_COOL_DOWN = CoolDown()


class Streak(Struct, frozen=True):
    """The latest removals of one notebook, if all of them failed."""

    failures: int
    ended_at: datetime
    """When the last of them failed."""
    cause: str

    def until(self, cool_down: CoolDown) -> datetime:
        """Return when the cool-down ends."""
        return self.ended_at + cool_down.lasts(self.failures)


def failed_by_notebook(removal: Removal) -> bool:
    """Return whether a removal failed because of its notebook.

    It did if its DELETE was refused, or was accepted and then failed or did not finish in time. It did not if the DELETE was
    never sent (the notebook could not be re-read or stopped, or the account may delete nothing), or if it is unknown whether
    the DELETE arrived, as after a crash.
    """
    if removal.state is State.TIMED_OUT:
        return removal.accepted_at is not None or removal.failures > 0
    return removal.state is State.FAILED and removal.requests > 0


def streaks(ends: Iterable[Removal]) -> dict[str, Streak]:
    """Return the current streak of failures of each notebook that has one, by notebook id.

    Spared removals, and failures that are not because of the notebook, do not count. Only DELETED ends a streak.
    """
    found: dict[str, Streak] = {}
    settled: set[str] = set()
    for removal in sorted(ends, key=_ended_at, reverse=True):
        if removal.state is State.DELETED:
            settled.add(removal.notebook_id)
        elif failed_by_notebook(removal) and removal.notebook_id not in settled:
            later = found.get(removal.notebook_id)
            found[removal.notebook_id] = (
                Streak(later.failures + 1, later.ended_at, later.cause)
                if later
                else Streak(1, _ended_at(removal), removal.end_reason)
            )
    return found


def _ended_at(removal: Removal) -> datetime:
    return removal.ended_at or removal.planned_at


def judge_cooling(streak: Streak | None, cool_down: CoolDown | None, now: datetime) -> Verdict | None:
    """Return a verdict to keep a notebook that is cooling down; None if it is not, or if no cool-down is configured."""
    if streak is None or cool_down is None or now >= streak.until(cool_down):
        return None
    until = streak.until(cool_down)
    return replace(keep(Reason.COOLING_DOWN, _why_cooling(streak, until)), until=until)


def _why_cooling(streak: Streak, until: datetime) -> Cause:
    params = {"until": until.isoformat(), "failed_at": streak.ended_at.isoformat(), "detail": streak.cause}
    if streak.failures == 1:
        return Cause(CauseCode.COOLING_DOWN, params=params)
    return Cause(CauseCode.COOLING_DOWN_AGAIN, params={**params, "failures": streak.failures})


# ---- failures by cause ----------------------------------------------------------------------------------------------------


class FailureCause(Struct, frozen=True):
    """A cause of failures, with the removals of one sweep that it ended."""

    cause: str
    """The cloud's own text, if it gave any."""
    removals: Sequence[Removal]

    @property
    def example(self) -> Removal:
        """The first of the removals."""
        return self.removals[0]


def causes_of(removals: Iterable[Removal]) -> tuple[FailureCause, ...]:
    """Group the failed removals by cause, the most frequent cause first."""
    groups: Mapping[str, list[Removal]] = defaultdict(list)
    for removal in removals:
        if removal.state in FAILURES:
            groups[PARTICULAR.sub("*", removal.end_reason)].append(removal)
    return tuple(
        FailureCause(cause, group) for cause, group in sorted(groups.items(), key=lambda pair: (-len(pair[1]), pair[0]))
    )
