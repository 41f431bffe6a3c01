"""How the client uses credentials: turns, renewal after a 401, and clocks that differ."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import anyio
import msgspec
import pytest
import stamina

from fresh import good_for
from nbsweep.adapters.clock import SystemClock
from nbsweep.adapters.cloud.auth.credentials import Credentials
from nbsweep.adapters.cloud.auth.provider import open_credential_provider
from nbsweep.adapters.cloud.auth.signing import AccessKey, Proof
from nbsweep.adapters.cloud.client import CloudClient, open_client
from nbsweep.adapters.cloud.limiter import Lane, Lanes
from nbsweep.adapters.cloud.session import NotSent
from nbsweep.core.errors import CloudError, FactsTooOld, Unauthorized, Unreachable
from nbsweep.core.model import Scope
from nbsweep.core.pacing import Rate
from nbsweep.settings import CredentialSettings, TargetSettings
from nbsweep.simulator import AccessKey as SimulatedKey
from nbsweep.simulator import (
    AccessOptions,
    FaultOptions,
    FleetOptions,
    NotebookSpec,
    RunningSimulator,
    ScriptedFault,
    SimulatorOptions,
    TimingOptions,
    running_simulator,
)
from nbsweep.testing import RecordingTelemetry

ACCESS = AccessOptions()
USER = ACCESS.users[0]
KEY = AccessKey(SimulatedKey().access_key, SimulatedKey().secret_key)
SCOPE = Scope("0", "NOTEBOOK")


@asynccontextmanager
async def simulated(*faults: ScriptedFault, **access: Any) -> AsyncIterator[RunningSimulator]:
    """Run a cloud of one notebook, with those faults."""
    fleet = FleetOptions(notebooks=0, instances=(NotebookSpec(id="nb1", name="nb1"),))
    options = SimulatorOptions(fleet=fleet, access=AccessOptions(**access), timing=TimingOptions(latency_median_s=0.01))
    options = msgspec.structs.replace(options, faults=FaultOptions(script=faults))
    async with running_simulator(options) as simulator:
        yield simulator


@asynccontextmanager
async def calling(url: str, credentials: Credentials | None = None, rate: int = 10_000) -> AsyncIterator[CloudClient]:
    """Open a client; with those credentials, or with a user's token."""
    user = CredentialSettings.model_validate(
        {"username": USER.name, "password": USER.password, "domain": USER.domain, "iam_endpoint": url}
    )
    target = TargetSettings(name="t", endpoint=url, project_id=ACCESS.project_id, credentials=user)
    clock = SystemClock()
    lanes = Lanes(dict.fromkeys(Lane, Rate(rate, 1.0)), None, clock)
    async with open_credential_provider({}, clock) as provider:
        found = credentials or await provider.find(target)
        async with open_client(target, found, lanes, clock, RecordingTelemetry()) as cloud:
            yield cloud


async def page_often(cloud: CloudClient, count: int) -> list[CloudError]:
    """Read so many pages at once; give what went wrong."""
    failed: list[CloudError] = []

    async def page() -> None:
        try:
            await cloud.page(SCOPE, 0)
        except CloudError as error:
            failed.append(error)

    async with anyio.create_task_group() as group:
        for _ in range(count):
            group.start_soon(page)
    return failed


def tally(simulator: RunningSimulator) -> dict[str, int]:
    """Count what has arrived, by kind and status."""
    found: dict[str, int] = {}
    for entry in simulator.log.entries:
        found[f"{entry.kind} {entry.status}"] = found.get(f"{entry.kind} {entry.status}", 0) + 1
    return found


async def test_one_token_serves_all_calls() -> None:
    """Fetched when the first of them is made."""
    async with simulated() as simulator, calling(simulator.url) as cloud:
        assert simulator.log.entries == []
        assert await page_often(cloud, 20) == []
        assert tally(simulator) == {"iam 201": 1, "list_all 200": 20}


async def test_a_token_that_the_cloud_has_ended_is_renewed_once_for_all_calls() -> None:
    """Twenty times 401, one renewal, and each call once more."""
    async with simulated() as simulator, calling(simulator.url) as cloud:
        await cloud.page(SCOPE, 0)
        simulator.clock.shift_s += 100_000
        assert await page_often(cloud, 20) == []
        assert tally(simulator) == {"iam 201": 2, "list_all 200": 21, "list_all 401": 20}


async def test_a_delete_that_was_refused_so_is_sent_once_more() -> None:
    """A 401 says that it was not done."""
    async with simulated() as simulator, calling(simulator.url) as cloud:
        await cloud.page(SCOPE, 0)
        simulator.clock.shift_s += 100_000
        await cloud.delete("nb1", facts=good_for(5))
        assert [entry.status for entry in simulator.log.entries if entry.kind == "delete"] == [401, 200]
        with pytest.raises(FactsTooOld):
            await cloud.delete("nb1", facts=good_for(-1))


@pytest.mark.parametrize("status", [200, 400, 403, 429, 500])
@pytest.mark.parametrize("code", ["ModelArts.6401", "ModelArts.6620", "APIG.0307"])
async def test_a_tokens_end_is_told_by_its_code_whatever_the_status(status: int, code: str) -> None:
    """It was not done, whichever call it was: one new token, and each call once more."""
    ended = {"fault": "error", "status": status, "error_code": code, "error_msg": "Incorrect token."}
    faults = [msgspec.convert({**ended, "kind": kind}, ScriptedFault) for kind in ("list_all", "delete")]
    async with simulated(*faults) as simulator, calling(simulator.url) as cloud:
        assert (await cloud.page(SCOPE, 0)).total == 1
        await cloud.delete("nb1", facts=good_for(5))
        counts = tally(simulator)
        assert counts.pop("iam 201") == 3
        assert sum(counts.values()) == 4
        assert simulator.cloud.instances["nb1"].accepted_deletes == 1


async def test_a_refusal_of_the_new_token_is_the_end() -> None:
    """No call is made a third time."""
    async with simulated(token_lifetime_s=0) as simulator, calling(simulator.url) as cloud:
        failed = await page_often(cloud, 4)
        assert [type(error) for error in failed] == [Unauthorized] * 4
        assert tally(simulator) == {"iam 201": 2, "list_all 401": 8}


async def test_fixed_keys_are_refused_once() -> None:
    """And nobody is asked for others."""
    async with simulated() as simulator, calling(simulator.url, AccessKey(KEY.access_key, "wrong")) as cloud:
        with pytest.raises(Unauthorized):
            await cloud.page(SCOPE, 0)
        assert tally(simulator) == {"list_all 401": 1}


@pytest.mark.parametrize(
    ("shift_s", "words"), [(1200, "20 minutes behind"), (-1200, "20 minutes ahead of"), (1000, "17 minutes behind")]
)
async def test_a_clock_that_is_wrong_is_named(shift_s: float, words: str) -> None:
    """From the Date of the answer."""
    async with simulated() as simulator, calling(simulator.url, KEY) as cloud:
        simulator.clock.shift_s, simulator.clock.shifts_date_header = shift_s, True
        with pytest.raises(Unauthorized, match=f"{words} the cloud's") as caught:
            await cloud.page(SCOPE, 0)
        assert caught.value.http_status == 401
        assert cloud.clock_skew_s() == pytest.approx(-shift_s, abs=2)


async def test_a_clock_that_is_right_is_not() -> None:
    """A wrong key stays the reason."""
    async with simulated() as simulator, calling(simulator.url, AccessKey("NOBODY", "x")) as cloud:
        with pytest.raises(Unauthorized) as caught:
            await cloud.page(SCOPE, 0)
        assert "behind" not in str(caught.value)
        assert cloud.clock_skew_s() == pytest.approx(0, abs=2)


@dataclass
class Ending:
    """Credentials whose first proofs end before the call's turn comes."""

    ended: int
    asked: int = 0
    trouble: CloudError | None = None
    account: str = "us"
    reported: list[CloudError] = field(default_factory=list)

    async def ready(self) -> Proof:
        """Return the next."""
        self.asked += 1
        if self.trouble:
            raise self.trouble
        proof = await KEY.ready()
        return Proof(proof.headers, 0.0) if self.asked <= self.ended else proof

    async def refused(self, error: CloudError, _used: Proof) -> bool:
        """Take note."""
        self.reported.append(error)
        return False


@pytest.mark.parametrize(("ended", "asked"), [(0, 1), (1, 2), (2, 3), (9, 3)])
async def test_a_call_whose_proof_ended_behind_the_lane_waits_for_another_turn(ended: int, asked: int) -> None:
    """A few times; then it leaves with what there is, and the cloud decides."""
    credentials = Ending(ended)
    async with simulated() as simulator, calling(simulator.url, credentials) as cloud:
        await cloud.page(SCOPE, 0)
        assert credentials.asked == asked
        assert tally(simulator) == {"list_all 200": 1}


async def test_credentials_that_are_not_to_be_had_for_now_are_asked_for_again() -> None:
    """A DELETE was certainly not sent, so that this is no lost answer."""
    credentials = Ending(0, trouble=NotSent("IAM is away"))
    with stamina.set_testing(True, attempts=6):
        async with simulated() as simulator, calling(simulator.url, credentials) as cloud:
            with pytest.raises(Unreachable, match="IAM is away"):
                await cloud.delete("nb1", facts=good_for(60))
            assert credentials.asked == 6
            assert simulator.log.entries == []
