"""The handlers of the API: runs and removals from the journal, the states of the targets, and the requests to them."""

from http import HTTPStatus

from aiohttp import web

from nbsweep.core.control.requests import Pause, Resumption, SweepRequest
from nbsweep.core.ports import Clock, Journal
from nbsweep.documents.explain import explain_document
from nbsweep.documents.plans import plan_document
from nbsweep.documents.runs import removal_series, run_documents, show_document
from nbsweep.service.control import Answer, Control, TargetState, UnknownTargetError
from nbsweep.service.web.access.call_limit import CallLimit
from nbsweep.service.web.access.visitors import actor_of
from nbsweep.service.web.api.documents import (
    RemovalsDocument,
    RunInFullDocument,
    RunsDocument,
    TargetsDocument,
    target_document,
    target_in_full,
)
from nbsweep.service.web.errors import Code, Refused, failure_of
from nbsweep.service.web.parameters import LIMIT_DEFAULT, LIMIT_MOST, OFFSET_MOST, checked_id, number
from nbsweep.service.web.planning.desk import PlanDesk
from nbsweep.service.web.responses import json_answer


class Api:
    """Handles the requests under /api/v1."""

    def __init__(self, control: Control, journal: Journal, clock: Clock, call_limit: CallLimit, desk: PlanDesk) -> None:
        """Take the service, its journal, the clock, the limit on calls to the cloud, and what makes plans."""
        self._control = control
        self._journal = journal
        self._clock = clock
        self._desk = desk
        self._call_limit = call_limit

    # ---- reads --------------------------------------------------------------------------------------------------------------

    async def targets(self, _request: web.Request) -> web.StreamResponse:
        """Return the state of every target."""
        return json_answer(TargetsDocument([target_document(state) for state in self._control.targets()]))

    async def target(self, request: web.Request) -> web.StreamResponse:
        """Return the state of one target, its last sweep, and its unfinished removals."""
        state = self._state(request)
        last = await self._journal.last_run(state.name)
        unfinished = await self._journal.unfinished(state.name, LIMIT_MOST + 1)
        return json_answer(target_in_full(state, last, unfinished, LIMIT_MOST))

    async def runs(self, request: web.Request) -> web.StreamResponse:
        """Return the latest sweeps, the newest first."""
        records = await self._journal.runs(number(request, "limit", LIMIT_DEFAULT, 1, LIMIT_MOST))
        counts = await self._journal.run_counts([record.run_id for record in records])
        return json_answer(RunsDocument(run_documents(records, counts)))

    async def run(self, request: web.Request) -> web.StreamResponse:
        """Return one run with one page of the results of its notebooks."""
        run_id = _id(request, "run_id")
        records = await self._journal.run(run_id)
        if not records:
            raise Refused(Code.NOT_FOUND, "the journal has no such run; GET /api/v1/runs lists the latest runs")
        limit, offset = number(request, "limit", LIMIT_MOST, 1, LIMIT_MOST), number(request, "offset", 0, 0, OFFSET_MOST)
        # One row more than requested shows whether there is a next page.
        removals = await self._journal.removals(run_id, limit + 1, offset)
        shown = show_document(records, await self._journal.run_counts([run_id]), removals[:limit])
        next_offset = offset + limit if len(removals) > limit else None
        return json_answer(RunInFullDocument(shown.run_id, shown.targets, shown.results, next_offset))

    async def removals(self, request: web.Request) -> web.StreamResponse:
        """Return the removals of one notebook over all runs, the newest first."""
        notebook_id = _id(request, "notebook_id")
        removals = await self._journal.removals_of(notebook_id)
        return json_answer(RemovalsDocument(notebook_id, removal_series(removals)))

    async def explain(self, request: web.Request) -> web.StreamResponse:
        """Return every rule's result for one notebook, as it is now, on each target that has it."""
        notebook_id = _id(request, "notebook_id")
        names = _targets(request) or [state.name for state in self._control.targets()]
        with self._call_limit.taking(len(names)):
            explained = await self._control.explain(notebook_id, names)
        if explained.contexts:
            return json_answer(explain_document(explained.contexts))
        for target, error in explained.errors.items():
            raise failure_of(error, target)
        message = f"no target has this notebook; GET /api/v1/removals/{notebook_id} gives what the journal knows of it"
        raise Refused(Code.NOT_FOUND, message)

    # ---- changes ------------------------------------------------------------------------------------------------------------

    async def plan(self, request: web.Request) -> web.StreamResponse:
        """Make a plan now. Each target makes one plan at a time, because a plan costs calls."""
        plan, draft = await self._desk.make(self._state(request).name, actor_of(request))
        return json_answer(plan_document(draft.plan_id, self._clock.now(), [plan], {}))

    async def sweep(self, request: web.Request) -> web.StreamResponse:
        """Request a sweep as soon as possible."""
        name = self._state(request).name
        answer = await self._control.request_sweep(SweepRequest(name, self._clock.now(), str(actor_of(request))))
        if answer is Answer.BUSY:
            raise Refused(Code.CONFLICT, "a sweep of this target is already in progress or requested")
        if answer is Answer.PAUSED:
            raise Refused(Code.CONFLICT, f"the target is {self._state(request).pause}; resume it first")
        return json_answer(target_document(self._state(request)), HTTPStatus.ACCEPTED)

    async def pause(self, request: web.Request) -> web.StreamResponse:
        """Start no more sweeps of a target."""
        await self._control.pause(Pause(self._state(request).name, self._clock.now(), str(actor_of(request))))
        return json_answer(target_document(self._state(request)))

    async def resume(self, request: web.Request) -> web.StreamResponse:
        """Resume a target."""
        await self._control.resume(Resumption(self._state(request).name, self._clock.now(), str(actor_of(request))))
        return json_answer(target_document(self._state(request)))

    # ---- helpers ------------------------------------------------------------------------------------------------------------

    def _state(self, request: web.Request) -> TargetState:
        name = _id(request, "name")
        for state in self._control.targets():
            if state.name == name:
                return state
        raise UnknownTargetError(name)


def _id(request: web.Request, key: str) -> str:
    return checked_id(key, request.match_info[key])


def _targets(request: web.Request) -> list[str]:
    """Return the target that the query names, in a list; empty if it names none."""
    return [checked_id("target", request.query["target"])] if "target" in request.query else []
