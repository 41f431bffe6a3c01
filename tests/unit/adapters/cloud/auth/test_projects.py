"""The lookup of a project's id: what is asked of IAM, what is taken for an answer, and what is said when there is none."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest
import stamina
from aiohttp import web

from fresh import good_for
from local_server import local_server
from nbsweep.adapters.clock import SystemClock
from nbsweep.adapters.cloud.auth.iam import Iam
from nbsweep.adapters.cloud.auth.projects import ProjectLookup
from nbsweep.adapters.cloud.auth.provider import METADATA_VARIABLE, open_credential_provider
from nbsweep.adapters.cloud.auth.signing import AccessKey
from nbsweep.adapters.cloud.client import CloudClient, open_client
from nbsweep.adapters.cloud.limiter import Lane, Lanes
from nbsweep.adapters.cloud.session import IAM_TIMEOUT, AuthClient, NotSent, open_session
from nbsweep.core.errors import CloudError, Forbidden, Unauthorized, Unreachable, WrongAddress
from nbsweep.core.model import Scope
from nbsweep.core.pacing import Rate
from nbsweep.settings import CredentialSettings, TargetSettings
from nbsweep.simulator import (
    AccessKey as SimulatedKey,
)
from nbsweep.simulator import (
    AccessOptions,
    FaultOptions,
    FleetOptions,
    IamUser,
    NotebookSpec,
    Permissions,
    RunningSimulator,
    ScriptedFault,
    SimulatorOptions,
    running_simulator,
)
from nbsweep.testing import RecordingTelemetry

REGION = "cn-north-4"
PROJECT = AccessOptions().project_id
KEY = AccessKey(SimulatedKey().access_key, SimulatedKey().secret_key)
KEYS = {"access_key": KEY.access_key, "secret_key": KEY.secret_key}
USER = {"username": "sweeper", "password": IamUser().password, "domain": "acct"}
SUB_USER = (SimulatedKey(permissions=Permissions(projects=False)),)
SCOPE = Scope("0", "NOTEBOOK")
OTHER = "f" * 32

Reply = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def simulated(script: tuple[ScriptedFault, ...] = (), **access: Any) -> AsyncIterator[RunningSimulator]:
    """Run a cloud of one notebook."""
    options = SimulatorOptions(
        fleet=FleetOptions(notebooks=0, instances=(NotebookSpec(id="nb1", name="nb1"),)),
        access=AccessOptions(**access),
        faults=FaultOptions(script=script),
    )
    async with running_simulator(options) as simulator:
        yield simulator


@asynccontextmanager
async def calling(url: str, credentials: dict[str, Any] | None = None, region: str = REGION) -> AsyncIterator[CloudClient]:
    """Open a client of a target that has no project id."""
    given = CredentialSettings.model_validate({**(credentials or KEYS), "iam_endpoint": url})
    target = TargetSettings(name="t", endpoint=url, region=region, credentials=given)
    clock = SystemClock()
    lanes = Lanes(dict.fromkeys(Lane, Rate(10_000, 1.0)), None, clock)
    async with open_credential_provider({METADATA_VARIABLE: url}, clock) as provider:
        found = await provider.find(target)
        async with open_client(target, found, lanes, clock, RecordingTelemetry()) as cloud:
            yield cloud


@asynccontextmanager
async def answering(*replies: Reply) -> AsyncIterator[tuple[ProjectLookup, list[web.Request]]]:
    """Ask a server that answers so, one request after the other, all further ones like the last."""
    waiting, requests = list(replies), list[web.Request]()

    async def handle(request: web.Request) -> web.StreamResponse:
        requests.append(request)
        return await (waiting.pop(0) if len(waiting) > 1 else waiting[0])(request)

    async with local_server(handle) as url, open_session(IAM_TIMEOUT, 8) as session:
        yield ProjectLookup(REGION, KEY, Iam(AuthClient(session, url, IAM_TIMEOUT, SystemClock()))), requests


def says(status: int, content: Any = None, **headers: str) -> Reply:
    """Answer so."""

    async def reply(_request: web.Request) -> web.StreamResponse:
        return web.json_response(content, status=status, headers=headers)

    return reply


def projects(*named: tuple[str, str]) -> Reply:
    """Answer with these projects, by name and id."""
    return says(200, {"projects": [{"id": project_id, "name": name, "enabled": True} for name, project_id in named]})


FORBIDDEN = says(403, {"error": {"message": "not authorized", "code": 403, "title": "Forbidden"}})


def asked(simulator: RunningSimulator) -> list[str]:
    """List what has arrived, in order."""
    return [f"{entry.method} {entry.path.partition('?')[0]} {entry.status}" for entry in simulator.log.entries]


# ---- with a client --------------------------------------------------------------------------------------------------------


async def test_the_id_is_looked_up_before_the_first_call_and_never_again() -> None:
    """With the same keys, and then it stands in every path and header; opening a client asks nobody."""
    async with simulated() as simulator, calling(simulator.url) as cloud:
        assert simulator.log.entries == []
        assert (await cloud.page(SCOPE, 0)).total == 1
        await cloud.show("nb1")
        await cloud.delete("nb1", facts=good_for(10))
        assert asked(simulator) == [
            "GET /v3/projects 200",
            f"GET /v1/{PROJECT}/notebooks/all 200",
            f"GET /v1/{PROJECT}/notebooks/nb1 200",
            f"DELETE /v1/{PROJECT}/notebooks/nb1 200",
        ]
        assert simulator.log.entries[0].path == f"/v3/projects?name={REGION}"


async def test_one_lookup_serves_all_calls_that_wait_for_it() -> None:
    """Twenty at once."""
    async with simulated() as simulator, calling(simulator.url) as cloud:
        async with anyio.create_task_group() as group:
            for _ in range(20):
                group.start_soon(cloud.show, "nb1")
        assert asked(simulator).count("GET /v3/projects 200") == 1


@pytest.mark.parametrize("count", [0, 2])
async def test_one_failure_serves_all_calls_that_wait_for_it_too(count: int) -> None:
    """IAM is not asked twenty times the same; who comes later may ask again, for somebody may have mended it."""
    async with simulated(projects_found=count) as simulator, calling(simulator.url) as cloud:
        failed: list[CloudError] = []

        async def show() -> None:
            try:
                await cloud.show("nb1")
            except CloudError as error:
                failed.append(error)

        async with anyio.create_task_group() as group:
            for _ in range(20):
                group.start_soon(show)
        assert [type(error) for error in failed] == [WrongAddress] * 20
        assert asked(simulator) == ["GET /v3/projects 200"]
        await show()
        assert len(asked(simulator)) == 2


async def test_who_may_not_search_lists_his_own() -> None:
    """A sub-user's 403 is no end: what he may use himself he may always list, and the region's is picked by its name."""
    async with simulated(access_keys=SUB_USER) as simulator, calling(simulator.url) as cloud:
        assert (await cloud.page(SCOPE, 0)).total == 1
        assert asked(simulator)[:2] == ["GET /v3/projects 403", "GET /v3/auth/projects 200"]


async def test_who_may_not_search_and_has_none_of_that_name_is_told() -> None:
    """Projects of other regions do not count."""
    async with simulated(access_keys=SUB_USER) as simulator, calling(simulator.url, region="cn-east-3") as cloud:
        with pytest.raises(WrongAddress, match="knows no project called cn-east-3"):
            await cloud.workspaces()


async def test_a_users_token_is_for_the_project_of_that_name() -> None:
    """It is scoped by the region's name, and tells the project's id, which need not be looked up."""
    async with simulated() as simulator, calling(simulator.url, USER) as cloud:
        assert (await cloud.page(SCOPE, 0)).total == 1
        assert asked(simulator) == [
            "POST /v3/auth/tokens 201",
            f"GET /v1/{PROJECT}/notebooks/all 200",
        ]


async def test_a_user_of_another_region_is_told_to_check_it() -> None:
    """IAM gives no token for a project that it does not know; the sentence names the key that is in the configuration."""
    async with simulated() as simulator, calling(simulator.url, USER, region="cn-east-3") as cloud:
        with pytest.raises(Unauthorized, match="Check region and domain"):
            await cloud.workspaces()


async def test_an_agency_looks_it_up_with_its_temporary_keys() -> None:
    """Their security token is sent and signed."""
    async with simulated() as simulator, calling(simulator.url, {"agency": "metadata"}) as cloud:
        assert (await cloud.page(SCOPE, 0)).total == 1
        assert "GET /v3/projects 200" in asked(simulator)


async def test_keys_that_have_ended_are_renewed_for_the_lookup_as_for_any_call() -> None:
    """A 401 that new keys may help against is not yet the answer."""
    ended = ScriptedFault(fault="error", kind="iam", status=401, error_code="APIGW.0301", error_msg="expired")
    async with simulated(script=(ended,)) as simulator, calling(simulator.url, {"agency": "metadata"}) as cloud:
        assert (await cloud.page(SCOPE, 0)).total == 1
        assert [line for line in asked(simulator) if "/v3/" in line] == ["GET /v3/projects 401", "GET /v3/projects 200"]


async def test_an_iam_that_stumbles_is_asked_again() -> None:
    """As long as that may pass; a DELETE waits for it as well, for it has not left."""
    stumbles = ScriptedFault(fault="html_502", kind="iam", times=3)
    with stamina.set_testing(True, attempts=6):
        async with simulated(script=(stumbles,)) as simulator, calling(simulator.url) as cloud:
            await cloud.delete("nb1", facts=good_for(10))
            assert [entry.status for entry in simulator.log.entries] == [502, 502, 502, 200, 200]


async def test_an_iam_that_is_away_is_said_in_one_sentence() -> None:
    """With its address, and nothing was sent to the notebooks' API."""
    stumbles = ScriptedFault(fault="html_502", kind="iam", times=99)
    with stamina.set_testing(True, attempts=6):
        async with simulated(script=(stumbles,)) as simulator, calling(simulator.url) as cloud:
            with pytest.raises(Unreachable, match=f"{simulator.url} did not return the project's id: HTTP 502"):
                await cloud.workspaces()
            assert {entry.kind for entry in simulator.log.entries} == {"iam"}


@pytest.mark.parametrize(("shift_s", "words"), [(1200, "20 minutes behind"), (-1200, "20 minutes ahead of")])
async def test_a_clock_that_is_wrong_is_named_here_as_well(shift_s: float, words: str) -> None:
    """IAM is the first to refuse the signature."""
    async with simulated() as simulator, calling(simulator.url) as cloud:
        simulator.clock.shift_s, simulator.clock.shifts_date_header = shift_s, True
        with pytest.raises(Unauthorized, match=f"{words} the cloud's"):
            await cloud.workspaces()


# ---- what IAM may say -----------------------------------------------------------------------------------------------------


async def test_a_project_is_called_exactly_like_its_region() -> None:
    """Sub-projects begin alike, and an IAM that takes the name for a part of one must not mislead."""
    async with answering(projects((f"{REGION}_team", "a" * 32), (REGION, PROJECT), ("cn-north-44", "b" * 32))) as (lookup, _):
        assert await lookup.find() == PROJECT


async def test_several_of_that_name_are_all_shown() -> None:
    """Somebody has to choose, and can without going to the console."""
    async with answering(projects((REGION, PROJECT), (REGION, OTHER))) as (lookup, _):
        with pytest.raises(WrongAddress) as caught:
            await lookup.find()
        assert f"knows 2 projects called {REGION}: {PROJECT}, {OTHER}. Set project_id" in str(caught.value)


async def test_none_of_that_name_is_said_with_what_to_check() -> None:
    """Region, account, or the id itself."""
    async with answering(projects()) as (lookup, _):
        with pytest.raises(WrongAddress, match=r"knows no project called cn-north-4.*Check region.*set project_id"):
            await lookup.find()


@pytest.mark.parametrize("project_id", ["", "..", "../../v3/users", "A" * 32, "0" * 31, "0" * 32 + "\n"])
async def test_an_id_that_is_none_never_gets_into_an_address(project_id: str) -> None:
    """Whatever server that is."""
    async with answering(projects((REGION, project_id))) as (lookup, _):
        with pytest.raises(WrongAddress, match="does not answer as IAM does"):
            await lookup.find()


@pytest.mark.parametrize(
    ("reply", "kind", "words"),
    [
        (says(401, {"error": {"message": "no", "code": 401}}), Unauthorized, "Check the keys, their account"),
        (FORBIDDEN, Forbidden, "Set project_id"),
        (says(404), WrongAddress, "Check region and iam_endpoint"),
        (says(400), WrongAddress, "Check region and iam_endpoint"),
        (says(302, Location="https://elsewhere"), WrongAddress, "Check region and iam_endpoint"),
        (says(200, {"regions": []}), WrongAddress, "Check region and iam_endpoint"),
        (says(200, "<html>"), WrongAddress, "Check region and iam_endpoint"),
        (says(500), NotSent, "did not return"),
        (says(429), NotSent, "did not return"),
    ],
)
async def test_what_is_no_answer_is_an_error(reply: Reply, kind: type[CloudError], words: str) -> None:
    """One sentence that names the server and what to do, without a key."""
    async with answering(reply) as (lookup, _):
        with pytest.raises(kind, match=words) as caught:
            await lookup.find()
        assert lookup.iam.url in str(caught.value)
        assert "\n" not in str(caught.value)
        assert KEY.secret_key not in str(caught.value)


async def test_no_second_question_follows_a_refusal_other_than_403() -> None:
    """A key that is not accepted is not accepted elsewhere either."""
    async with answering(says(401, {"error": {"code": 401}})) as (lookup, requests):
        with pytest.raises(Unauthorized):
            await lookup.find()
        assert [request.path for request in requests] == ["/v3/projects"]
