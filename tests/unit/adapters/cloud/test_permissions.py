"""Calls that find out what works: which they are, and that they change nothing, whatever comes of them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import pytest
import stamina

from nbsweep.adapters.clock import SystemClock
from nbsweep.adapters.cloud.auth.signing import AccessKey
from nbsweep.adapters.cloud.client import CloudClient, open_client
from nbsweep.adapters.cloud.limiter import Lane, Lanes
from nbsweep.adapters.cloud.permissions import CALLS, NOTHING
from nbsweep.core.errors import Unauthorized, Unreachable
from nbsweep.core.pacing import Rate
from nbsweep.core.permissions import Action
from nbsweep.settings import TargetSettings
from nbsweep.simulator import AccessKey as SimulatedKey
from nbsweep.simulator import (
    AccessOptions,
    FaultOptions,
    FleetOptions,
    Permissions,
    RunningSimulator,
    ScriptedFault,
    SimulatorOptions,
    running_simulator,
)
from nbsweep.testing import RecordingTelemetry

PERMISSIONS = {
    Action.LIST_ALL: "list_all",
    Action.LIST_OWN: "list_own",
    Action.GET: "show",
    Action.DELETE: "delete",
    Action.STOP: "stop",
    Action.LIST_WORKSPACES: "workspaces",
}
DENIED = Permissions(**dict.fromkeys(PERMISSIONS.values(), False))


@asynccontextmanager
async def probing(
    permissions: Permissions | None = None, *script: ScriptedFault, secret: str = ""
) -> AsyncIterator[tuple[CloudClient, RunningSimulator]]:
    """Open a client for a caller who may do this much, at a cloud with twenty notebooks."""
    key = SimulatedKey(permissions=permissions or Permissions())
    options = SimulatorOptions(
        fleet=FleetOptions(notebooks=20, statuses={"STOPPED": 1, "RUNNING": 1}),
        access=AccessOptions(access_keys=(key,)),
        faults=FaultOptions(script=script),
    )
    clock = SystemClock()
    lanes = Lanes(dict.fromkeys(Lane, Rate(100_000, 1.0)), None, clock)
    async with running_simulator(options) as simulator:
        target = TargetSettings(name="simulated", endpoint=simulator.url, project_id=options.access.project_id)
        access_key = AccessKey(key.access_key, secret or key.secret_key)
        async with open_client(target, access_key, lanes, clock, RecordingTelemetry()) as client:
            yield client, simulator


@pytest.mark.parametrize("permissions", [Permissions(), DENIED], ids=["allowed", "denied"])
async def test_every_action_is_found_allowed_or_not_and_nothing_is_deleted(permissions: Permissions) -> None:
    """One call each; the cloud counts no accepted DELETE, and no notebook has another status than before."""
    async with probing(permissions) as (client, simulator):
        before = {row.id: row.status for row in simulator.cloud.instances.values()}
        answers = {action: (await client.probe(action)).allowed for action in Action}
        assert answers == {action: getattr(permissions, name) for action, name in PERMISSIONS.items()}
        assert sum(row.accepted_deletes for row in simulator.cloud.instances.values()) == 0
        assert {row.id: row.status for row in simulator.cloud.instances.values()} == before
        assert [entry.status for entry in simulator.log.entries if entry.method != "GET"] == [
            400 if permissions.delete else 403
        ] * 2


def test_what_is_deleted_on_trial_is_the_nil_uuid_and_nothing_else() -> None:
    """Nothing that a caller says gets into that address."""
    assert UUID(NOTHING.rpartition("/")[2]).int == 0
    for action in (Action.GET, Action.DELETE, Action.STOP):
        assert CALLS[action]("a-workspace", "workspace_id").path.startswith(NOTHING)


async def test_a_trial_whose_answer_was_lost_is_made_again() -> None:
    """Unlike a DELETE of a sweep: there is nothing that it could have done."""
    async with probing(None, ScriptedFault(fault="html_502", kind="delete", times=2)) as (client, simulator):
        with stamina.set_testing(True, attempts=6):
            assert (await client.probe(Action.DELETE)).allowed is True
        assert [entry.status for entry in simulator.log.entries] == [502, 502, 400]


async def test_keys_that_are_not_accepted_say_nothing_of_a_permission() -> None:
    """It is raised, and the address can be reached all the same: nobody says there who calls."""
    async with probing(None, secret="wrong") as (client, simulator):
        with pytest.raises(Unauthorized):
            await client.probe(Action.GET)
        skew_s = await client.reach()
        assert skew_s is not None
        assert abs(skew_s) < 5
        assert not {"Authorization", "X-Sdk-Date", "X-Project-Id"} & set(simulator.log.entries[-1].sent_headers)


async def test_an_address_where_nobody_is_cannot_be_reached() -> None:
    """After one try."""
    clock = SystemClock()
    target = TargetSettings(name="away", endpoint="http://127.0.0.1:1", project_id="f" * 32)
    lanes = Lanes(dict.fromkeys(Lane, Rate(100, 1.0)), None, clock)
    async with open_client(target, AccessKey("AK", "SK"), lanes, clock, RecordingTelemetry()) as client:
        with pytest.raises(Unreachable, match=r"http://127\.0\.0\.1:1 cannot be reached"):
            await client.reach()
