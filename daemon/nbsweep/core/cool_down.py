"""What could not be deleted is left alone for a while, for longer each time; and failures are told by cause. Pure.

The second look does not ask about this: what is planned was not cooling down, and only its own sweep could change that.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from msgspec import Struct

from nbsweep.core.lifecycle import Removal, State
from nbsweep.core.policy import Reason, Verdict, keep
from nbsweep.core.runs import FAILURES

PARTICULAR = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[0-9a-fA-F]{16,}")
"""Ids in a cause, by which alone two failures must not be two causes."""


class CoolDown(Struct, frozen=True):
    """How long to leave a notebook alone whose deletion has failed."""

    first: timedelta = timedelta(hours=1)
    """After the first failure; twice as long after each further one in a row."""
    longest: timedelta = timedelta(days=7)

    def lasts(self, failures: int) -> timedelta:
        """Return how long after so many failures in a row, one at least."""
        times = 2 ** (failures - 1)
        return self.longest if times >= self.longest / self.first else self.first * times


USUAL_COOL_DOWN = CoolDown()


class Streak(Struct, frozen=True):
    """The latest removals of one notebook, all of which have failed."""

    failures: int
    ended_at: datetime
    """When the last one had failed."""
    cause: str

    def until(self, cool_down: CoolDown) -> datetime:
        """Return until when it is left alone."""
        return self.ended_at + cool_down.lasts(self.failures)


def is_its_own(removal: Removal) -> bool:
    """Return whether a removal has failed for a reason of its notebook's.

    That is a DELETE that was sent and refused, or that the cloud took on and failed at, or did not finish in time. It is not
    one that was never sent, because the notebook could not be looked at again, or stopped, or the account may delete nothing;
    nor one of which nobody knows whether it arrived, as after a crash.
    """
    if removal.state is State.TIMED_OUT:
        return removal.accepted_at is not None or removal.failures > 0
    return removal.state is State.FAILED and removal.requests > 0


def streaks(ends: Iterable[Removal]) -> dict[str, Streak]:
    """Return by notebook id how often the latest removals of each have failed in a row; who did not fail last is left out.

    What was spared, or failed for a reason that is not the notebook's, changes nothing; only DELETED begins anew.
    """
    found: dict[str, Streak] = {}
    settled: set[str] = set()
    for removal in sorted(ends, key=_ended_at, reverse=True):
        if removal.state is State.DELETED:
            settled.add(removal.notebook_id)
        elif is_its_own(removal) and removal.notebook_id not in settled:
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
    """Keep a notebook that is still cooling down; None if it is not. Without a cool-down none ever is."""
    if streak is None or cool_down is None or now >= streak.until(cool_down):
        return None
    times = "" if streak.failures == 1 else f" {streak.failures} times in a row, the last time"
    sentence = (
        f"it is left alone until {_text(streak.until(cool_down))}: its deletion failed{times} at {_text(streak.ended_at)}"
    )
    return keep(Reason.COOLING_DOWN, f"{sentence} ({streak.cause})" if streak.cause else sentence)


def _text(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M}Z"


# ---- told by cause --------------------------------------------------------------------------------------------------------


class Cause(Struct, frozen=True):
    """Why some removals of one sweep have failed."""

    cause: str
    """The cloud's own words, where it gave any."""
    removals: Sequence[Removal]

    @property
    def example(self) -> Removal:
        """The first of them."""
        return self.removals[0]


def causes_of(removals: Iterable[Removal]) -> tuple[Cause, ...]:
    """Put those that have failed together by cause, the most frequent first."""
    groups: Mapping[str, list[Removal]] = defaultdict(list)
    for removal in removals:
        if removal.state in FAILURES:
            groups[PARTICULAR.sub("*", removal.end_reason)].append(removal)
    return tuple(Cause(cause, group) for cause, group in sorted(groups.items(), key=lambda pair: (-len(pair[1]), pair[0])))
