from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from jsonschema.validators import validator_for
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from nbsweep.service.web.api.openapi import MEANINGS, openapi_document
from nbsweep.service.web.app import SITE, WebSettings, make_app
from nbsweep.service.web.errors import STATUS, Code
from nbsweep.testing import InMemoryJournal, RecordingTelemetry
from unit.service.web.support import BEARER, FakeControl, Hands, Scene, token_file

DOCUMENT = openapi_document()
APPROVING = (
    "/api/v1/targets/{name}/plan",
    "/api/v1/targets/{name}/plan/exclude",
    "/api/v1/targets/{name}/plan/approve",
    "/api/v1/plans/{plan_id}/compare",
    "/api/v1/plans/{plan_id}/carry-out",
)
GETS = {
    "/api/v1/targets": "/api/v1/targets",
    "/api/v1/targets/{name}": "/api/v1/targets/research",
    "/api/v1/runs": "/api/v1/runs",
    "/api/v1/exemptions": "/api/v1/exemptions",
    "/api/v1/runs/{run_id}": "/api/v1/runs/20260228T030000Z-aaaaaa",
    "/api/v1/removals/{notebook_id}": "/api/v1/removals/nb1",
    "/api/v1/notebooks/{notebook_id}/explain": "/api/v1/notebooks/nb1/explain",
}
POSTS = {
    f"/api/v1/targets/{{name}}/{what}": f"/api/v1/targets/research/{what}" for what in ("plan", "sweep", "pause", "resume")
}


def validator(schema: dict[str, Any]) -> Draft202012Validator:
    """Hold values against a shape of the document."""
    resource = Resource.from_contents({**DOCUMENT, "$id": "urn:api"}, default_specification=DRAFT202012)
    registry: Registry[Any] = Registry().with_resource("urn:api", resource)
    return Draft202012Validator({"$id": "urn:one", **absolute(schema)}, registry=registry)


def absolute(schema: Any) -> Any:
    """Point into the document from outside of it."""
    if isinstance(schema, dict):
        return {key: f"urn:api{value}" if key == "$ref" else absolute(value) for key, value in schema.items()}
    return [absolute(value) for value in schema] if isinstance(schema, list) else schema


async def test_it_describes_every_route_but_those_of_pages_and_no_other() -> None:
    """HEAD goes with GET, as HTTP has it."""
    app = make_app(FakeControl(), InMemoryJournal(), bytes, WebSettings("127.0.0.1:0"), RecordingTelemetry(), Hands())
    routed = {(route.method.lower(), route.resource.canonical) for route in app.router.routes() if route.resource}
    told = {(method, path) for path, methods in DOCUMENT["paths"].items() for method in methods}
    pages = {(method.lower(), path) for method, path in app[SITE].routes}
    told |= pages
    assert routed == told | {("head", path) for method, path in told if method == "get"}


async def test_it_is_served_as_it_is_made() -> None:
    """Byte for byte the same values."""
    async with Scene().open() as face:
        assert await face.ask("GET", "/api/v1/openapi.json") == (200, DOCUMENT)


def test_every_error_is_described() -> None:
    """A new code cannot be forgotten, and every operation names its errors by status."""
    assert set(MEANINGS) | {Code.METHOD_NOT_ALLOWED} == set(Code) == set(STATUS)
    assert sorted(DOCUMENT["components"]["schemas"]["Code"]["enum"]) == sorted(Code)
    for methods in DOCUMENT["paths"].values():
        for operation in methods.values():
            assert {"400", "401", "403", "413", "429", "500"} <= operation["responses"].keys()
            assert all(answer["description"] for answer in operation["responses"].values())


def test_what_changes_something_demands_the_token() -> None:
    """Reading says that it may need one, of any role."""
    assert DOCUMENT["components"]["securitySchemes"] == {"token": {"type": "http", "scheme": "bearer"}}
    for path, methods in DOCUMENT["paths"].items():
        for method, operation in methods.items():
            reading: list[Any] = [] if path in ("/", "/healthz") else [{}, {"token": []}]
            role = "approver" if path in APPROVING else "admin"
            assert operation["security"] == ([{"token": [role]}] if method == "post" else reading)


def test_it_has_a_schema_for_each_document() -> None:
    """By their public names; a reference without a schema would break every client that is generated from it."""
    schemas = DOCUMENT["components"]["schemas"]
    assert schemas.keys() >= {
        "Error", "Target", "TargetInFull", "Targets", "Run", "Runs", "RunInFull", "Removal", "Removals", "Refusal", "Item",
        "TargetPlan", "Plan", "Id",
    }  # fmt: skip
    assert {reference.rpartition("/")[2] for reference in references(DOCUMENT)} <= schemas.keys()
    assert list(schemas["Removal"]["properties"]) == schemas["Removal"]["required"]


def references(value: object) -> Iterator[str]:
    """Yield every reference of the document."""
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        if key == "$ref":
            yield inner
        yield from references(inner)


def test_its_schemas_are_schemas() -> None:
    """JSON Schema 2020-12, as OpenAPI 3.1 has it."""
    for schema in DOCUMENT["components"]["schemas"].values():
        validator_for(schema, Draft202012Validator).check_schema(schema)


@pytest.mark.parametrize(("method", "path"), [*(("GET", path) for path in GETS), *(("POST", path) for path in POSTS)])
async def test_every_document_has_the_shape_that_is_described(tmp_path: Path, method: str, path: str) -> None:
    """All of its keys, and no others."""
    async with Scene(token_file=token_file(tmp_path)).open() as face:
        status, document = await face.ask(method, {**GETS, **POSTS}[path], headers=BEARER)
        answer = DOCUMENT["paths"][path][method.lower()]["responses"][str(status)]
        assert status < 300
        validator(answer["content"]["application/json"]["schema"]).validate(document)
