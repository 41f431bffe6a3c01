"""Credentials that end: one renewal for all who wait, ahead of time and after a 401."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field

import anyio
import pytest

from nbsweep.adapters.cloud.auth.refresh import IssuedCredentials, RefreshingCredentials
from nbsweep.adapters.cloud.auth.signing import AccessKey, Proof, Request
from nbsweep.adapters.cloud.session import NotSent
from nbsweep.core.errors import CloudError, Rejected, Unauthorized
from nbsweep.testing import FakeClock

pytestmark = pytest.mark.looptime(noop_cycles=1)

LIFE_S = 100.0
EARLY_S = 20.0
TAKES_S = 1.0
REQUEST = Request("GET", "host", "/")
EXPIRED = Unauthorized("expired", code="APIGW.0307", http_status=401)


@dataclass
class Counter:
    """Gives out numbered tokens, or the next of its troubles, after a second."""

    troubles: list[CloudError] = field(default_factory=list)
    asked: int = 0
    account: str = "us"

    async def issue(self) -> IssuedCredentials:
        """Take a second."""
        self.asked += 1
        number = self.asked
        await asyncio.sleep(TAKES_S)
        if self.troubles:
            raise self.troubles.pop(0)
        return IssuedCredentials(lambda _request, _moment: {"X-Auth-Token": f"secret-{number}"}, LIFE_S, EARLY_S)


def renewed(*troubles: CloudError) -> tuple[RefreshingCredentials, Counter, FakeClock]:
    """Make credentials of such a source."""
    source, clock = Counter(list(troubles)), FakeClock()
    return RefreshingCredentials(source, clock), source, clock


def token(proof: Proof, clock: FakeClock) -> str:
    """Return the token that a request would carry."""
    return proof.headers(REQUEST, clock.now())["X-Auth-Token"]


async def outcomes(of: RefreshingCredentials, used: Iterable[Proof | None]) -> list[object]:
    """Ask all at once: whoever has used a proof reports it as refused."""
    found: list[object] = []

    async def ask(proof: Proof | None) -> None:
        try:
            found.append(await (of.ready() if proof is None else of.refused(EXPIRED, proof)))
        except CloudError as error:
            found.append(error)

    async with anyio.create_task_group() as group:
        for proof in used:
            group.start_soon(ask, proof)
    return found


async def test_it_is_fetched_once_for_all_who_wait() -> None:
    """Fifty callers at once, one request, and a second for all of them."""
    credentials, source, clock = renewed()
    began_s = clock.steady_s()
    found = await outcomes(credentials, [None] * 50)
    assert source.asked == 1
    assert {id(proof) for proof in found} == {id(found[0])}
    assert clock.steady_s() - began_s == pytest.approx(TAKES_S)


async def test_it_is_renewed_ahead_of_time_and_only_one_waits_for_that() -> None:
    """What is held still lasts, so that everybody else goes on with it."""
    credentials, source, clock = renewed()
    first = await credentials.ready()
    await asyncio.sleep(LIFE_S - EARLY_S - TAKES_S - 0.1)
    assert await credentials.ready() is first
    await asyncio.sleep(0.2)
    found = await outcomes(credentials, [None] * 10)
    assert source.asked == 2
    assert sum(proof is first for proof in found) == 9
    assert token(await credentials.ready(), clock) == "secret-2"


async def test_it_never_lasts_to_the_very_end() -> None:
    """A request takes its time to arrive."""
    credentials, _, clock = renewed()
    began_s = clock.steady_s()
    assert (await credentials.ready()).ends_s == pytest.approx(began_s + LIFE_S - EARLY_S / 10)


async def test_a_401_renews_once_for_all_callers_together() -> None:
    """Those who come late find it done, and are told to try again."""
    credentials, source, clock = renewed()
    used = await credentials.ready()
    assert await outcomes(credentials, [used] * 30) == [True] * 30
    assert source.asked == 2
    assert await credentials.refused(EXPIRED, used)
    assert source.asked == 2
    assert token(await credentials.ready(), clock) == "secret-2"


@pytest.mark.parametrize("code", ["APIGW.0301", "APIGW.0307", "ModelArts.6401", "ModelArts.6620"])
async def test_these_codes_are_worth_a_renewal(code: str) -> None:
    """ModelArts API, section 3.4."""
    credentials, source, _ = renewed()
    used = await credentials.ready()
    assert await credentials.refused(Unauthorized("no", code=code, http_status=401), used)
    assert source.asked == 2


@pytest.mark.parametrize("status", [200, 400, 403, 500])
@pytest.mark.parametrize("code", ["ModelArts.6401", "ModelArts.6620", "APIGW.0307"])
async def test_an_end_is_told_by_its_code_under_any_status(code: str, status: int) -> None:
    """ModelArts API, section 12, E2; the gateway's number 0301 is about other things too, and counts with 401 only."""
    credentials, source, _ = renewed()
    used = await credentials.ready()
    assert await credentials.refused(Unauthorized("no", code=code, http_status=status), used)
    assert source.asked == 2


@pytest.mark.parametrize(
    "error", [Rejected("no", code="ModelArts.6400", http_status=400), Unauthorized("no", code="APIGW.0303", http_status=401)]
)
async def test_other_refusals_are_not(error: CloudError) -> None:
    """A renewal would change nothing."""
    credentials, source, _ = renewed()
    used = await credentials.ready()
    assert not await credentials.refused(error, used)
    assert source.asked == 1


async def test_a_failure_is_one_for_all_who_wait_too() -> None:
    """Thirty callers do not wait for thirty time limits; whoever comes afterwards tries anew."""
    credentials, source, clock = renewed(NotSent("away"))
    began_s = clock.steady_s()
    found = await outcomes(credentials, [None] * 30)
    assert {str(error) for error in found} == {"away"}
    assert source.asked == 1
    assert clock.steady_s() - began_s == pytest.approx(TAKES_S)
    assert token(await credentials.ready(), clock) == "secret-2"


async def test_a_renewal_that_fails_early_is_no_loss_yet() -> None:
    """What is held is used on; the next try is not at once, but before the end; then the failure counts."""
    credentials, source, _ = renewed()
    first = await credentials.ready()
    source.troubles = [NotSent("away"), Unauthorized("gone"), Unauthorized("gone")]
    await asyncio.sleep(LIFE_S - EARLY_S)
    assert await credentials.ready() is first
    assert await credentials.ready() is first
    assert source.asked == 2
    await asyncio.sleep(EARLY_S / 5)
    assert await credentials.ready() is first
    assert source.asked == 3
    await asyncio.sleep(EARLY_S)
    with pytest.raises(Unauthorized, match="gone"):
        await credentials.ready()


async def test_who_renews_may_be_cancelled() -> None:
    """The next one does it."""
    credentials, source, clock = renewed()
    with anyio.move_on_after(TAKES_S / 2):
        await credentials.ready()
    assert token(await credentials.ready(), clock) == "secret-2"
    assert source.asked == 2


async def test_the_wall_clock_may_jump() -> None:
    """A token's life is counted on the steady clock."""
    credentials, source, clock = renewed()
    first = await credentials.ready()
    clock.jump(10 * LIFE_S)
    assert await credentials.ready() is first
    assert source.asked == 1


async def test_a_token_does_not_show() -> None:
    """Neither in what is printed of the proof, nor of what was issued."""
    credentials, source, _ = renewed()
    proof = await credentials.ready()
    assert "secret" not in f"{proof!r} {await source.issue()!r} {credentials!r} {vars(credentials)!r}"


async def test_fixed_keys_are_never_tried_again() -> None:
    """A bad key, or a bad clock, stays so."""
    key = AccessKey("AK", "secret")
    assert not await key.refused(EXPIRED, await key.ready())
    assert key.account == "AK"
