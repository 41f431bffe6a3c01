"""Users of IAM: what is asked, what is taken for an answer, and what is said when there is none; over real HTTP."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from local_server import local_server
from nbsweep.adapters.clock import SystemClock
from nbsweep.adapters.cloud.auth.iam import Iam
from nbsweep.adapters.cloud.auth.provider import METADATA_VARIABLE, open_credential_provider
from nbsweep.adapters.cloud.auth.signing import AccessKey
from nbsweep.adapters.cloud.client import CloudClient, open_client
from nbsweep.adapters.cloud.limiter import Lane, Lanes
from nbsweep.adapters.cloud.session import IAM_TIMEOUT, AuthClient, open_session
from nbsweep.adapters.cloud.users import IamUsers
from nbsweep.core.errors import CloudError, Forbidden, MalformedAnswer, Rejected, Unauthorized, Unreachable, WrongAddress
from nbsweep.core.notices.contacts import IamUser
from nbsweep.core.pacing import Rate
from nbsweep.settings import CredentialSettings, TargetSettings
from nbsweep.simulator import AccessKey as SimulatedKey
from nbsweep.simulator import (
    AccessOptions,
    FaultOptions,
    FleetOptions,
    NotebookSpec,
    PeopleOptions,
    Permissions,
    RunningSimulator,
    ScriptedFault,
    SimulatorOptions,
    running_simulator,
)
from nbsweep.simulator.options import IamUser as SimulatedUser
from nbsweep.simulator.state.model import Person
from nbsweep.testing import RecordingTelemetry

ANA, LI = Person("ana.lopez").id, Person("li.chen").id
KEYS = {"access_key": SimulatedKey().access_key, "secret_key": SimulatedKey().secret_key}
USER = {"username": "sweeper", "password": SimulatedUser().password, "domain": "acct"}
ID = "7116d09f88fa41908676fdd4b039e95b"


@asynccontextmanager
async def simulated(script: tuple[ScriptedFault, ...] = (), **options: Any) -> AsyncIterator[RunningSimulator]:
    """Run a cloud of one notebook for each of two owners."""
    notebooks = (NotebookSpec(id="nb1", owner="ana.lopez"), NotebookSpec(id="nb2", owner="li.chen"))
    fleet = FleetOptions(notebooks=0, instances=notebooks)
    async with running_simulator(SimulatorOptions(fleet=fleet, faults=FaultOptions(script=script), **options)) as simulator:
        yield simulator


@asynccontextmanager
async def calling(url: str, credentials: dict[str, Any] | None = None) -> AsyncIterator[CloudClient]:
    """Open a client, as commands do."""
    given = CredentialSettings.model_validate({**(credentials or KEYS), "iam_endpoint": url})
    project = AccessOptions().project_id
    target = TargetSettings(name="t", endpoint=url, region="cn-north-4", project_id=project, credentials=given)
    clock = SystemClock()
    lanes = Lanes(dict.fromkeys(Lane, Rate(10_000, 1.0)), None, clock)
    async with open_credential_provider({METADATA_VARIABLE: url}, clock) as provider:
        found = await provider.find(target)
        async with open_client(target, found, lanes, clock, RecordingTelemetry()) as cloud:
            yield cloud


@asynccontextmanager
async def answering(status: int, content: Any, **more: Any) -> AsyncIterator[tuple[IamUsers, list[str]]]:
    """Ask a server that always answers so; the paths of all requests are listed."""
    paths: list[str] = []

    async def handle(request: web.Request) -> web.StreamResponse:
        paths.append(request.raw_path)
        if isinstance(content, str):
            return web.Response(text=content, status=status, **more)
        return web.json_response(content, status=status, **more)

    async with local_server(handle) as url, open_session(IAM_TIMEOUT, 8) as session:
        yield IamUsers(AccessKey("ak", "sk"), Iam(AuthClient(session, url, IAM_TIMEOUT, SystemClock()))), paths


def described(**more: Any) -> dict[str, Any]:
    """Return the documented answer, with changes."""
    user = {"id": ID, "name": "autotest1", "enabled": True, "phone": "-", "areacode": "", "xuser_id": "", **more}
    return {"user": user}


def refused(status: int, message: str = "no") -> dict[str, Any]:
    """Return an error as IAM words it."""
    return {"error": {"message": message, "code": status, "title": "X"}}


@pytest.mark.parametrize("credentials", [KEYS, USER, {"agency": "metadata"}])
async def test_a_user_is_read_with_the_targets_own_credentials(credentials: dict[str, Any]) -> None:
    """Keys, a token, or an agency."""
    async with simulated() as simulator, calling(simulator.url, credentials) as cloud:
        assert await cloud.user(ANA) == IamUser(ANA, "ana.lopez@example.com")
        assert await cloud.user(LI) == IamUser(LI, "li.chen@example.com")


async def test_a_user_who_is_not_there_is_none() -> None:
    """Deleted, or never known."""
    async with simulated(people=PeopleOptions(gone=("ana.lopez",))) as simulator, calling(simulator.url) as cloud:
        assert await cloud.user(ANA) is None
        assert await cloud.user("0" * 32) is None


@pytest.mark.parametrize("as_", ["empty", "absent", "null", "dash"])
async def test_a_user_without_an_address_has_none(as_: Any) -> None:
    """However IAM shows that; a disabled user is known as such."""
    people = PeopleOptions(email_domain=None, no_email_as=as_, disabled=("li.chen",))
    async with simulated(people=people) as simulator, calling(simulator.url) as cloud:
        assert await cloud.user(ANA) == IamUser(ANA)
        assert await cloud.user(LI) == IamUser(LI, enabled=False)


async def test_a_missing_permission_is_named() -> None:
    """In the advice."""
    key = SimulatedKey(permissions=Permissions(users=False))
    async with simulated(access=AccessOptions(access_keys=(key,))) as simulator, calling(simulator.url) as cloud:
        with pytest.raises(Forbidden) as caught:
            await cloud.user(ANA)
        assert caught.value.advice == "Grant iam:users:getUser to this user"
        assert await cloud.user(Person("sweeper").id) is not None


@pytest.mark.parametrize("fault", ["throttle", "error_500_before", "html_502", "reset_before"])
async def test_what_may_pass_is_asked_once_and_left_to_the_caller(fault: Any) -> None:
    """429, 5xx and no answer; the next call may succeed."""
    script = (ScriptedFault(fault=fault, kind="users"),)
    async with simulated(script) as simulator, calling(simulator.url) as cloud:
        with pytest.raises(Unreachable):
            await cloud.user(ANA)
        assert len([entry for entry in simulator.log.entries if entry.kind == "users"]) == 1
        assert await cloud.user(ANA) is not None


async def test_the_documented_answer_is_read() -> None:
    """Fields that are not declared, and a missing `enabled`, do no harm."""
    async with answering(200, described(email="IAMEmail@example.com")) as (users, paths):
        assert await users.user(ID) == IamUser(ID, "IAMEmail@example.com")
        assert paths == [f"/v3.0/OS-USER/users/{ID}"]
    async with answering(200, {"user": {"id": ID, "email": " a@example.com ", "enabled": None}}) as (users, _):
        assert await users.user(ID) == IamUser(ID, "a@example.com")


@pytest.mark.parametrize(
    "content",
    [described(id="f" * 32, email="x@example.com"), described(email=["x@example.com"]), {}, [], "<html>x@example.com"],
)
async def test_an_answer_that_is_not_the_user_is_of_no_use(content: Any) -> None:
    """And nothing of it is repeated."""
    async with answering(200, content) as (users, _):
        with pytest.raises(MalformedAnswer) as caught:
            await users.user(ID)
        assert "example.com" not in f"{caught.value!r}"


@pytest.mark.parametrize(
    ("status", "content", "kind"),
    [
        (404, {"error_code": "APIGW.0101", "error_msg": "The API does not exist."}, WrongAddress),
        (404, "<html>Not Found</html>", WrongAddress),
        (400, refused(400), Rejected),
        (401, refused(401), Unauthorized),
        (403, {"error_code": "IAM.0003", "error_msg": "no"}, Forbidden),
        (503, refused(503), Unreachable),
        (302, "", Rejected),
    ],
)
async def test_each_refusal_has_its_kind(status: int, content: Any, kind: type[CloudError]) -> None:
    """Only IAM's own 404 says that there is no such user."""
    async with answering(status, content) as (users, _):
        with pytest.raises(kind):
            await users.user(ID)
    async with answering(404, refused(404, f"Could not find user: {ID}.")) as (users, _):
        assert await users.user(ID) is None


@pytest.mark.parametrize("user_id", ["", "../projects", "a/b", "a?b", "a%2fb", "a" * 65, "a\n", "é"])
async def test_an_id_that_could_lead_elsewhere_is_never_asked_for(user_id: str) -> None:
    """It becomes part of an address."""
    async with answering(200, described()) as (users, paths):
        with pytest.raises(Rejected):
            await users.user(user_id)
        assert paths == []
