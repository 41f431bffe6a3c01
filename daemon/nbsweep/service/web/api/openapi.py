"""Builds the OpenAPI 3.1 document of the HTTP API."""

from collections.abc import Mapping
from typing import Any

from nbsweep import __version__
from nbsweep.core.marks.shown import ShownState
from nbsweep.core.notices.outbox import MessageState
from nbsweep.service.web.access.auth import PUBLIC
from nbsweep.service.web.access.tokens import Role
from nbsweep.service.web.api.operations import OPERATIONS, Operation
from nbsweep.service.web.api.schemas import component_schemas, ref
from nbsweep.service.web.errors import STATUS, Code
from nbsweep.service.web.parameters import LIMIT_DEFAULT, LIMIT_MOST, OFFSET_MOST, TEXT_PATTERN

JSON = "application/json"
ABOUT = (
    "The state of the targets, the history of their sweeps, and requests for plans and sweeps. On loopback, GET requests need "
    "no token. On other addresses, they need a token of any role, except for /healthz. All other requests need a token "
    "with the role admin, or for approving plans and carrying them out with the role approver."
)
MEANINGS: Mapping[Code, str] = {
    Code.BAD_REQUEST: "The path, the query or the body is invalid.",
    Code.UNAUTHORIZED: "The token is missing or wrong.",
    Code.FORBIDDEN: "The Host header or the origin is not allowed, the token's role does not allow it, or no token is set.",
    Code.NOT_FOUND: "Not found.",
    Code.CONFLICT: "The requested action is already in progress.",
    Code.TOO_LARGE: "The body is too large.",
    Code.WRONG_TYPE: "The Content-Type of the body is not application/json.",
    Code.TOO_MANY_ATTEMPTS: "Too many requests with a wrong token; retry after the time in Retry-After.",
    Code.TOO_MANY_REQUESTS: "Too many requests that cost calls to the cloud; retry after the time in Retry-After.",
    Code.INTERNAL: "Internal error.",
    Code.CLOUD_FAILED: "The cloud refused a call, or did not answer.",
    Code.JOURNAL_FAILED: "The journal cannot be read.",
    Code.NOT_READY: "The service is not ready.",
}
ALWAYS = (
    Code.BAD_REQUEST,
    Code.UNAUTHORIZED,
    Code.FORBIDDEN,
    Code.TOO_LARGE,
    Code.TOO_MANY_ATTEMPTS,
    Code.INTERNAL,
)
HEADERS: Mapping[Code, tuple[str, str, dict[str, Any]]] = {
    Code.UNAUTHORIZED: ("WWW-Authenticate", "The authentication scheme.", {"type": "string"}),
    Code.TOO_MANY_ATTEMPTS: ("Retry-After", "Seconds to wait.", {"type": "integer", "minimum": 1}),
}


PARAMETERS: Mapping[str, Mapping[str, Any]] = {
    "name": {
        "in": "path",
        "required": True,
        "description": "The name of a target.",
        "schema": {"$ref": "#/components/schemas/Id"},
    },
    "run_id": {
        "in": "path",
        "required": True,
        "description": "The ID of a run.",
        "schema": {"$ref": "#/components/schemas/Id"},
    },
    "notebook_id": {
        "in": "path",
        "required": True,
        "description": "The ID of a notebook.",
        "schema": {"$ref": "#/components/schemas/Id"},
    },
    "key": {
        "in": "path",
        "required": True,
        "description": "The key of a message, or its beginning.",
        "schema": {"$ref": "#/components/schemas/Id"},
    },
    "plan_id": {
        "in": "path",
        "required": True,
        "description": "The ID of an approved plan.",
        "schema": {"$ref": "#/components/schemas/Id"},
    },
    "exemption_id": {
        "in": "path",
        "required": True,
        "description": "The ID of an exemption.",
        "schema": {"$ref": "#/components/schemas/Id"},
    },
}
QUERY: Mapping[str, Mapping[str, Any]] = {
    "target": {"description": "Ask this target only.", "schema": {"$ref": "#/components/schemas/Id"}},
    "limit": {
        "description": f"The maximum number of rows. Default: {LIMIT_DEFAULT} sweeps or {LIMIT_MOST} others.",
        "schema": {"type": "integer", "minimum": 1, "maximum": LIMIT_MOST},
    },
    "owner": {
        "description": "Only notebooks of this owner, by name or ID, without regard to case.",
        "schema": {"type": "string", "pattern": TEXT_PATTERN},
    },
    "marks.target": {"description": "Only marks of this target.", "schema": {"$ref": "#/components/schemas/Id"}},
    "marks.state": {
        "description": "Only marks in this state. Default: all open marks.",
        "schema": {"type": "string", "enum": [state.value for state in ShownState]},
    },
    "outbox.state": {
        "description": "Only messages in this state.",
        "schema": {"type": "string", "enum": [state.value.lower() for state in MessageState]},
    },
    "all": {
        "description": "Whether those that have ended or were revoked are listed too.",
        "schema": {"type": "boolean", "default": False},
    },
    "offset": {
        "description": "The number of rows to skip: `next_offset` of the previous page.",
        "schema": {"type": "integer", "minimum": 0, "maximum": OFFSET_MOST, "default": 0},
    },
}


def openapi_document() -> dict[str, Any]:
    """Return the OpenAPI document of the HTTP API."""
    paths: dict[str, dict[str, Any]] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {"title": "nbsweep", "version": __version__, "description": ABOUT},
        "paths": paths,
        "components": {
            "schemas": component_schemas(),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(operation: Operation) -> dict[str, Any]:
    document: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "responses": {str(operation.status): _success(operation), **_failures(operation)},
        "security": _security(operation),
    }
    parameters = [{"name": name, **told} for name, told in PARAMETERS.items() if f"{{{name}}}" in operation.path]
    parameters += [{"name": name, "in": "query", **_query(operation, name)} for name in operation.query]
    if parameters:
        document["parameters"] = parameters
    if operation.takes:
        document["requestBody"] = {
            "required": not operation.body_optional,
            "content": {JSON: {"schema": ref(operation.takes)}},
        }
    return document


def _query(operation: Operation, name: str) -> Mapping[str, Any]:
    """Return a key of the query; some mean something of their own in one operation."""
    own = f"{operation.name}.{name}"
    return QUERY[own] if own in QUERY else QUERY[name]


def _security(operation: Operation) -> list[dict[str, list[str]]]:
    if operation.changes:
        return [{"token": [Role.APPROVER.value if operation.approves else Role.ADMIN.value]}]
    return [] if operation.path in PUBLIC else [{}, {"token": []}]


def _success(operation: Operation) -> dict[str, Any]:
    if operation.gives.startswith("text/"):
        return {"description": operation.summary, "content": {operation.gives: {"schema": {"type": "string"}}}}
    schema = {"type": "object"} if operation.gives == "object" else ref(operation.gives)
    return {"description": operation.summary, "content": {JSON: {"schema": schema}}}


def _failures(operation: Operation) -> dict[str, Any]:
    """Return the error responses by status. Errors that share a status are listed together."""
    told: dict[str, dict[str, Any]] = {}
    for code in (*ALWAYS, *operation.fails):
        answer = told.setdefault(str(STATUS[code].value), {"content": {JSON: {"schema": ref("Error")}}})
        answer["description"] = " ".join(filter(None, (answer.get("description"), MEANINGS[code])))
        if code in HEADERS:
            name, meaning, schema = HEADERS[code]
            answer["headers"] = {name: {"description": meaning, "schema": schema}}
    return told
