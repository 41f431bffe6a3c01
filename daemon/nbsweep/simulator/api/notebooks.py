"""The notebook API's handlers; ModelArts API, section 1."""

from typing import Any

from msgspec import Struct

from nbsweep.simulator.api.exchange import Answer, Call, Route, json_answer, read_body
from nbsweep.simulator.api.faults import Faults
from nbsweep.simulator.api.page_faults import tear
from nbsweep.simulator.clock import milliseconds
from nbsweep.simulator.refusals import bad_parameter, closed_workspace, modelarts_error, no_list_all
from nbsweep.simulator.state import operations
from nbsweep.simulator.state.cloud import Cloud
from nbsweep.simulator.state.listing import envelope, page
from nbsweep.simulator.state.model import Instance
from nbsweep.simulator.state.query import Condition, Query, read_query
from nbsweep.simulator.state.rows import RowWriter

_ROOT = "/v1/{project_id}/notebooks"
_ONE = _ROOT + "/{notebook_id}"


class _LeaseBody(Struct):
    duration: int = operations.HOUR_MS
    type: str = "TIMING"


class NotebookApi:
    """Answers the calls about notebooks."""

    def __init__(self, cloud: Cloud, faults: Faults) -> None:
        self._cloud = cloud
        self._faults = faults
        self._rows = RowWriter(cloud.options.dialect, cloud.options.access)

    def routes(self) -> tuple[Route, ...]:
        """Return every route, those with fixed words first."""
        return (
            Route("GET", _ROOT, "list", self.list_own, "list_own"),
            Route("GET", f"{_ROOT}/all", "list_all", self.list_all, "list_all"),
            Route("GET", _ONE, "show", self.show, "show"),
            Route("DELETE", _ONE, "delete", self.delete, "delete"),
            Route("POST", f"{_ONE}/stop", "stop", self.stop, "stop"),
            Route("POST", f"{_ONE}/start", "start", self.start, "start"),
            Route("GET", f"{_ONE}/lease", "lease", self.show_lease),
            Route("PATCH", f"{_ONE}/lease", "lease", self.renew_lease, "update"),
        )

    def list_own(self, call: Call) -> Answer:
        """Answer ListNotebooks: what the caller owns."""
        own_id = call.caller.person.id if call.caller else ""
        everybodys = self._cloud.options.dialect.own_lists_all
        return self._list(call, None if everybodys else lambda instance: instance.owner.id == own_id)

    def list_all(self, call: Call) -> Answer:
        """Answer ListAllNotebooks: the whole project."""
        if self._cloud.options.dialect.no_list_all:
            raise no_list_all(self._cloud.options.dialect)
        return self._list(call, None)

    def show(self, call: Call) -> Answer:
        """Answer ShowNotebook."""
        return self._single(call, self._cloud.listed(call.notebook_id))

    def delete(self, call: Call) -> Answer:
        """Answer DeleteNotebook."""
        instance = operations.deletable(self._cloud, call.notebook_id)
        fault = self._faults.of_deletion(call.subject)
        instance.deletion_fault = None
        if fault is not None and fault.fault == "delete_lost":
            instance.accepted_deletes += 1
            return json_answer(200, self._rows.single(instance, milliseconds(call.at_s)) | {"status": "DELETING"})
        if fault is not None:
            instance.deletion_fault = "stuck_deleting" if fault.fault == "stuck_deleting" else "delete_failed"
            instance.fate_reason = fault.fail_reason or self._cloud.options.faults.fail_reason
        operations.delete(self._cloud, instance, call.at_s)
        row = self._rows.single(instance, milliseconds(call.at_s))
        # Only reads are stale: the answer to the DELETE itself says what it began.
        return json_answer(200, row | {"status": "DELETING"})

    def stop(self, call: Call) -> Answer:
        """Answer StopNotebook."""
        return self._single(call, operations.stop(self._cloud, call.notebook_id, call.at_s, "api:stop"))

    def start(self, call: Call) -> Answer:
        """Answer StartNotebook."""
        lease = (_duration(call.parameters, operations.HOUR_MS), _lease_type(call.parameters, "TIMING"))
        return self._single(call, operations.start(self._cloud, call.notebook_id, call.at_s, "api:start", lease))

    def show_lease(self, call: Call) -> Answer:
        """Answer ShowLease."""
        return json_answer(200, self._rows.lease(operations.lease_of(self._cloud, call.notebook_id)))

    def renew_lease(self, call: Call) -> Answer:
        """Answer RenewLease; a duration in the query outdoes the body and makes the lease a TIMING one."""
        body = read_body(call, _LeaseBody) if call.body else _LeaseBody()
        lease = (body.duration, operations.lease_type(body.type))
        if "duration" in call.parameters:
            lease = (_duration(call.parameters, body.duration), "TIMING")
        renewed = operations.renew(self._cloud, call.notebook_id, call.at_s, lease)
        return json_answer(200, self._rows.lease(renewed))

    def _list(self, call: Call, only: Condition | None) -> Answer:
        administrator = call.caller is not None and call.caller.permissions.list_all
        query = read_query(call.parameters, self._cloud.options.dialect, may_name_owner=administrator)
        self._check_workspace(query)
        hides = self._cloud.options.dialect.hides_deleting
        if hides == "all" or (hides == "listing" and "status" not in call.parameters):
            only = _also(only, lambda instance: instance.shown_status != "DELETING")
        found, total = page(self._cloud.shelves, query, only)
        answer = json_answer(200, envelope(query, total, [self._rows.listed(instance) for instance in found]))
        if query.offset + len(found) < total and (fault := self._faults.of_listing(call.subject)):
            tear(self._cloud, query, found, fault.fault, call)
        return answer

    def _check_workspace(self, query: Query) -> None:
        if query.workspace_id not in self._cloud.workspaces:
            raise modelarts_error("0102", detail=f"Workspace: {query.workspace_id}.")
        if query.workspace_id in self._cloud.options.dialect.closed_workspaces:
            raise closed_workspace(self._cloud.options.dialect)

    def _single(self, call: Call, instance: Instance) -> Answer:
        return json_answer(200, self._rows.single(instance, milliseconds(call.at_s)))


def _also(first: Condition | None, second: Condition) -> Condition:
    return second if first is None else lambda instance: first(instance) and second(instance)


def _duration(parameters: Any, default_ms: int) -> int:
    text = parameters.get("duration")
    if text is None:
        return default_ms
    try:
        return int(text)
    except ValueError as error:
        raise bad_parameter("duration") from error


def _lease_type(parameters: Any, default: str) -> str:
    return operations.lease_type(parameters.get("type", default))
