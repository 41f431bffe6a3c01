"""Tokens of IAM and keys of the metadata server, from the simulated cloud and from servers that misbehave."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import web

from local_server import local_server
from nbsweep.adapters.clock import SystemClock
from nbsweep.adapters.cloud.auth.iam import Iam
from nbsweep.adapters.cloud.auth.login_limit import LoginLimits
from nbsweep.adapters.cloud.auth.metadata import ASKED_AGAIN_AFTER_S, MetadataSource
from nbsweep.adapters.cloud.auth.refresh import IssuedCredentials
from nbsweep.adapters.cloud.auth.signing import Request
from nbsweep.adapters.cloud.auth.tokens import Login, TokenSource
from nbsweep.adapters.cloud.session import IAM_TIMEOUT, AuthClient, NotSent, open_session
from nbsweep.core.errors import CloudError, Forbidden, Unauthorized, WrongAddress
from nbsweep.simulator import AccessOptions, RunningSimulator, SimulatorOptions, running_simulator

PROJECT = AccessOptions().project_id
USER = AccessOptions().users[0]
LOGIN = Login(USER.name, USER.password, USER.domain, PROJECT)
REQUEST = Request("GET", "host", "/")
KEYS_PATH = "/openstack/latest/securitykey"
TOKEN_PATH = "/meta-data/latest/api/token"
CREDENTIAL = {"access": "TEMP", "secret": "temp-secret", "securitytoken": "st==", "expires_at": "2040-01-01T00:00:00.000000Z"}

Reply = Callable[[web.Request], Awaitable[web.StreamResponse]]


def headers_of(issued: IssuedCredentials) -> dict[str, str]:
    """Return what a request would carry."""
    return dict(issued.headers(REQUEST, SystemClock().now()))


@asynccontextmanager
async def asking(url: str) -> AsyncIterator[AuthClient]:
    """Open what sources ask with."""
    async with open_session(IAM_TIMEOUT, 8) as session:
        yield AuthClient(session, url, IAM_TIMEOUT, SystemClock())


@asynccontextmanager
async def simulated(**access: Any) -> AsyncIterator[tuple[RunningSimulator, AuthClient]]:
    """Run the simulated cloud."""
    options = SimulatorOptions(access=AccessOptions(**access))
    async with running_simulator(options) as simulator, asking(simulator.url) as auth_client:
        yield simulator, auth_client


@asynccontextmanager
async def answering(reply: Reply) -> AsyncIterator[AuthClient]:
    """Run a server with this reply."""
    async with local_server(reply) as url, asking(url) as auth_client:
        yield auth_client


def says(status: int, text: str = "", **headers: str) -> Reply:
    """Answer so."""

    async def reply(_request: web.Request) -> web.StreamResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.Response(status=status, text=text, headers=named)

    return reply


def source_of(login: Login, iam: AuthClient) -> TokenSource:
    """Sign in so, at that IAM and no other."""
    return TokenSource(lambda: login, f"{login.domain}/{login.username}", Iam(iam), LoginLimits(iam.clock))


def calls(simulator: RunningSimulator) -> list[tuple[str, str]]:
    """List what has arrived."""
    return [(entry.method, entry.path) for entry in simulator.log.entries]


# ---- IAM ------------------------------------------------------------------------------------------------------------------


async def test_a_password_is_exchanged_for_a_token() -> None:
    """Several KB long, for one project, to be renewed five minutes before its end."""
    async with simulated() as (simulator, iam):
        source = source_of(LOGIN, iam)
        issued = await source.issue()
        assert len(headers_of(issued)["X-Auth-Token"]) > 4000
        assert issued.life_s == pytest.approx(86_400, abs=2)
        assert issued.early_s == 300
        assert calls(simulator) == [("POST", "/v3/auth/tokens?nocatalog=true")]
        assert source.account == f"{USER.domain}/{USER.name}"


async def test_a_short_life_is_renewed_in_its_last_quarter() -> None:
    """Whichever is less."""
    async with simulated(token_lifetime_s=6) as (_, iam):
        issued = await source_of(LOGIN, iam).issue()
        assert issued.life_s == pytest.approx(6, abs=0.1)
        assert issued.early_s == pytest.approx(1.5, abs=0.1)


@pytest.mark.parametrize(
    ("wrong", "advice"),
    [
        ({"password": "hunter2"}, "Check username, password and domain"),
        ({"domain": "nobody"}, "Check username, password and domain"),
        ({"project_id": "f" * 32}, "Check project_id, and that the user has a role in that project"),
    ],
)
async def test_who_may_not_sign_in_is_told_so_in_a_sentence(wrong: dict[str, str], advice: str) -> None:
    """With what to check, and without the password; what IAM says of the project is not laid on the password."""
    async with simulated() as (_, iam):
        with pytest.raises(Unauthorized, match=advice) as caught:
            await source_of(replace(LOGIN, **wrong), iam).issue()
        assert "\n" not in str(caught.value)
        assert "hunter2" not in str(caught.value)
        assert caught.value.http_status == 401
        assert str(caught.value).count(" 401 ") == 1  # the port may have the same digits


def keystone(status: int, message: str) -> Reply:
    """Refuse as Keystone does, which repeats its status."""
    return says(status, json.dumps({"error": {"code": status, "message": message, "title": "Unauthorized"}}))


NOT_AUTHENTICATED = "The request you have made requires authentication."


@pytest.mark.parametrize(
    ("status", "message", "words"),
    [
        (401, "The username or password is wrong.", "does not accept the user name and password"),
        (401, "", "does not accept the user name and password"),
        (401, NOT_AUTHENTICATED, "does not accept the user name and password"),
        (401, "The account is locked for user: u", "does not let the user in"),
        (401, "The password is expired and needs to be changed for user: u.", "does not let the user in"),
        (403, "The user is disabled.", "does not let the user in"),
        (401, "User u has no access to project p", "gives the user no token for project 0"),
        (404, "Could not find project: p.", "gives the user no token for project 0"),
        (400, "Expecting to find domain in project.", "gives the user no token for project 0"),
        (400, "Invalid input for field 'identity'", "gives no token: HTTP 400"),
        (403, "You are not authorized.", "gives the user no token"),
    ],
)
async def test_the_blame_is_where_iam_lays_it(status: int, message: str, words: str) -> None:
    """On the password, the state of the user, or the project; and the status is said once."""
    async with answering(keystone(status, message)) as iam:
        with pytest.raises(CloudError, match=words) as caught:
            await source_of(replace(LOGIN, project_id="0" * 32), iam).issue()
        assert str(caught.value).count(f"HTTP {status}") == 1


async def test_where_iam_says_nothing_the_password_is_tried_without_a_project() -> None:
    """Keystone has the same words for everything; a user who may sign in without a project has the right password."""

    async def reply(request: web.Request) -> web.StreamResponse:
        unscoped = (await request.json())["auth"]["scope"] == "unscoped"
        answer = says(201, BODY, X_Subject_Token="t") if unscoped else keystone(401, NOT_AUTHENTICATED)
        return await answer(request)

    async with answering(reply) as iam:
        with pytest.raises(Unauthorized, match="accepts the user name and password, but gives no token for project"):
            await source_of(replace(LOGIN, project_id="0" * 32), iam).issue()


async def test_a_project_by_its_name_comes_with_its_domain_and_the_token_tells_its_id() -> None:
    """Keystone refuses a name without a domain, as the simulated IAM does."""
    async with simulated() as (_, iam):
        issued = await source_of(replace(LOGIN, project_id=None, region="cn-north-4"), iam).issue()
        assert issued.project_id == AccessOptions().project_id


@pytest.mark.parametrize("project", [{"id": "f" * 32, "name": "cn-north-4"}])
async def test_a_token_for_another_project_is_no_token(project: dict[str, str]) -> None:
    """It would open, and sweep, what nobody has asked for."""
    body = json.dumps({"token": {"expires_at": "2040-01-01T00:00:00.000000Z", "project": project}})
    async with answering(says(201, body, X_Subject_Token="t")) as iam:
        with pytest.raises(WrongAddress, match="a token for another project than project 0"):
            await source_of(replace(LOGIN, project_id="0" * 32), iam).issue()


BODY = json.dumps({"token": {"expires_at": "2040-01-01T00:00:00.000000Z"}})


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (says(500), NotSent),
        (says(429, '{"error_code":"APIGW.0308","error_msg":"policy user over ratelimit,limit:5,time:1 minute"}'), NotSent),
        (says(403, '{"error":{"message":"forbidden","code":403,"title":"Forbidden"}}'), Forbidden),
        (says(404), WrongAddress),
        (says(302, Location="https://elsewhere"), Unauthorized),
        (says(201, BODY), WrongAddress),
        (says(201, "<html>", X_Subject_Token="t"), WrongAddress),
        (says(201, '{"token":{"expires_at":"tomorrow"}}', X_Subject_Token="t"), WrongAddress),
        (says(201, '{"token":{"expires_at":"2040-01-01T00:00:00.000000"}}', X_Subject_Token="t"), WrongAddress),
    ],
)
async def test_what_is_no_token_is_an_error(reply: Reply, kind: type[CloudError]) -> None:
    """One sentence that names the server."""
    async with answering(reply) as iam:
        with pytest.raises(kind, match=iam.url) as caught:
            await source_of(LOGIN, iam).issue()
        assert LOGIN.password not in str(caught.value)


async def test_without_a_date_of_issue_the_date_of_the_answer_counts() -> None:
    """So that a clock of ours that is wrong does not matter."""
    reply = says(201, BODY, X_Subject_Token="t", Date="Sat, 31 Dec 2039 23:00:00 GMT")
    async with answering(reply) as iam:
        assert (await source_of(LOGIN, iam).issue()).life_s == 3600


async def test_iam_may_be_away() -> None:
    """Then it may be asked again."""
    async with asking("http://127.0.0.1:1") as iam:
        with pytest.raises(NotSent, match="cannot be reached"):
            await source_of(LOGIN, iam).issue()


def test_a_password_does_not_show() -> None:
    """In what is printed of a login."""
    assert USER.password not in repr(LOGIN)


# ---- the metadata server --------------------------------------------------------------------------------------------------


async def test_a_metadata_server_wants_a_token_first() -> None:
    """Asked for once; later keys are given for the same one."""
    async with simulated() as (simulator, server):
        source = MetadataSource(server)
        issued = await source.issue()
        assert "X-Security-Token" in headers_of(issued)
        assert issued.life_s == pytest.approx(3600, abs=2)
        assert issued.early_s == pytest.approx(1800, abs=1)
        await source.issue()
        assert calls(simulator) == [("PUT", TOKEN_PATH), ("GET", KEYS_PATH), ("GET", KEYS_PATH)]


async def test_keys_of_a_day_are_renewed_forty_minutes_before() -> None:
    """As the vendor does."""
    async with simulated(metadata_key_lifetime_s=86_400) as (_, server):
        assert (await MetadataSource(server).issue()).early_s == 2400


async def test_an_older_one_knows_no_tokens() -> None:
    """It is not asked for one again, until a day has passed."""
    async with simulated(metadata_mode="legacy") as (simulator, server):
        source = MetadataSource(server)
        for _ in range(2):
            await source.issue()
        assert calls(simulator) == [("PUT", TOKEN_PATH), ("GET", KEYS_PATH), ("GET", KEYS_PATH)]
        source = MetadataSource(server, _asked_s=SystemClock().steady_s() - ASKED_AGAIN_AFTER_S)
        await source.issue()
        assert calls(simulator)[3:] == [("PUT", TOKEN_PATH), ("GET", KEYS_PATH)]


async def test_a_token_that_has_ended_is_renewed_once() -> None:
    """401 on the keys, a new token, and the keys."""
    async with simulated() as (simulator, server):
        source = MetadataSource(server)
        await source.issue()
        simulator.clock.shift_s += 21_601
        await source.issue()
        assert calls(simulator)[2:] == [("GET", KEYS_PATH), ("PUT", TOKEN_PATH), ("GET", KEYS_PATH)]


async def test_a_machine_without_an_agency_is_told_so() -> None:
    """Another token would not help."""
    async with simulated(metadata_mode="off") as (simulator, server):
        with pytest.raises(Unauthorized, match="has no agency"):
            await MetadataSource(server).issue()
        assert len(simulator.log.entries) == 2


@pytest.mark.parametrize(
    ("keys", "kind"),
    [
        (says(200, json.dumps({"credential": {**CREDENTIAL, "securitytoken": "a\nb"}})), Unauthorized),
        (says(200, json.dumps({"credential": {**CREDENTIAL, "expires_at": "soon"}})), Unauthorized),
        (says(200, "hello"), Unauthorized),
        (says(401), Unauthorized),
        (says(500), NotSent),
    ],
)
async def test_what_is_no_pair_of_keys_is_an_error(keys: Reply, kind: type[CloudError]) -> None:
    """One sentence that names the server, and no key."""

    async def reply(request: web.Request) -> web.StreamResponse:
        return await (says(200, "tok") if request.method == "PUT" else keys)(request)

    async with answering(reply) as server:
        with pytest.raises(kind, match=server.url) as caught:
            await MetadataSource(server).issue()
        assert not any(secret in str(caught.value) for secret in ("temp-secret", "tok", "st=="))


async def test_keys_that_have_ended_by_our_clock_are_still_tried() -> None:
    """Without a date in the answer that clock may be the one that is wrong; a 401 would tell."""
    content = json.dumps({"credential": {**CREDENTIAL, "expires_at": "2020-01-01T00:00:00.000000Z"}})

    async def reply(request: web.Request) -> web.StreamResponse:
        return await (says(404) if request.method == "PUT" else says(200, content))(request)

    async with answering(reply) as server:
        assert (await MetadataSource(server).issue()).life_s == 60


async def test_a_token_that_cannot_travel_in_a_header_is_none() -> None:
    """Something else answers at that address."""
    async with answering(says(200, "<html>not a token</html>")) as server:
        with pytest.raises(Unauthorized, match=server.url):
            await MetadataSource(server).issue()
