"""What needs attention about marks and messages: owners who cannot be told, messages that fail or wait, and brakes. Pure."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from nbsweep.core.control.requests import Pause
from nbsweep.core.facts import format_age, format_moment
from nbsweep.core.judging.shown_marks import MarkRules, count_marks, show_mark
from nbsweep.core.judging.verdict import Reason
from nbsweep.core.marks.model import Mark
from nbsweep.core.marks.shown import MarkTotals, ShownState
from nbsweep.core.notices.outbox import Message, OutboxCount, WaitingItems
from nbsweep.core.planning.brakes import Brakes, OnExcess, judge_count, of_announcing
from nbsweep.core.runs import Outcome, RunRecord

LONG_UNTOLD = timedelta(days=1)
"""Owners who could not be told for longer are a problem."""
LONG_PENDING = timedelta(hours=1)
"""A message that waits for longer is a problem."""
LONG_PAUSE = timedelta(days=1)
"""Announcements that wait for longer, because sending is paused, are a problem."""
FAILED_WITHIN = timedelta(days=7)
"""A message that failed so long ago is no problem any more: nobody has sent it again."""

NONE_WAITING = WaitingItems()


class UntoldOwner(Struct, frozen=True):
    """An owner who could not be told, and whose notebooks wait for that."""

    owner: str
    notebooks: int
    why: str
    since: datetime
    """Since when the owner could not be told of the first of the notebooks."""
    retried: bool = False
    """Whether another attempt follows by itself for each of the notebooks."""


class TargetMarks(Struct, frozen=True):
    """The open marks of a target."""

    totals: MarkTotals = MarkTotals()
    untold: tuple[UntoldOwner, ...] = ()
    """The owners with the most notebooks first."""
    held_back: str = ""
    """Why a brake held notebooks back at the last sweep; empty if none did."""
    unannounced: str = ""
    """Why a brake lets no further notebook be announced; empty if none does."""

    def problems(self, now: datetime) -> list[str]:
        """Return what needs an action, in words."""
        found = []
        if long := [each for each in self.untold if now - each.since > LONG_UNTOLD]:
            notebooks, owners = sum(each.notebooks for each in long), len(long)
            who = "1 owner" if owners == 1 else f"{owners} owners"
            found.append(
                f"{who} of {notebooks} marked {'notebook' if notebooks == 1 else 'notebooks'} could not be told for more than "
                f"{format_age(LONG_UNTOLD)}: `nbsweep marks --untold` shows why"
            )
        if self.unannounced:
            found.append(self.unannounced)
        if self.totals.due and self.held_back:
            one = self.totals.due == 1
            found.append(f"{self.totals.due} announced {'notebook is' if one else 'notebooks are'} due, and {self.held_back}")
        return found


def judge_marks(
    marks: Iterable[Mark], rules: MarkRules, last: RunRecord | None, now: datetime, brakes: Brakes | None = None
) -> TargetMarks:
    """Return the state of the open marks of a target; `last` is its last sweep that has ended."""
    marks = tuple(marks)
    unannounced = _unannounced(marks, last, brakes) if last and brakes and brakes.on_excess is OnExcess.REFUSE else ""
    awaiting = [mark for mark in marks if show_mark(mark, rules, now).state is ShownState.MARKED]
    return TargetMarks(count_marks(marks, rules, now), _untold(awaiting), _held_back(last), unannounced)


def _unannounced(marks: Sequence[Mark], last: RunRecord, brakes: Brakes) -> str:
    """Return why the last sweep has announced nothing although notebooks wait for it: a brake refuses the whole backlog."""
    waiting = (last.kept or {}).get(Reason.UNANNOUNCED.value, 0)
    if not waiting or any(mark.marked_at >= last.started_at for mark in marks):
        return ""
    refusals = judge_count(len(marks) + waiting, brakes, last.fleet)
    one = waiting == 1
    wait = f"{waiting} {'notebook waits' if one else 'notebooks wait'} to be announced, and {'is' if one else 'are'} not"
    return f"{wait}: {of_announcing(refusals[0]).message}" if refusals else ""


def _untold(marked: Iterable[Mark]) -> tuple[UntoldOwner, ...]:
    by_owner: dict[str, list[Mark]] = {}
    for mark in marked:
        if mark.untold:
            by_owner.setdefault(mark.owner_key, []).append(mark)
    owners = (
        UntoldOwner(
            each[0].owner_label,
            len(each),
            _why(each),
            min(mark.untold_since or mark.marked_at for mark in each),
            all(mark.retried for mark in each),
        )
        for each in by_owner.values()
    )
    return tuple(sorted(owners, key=lambda each: (-each.notebooks, each.owner)))


def _why(marks: Sequence[Mark]) -> str:
    """Return why an owner could not be told; a reason that needs an action comes first."""
    return min(marks, key=lambda mark: mark.retried).untold


def _held_back(last: RunRecord | None) -> str:
    if last is None:
        return ""
    if last.outcome is Outcome.REFUSED:
        return f"a brake refused the last sweep, {last.run_id}"
    cut = (last.kept or {}).get(Reason.OVER_BRAKE.value, 0)
    return f"brakes cut {cut} notebooks from the plan of the last sweep, {last.run_id}" if cut else ""


class OutboxHealth(Struct, frozen=True):
    """The unsent and the failed messages of a journal."""

    counts: tuple[OutboxCount, ...] = ()
    """The unsent messages of each channel."""
    failed: tuple[Message, ...] = ()
    """The messages that failed lately, and were not sent again; the newest first."""
    pause: Pause | None = None
    """The pause that is in force."""
    waiting: WaitingItems = NONE_WAITING
    """The items that no message lists yet."""

    @property
    def pending(self) -> int:
        """The number of unsent messages."""
        return sum(count.pending for count in self.counts)

    @property
    def oldest_at(self) -> datetime | None:
        """When the oldest unsent message was composed; None if there is none."""
        return min((count.oldest_at for count in self.counts), default=None)

    def problems(self, now: datetime) -> list[str]:
        """Return what needs an action, in words; a pause is somebody's wish, unless it is long and somebody waits."""
        found = []
        if self.failed:
            one = len(self.failed) == 1
            count = "1 message has" if one else f"{len(self.failed)} messages have"
            found.append(
                f"{count} failed within {format_age(FAILED_WITHIN)}: `nbsweep outbox --failed` shows why, and `nbsweep outbox "
                f"retry` sends {'it' if one else 'them'} again"
            )
        if self.oldest_at and self.pause is None and now - self.oldest_at > LONG_PENDING:
            found.append(f"the oldest of {self.pending} unsent messages waits for {format_age(now - self.oldest_at)}")
        if self.pause and (held := self._held_back_since()) and now - held > LONG_PAUSE:
            found.append(
                f"sending is paused, and {describe_unsent(self.pending, self.waiting)}: `nbsweep notify resume` sends them; "
                "until then nobody is told of new marks"
            )
        return found

    def _held_back_since(self) -> datetime | None:
        """Return since when the pause holds back the first message or item; None if nothing waits, or nothing is paused."""
        oldest = min((each for each in (self.oldest_at, self.waiting.oldest_at) if each), default=None)
        return max(self.pause.since, oldest) if self.pause and oldest else None


def describe_unsent(messages: int, waiting: WaitingItems) -> str:
    """Return how many messages wait, and how many items for a message, in words."""
    words = f"{messages} {'message waits' if messages == 1 else 'messages wait'} in the outbox"
    if waiting.oldest_at is None:
        return words
    items = "1 item" if waiting.count == 1 else f"{waiting.count} items"
    return f"{words}, and {items} that no message lists yet, since {format_moment(waiting.oldest_at)}"


def judge_outbox(
    counts: Iterable[OutboxCount],
    failed: Sequence[Message],
    pause: Pause | None,
    now: datetime,
    waiting: WaitingItems = NONE_WAITING,
) -> OutboxHealth:
    """Return the state of the outbox; `failed` are the latest failed messages, also those of long ago."""
    lately = (message for message in failed if (message.ended_at or message.created_at) > now - FAILED_WITHIN)
    return OutboxHealth(tuple(counts), tuple(lately), pause if pause and pause.in_force(now) else None, waiting)
