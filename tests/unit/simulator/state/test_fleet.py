import re
from collections import Counter
from typing import Any

import pytest

from nbsweep.simulator import FleetOptions, SimulatorOptions
from nbsweep.simulator.api.world import build_world
from nbsweep.simulator.clock import Clock
from nbsweep.simulator.state.cloud import Cloud
from nbsweep.simulator.state.fleet import workspace_ids
from nbsweep.simulator.state.model import Instance
from unit.simulator.support import HOUR_MS, START_MS, START_S, VirtualTime, simulated

OPTIONS = SimulatorOptions(seed=3, fleet=FleetOptions(notebooks=600))


def fleet(options: SimulatorOptions = OPTIONS) -> list[Instance]:
    """Build a cloud and return its notebooks."""
    return list(cloud(options).instances.values())


def cloud(options: SimulatorOptions) -> Cloud:
    """Build a cloud that stands still at the start."""
    return build_world(options, Clock(VirtualTime())).cloud


async def everything(feature: str, workspace_id: str) -> list[dict[str, Any]]:
    """List one room of the made up fleet over HTTP."""
    async with simulated(seed=OPTIONS.seed, fleet=OPTIONS.fleet) as desk:
        rows: list[dict[str, Any]] = []
        while True:
            page = (await desk.notebooks(feature=feature, workspace_id=workspace_id, limit=50, offset=len(rows))).json
            rows += page["data"]
            if len(rows) >= page["total"]:
                return rows


def test_the_same_seed_makes_the_same_fleet() -> None:
    """Every field of every notebook, and another seed another fleet."""
    assert fleet() == fleet()
    other = fleet(SimulatorOptions(seed=4, fleet=OPTIONS.fleet))
    assert not {instance.id for instance in fleet()} & {instance.id for instance in other}


def test_a_larger_fleet_begins_with_the_smaller_one() -> None:
    """Each notebook depends on its own number alone."""
    small = fleet(SimulatorOptions(seed=3, fleet=FleetOptions(notebooks=10)))
    assert small == fleet()[:10]


def test_ids_look_like_uuids_and_are_unique() -> None:
    """As the cloud's own."""
    ids = {instance.id for instance in fleet()}
    assert len(ids) == 600
    assert all(re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", id_) for id_ in ids)


def test_the_mix_is_a_realistic_one() -> None:
    """Most are stopped or running, every sort of failure is there, and a few are protected or CodeLab."""
    notebooks = fleet()
    statuses = Counter(instance.status for instance in notebooks)
    assert statuses["STOPPED"] > statuses["RUNNING"] > 100
    assert {"CREATE_FAILED", "ERROR", "START_FAILED", "DELETE_FAILED", "FROZEN", "STARTING"} <= statuses.keys()
    protected = [instance for instance in notebooks if re.match("(keep|prod)-", instance.name)]
    assert 15 <= len(protected) <= 50
    assert 15 <= sum("keep" in instance.tags for instance in notebooks) <= 50
    assert 15 <= sum(instance.feature == "DEFAULT" for instance in notebooks) <= 50
    assert len({instance.owner.name for instance in notebooks}) == 12
    assert {instance.workspace_id for instance in notebooks} == set(workspace_ids(OPTIONS))


def test_workspaces_have_long_ids_but_for_the_default() -> None:
    """The first is "0", the others have 32 hex digits."""
    first, *others = workspace_ids(OPTIONS)
    assert first == "0"
    assert [len(id_) for id_ in others] == [32, 32]


def test_statuses_follow_the_weights() -> None:
    """One weight alone: one status alone."""
    options = SimulatorOptions(fleet=FleetOptions(notebooks=50, statuses={"ERROR": 1}))
    assert {instance.status for instance in fleet(options)} == {"ERROR"}


def test_failures_have_reasons_and_others_have_none() -> None:
    """`fail_reason` belongs to the failed ones."""
    for instance in fleet():
        assert bool(instance.fail_reason) == (instance.status.endswith("FAILED") or instance.status == "ERROR")


def test_storage_is_of_every_sort() -> None:
    """EVS and EFS are managed or the user's own, OBS is always the user's own."""
    kinds = {(instance.volume["category"], instance.volume["ownership"]) for instance in fleet()}
    assert kinds == {("EVS", "MANAGED"), ("EFS", "MANAGED"), ("EFS", "DEDICATED"), ("OBS", "DEDICATED")}


def test_dates_are_consistent() -> None:
    """Created within the age range, changed no earlier than that, never in the future."""
    day_ms = 24 * HOUR_MS
    for instance in fleet():
        assert START_MS - 400 * day_ms <= instance.create_at_ms <= START_MS - day_ms // 2
        assert instance.create_at_ms <= instance.update_at_ms <= START_MS


def test_leases_are_of_every_sort() -> None:
    """TIMING, IDLE, without a type, and disabled ones with a duration of -1 among them."""
    leases = [instance.lease for instance in fleet() if instance.lease]
    assert {lease.type for lease in leases} == {"TIMING", "IDLE", None}
    assert {-1} < {lease.duration_ms for lease in leases if not lease.enabled}
    assert all(lease.duration_ms >= HOUR_MS for lease in leases if lease.enabled)


def test_what_runs_has_time_left() -> None:
    """A running notebook's lease ends in the future, at most the longest lease from now."""
    ends = [
        instance.lease.ends_at_s
        for instance in fleet()
        if instance.status == "RUNNING" and instance.lease and instance.lease.ends_at_s
    ]
    assert ends
    assert all(START_S < end_s <= START_S + 72 * 3600 for end_s in ends)


def test_what_stopped_by_itself_stopped_at_the_end_of_its_lease() -> None:
    """Section 8 of the ModelArts API: create_at + duration is the moment of the automatic stop."""
    stopped = [instance for instance in fleet() if instance.status == "STOPPED" and instance.lease]
    on_time = [i for i in stopped if i.lease and i.lease.ends_at_s == i.update_at_ms / 1000]
    assert len(on_time) > 50


async def test_rows_carry_secrets_that_can_be_searched_for() -> None:
    """Every row has a token and a url with it, so that a leak shows."""
    rows = await everything("NOTEBOOK", "0")
    assert len(rows) > 100
    for row in rows:
        assert row["token"].startswith("token-secret-")
        assert row["token"] in row["url"]


async def test_every_room_can_be_listed() -> None:
    """The rooms together are the fleet."""
    total = 0
    for workspace_id in workspace_ids(OPTIONS):
        for feature in ("NOTEBOOK", "DEFAULT"):
            total += len(await everything(feature, workspace_id))
    assert total == 600


@pytest.mark.parametrize("count", [1, 30])
def test_owners_are_as_many_as_asked(count: int) -> None:
    """From one to many, all with names like people's."""
    owners = {i.owner.name for i in fleet(SimulatorOptions(fleet=FleetOptions(notebooks=600, owners=count)))}
    assert len(owners) == count
    assert all(re.fullmatch(r"[a-z]+\.[a-z]+", name) for name in owners)
