"""The end of old records in memory."""

import asyncio
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, MutableMapping
from datetime import UTC, datetime, timedelta

from nbsweep.core.lifecycle import Removal, State
from nbsweep.core.marks.model import Mark
from nbsweep.core.model import require_aware
from nbsweep.core.notices.outbox import Message, MessageState
from nbsweep.core.retention.model import Pruned
from nbsweep.core.runs import FAILURES, RunRecord
from nbsweep.testing.notices.store import UNSENT, NoticeStore
from nbsweep.testing.records.exemptions import InMemoryExemptions
from nbsweep.testing.records.inventory import InMemoryInventory

A_DAY = timedelta(days=1)


class InMemoryRetention:
    """Deletes from the records of the journal for tests."""

    def __init__(
        self,
        runs: MutableMapping[tuple[str, str], RunRecord],
        removals: MutableMapping[tuple[str, str, str], Removal],
        notices: NoticeStore,
        exemptions: InMemoryExemptions,
        inventory: InMemoryInventory,
    ) -> None:
        """Take the records to delete from."""
        self._runs = runs
        self._removals = removals
        self._notices = notices
        self._exemptions = exemptions
        self._inventory = inventory
        self._claimed: datetime | None = None

    async def claim(self, now: datetime) -> bool:
        """Return whether the last claim is a day away, and record this one then."""
        await asyncio.sleep(0)
        if self._claimed is not None and abs(now - self._claimed) < A_DAY:
            return False
        self._claimed = require_aware(now)
        return True

    async def prunable(self, before: datetime) -> Mapping[str, Pruned]:
        """Count what `prune` would delete, by the month in which it ended."""
        await asyncio.sleep(0)
        runs, marks = self._old_runs(before), self._old_marks(before)
        counts = {
            "runs": _by_month(self._runs[run].ended_at for run in runs),
            "removals": _by_month(self._runs[key[:2]].ended_at for key in self._removals if key[:2] in runs),
            "marks": _by_month(self._notices.marks[mark].ended_at for mark in marks),
            "messages": _by_month(self._notices.messages[key].ended_at for key in self._old_messages(before, marks)),
            "exemptions": _by_month(min(one.until, one.revoked_at or one.until) for one in self._exemptions.old(before)),
        }
        months = sorted(set[str]().union(*counts.values()))
        return {month: Pruned(**{kind: of_kind[month] for kind, of_kind in counts.items()}) for month in months}

    async def prune(self, before: datetime, limit: int) -> Pruned:  # noqa: ARG002  # all at once are about so many
        """Delete what ended before a moment."""
        await asyncio.sleep(0)
        runs = self._old_runs(before)
        removals = [key for key in self._removals if key[:2] in runs]
        for run in runs:
            del self._runs[run]
        for removal in removals:
            del self._removals[removal]
        marks = self._old_marks(before)
        self._notices.forget_marks(marks)
        messages = self._old_messages(before)
        for message in messages:
            del self._notices.messages[message]
        return Pruned(len(runs), len(removals), len(marks), len(messages), self._exemptions.forget(before))

    def _old_runs(self, before: datetime) -> set[tuple[str, str]]:
        return {key for key, run in self._runs.items() if self._is_old(run, before)}

    def _is_old(self, run: RunRecord, before: datetime) -> bool:
        if run.ended_at is None or run.ended_at >= before or run.started_at >= before:
            return False
        mine = [each for each in self._removals.values() if (each.run_id, each.target) == (run.run_id, run.target)]
        ended = all(each.ended and each.ended_at is not None and each.ended_at < before for each in mine)
        failing = any(each.state in FAILURES and not self._is_gone(each) for each in mine)
        return ended and not failing and any(_replaces(other, run) for other in self._runs.values())

    def _is_gone(self, removal: Removal) -> bool:
        notebook = (removal.project, removal.notebook_id)
        same = (each for each in self._removals.values() if (each.project, each.notebook_id) == notebook)
        return any(each.state is State.DELETED for each in same) or self._inventory.is_known_to_be_gone(*notebook)

    def _old_marks(self, before: datetime) -> set[str]:
        return {mark.id for mark in self._notices.marks.values() if self._is_old_mark(mark, before)}

    def _is_old_mark(self, mark: Mark, before: datetime) -> bool:
        if mark.open or mark.ended_at is None or mark.ended_at >= before or mark.marked_at >= before:
            return False
        items = [item for item in self._notices.items.values() if item.mark_id == mark.id]
        waiting = any(not item.message_key and not item.dropped for item in items)
        messages = [self._notices.messages.get(item.message_key) for item in items]
        return not waiting and not any(message and message.state in UNSENT for message in messages)

    def _old_messages(self, before: datetime, without: Collection[str] = ()) -> set[str]:
        """Return the messages without items, or only with those of the marks in `without`."""
        return {message.key for message in self._notices.messages.values() if self._is_old_message(message, before, without)}

    def _is_old_message(self, message: Message, before: datetime, without: Collection[str]) -> bool:
        if message.state not in {MessageState.SENT, MessageState.FAILED} or message.ended_at is None:
            return False
        listed = any(item.message_key == message.key and item.mark_id not in without for item in self._notices.items.values())
        return message.ended_at < before and message.created_at < before and not listed


def _by_month(ends: Iterable[datetime | None]) -> Counter[str]:
    return Counter(f"{end.astimezone(UTC):%Y-%m}" for end in ends if end is not None)


def _replaces(later: RunRecord, run: RunRecord) -> bool:
    same = (later.target, later.project, later.extent, later.outcome) == (run.target, run.project, run.extent, run.outcome)
    as_good = (not later.problem or bool(run.problem)) and (later.fleet > 0 or run.fleet <= 0)
    return same and later.started_at > run.started_at and as_good
