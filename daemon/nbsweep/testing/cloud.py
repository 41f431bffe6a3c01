"""A cloud in memory, in virtual time."""

import asyncio
import heapq
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, TypeVar

from msgspec.structs import replace

from nbsweep.core.brakes import judge_skew
from nbsweep.core.errors import CloudError, FactsTooOld, Forbidden, Gone, MalformedAnswer, Rejected
from nbsweep.core.freshness import Freshness
from nbsweep.core.listing.paging import Paging
from nbsweep.core.model import MalformedRow, Notebook, Page, Scope, Status
from nbsweep.core.pacing import LaneState
from nbsweep.core.permissions import DEFAULT_WORKSPACE, Action, Probe, probe_of
from nbsweep.core.ports import Clock, unheeded
from nbsweep.testing.pages import Pages
from nbsweep.testing.skew import FakeSkew
from nbsweep.testing.troubles import (
    AT_ANY_TIME,
    DELETE_REFUSALS,
    PLAIN,
    STOP_REFUSALS,
    Call,
    Departure,
    Kind,
    Pace,
    Trouble,
)
from nbsweep.testing.turns import Turns

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
        pace: Pace | None = None,
    ) -> None:
        """Hold these notebooks in these workspaces."""
        self.calls: list[Call] = []
        self.accepted: list[str] = []
        """The ids of all DELETEs that were accepted."""
        self.on_call: Callable[[Call], None] | None = None
        """Told of every call as it leaves."""
        self.unlisted: frozenset[Status] = frozenset()
        """States whose rows a listing leaves out, unless it is asked for that very state."""
        self.pages = Pages()
        """How its listings are cut into pages."""
        self.denied: set[Action] = set()
        """What the caller may not do, as far as probes find out."""
        self.skew = FakeSkew(clock)
        """How far the caller's clock is ahead."""
        self.left_out: Mapping[str, Any] = {}
        """What the rows of listings show instead of the fields that they leave out, by field."""
        self.project_id = "0123456789abcdef0123456789abcdef"
        self.pace = pace or Pace()
        self._clock = clock
        self._now_s = clock.steady_s()
        self._workspaces = tuple(workspaces)
        self._notebooks = {notebook.id: notebook for notebook in notebooks}
        self._malformed: list[tuple[Scope, MalformedRow]] = []
        self._stale: dict[str, tuple[float, Notebook]] = {}
        self._agenda: list[tuple[float, int, Callable[[], None]]] = []
        self._serials = count()
        self._troubles: dict[tuple[str, str], deque[Trouble]] = {}
        self._lane = Turns(clock, self.pace.delete_rate)
        self._turns = Turns(clock, self.pace.delete_rate)

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

    def put(self, notebook: Notebook) -> None:
        """Let somebody create a notebook, or let one be other than it was."""
        self._notebooks[notebook.id] = notebook

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

    def lanes_state(self) -> tuple[LaneState, ...]:
        """Tell how fast DELETEs may leave, the only lane that there is here."""
        rate = self.pace.delete_rate
        return (LaneState("delete", rate.per_s, rate.per_s, None),) if rate else ()

    def clock_skew_s(self) -> float | None:
        """Tell how far the caller's clock is ahead."""
        return self.skew.now_s()

    def paging(self) -> Paging:
        """Tell what the caller has found out of the pages."""
        return self.pages.paging

    def found_paging(self, paging: Paging) -> None:
        """Remember it."""
        self.pages.paging = paging

    async def workspaces(self) -> tuple[str, ...]:
        """List the ids of all workspaces that the caller may see."""
        return await self._call("workspaces", "", lambda _: self._workspaces)

    async def page(self, scope: Scope, offset: int, status: str | None = None) -> Page:
        """Read one page of a listing, oldest first."""

        def read(trouble: Trouble) -> Page:
            rows = self._listed(scope, status)
            if self.left_out:
                rows = [replace(row, listed=True, **self.left_out) if isinstance(row, Notebook) else row for row in rows]
            page = self.pages.cut(rows, offset)
            return trouble.spoil(page) if trouble.spoil else page

        subject = f"{scope.workspace_id}/{scope.feature}/{offset}{f'/{status}' if status else ''}"
        return await self._call("page", subject, read)

    async def show(self, notebook_id: str) -> Notebook:
        """Read one notebook."""
        return await self._call("show", notebook_id, lambda _: self._shown(notebook_id))

    async def stop(self, notebook_id: str, *, facts: Freshness) -> Notebook | None:
        """Order a running notebook to stop; gives it as the order has left it."""
        return await self._call("stop", notebook_id, lambda trouble: self._stop(notebook_id, trouble), Departure(facts))

    async def delete_turn(self) -> None:
        """Wait for a turn to prepare a DELETE."""
        await self._turns.take()

    async def delete(self, notebook_id: str, *, facts: Freshness, leaving: Callable[[], object] = unheeded) -> str:
        """Delete a notebook and its storage for good; gives the gateway's request id."""
        departure = Departure(facts, leaving)
        return await self._call("delete", notebook_id, lambda trouble: self._delete(notebook_id, trouble), departure)

    async def reach(self) -> float | None:
        """Tell how far the caller's clock is ahead."""
        return await self._call("reach", "", lambda _: self.clock_skew_s())

    async def project(self) -> str:
        """Tell the project's id, which is known without a call; what befalls it is that it had to be looked up."""
        if not self._troubles.get(("project", "")):
            return self.project_id
        return await self._call("project", "", lambda _: self.project_id)

    async def probe(self, action: Action, workspace_id: str = DEFAULT_WORKSPACE) -> Probe:
        """Try an action on nothing."""
        try:
            await self._call("probe", action, lambda _: self._probed(action, workspace_id))
        except CloudError as error:
            return probe_of(error, action)
        return Probe(allowed=True)

    # ---- the work

    async def _call(
        self, kind: Kind, subject: str, work: Callable[[Trouble], AnyAnswer], departure: Departure = AT_ANY_TIME
    ) -> AnyAnswer:
        queue = self._troubles.get((kind, subject)) or self._troubles.get((kind, ""))
        trouble = queue.popleft() if queue else PLAIN
        if trouble.lane_s:
            await asyncio.sleep(trouble.lane_s)
        if kind in ("stop", "delete"):
            await self._lane.take()
        if departure.facts is not None:
            if departure.facts.left_s(self._clock.read()) < 0:
                raise FactsTooOld("the DELETE was held back, because the facts behind it had become too old")
            if (skew_s := self.clock_skew_s()) is not None and (refusal := judge_skew(skew_s)):
                raise FactsTooOld(f"the DELETE was held back: {refusal.message}")
        departure.leaving()
        call = Call(kind, subject, self._clock.steady_s())
        self.calls.append(call)
        self.skew.note_answer()
        if self.on_call:
            self.on_call(call)
        try:
            return self._work(trouble, work)
        finally:
            await asyncio.sleep(self.pace.answer_s + trouble.answer_s)
            self.skew.note_answer()

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
        shown = [row for row in rows if row.status not in self.unlisted]
        return [*(row for where, row in self._malformed if where == scope), *shown]

    def _probed(self, action: Action, workspace_id: str) -> None:
        if action in self.denied:
            raise Forbidden("the credentials are accepted, but not for this call", code="ModelArts.0108", http_status=403)
        if action in (Action.GET, Action.DELETE, Action.STOP):
            raise _refusal(Gone, "ModelArts.6309")
        if action is not Action.LIST_WORKSPACES and workspace_id not in self._workspaces:
            raise _refusal(Rejected, "ModelArts.0102")

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

    def _stop(self, notebook_id: str, trouble: Trouble) -> Notebook | None:
        notebook = self._existing(notebook_id)
        if notebook.status in STOP_REFUSALS:
            raise _refusal(*STOP_REFUSALS[notebook.status])
        if trouble.fate is Status.RUNNING:
            return None
        self._enter(notebook, Status.STOPPING, trouble)
        if trouble.fate is None:
            self.at(self._now_s + self.pace.stop_s, lambda: self._leave(notebook_id, Status.STOPPING, Status.STOPPED))
        return self._notebooks[notebook_id]

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


def _refusal(kind: type[CloudError], code: str) -> CloudError:
    return kind(f"the cloud refused: HTTP 400 {code}", code=code, http_status=400)
