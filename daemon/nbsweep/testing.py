"""Stand-ins for the ports, for tests of whatever is built on them; they pass the same contract tests as the real ones."""

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from nbsweep.core.errors import JournalError
from nbsweep.core.events import Event
from nbsweep.core.lifecycle import Removal
from nbsweep.core.model import require_aware
from nbsweep.core.ports import RunRecord

AnEvent = TypeVar("AnEvent", bound=Event)

START = datetime(2026, 1, 1, tzinfo=UTC)
"""What a `FakeClock` shows at first, unless told otherwise."""


class FakeClock:
    """A clock that goes with the running event loop, so that under virtual time both go as one."""

    def __init__(self, start: datetime = START) -> None:
        """Show `start` now; must be made while the loop runs."""
        self._loop = asyncio.get_running_loop()
        self._made_s = self._loop.time()
        self._shown = require_aware(start)

    def now(self) -> datetime:
        """Tell the wall clock's time: the start, what the loop has counted since, and every jump."""
        return self._shown + timedelta(seconds=self._loop.time() - self._made_s)

    def steady_s(self) -> float:
        """Tell the loop's own seconds; they never jump."""
        return self._loop.time()

    def jump(self, seconds: float) -> None:
        """Set the wall clock forward, or back, as an administrator or NTP would."""
        self._shown += timedelta(seconds=seconds)


class RecordingTelemetry:
    """Keeps every event, with what was bound around it."""

    def __init__(self) -> None:
        """Begin with nothing recorded, nothing bound."""
        self.records: list[tuple[Event, dict[str, str]]] = []
        self._context: ContextVar[Mapping[str, str]] = ContextVar("recorded_context")

    def emit(self, event: Event) -> None:
        """Keep the event."""
        self.records.append((event, dict(self._context.get({}))))

    @contextmanager
    def bound(self, **context: str) -> Iterator[None]:
        """Put `context` on every event emitted inside, in this task and those it starts."""
        token = self._context.set({**self._context.get({}), **context})
        try:
            yield
        finally:
            self._context.reset(token)

    def of(self, kind: type[AnEvent]) -> list[AnEvent]:
        """List the events of one kind, in order."""
        return [event for event, _ in self.records if isinstance(event, kind)]

    def names(self) -> list[str]:
        """List the names of all events, in order."""
        return [event.name for event, _ in self.records]


class InMemoryJournal:
    """A journal that survives everything but the end of the process; a "restart" in a test goes on with the same one.

    Like a real one it may be cancelled at any await, and then has written all the same.
    """

    def __init__(self) -> None:
        """Begin empty."""
        self._runs: dict[tuple[str, str], RunRecord] = {}
        self._removals: dict[tuple[str, str, str], Removal] = {}
        self._last_active: dict[str, dict[str, datetime]] = {}

    async def open_run(self, run: RunRecord) -> None:
        """Note that a sweep begins; the pair of run and target is new."""
        if (run.run_id, run.target) in self._runs:
            raise JournalError(f"There is a run {run.run_id} of {run.target} already.")
        self._runs[run.run_id, run.target] = _copied(run)
        await asyncio.sleep(0)

    async def close_run(self, run: RunRecord) -> None:
        """Note how a sweep ended, over the record that `open_run` made."""
        if (run.run_id, run.target) not in self._runs:
            raise JournalError(f"There is no run {run.run_id} of {run.target} that could be closed.")
        self._runs[run.run_id, run.target] = _copied(run)
        await asyncio.sleep(0)

    async def write(self, removals: Sequence[Removal]) -> None:
        """Store removals as they are now, new ones and known ones; all of them or none."""
        checked = [_checked(removal) for removal in removals]
        self._removals.update({(removal.run_id, removal.target, removal.notebook_id): removal for removal in checked})
        await asyncio.sleep(0)

    async def unfinished(self, target: str) -> tuple[Removal, ...]:
        """List the removals of a target, of any run, that have no end, oldest first."""
        await asyncio.sleep(0)
        found = [removal for removal in self._removals.values() if removal.target == target and not removal.ended]
        return tuple(sorted(found, key=lambda removal: (removal.planned_at, removal.run_id)))

    async def note_active(self, target: str, notebook_ids: Iterable[str], seen_at: datetime) -> None:
        """Remember that these were seen other than at rest; only the latest time is kept."""
        moment = require_aware(seen_at)
        known = self._last_active.setdefault(target, {})
        known.update({notebook_id: max(known.get(notebook_id, moment), moment) for notebook_id in notebook_ids})
        await asyncio.sleep(0)

    async def last_active(self, target: str) -> Mapping[str, datetime]:
        """Tell when each notebook of a target was last seen other than at rest."""
        await asyncio.sleep(0)
        return dict(self._last_active.get(target, {}))

    async def runs(self, limit: int) -> tuple[RunRecord, ...]:
        """List the latest sweeps, the newest first."""
        await asyncio.sleep(0)
        by_target = sorted(self._runs.values(), key=lambda run: run.target)
        newest_first = sorted(by_target, key=lambda run: (run.started_at, run.run_id), reverse=True)
        return tuple(_copied(run) for run in newest_first[:limit])

    async def run(self, run_id: str) -> tuple[RunRecord, ...]:
        """List the sweeps of one run, a record for each target; empty when there is no such run."""
        await asyncio.sleep(0)
        found = [_copied(run) for run in self._runs.values() if run.run_id == run_id]
        return tuple(sorted(found, key=lambda run: (run.started_at, run.target)))

    async def removals(self, run_id: str) -> tuple[Removal, ...]:
        """List the removals of one run, in the order in which they were planned."""
        await asyncio.sleep(0)
        return tuple(removal for removal in self._removals.values() if removal.run_id == run_id)

    async def removals_of(self, notebook_id: str) -> tuple[Removal, ...]:
        """List the removals of one notebook over all runs, the newest first."""
        await asyncio.sleep(0)
        found = [removal for removal in self._removals.values() if removal.notebook_id == notebook_id]
        return tuple(sorted(found, key=lambda removal: (removal.planned_at, removal.run_id), reverse=True))


AnyRecord = TypeVar("AnyRecord", Removal, RunRecord)


def _checked(record: AnyRecord) -> AnyRecord:
    for field in fields(record):
        value = getattr(record, field.name)
        if isinstance(value, datetime):
            require_aware(value)
    return record


def _copied(run: RunRecord) -> RunRecord:
    """Give a record of its own: `kept` is a mapping that its owner may go on changing."""
    return replace(_checked(run), kept=None if run.kept is None else dict(run.kept))
