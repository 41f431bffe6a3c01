"""Stand-ins for the ports, for tests of whatever is built on them; they pass the same contract tests as the real ones."""

import asyncio
import heapq
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, Literal, TypeVar

from nbsweep.core.errors import (
    AlreadyStopped,
    AnswerLost,
    Busy,
    CloudError,
    FactsTooOld,
    Gone,
    JournalError,
    MalformedAnswer,
    MustStopFirst,
    Rejected,
)
from nbsweep.core.events import Event
from nbsweep.core.lifecycle import Removal
from nbsweep.core.model import MalformedRow, Notebook, Page, Scope, Status, require_aware
from nbsweep.core.pacing import Rate, Window
from nbsweep.core.ports import Clock, RunRecord

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

    async def open_runs(self, target: str) -> tuple[RunRecord, ...]:
        """List the sweeps of a target that have no end, the oldest first."""
        await asyncio.sleep(0)
        found = [run for run in self._runs.values() if run.target == target and run.ended_at is None]
        return tuple(_copied(run) for run in sorted(found, key=lambda run: (run.started_at, run.run_id)))

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


# ---- the cloud ------------------------------------------------------------------------------------------------------------

Kind = Literal["workspaces", "page", "show", "stop", "delete"]
PAGE_SIZE = 50
A_TICK_S = 1e-6
DELETE_REFUSALS: Mapping[Status, tuple[type[CloudError], str]] = {
    Status.INIT: (Busy, "ModelArts.6357"),
    Status.CREATING: (Busy, "ModelArts.6357"),
    Status.STARTING: (Busy, "ModelArts.6306"),
    Status.STOPPING: (Busy, "ModelArts.6308"),
    Status.SNAPSHOTTING: (Busy, "ModelArts.6357"),
    Status.DELETING: (Busy, "ModelArts.6357"),
    Status.RUNNING: (MustStopFirst, "ModelArts.6304"),
    Status.FROZEN: (Rejected, "ModelArts.6326"),
    Status.DELETED: (Gone, "ModelArts.6309"),
}
"""How a DELETE is refused in each state; in the others it is accepted (API notes, section 2)."""
STOP_REFUSALS: Mapping[Status, tuple[type[CloudError], str]] = {
    **dict.fromkeys(set(Status) - {Status.RUNNING}, (Rejected, "ModelArts.6327")),
    **{status: refusal for status, refusal in DELETE_REFUSALS.items() if status is not Status.RUNNING},
    Status.STOPPED: (AlreadyStopped, "ModelArts.6307"),
}
"""How a stop is refused in each state; a notebook that runs is stopped."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call that has left for a `FakeCloud`."""

    kind: Kind
    subject: str
    """The notebook's id; for a page, workspace, feature, offset and status filter, as `0/NOTEBOOK/49/DELETING`."""
    at_s: float
    """When it left, on the steady clock."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How long things take at a `FakeCloud`, in seconds."""

    deletion_s: float = 20.0
    stop_s: float = 10.0
    answer_s: float = 0.0
    """Of every call; its work is done before that."""
    delete_rate: Rate | None = None
    """How fast DELETEs and stops may leave; None means at once."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """What befalls one call; the plain one is none at all, and lets a call pass before the next trouble."""

    error: Exception | None = None
    """What the caller gets instead of the answer."""
    after: bool = False
    """The work is done all the same: only its answer is lost."""
    lane_s: float = 0.0
    """How much longer the call waits before it leaves."""
    answer_s: float = 0.0
    """How much longer its answer takes."""
    stale_s: float = 0.0
    """For how long reads go on to show what was before this call."""
    fate: Status | None = None
    """What the accepted order ends in, when not well: DELETE_FAILED, or DELETING, STOPPING or RUNNING for ever."""
    then: Callable[[], None] | None = None
    """What somebody does right after the work, and so between two pages."""
    spoil: Callable[[Page], Page] | None = None
    """What becomes of a page on its way."""


LOST_BEFORE = Trouble(AnswerLost("no answer within the time limit"))
LOST_AFTER = Trouble(AnswerLost("no answer within the time limit"), after=True)
PLAIN = Trouble()
AnyAnswer = TypeVar("AnyAnswer")


class FakeCloud:
    """One account's notebooks, in memory, in the clock's own time; every call that leaves is in `calls`.

    What is to go wrong is queued up with `befall`, what people do is called at once or put off with `at`.
    """

    def __init__(
        self,
        clock: Clock,
        notebooks: Iterable[Notebook] = (),
        *,
        workspaces: Iterable[str] = ("0",),
        pace: Pace = Pace(),
    ) -> None:
        """Hold these notebooks in these workspaces."""
        self.calls: list[Call] = []
        self.accepted: list[str] = []
        """The ids of all DELETEs that were accepted."""
        self.on_call: Callable[[Call], None] | None = None
        """Told of every call as it leaves."""
        self.pace = pace
        self._clock = clock
        self._now_s = clock.steady_s()
        self._workspaces = tuple(workspaces)
        self._notebooks = {notebook.id: notebook for notebook in notebooks}
        self._malformed: list[tuple[Scope, MalformedRow]] = []
        self._stale: dict[str, tuple[float, Notebook]] = {}
        self._agenda: list[tuple[float, int, Callable[[], None]]] = []
        self._serials = count()
        self._troubles: dict[tuple[str, str], deque[Trouble]] = {}
        self._lane = _Turns(clock, pace.delete_rate)
        self._turns = _Turns(clock, pace.delete_rate)

    # ---- what happens to it

    def befall(self, kind: Kind, *troubles: Trouble, notebook_id: str = "") -> None:
        """Let troubles befall the next calls of a kind, one each; without an id, those that have none of their own."""
        self._troubles.setdefault((kind, notebook_id), deque()).extend(troubles)

    def at(self, seconds: float, act: Callable[[], None]) -> None:
        """Let something happen at that moment of the steady clock."""
        heapq.heappush(self._agenda, (seconds, next(self._serials), act))

    def add(self, *notebooks: Notebook) -> None:
        """Let somebody create notebooks."""
        self._notebooks.update({notebook.id: notebook for notebook in notebooks})

    def add_malformed(self, row: MalformedRow, scope: Scope) -> None:
        """Let the listing of a scope hold a row that cannot be read, before all others."""
        self._malformed.append((scope, row))

    def change(self, notebook_id: str, **fields: Any) -> None:
        """Let somebody change a notebook, which dates the change."""
        moment = self._clock.now() + timedelta(seconds=self._now_s - self._clock.steady_s())
        self._notebooks[notebook_id] = replace(self._notebooks[notebook_id], **{"updated_at": moment, **fields})

    def vanish(self, notebook_id: str) -> None:
        """Let somebody else's deletion come to its end."""
        self._notebooks.pop(notebook_id, None)

    def truth(self, notebook_id: str) -> Notebook | None:
        """Tell what is true of a notebook now, whatever reads show; None when it is gone."""
        self._advance()
        return self._notebooks.get(notebook_id)

    def sent(self, kind: Kind) -> list[str]:
        """List what the calls of one kind were about, in order."""
        return [call.subject for call in self.calls if call.kind == kind]

    # ---- the port

    async def workspaces(self) -> tuple[str, ...]:
        """List the ids of all workspaces that the caller may see."""
        return await self._call("workspaces", "", lambda _: self._workspaces)

    async def page(self, scope: Scope, offset: int, status: str | None = None) -> Page:
        """Read one page of a listing, oldest first."""

        def read(trouble: Trouble) -> Page:
            rows = self._listed(scope, status)
            page = Page(tuple(rows[offset : offset + PAGE_SIZE]), len(rows))
            return trouble.spoil(page) if trouble.spoil else page

        subject = f"{scope.workspace_id}/{scope.feature}/{offset}{f'/{status}' if status else ''}"
        return await self._call("page", subject, read)

    async def show(self, notebook_id: str) -> Notebook:
        """Read one notebook."""
        return await self._call("show", notebook_id, lambda _: self._shown(notebook_id))

    async def stop(self, notebook_id: str) -> None:
        """Order a running notebook to stop."""
        await self._call("stop", notebook_id, lambda trouble: self._stop(notebook_id, trouble))

    async def delete_turn(self) -> None:
        """Wait for a turn to prepare a DELETE."""
        await self._turns.take()

    async def delete(self, notebook_id: str, *, not_after_s: float) -> str:
        """Delete a notebook and its storage for good; gives the gateway's request id."""
        return await self._call("delete", notebook_id, lambda trouble: self._delete(notebook_id, trouble), not_after_s)

    # ---- the work

    async def _call(
        self, kind: Kind, subject: str, work: Callable[[Trouble], AnyAnswer], not_after_s: float = float("inf")
    ) -> AnyAnswer:
        queue = self._troubles.get((kind, subject)) or self._troubles.get((kind, ""))
        trouble = queue.popleft() if queue else PLAIN
        if trouble.lane_s:
            await asyncio.sleep(trouble.lane_s)
        if kind in ("stop", "delete"):
            await self._lane.take()
        if self._clock.steady_s() > not_after_s:
            raise FactsTooOld("the DELETE was held back, because the facts behind it had become too old")
        call = Call(kind, subject, self._clock.steady_s())
        self.calls.append(call)
        if self.on_call:
            self.on_call(call)
        try:
            return self._work(trouble, work)
        finally:
            await asyncio.sleep(self.pace.answer_s + trouble.answer_s)

    def _work(self, trouble: Trouble, work: Callable[[Trouble], AnyAnswer]) -> AnyAnswer:
        self._advance()
        try:
            if trouble.error is None:
                return work(trouble)
            if trouble.after:
                with suppress(CloudError):
                    work(trouble)
            raise trouble.error
        finally:
            if trouble.then:
                trouble.then()

    def _advance(self) -> None:
        """Let everything happen whose time has come, each thing at its own moment."""
        now_s = self._clock.steady_s()
        while self._agenda and self._agenda[0][0] <= now_s:
            self._now_s, _, act = heapq.heappop(self._agenda)
            act()
        self._now_s = now_s

    def _listed(self, scope: Scope, status: str | None) -> list[Notebook | MalformedRow]:
        if scope.workspace_id not in self._workspaces:
            raise _refusal(Rejected, "ModelArts.0102")
        oldest_first = sorted(self._visible(), key=lambda row: (row.created_at or datetime.max.replace(tzinfo=UTC), row.id))
        rows = [row for row in oldest_first if Scope(row.workspace_id or "0", row.feature or "NOTEBOOK") == scope]
        if status is not None:
            return [row for row in rows if row.status == status]
        return [*(row for where, row in self._malformed if where == scope), *rows]

    def _visible(self) -> list[Notebook]:
        stale = {key: row for key, (until_s, row) in self._stale.items() if self._now_s < until_s}
        return list((self._notebooks | stale).values())

    def _shown(self, notebook_id: str) -> Notebook:
        if any(row.id == notebook_id for _, row in self._malformed):
            raise MalformedAnswer("the cloud's answer is not a notebook")
        until_s, row = self._stale.get(notebook_id, (0.0, None))
        return row if row and self._now_s < until_s else self._existing(notebook_id)

    def _existing(self, notebook_id: str) -> Notebook:
        if notebook_id not in self._notebooks:
            raise _refusal(Gone, "ModelArts.6309")
        return self._notebooks[notebook_id]

    def _stop(self, notebook_id: str, trouble: Trouble) -> None:
        notebook = self._existing(notebook_id)
        if notebook.status in STOP_REFUSALS:
            raise _refusal(*STOP_REFUSALS[notebook.status])
        if trouble.fate is Status.RUNNING:
            return
        self._enter(notebook, Status.STOPPING, trouble)
        if trouble.fate is None:
            self.at(self._now_s + self.pace.stop_s, lambda: self._leave(notebook_id, Status.STOPPING, Status.STOPPED))

    def _delete(self, notebook_id: str, trouble: Trouble) -> str:
        notebook = self._existing(notebook_id)
        if notebook.status in DELETE_REFUSALS:
            raise _refusal(*DELETE_REFUSALS[notebook.status])
        self.accepted.append(notebook_id)
        self._enter(notebook, Status.DELETING, trouble)
        if trouble.fate is not Status.DELETING:
            end = trouble.fate or Status.DELETED
            self.at(self._now_s + self.pace.deletion_s, lambda: self._leave(notebook_id, Status.DELETING, end))
        return f"request-{len(self.accepted)}"

    def _enter(self, notebook: Notebook, status: Status, trouble: Trouble) -> None:
        if trouble.stale_s:
            self._stale[notebook.id] = (self._now_s + trouble.stale_s, notebook)
        self.change(notebook.id, status=status)

    def _leave(self, notebook_id: str, status: Status, end: Status) -> None:
        """Let an operation come to its end, unless something else has happened to the notebook."""
        notebook = self._notebooks.get(notebook_id)
        if notebook is None or notebook.status is not status:
            return
        if end is Status.DELETED:
            self.vanish(notebook_id)
        elif end is Status.DELETE_FAILED:
            self.change(notebook_id, status=end, fail_reason="Failed to delete the storage resources of the instance.")
        else:
            self.change(notebook_id, status=end)


class _Turns:
    """Lets calls leave one after the other, no faster than a rate."""

    def __init__(self, clock: Clock, rate: Rate | None) -> None:
        self._clock = clock
        self._window = Window(rate) if rate else None
        self._queue = asyncio.Lock()

    async def take(self) -> None:
        async with self._queue:
            if self._window is None:
                return await asyncio.sleep(0)
            # Again, since a timer may be a trifle early; and never for less than the clock can tell.
            while True:
                wait_s = self._window.wait_s(self._clock.steady_s())
                if wait_s <= 0:
                    return self._window.take(self._clock.steady_s())
                await asyncio.sleep(max(wait_s, A_TICK_S))


def _refusal(kind: type[CloudError], code: str) -> CloudError:
    return kind(f"the cloud refused: HTTP 400 {code}", code=code, http_status=400)
