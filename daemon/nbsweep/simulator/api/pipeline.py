"""The steps of a request: arrival, authentication, throttle, permission, faults, handler, answer."""

import asyncio
from email.utils import formatdate

from aiohttp import web

from nbsweep.simulator.api.auth import Caller
from nbsweep.simulator.api.exchange import HTML_502, Answer, Call, Route, error_answer, parameters_of
from nbsweep.simulator.api.faults import Subject
from nbsweep.simulator.api.signature import SignedRequest, proof_in
from nbsweep.simulator.api.world import World
from nbsweep.simulator.log import Entry
from nbsweep.simulator.options import ScriptedFault
from nbsweep.simulator.refusals import ApiError, modelarts_error, wrong_project

_NOBODY = "-"
_TOO_MANY = 429
_OK = 200
_NO_CONTENT = 204
_GATEWAY_TIMEOUT = ApiError(504, "APIGW.0201", "Backend timeout.")


class Pipeline:
    """Serves every route but the admin's."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._latencies = world.cloud.randomness.stream("latency")

    async def handle(self, route: Route, request: web.Request) -> web.StreamResponse:
        """Answer a request, or close its connection without an answer."""
        entry = self._arrived(route, request)
        signed = SignedRequest(request.method, request.raw_path, request.headers, await request.read())
        delay_s = self._latency_s()
        try:
            caller = self._admit(route, request, signed, entry)
            await _pause(delay_s / 2)
            answer = await self._work(route, signed, caller, entry)
        except ApiError as error:
            answer = self._refusal(error, entry)
        await _pause(delay_s / 2)
        return self._send(request, answer, entry)

    def _arrived(self, route: Route, request: web.Request) -> Entry:
        entry = Entry(
            at=self._world.clock.arrival_s(),
            method=request.method,
            path=request.raw_path,
            kind=route.kind,
            notebook_id=request.match_info.get("notebook_id"),
            sent_headers=[str(name) for name in request.headers],
            proof=proof_in(request.headers),
        )
        self._world.log.add(entry)
        return entry

    def _admit(self, route: Route, request: web.Request, signed: SignedRequest, entry: Entry) -> Caller | None:
        caller = self._world.auth.identify(signed) if route.authenticated else None
        entry.user = caller.person.name if caller else None
        self._world.throttle.admit(entry.user or _NOBODY, route.kind, entry.at)
        project_id = self._world.options.access.project_id
        projects = {request.match_info.get("project_id", project_id), signed.headers.get("X-Project-Id", project_id)}
        if projects != {project_id}:
            raise wrong_project()
        if caller and route.permission and not getattr(caller.permissions, route.permission):
            raise modelarts_error("0108", status=403)
        return caller

    async def _work(self, route: Route, signed: SignedRequest, caller: Caller | None, entry: Entry) -> Answer | None:
        subject = self._world.faults.subject(signed.method, signed.target, route.kind, entry.notebook_id)
        fault = self._world.faults.of_request(subject)
        if fault is None:
            return route.handler(self._call(signed, caller, subject))
        entry.fault = fault.fault
        if fault.fault == "echo":
            raise modelarts_error("0010", status=500, detail=str(dict(signed.headers)))
        done = fault.fault.endswith("_after") or fault.fault == "no_content"
        if done:
            route.handler(self._call(signed, caller, subject))
        if fault.fault in {"hang", "hang_after"}:
            await _pause(self._world.options.faults.hang_s if fault.hold_s is None else fault.hold_s)
        return _spoiled(fault) if done else self._instead(fault)

    def _call(self, signed: SignedRequest, caller: Caller | None, subject: Subject) -> Call:
        return Call(
            subject=subject,
            caller=caller,
            parameters=parameters_of(signed.target),
            headers={name.lower(): value for name, value in signed.headers.items()},
            body=signed.body,
            at_s=self._world.cloud.advance(),
        )

    def _instead(self, fault: ScriptedFault) -> Answer | None:
        if fault.fault in {"hang", "reset_before"}:
            return None
        if fault.fault == "html_502":
            return Answer(502, HTML_502, content_type="text/html")
        if fault.fault == "throttle":
            raise self._world.throttle.scripted()
        if fault.fault == "error":
            raise ApiError(fault.status, fault.error_code, fault.error_msg)
        raise modelarts_error("0010", status=500)

    def _refusal(self, error: ApiError, entry: Entry) -> Answer:
        answer = error_answer(error, entry.request_id, self._world.options.dialect.gateway_prefix)
        if error.status == _TOO_MANY:
            answer.headers.update(self._world.throttle.headers())
        return answer

    def _latency_s(self) -> float:
        timing = self._world.options.timing
        return timing.latency_median_s * self._latencies.lognormvariate(0, timing.latency_spread)

    def _send(self, request: web.Request, answer: Answer | None, entry: Entry) -> web.StreamResponse:
        if answer is None:
            if request.transport is not None:
                request.transport.abort()
            return web.Response()
        entry.status, entry.error_code = answer.status, answer.error_code
        headers = {"X-Request-Id": entry.request_id, **answer.headers}
        clock = self._world.clock
        if clock.shifts_date_header:
            headers["Date"] = formatdate(clock.now_s(), usegmt=True)
        if self._world.options.dialect.date_header == "garbled":
            headers["Date"] = "yesterday"
        if answer.status == _NO_CONTENT:
            return web.Response(status=_NO_CONTENT, headers=headers)
        response = web.Response(
            status=answer.status, body=answer.body, headers=headers, content_type=answer.content_type, charset="utf-8"
        )
        if self._world.options.dialect.compress:
            response.enable_compression()
        return response


_CONTRADICTIONS: dict[str, bytes] = {
    "error_200_after": b'{"error_code":"ModelArts.0010","error_msg":"System error."}',
    "foreign_after": b'{"id":"somebody-elses","name":"somebody-elses","status":"DELETING"}',
    "nonsense_after": b'["accepted"]',
}


def _spoiled(fault: ScriptedFault) -> Answer | None:
    """Return what replaces the answer after the work is done."""
    if fault.fault == "error_500_after":
        raise modelarts_error("0010", status=500)
    if fault.fault == "gateway_timeout_after":
        raise _GATEWAY_TIMEOUT
    if fault.fault == "no_content":
        return Answer(_NO_CONTENT)
    body = _CONTRADICTIONS.get(fault.fault)
    return Answer(_OK, body) if body else None


async def _pause(seconds: float) -> None:
    if seconds > 0:
        await asyncio.sleep(seconds)
