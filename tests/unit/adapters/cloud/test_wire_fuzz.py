"""Whatever comes where the API should answer: either it is what the API documents, or it is one of our own errors."""

import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fresh import good_for
from nbsweep.adapters.cloud.auth.iam import Iam
from nbsweep.adapters.cloud.auth.login_limit import LoginLimits
from nbsweep.adapters.cloud.auth.metadata import MetadataSource
from nbsweep.adapters.cloud.auth.projects import ProjectLookup
from nbsweep.adapters.cloud.auth.refresh import IssuedCredentials
from nbsweep.adapters.cloud.auth.tokens import Login, TokenSource
from nbsweep.adapters.cloud.client import CloudClient
from nbsweep.adapters.cloud.responses import ErrorResponse
from nbsweep.adapters.cloud.session import AuthClient
from nbsweep.core.errors import CloudError, Gone
from nbsweep.core.model import MalformedRow, Notebook, Page, Scope
from nbsweep.core.permissions import Action
from nbsweep.testing import FakeClock, RecordingTelemetry
from unit.wires import KEY, Said, Session, answers, client_of, errors, fuzzing, json_bytes, values

pytestmark = pytest.mark.looptime(noop_cycles=1)

MARKER = "S3CRETMARK"
SCOPE = Scope("0", "NOTEBOOK")


async def outcome(answer: Said, call: Callable[[CloudClient], Awaitable[Any]]) -> Any:
    """Make a call that is always answered so; give the result, or the error of ours. Anything else is raised."""
    try:
        return await call(client_of(lambda _method, _url: answer, FakeClock(), RecordingTelemetry()))
    except CloudError as error:
        return error


def says_gone(answer: Said) -> bool:
    """Return from the bytes alone whether an answer says that a notebook is gone (ModelArts API, section 2)."""
    return answer.status in (400, 404) and (b"ModelArts.6309" in answer.body or b"ModelArts.6404" in answer.body)


@fuzzing
@given(answers)
async def test_a_notebook_is_one_or_there_is_an_error(answer: Said) -> None:
    """A success is read from a success; nothing but the documented codes says that it is gone."""
    found = await outcome(answer, lambda cloud: cloud.show("nb1"))
    if isinstance(found, Notebook):
        assert 200 <= answer.status < 300
        assert found.id == json.loads(answer.body)["id"] == "nb1"
    assert not isinstance(found, Gone) or says_gone(answer)


def says_taken_on(answer: Said) -> bool:
    """Return whether an answer is a success without a body, or with one that is about the very notebook and says no error."""
    if not 200 <= answer.status < 300:
        return False
    try:
        body = json.loads(answer.body) if answer.body else {"id": "nb1"}
    except (ValueError, RecursionError):
        return False
    return isinstance(body, dict) and body.get("id") == "nb1" and not body.get("error_code")


@fuzzing
@given(answers)
async def test_a_delete_is_accepted_by_a_success_only(answer: Said) -> None:
    """Whatever else comes is an error, and only the documented codes say that it is gone."""

    async def delete(cloud: CloudClient) -> str:
        return await cloud.delete("nb1", facts=good_for(10, cloud.transport.tools.clock))

    found = await outcome(answer, delete)
    assert isinstance(found, str) == says_taken_on(answer)
    assert not isinstance(found, Gone) or says_gone(answer)


@fuzzing
@given(answers)
async def test_a_stop_is_accepted_by_a_success_only(answer: Said) -> None:
    """Whatever else comes is an error."""
    found = await outcome(answer, lambda cloud: cloud.stop("nb1", facts=good_for(10, cloud.transport.tools.clock)))
    assert (not isinstance(found, Exception)) == says_taken_on(answer)


@fuzzing
@given(answers)
async def test_workspaces_are_a_list_or_there_is_an_error(answer: Said) -> None:
    """Ids are text, whatever they were."""
    found = await outcome(answer, lambda cloud: cloud.workspaces())
    if not isinstance(found, CloudError):
        assert all(isinstance(workspace, str) for workspace in found)
        assert len(found) == len(json.loads(answer.body)["workspaces"])


pages = st.builds(
    lambda status, fields: Said(status, json_bytes(fields)),
    st.sampled_from([200, 200, 200, 500]),
    st.fixed_dictionaries({}, optional={"total": st.integers(-2, 60) | values, "data": st.lists(values, max_size=5) | values}),
)


@fuzzing
@given(answers | pages)
async def test_a_page_is_one_or_there_is_an_error(answer: Said) -> None:
    """As many rows as there were, each a notebook or malformed; the total is what the cloud said."""
    found = await outcome(answer, lambda cloud: cloud.page(SCOPE, 0))
    if isinstance(found, Page):
        document = json.loads(answer.body)
        assert found.total == document["total"] >= 0
        assert len(found.rows) == len(document.get("data") or ())
        assert all(isinstance(row, Notebook | MalformedRow) for row in found.rows)
    else:
        assert isinstance(found, CloudError)


@fuzzing
@given(answers, st.sampled_from(Action))
async def test_a_probe_always_has_a_result(answer: Said, action: Action) -> None:
    """`check` says what works and what does not, and never ends with a trace."""
    found = await outcome(answer, lambda cloud: cloud.probe(action))
    assert isinstance(found, CloudError) or isinstance(found.allowed, bool | None)


@fuzzing
@given(answers)
async def test_an_address_is_reached_or_not(answer: Said) -> None:
    """The clock's difference is a number or not known."""
    found = await outcome(answer, lambda cloud: cloud.reach())
    assert found is None or isinstance(found, float | CloudError)


# ---- where credentials come from -------------------------------------------------------------------------------------------

dates = st.sampled_from(
    [
        "2026-01-02T00:00:00.000000Z",
        "2026-01-02T00:00:00Z",
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59.999999Z",
        "2026-01-02",
        "",
    ]
)
token_bodies = st.fixed_dictionaries({"expires_at": dates | values}, optional={"issued_at": dates | values}).map(
    lambda token: json_bytes({"token": token})
)
key_bodies = st.fixed_dictionaries(
    {name: st.just(MARKER) | values for name in ("access", "secret", "securitytoken")} | {"expires_at": dates | values}
).map(lambda keys: json_bytes({"credential": keys}))
project_bodies = st.lists(
    st.fixed_dictionaries({"id": st.just("a" * 32) | values, "name": st.just("cn-north-4") | values}) | values, max_size=3
).map(lambda projects: json_bytes({"projects": projects}))


def auth_client(answer: Said) -> AuthClient:
    """Ask a server that always answers so."""
    return AuthClient(
        Session(lambda _method, _url: answer, FakeClock()).as_aiohttp,
        "http://iam.invalid",
        aiohttp.ClientTimeout(),
        FakeClock(),
    )


def token_source(answer: Said) -> TokenSource:
    """Sign in at an IAM that answers so."""
    login, iam = Login("user", "password", "domain", "p" * 32), auth_client(answer)
    return TokenSource(lambda: login, "domain/user", Iam(iam), LoginLimits(iam.clock))


async def issued(source: TokenSource | MetadataSource) -> IssuedCredentials | CloudError:
    """Ask for proof; errors of ours are given back."""
    try:
        return await source.issue()
    except CloudError as error:
        return error


@fuzzing
@given(answers | st.builds(Said, st.just(201), token_bodies, st.just({"X-Subject-Token": MARKER})))
async def test_a_token_is_issued_or_there_is_an_error(answer: Said) -> None:
    """Whatever IAM answers; a token comes with 201 and its header only."""
    found = await issued(token_source(answer))
    assert isinstance(found, CloudError) or (answer.status == 201 and answer.headers["X-Subject-Token"])
    assert not isinstance(found, CloudError) or MARKER not in str(found)


@fuzzing
@given(answers | st.builds(Said, st.just(200), key_bodies))
async def test_keys_are_issued_or_there_is_an_error(answer: Said) -> None:
    """Whatever the metadata server answers."""
    found = await issued(MetadataSource(auth_client(answer)))
    assert isinstance(found, CloudError) or answer.status == 200
    assert not isinstance(found, CloudError) or MARKER not in str(found)


@fuzzing
@given(answers | st.builds(Said, st.just(200), project_bodies))
async def test_a_project_is_found_or_there_is_an_error(answer: Said) -> None:
    """Its id becomes part of an address, so it is 32 hexadecimal digits or none."""
    with suppress(CloudError):
        found = await ProjectLookup("cn-north-4", KEY, Iam(auth_client(answer))).find()
        assert len(found) == 32
        assert set(found) <= set("0123456789abcdef")


# ---- what is told of it ----------------------------------------------------------------------------------------------------


@fuzzing
@given(st.sampled_from(["token", "url", "x-auth-token", "Authorization", "X-Security-Token"]), values, errors)
async def test_nothing_that_stands_behind_the_name_of_a_secret_is_told(name: str, around: Any, error: bytes) -> None:
    """In an error's message as in a row that cannot be read."""
    address = f"https://x.example.com/{MARKER}?token={MARKER}"
    secret = address if name == "url" else MARKER
    row = json.dumps({"id": "nb1", "status": around, name: secret})
    page = await outcome(Said(200, f'{{"total": 1, "data": [{row}]}}'.encode()), lambda cloud: cloud.page(SCOPE, 0))
    shown = await outcome(Said(200, row.encode()), lambda cloud: cloud.show("nb1"))
    message = json_bytes({"error_code": "ModelArts.0010", "error_msg": f"bad row {row} {error!r}"})
    refused = await outcome(Said(400, message), lambda cloud: cloud.show("nb1"))
    assert MARKER not in f"{page} {shown} {refused}"


@fuzzing
@given(answers)
def test_an_error_answer_can_be_told_in_a_line_of_bounded_length(answer: Said) -> None:
    """Whatever it says; nothing that cannot be written down is in it."""
    words = str(ErrorResponse.read(answer.status, answer.headers, answer.body))
    assert len(words) < 400
    assert words.encode()
