"""A cloud in memory, in virtual time."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any, TypeVar

from msgspec.structs import replace

from nbsweep.core.errors import CloudError, FactsTooOld, Forbidden, Gone, Rejected
from nbsweep.core.freshness import Freshness
from nbsweep.core.listing.paging import Paging
from nbsweep.core.model import Notebook, Page, Scope
from nbsweep.core.notices.contacts import IamUser
from nbsweep.core.pacing import LaneState
from nbsweep.core.permissions import DEFAULT_WORKSPACE, Action, Probe, probe_of
from nbsweep.core.planning.brakes import judge_skew
from nbsweep.core.ports import Clock, unheeded
from nbsweep.testing.account import FakeAccount, refused
from nbsweep.testing.faults import (
    AT_ANY_TIME,
    NO_FAULT,
    Call,
    Departure,
    Fault,
    Kind,
    Pace,
)
from nbsweep.testing.lane import FakeLane
from nbsweep.testing.pages import Pages
from nbsweep.testing.skew import FakeSkew

AnyAnswer = TypeVar("AnyAnswer")


class FakeCloud(FakeAccount):
    """The port `Cloud` over one account in memory; every call that is sent is in `calls`.

    `inject` queues faults for the next calls; changes by users are methods, called at once or later with `at`.
    """

    def __init__(
        self,
        clock: Clock,
        notebooks: Iterable[Notebook] = (),
        *,
        workspaces: Iterable[str] = ("0",),
        pace: Pace | None = None,
        caller: Clock | None = None,
    ) -> None:
        """Hold these notebooks in these workspaces; `caller` is the clock of the caller, if that is another one."""
        super().__init__(clock, notebooks, workspaces=workspaces, pace=pace or Pace())
        self._caller = caller or clock
        self.calls: list[Call] = []
        self.on_call: Callable[[Call], None] | None = None
        """Called with every call as it is sent."""
        self.pages = Pages()
        """How listings are divided into pages."""
        self.denied: set[Action] = set()
        """The actions that probes report as denied."""
        self.users: dict[str, IamUser] = {}
        """The users of IAM, by id."""
        self.skew = FakeSkew(self._caller)
        """How far the caller's clock is ahead."""
        self.left_out: Mapping[str, Any] = {}
        """The values that rows of listings show in place of the notebook's, by field."""
        self.project_id = "0123456789abcdef0123456789abcdef"
        self._faults: dict[tuple[str, str], deque[Fault]] = {}
        self._lane = FakeLane(clock, self.pace.delete_rate)
        self._turns = FakeLane(clock, self.pace.delete_rate)

    # ---- what happens to it

    def inject(self, kind: Kind, *faults: Fault, notebook_id: str = "") -> None:
        """Queue faults for the next calls of a kind, one for each call; faults with an id come before those without."""
        self._faults.setdefault((kind, notebook_id), deque()).extend(faults)

    def sent(self, kind: Kind) -> list[str]:
        """Return the subjects of the calls of one kind, in order."""
        return [call.subject for call in self.calls if call.kind == kind]

    # ---- the port

    def lanes_state(self) -> tuple[LaneState, ...]:
        """Return the state of the lane of DELETEs, the only one."""
        rate = self.pace.delete_rate
        return (LaneState("delete", rate.per_s, rate.per_s, None),) if rate else ()

    def clock_skew_s(self) -> float | None:
        """Return how far the caller's clock is ahead."""
        return self.skew.now_s()

    def paging(self) -> Paging:
        """Return what the caller knows about the pages."""
        return self.pages.paging

    def found_paging(self, paging: Paging) -> None:
        """Store what the caller knows about the pages."""
        self.pages.paging = paging

    async def workspaces(self) -> tuple[str, ...]:
        """List the ids of all workspaces that the caller may see."""
        return await self._call("workspaces", "", lambda _: self._workspaces)

    async def page(self, scope: Scope, offset: int, status: str | None = None) -> Page:
        """Read one page of a listing, oldest first."""

        def read(fault: Fault) -> Page:
            rows = self.listed(scope, status)
            if self.left_out:
                rows = [replace(row, listed=True, **self.left_out) if isinstance(row, Notebook) else row for row in rows]
            page = self.pages.cut(rows, offset)
            return fault.alter(page) if fault.alter else page

        subject = f"{scope.workspace_id}/{scope.feature}/{offset}{f'/{status}' if status else ''}"
        return await self._call("page", subject, read)

    async def show(self, notebook_id: str) -> Notebook:
        """Read one notebook."""
        return await self._call("show", notebook_id, lambda _: self.shown(notebook_id))

    async def stop(self, notebook_id: str, *, facts: Freshness) -> Notebook | None:
        """Stop a running notebook, and return it as the order has left it."""
        return await self._call("stop", notebook_id, lambda fault: self.begin_stop(notebook_id, fault), Departure(facts))

    async def delete_turn(self) -> None:
        """Wait for a turn to prepare a DELETE."""
        await self._turns.take()

    async def delete(self, notebook_id: str, *, facts: Freshness, leaving: Callable[[], object] = unheeded) -> str:
        """Delete a notebook and its storage, and return the gateway's request id."""
        departure = Departure(facts, leaving)
        return await self._call("delete", notebook_id, lambda fault: self.begin_deletion(notebook_id, fault), departure)

    async def reach(self) -> float | None:
        """Return how far the caller's clock is ahead."""
        return await self._call("reach", "", lambda _: self.clock_skew_s())

    async def project(self) -> str:
        """Return the project's id; it takes a call only if a fault was injected for one."""
        if not self._faults.get(("project", "")):
            return self.project_id
        return await self._call("project", "", lambda _: self.project_id)

    async def user(self, user_id: str) -> IamUser | None:
        """Return a user of IAM."""
        return await self._call("user", user_id, lambda _: self.users.get(user_id))

    async def probe(self, action: Action, workspace_id: str = DEFAULT_WORKSPACE) -> Probe:
        """Try an action on nothing."""
        try:
            await self._call("probe", action, lambda _: self._probed(action, workspace_id))
        except CloudError as error:
            return probe_of(error, action)
        return Probe(allowed=True)

    # ---- the work

    async def _call(
        self, kind: Kind, subject: str, work: Callable[[Fault], AnyAnswer], departure: Departure = AT_ANY_TIME
    ) -> AnyAnswer:
        queue = self._faults.get((kind, subject)) or self._faults.get((kind, ""))
        fault = queue.popleft() if queue else NO_FAULT
        if fault.lane_s:
            await asyncio.sleep(fault.lane_s)
        if kind in ("stop", "delete"):
            await self._lane.take()
        if departure.facts is not None:
            if departure.facts.left_s(self._caller.read()) < 0:
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
            return self._work(fault, work)
        finally:
            await asyncio.sleep(self.pace.answer_s + fault.answer_s)
            self.skew.note_answer()

    def _work(self, fault: Fault, work: Callable[[Fault], AnyAnswer]) -> AnyAnswer:
        self.advance()
        try:
            if fault.error is None:
                return work(fault)
            if fault.after:
                with suppress(CloudError):
                    work(fault)
            raise fault.error
        finally:
            if fault.then:
                fault.then()

    def _probed(self, action: Action, workspace_id: str) -> None:
        if action in self.denied:
            raise Forbidden("the credentials are accepted, but not for this call", code="ModelArts.0108", http_status=403)
        if action in (Action.GET, Action.DELETE, Action.STOP):
            raise refused(Gone, "ModelArts.6309")
        if action is not Action.LIST_WORKSPACES and workspace_id not in self._workspaces:
            raise refused(Rejected, "ModelArts.0102")
