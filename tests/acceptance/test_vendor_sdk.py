"""The vendor's own SDK is the witness that the simulator speaks the cloud's API and checks its signature rightly."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, TypeVar

import anyio
import pytest
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.exceptions.exceptions import ClientRequestException
from huaweicloudsdkmodelarts.v1 import (
    DeleteNotebookRequest,
    LeaseReq,
    ListAllNotebooksRequest,
    ListWorkspaceRequest,
    ModelArtsClient,
    NotebookResp,
    RenewLeaseRequest,
    ShowNotebookRequest,
    StopNotebookRequest,
)

from nbsweep.simulator import (
    AccessKey,
    AccessOptions,
    FleetOptions,
    Limit,
    LimitOptions,
    NotebookSpec,
    RunningSimulator,
    SimulatorOptions,
    TimingOptions,
    running_simulator,
)

Result = TypeVar("Result")

TEMPORARY = AccessKey(access_key="TEMPORARY", secret_key="temporary-secret", security_token="token-secret-tok==")
ACCESS = AccessOptions(access_keys=(AccessKey(), TEMPORARY))
# Together well within the fifteen minutes that a signature may be off, for the SDK's clock stays behind.
STOPPING_S = 60
DELETION_S = 120
TIMING = TimingOptions(deletion_median_s=DELETION_S, deletion_spread=0, stop_s=STOPPING_S)
FLEET = FleetOptions(
    notebooks=120,
    instances=(
        NotebookSpec(id="stopped", name="resnet-eval-01", tags={"env": "dev test"}),
        NotebookSpec(id="running", status="RUNNING"),
    ),
)


class Witness:
    """The SDK's synchronous client, whose calls run in a thread of their own."""

    def __init__(self, client: ModelArtsClient) -> None:
        self.client = client

    async def call(self, method: Callable[[Any], Result], request: Any) -> Result:
        """Make one call of the SDK while the simulator's loop goes on."""
        return await anyio.to_thread.run_sync(method, request)

    async def everything(self, **filters: Any) -> list[NotebookResp]:
        """List all notebooks, page by page."""
        found: list[NotebookResp] = []
        while True:
            request = ListAllNotebooksRequest(limit=50, offset=len(found), **filters)
            page = await self.call(self.client.list_all_notebooks, request)
            found += page.data
            if len(found) >= page.total:
                return found

    async def status(self, notebook_id: str) -> str:
        """Ask for one notebook's status."""
        return str((await self.call(self.client.show_notebook, ShowNotebookRequest(id=notebook_id))).status)


@contextmanager
def sdk_client(url: str, key: AccessKey) -> Iterator[ModelArtsClient]:
    """Open a client of the SDK and close its connections afterwards."""
    credentials = BasicCredentials(key.access_key, key.secret_key, ACCESS.project_id)
    if key.security_token:
        credentials = credentials.with_security_token(key.security_token)
    client = ModelArtsClient.new_builder().with_credentials(credentials).with_endpoint(url).build()
    try:
        yield client
    finally:
        client.close()


@asynccontextmanager
async def witness(key: AccessKey = ACCESS.access_keys[0], **groups: Any) -> AsyncIterator[tuple[Witness, RunningSimulator]]:
    """Run a simulated cloud and the SDK's client for it."""
    groups = {"access": ACCESS, "fleet": FLEET, "timing": TIMING} | groups
    async with running_simulator(SimulatorOptions(**groups)) as simulator:
        with sdk_client(simulator.url, key) as client:
            yield Witness(client), simulator


async def test_the_sdk_lists_every_page() -> None:
    """Page by page, exactly the notebooks that are there, with their fields understood."""
    async with witness() as (sdk, simulator):
        rows = await sdk.everything(workspace_id="0", feature="NOTEBOOK", sort_key="create_at", sort_dir="ASC")
        wanted = [i for i in simulator.cloud.instances.values() if (i.workspace_id, i.feature) == ("0", "NOTEBOOK")]
        assert len(wanted) > 20
        assert [row.id for row in rows] == [i.id for i in sorted(wanted, key=lambda i: (i.create_at_ms, i.id))]
        row = next(row for row in rows if row.id == "stopped")
        assert (row.name, row.status, row.user.name, row.volume.category) == (
            "resnet-eval-01",
            "STOPPED",
            "ana.lopez",
            "EVS",
        )
        assert [(tag.key, tag.value) for tag in row.tags] == [("env", "dev test")]


async def test_the_sdks_encoding_of_filters_is_understood() -> None:
    """Spaces and separators in the query survive the SDK's encoding and its signature."""
    async with witness() as (sdk, _):
        assert [row.id for row in await sdk.everything(tags="env|dev test", name="eval-01")] == ["stopped"]


async def test_the_sdk_stops_and_deletes() -> None:
    """A running notebook is stopped, then deleted; asking for it afterwards says that it does not exist."""
    async with witness() as (sdk, simulator):
        assert await sdk.status("running") == "RUNNING"
        stopping = await sdk.call(sdk.client.stop_notebook, StopNotebookRequest(id="running"))
        assert stopping.status == "STOPPING"
        simulator.clock.shift_s += STOPPING_S
        assert await sdk.status("running") == "STOPPED"
        deleting = await sdk.call(sdk.client.delete_notebook, DeleteNotebookRequest(id="running"))
        assert deleting.status == "DELETING"
        assert await sdk.status("running") == "DELETING"
        simulator.clock.shift_s += DELETION_S
        with pytest.raises(ClientRequestException) as refusal:
            await sdk.status("running")
        assert (refusal.value.status_code, refusal.value.error_code) == (400, "ModelArts.6309")
        assert simulator.cloud.instances["running"].gone


async def test_a_body_of_the_sdk_is_signed_and_read() -> None:
    """PATCH lease carries a JSON body under the signature."""
    async with witness() as (sdk, simulator):
        body = LeaseReq(duration=7_200_000, type="TIMING")
        lease = await sdk.call(sdk.client.renew_lease, RenewLeaseRequest(id="running", body=body))
        assert lease.enable is True
        renewed = simulator.cloud.instances["running"].lease
        assert renewed is not None
        assert lease.duration == renewed.duration_ms


async def test_the_sdk_lists_workspaces() -> None:
    """The workspaces are those of the cloud."""
    async with witness() as (sdk, simulator):
        answer = await sdk.call(sdk.client.list_workspace, ListWorkspaceRequest())
        assert {space.id for space in answer.workspaces} == set(simulator.cloud.workspaces)


async def test_a_temporary_key_of_the_sdk_is_let_in() -> None:
    """With its security token, signed as the SDK signs it."""
    async with witness(TEMPORARY) as (sdk, _):
        assert await sdk.status("stopped") == "STOPPED"


async def test_a_wrong_key_is_refused_in_words_the_sdk_understands() -> None:
    """401 with the gateway's code, message and request id."""
    async with witness(AccessKey(secret_key="wrong")) as (sdk, simulator):
        with pytest.raises(ClientRequestException) as refusal:
            await sdk.status("stopped")
        assert (refusal.value.status_code, refusal.value.error_code) == (401, "APIGW.0301")
        assert "verify aksk signature fail, canonicalRequest:GET|" in refusal.value.error_msg
        assert refusal.value.request_id == simulator.log.entries[-1].request_id


async def test_a_throttled_call_is_understood_by_the_sdk() -> None:
    """429; the SDK itself drops the body, so its code is looked up in the log."""
    async with witness(limits=LimitOptions(per_api={"show": Limit(1, window_s=60)})) as (sdk, simulator):
        await sdk.status("stopped")
        with pytest.raises(ClientRequestException) as refusal:
            await sdk.status("stopped")
        assert refusal.value.status_code == 429
        assert simulator.log.entries[-1].error_code == "APIGW.0308"
