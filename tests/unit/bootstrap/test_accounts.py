"""Which targets share an account, and what they share with it."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from local_server import local_server
from nbsweep.adapters.clock import SystemClock
from nbsweep.bootstrap.accounts import TargetAccess, identify_accounts, open_accounts
from nbsweep.settings import TargetSettings
from nbsweep.simulator import AccessKey as SimulatedKey
from nbsweep.simulator import AccessOptions, FleetOptions, IamUser, SimulatorOptions, running_simulator

USER = {"username": "sweeper", "password": IamUser().password, "domain": "acct"}


def target(name: str, key: str, **changes: Any) -> TargetSettings:
    """Return a target with these keys."""
    credentials = {"access_key": key, "secret_key": "s"}
    plain = {"name": name, "endpoint": "https://cloud.example", "project_id": "0" * 32, "credentials": credentials}
    return TargetSettings.model_validate(plain | changes)


def project(domain_id: str, project_id: str = "a") -> dict[str, str]:
    """Return a project as IAM lists it."""
    return {"id": project_id, "name": "cn-north-4", "domain_id": domain_id}


async def accesses(*targets: TargetSettings) -> tuple[TargetAccess, ...]:
    """Open the accounts of these targets."""
    async with open_accounts(targets, {}, SystemClock()) as opened:
        return opened


async def test_targets_of_one_account_share_its_lanes() -> None:
    """The same keys at the same endpoint; the limits of all of them decide the rates."""
    one, two, other_key, other_place = await accesses(
        target("one", "a"),
        target("two", "a", limits={"delete": "1/s"}),
        target("other-key", "b"),
        target("other-place", "a", endpoint="https://elsewhere.example"),
    )
    assert one.lanes is two.lanes
    assert one.limits == two.limits == [one.target.limits, two.target.limits]
    assert len({id(each.lanes) for each in (one, other_key, other_place)}) == 3


async def test_a_target_without_credentials_has_an_account_of_its_own(tmp_path: Path) -> None:
    """Its problem is told, and does not affect the others."""
    missing = {"access_key": "a", "secret_key_file": str(tmp_path / "none")}
    with_keys, without = await accesses(target("one", "a"), target("two", "a", credentials=missing))
    assert (with_keys.problem, without.limits) == (None, [without.target.limits])
    assert "none" in str(without.problem)


async def test_only_a_target_of_scope_own_has_a_caller() -> None:
    """A pseudonym that reveals no key."""
    everybody, own, same = await accesses(
        target("one", "a"), target("two", "a", scope="own"), target("three", "a", scope="own")
    )
    assert everybody.caller == ""
    assert own.caller == same.caller != "a"


async def test_targets_that_name_one_account_share_its_lanes() -> None:
    """Whoever's keys they use, but at one endpoint; a name is never taken for a key."""
    one, two, unnamed, elsewhere = await accesses(
        target("one", "a", account="b"),
        target("two", "c", account="b"),
        target("unnamed", "b"),
        target("elsewhere", "a", account="b", endpoint="https://elsewhere.example"),
    )
    assert one.lanes is two.lanes
    assert one.account == two.account
    assert len({id(each.lanes) for each in (one, unnamed, elsewhere)}) == 3


# ---- in a fleet -----------------------------------------------------------------------------------------------------------

KEYS = (SimulatedKey(), SimulatedKey(access_key="SECOND", secret_key="second-secret"))


@asynccontextmanager
async def identified(*changes: dict[str, Any], **access: Any) -> AsyncIterator[tuple[tuple[TargetAccess, ...], str]]:
    """Look up the accounts of targets whose IAM is a simulated cloud; yields its address too."""
    clock = SystemClock()
    options = SimulatorOptions(fleet=FleetOptions(notebooks=0), access=AccessOptions(access_keys=KEYS, **access))
    async with running_simulator(options) as simulator:
        targets = [target(f"t{number}", **(at(simulator.url) | change)) for number, change in enumerate(changes)]
        async with open_accounts(targets, {}, clock) as opened:
            yield await identify_accounts(opened, clock), simulator.url


def at(url: str, key: SimulatedKey = KEYS[0]) -> dict[str, Any]:
    """Return the changes for a target with a key of the simulated cloud, whose IAM stands at its endpoint."""
    credentials = {"access_key": key.access_key, "secret_key": key.secret_key, "iam_endpoint": url}
    return {"key": "", "endpoint": url, "credentials": credentials}


async def test_targets_of_one_iam_account_share_its_lanes_in_a_fleet() -> None:
    """By whichever keys or user they call; the ID is the same in each process, and reveals no key and no user."""
    async with identified({}, {"limits": {"delete": "1/s"}}) as (first, url):
        host = url.removeprefix("http://")
        second_key = at(url, KEYS[1])
        user = at(url) | {"credentials": {**USER, "iam_endpoint": url}, "project_id": AccessOptions().project_id}
        clock = SystemClock()
        async with open_accounts([target("k", **second_key), target("u", **user)], {}, clock) as opened:
            others = await identify_accounts(opened, clock)
    ids = {access.account_id for access in (*first, *others)}
    assert len(ids) == 1
    assert re.fullmatch(re.escape(host) + "/[0-9a-f]{12}", ids.pop())
    assert first[0].lanes is first[1].lanes
    assert others[0].lanes is others[1].lanes
    assert first[0].limits == [first[0].target.limits, first[1].target.limits]
    assert [access.account_problem for access in (*first, *others)] == [None] * 4


async def test_another_iam_account_is_another_account() -> None:
    """Also at the same address."""
    async with identified({}) as (first, _), identified({}, account="another") as (second, _):
        assert first[0].account_id.partition("/")[2] != second[0].account_id.partition("/")[2]


async def test_a_named_account_is_not_looked_up() -> None:
    """Its ID is the endpoint and the name; the region's part of a vendor's endpoint is enough."""
    clock = SystemClock()
    endpoint = "https://modelarts.cn-north-4.myhuaweicloud.com"
    async with open_accounts([target("one", "a", account="research", endpoint=endpoint)], {}, clock) as opened:
        [access] = await identify_accounts(opened, clock)
    assert (access.account_id, access.account_problem) == ("cn-north-4.myhuaweicloud.com/research", None)
    assert access.account == access.account_id


async def test_what_iam_does_not_say_is_not_guessed(tmp_path: Path) -> None:
    """Two pairs of keys are two accounts then, and each target without keys is one; why is said, and no key is shown."""
    missing = {"access_key": "a", "secret_key_file": str(tmp_path / "none")}
    clock = SystemClock()
    closed = {"iam_endpoint": "http://127.0.0.1:1"}
    targets = [
        target("one", "key-one", **closed),
        target("two", "key-two", **closed),
        target("again", "key-one", **closed),
        target("three", "", credentials=missing, **closed),
        target("four", "", credentials=missing, **closed),
        target("nowhere", "key-one", endpoint="https://elsewhere.example"),
    ]
    async with open_accounts(targets, {}, clock) as opened:
        one, two, again, three, four, nowhere = await identify_accounts(opened, clock)
    assert one.account_id == again.account_id
    assert len({access.account_id for access in (one, two, three, four, nowhere)}) == 5
    assert one.lanes is again.lanes
    assert one.lanes is not two.lanes
    assert re.fullmatch("cloud.example/~[0-9a-f]{12}", one.account_id)
    assert "127.0.0.1:1 cannot be reached" in str(one.account_problem)
    assert "none" in str(three.account_problem)
    assert "iam_endpoint" in str(nowhere.account_problem)


@pytest.mark.parametrize(
    ("answer", "known"),
    [
        ({"projects": [project("d1")]}, True),
        ({"projects": [project("d1"), project("d1", "other")]}, True),
        ({"projects": [project("d1", "0" * 32), project("d2", "other")]}, True),
        ({"projects": [project("d1", "a"), project("d2", "b")]}, False),
        ({"projects": [project("d1", "0" * 32), project("d2", "0" * 32)]}, False),
        ({"projects": []}, False),
        ({"projects": [{"id": "0" * 32, "name": "n"}]}, False),
        ({"projects": [project("")]}, False),
        ({"projects": 7}, False),
        ([], False),
    ],
)
async def test_one_domain_must_be_named(answer: object, *, known: bool) -> None:
    """That of all projects, or of the target's own project."""
    clock = SystemClock()

    async def handle(_request: web.Request) -> web.Response:
        return web.json_response(answer)

    async with local_server(handle) as url, open_accounts([target("one", **at(url))], {}, clock) as opened:
        [access] = await identify_accounts(opened, clock)
    assert (access.account_problem is None) is known
    assert ("~" not in access.account_id) is known
