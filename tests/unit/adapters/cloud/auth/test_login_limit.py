"""How often a password is tried: once for all targets, and not again while the vendor might lock the user."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from nbsweep.adapters.cloud.auth.login_limit import LoginLimit, LoginLimits, UserRefused
from nbsweep.adapters.cloud.auth.refresh import IssuedCredentials
from nbsweep.adapters.cloud.session import NotSent
from nbsweep.core.errors import CloudError, Unauthorized
from nbsweep.testing import FakeClock

pytestmark = pytest.mark.looptime(noop_cycles=1)

TOKEN = IssuedCredentials(lambda _request, _moment: {}, 100.0, 20.0)
WRONG = UserRefused("the password is wrong", code="IAM.1", http_status=401)
QUARTER_S = 15 * 60


class Logins:
    """Counts logins, each of which takes a second and ends as it is told."""

    def __init__(self, *ends: CloudError | None) -> None:
        self.ends = list(ends)
        self.count = 0

    async def __call__(self) -> IssuedCredentials:
        self.count += 1
        end = self.ends.pop(0) if self.ends else None
        await asyncio.sleep(1)
        if end is not None:
            raise end
        return TOKEN


async def outcomes(
    calls: int, enter: Callable[[Callable[[], Awaitable[IssuedCredentials]]], Awaitable[IssuedCredentials]], logins: Logins
) -> list[object]:
    """Enter so many times at once."""
    return list(await asyncio.gather(*(enter(logins) for _ in range(calls)), return_exceptions=True))


async def test_a_wrong_password_is_tried_once_whoever_asks() -> None:
    """Five targets at once, and more later: one login, and the same answer for all."""
    login_limit, logins = LoginLimit(FakeClock()), Logins(WRONG)
    found = await outcomes(5, login_limit.sign_in, logins)
    await asyncio.sleep(QUARTER_S - 10)
    found += await outcomes(5, login_limit.sign_in, logins)
    assert logins.count == 1
    assert len({str(error) for error in found}) == 1
    assert [type(error) for error in found] == [UserRefused] * 10
    assert "no login is tried before" in str(found[0])
    assert {getattr(error, "code", "") for error in found} == {"IAM.1"}


async def test_after_fifteen_minutes_one_more_login_is_tried() -> None:
    """One of them again, and not one for each target."""
    login_limit, logins = LoginLimit(FakeClock()), Logins(WRONG, WRONG, None)
    await outcomes(5, login_limit.sign_in, logins)
    await asyncio.sleep(QUARTER_S)
    await outcomes(5, login_limit.sign_in, logins)
    assert logins.count == 2
    await asyncio.sleep(QUARTER_S)
    assert await outcomes(5, login_limit.sign_in, logins) == [TOKEN] * 5


async def test_a_refusal_for_a_project_closes_no_door() -> None:
    """The next target may have the right one, and its login is another."""
    login_limit, logins = LoginLimit(FakeClock()), Logins(Unauthorized("no role"), None)
    first, second = await outcomes(2, login_limit.sign_in, logins)
    assert str(first) == "no role"
    assert second is TOKEN


async def test_who_waited_for_an_iam_that_is_away_does_not_wait_again() -> None:
    """One time limit for all of them together; whoever comes later tries anew."""
    login_limit, logins, clock = LoginLimit(FakeClock()), Logins(NotSent("away"), None), FakeClock()
    began_s = clock.steady_s()
    assert {str(error) for error in await outcomes(9, login_limit.sign_in, logins)} == {"away"}
    assert clock.steady_s() - began_s == pytest.approx(1)
    assert await login_limit.sign_in(logins) is TOKEN


async def test_once_a_password_is_proven_logins_do_not_queue() -> None:
    """Twenty projects of one user take no longer than one."""
    login_limit, logins, clock = LoginLimit(FakeClock()), Logins(), FakeClock()
    await login_limit.sign_in(logins)
    began_s = clock.steady_s()
    await outcomes(20, login_limit.sign_in, logins)
    assert clock.steady_s() - began_s == pytest.approx(1)


async def test_another_password_is_another_door() -> None:
    """A mounted password that has been put right is tried at once."""
    login_limits, logins = LoginLimits(FakeClock()), Logins(WRONG, None)
    with pytest.raises(UserRefused):
        await login_limits.of("iam", "acct", "sweeper", "old").sign_in(logins)
    assert await login_limits.of("iam", "acct", "sweeper", "new").sign_in(logins) is TOKEN
    assert login_limits.of("iam", "acct", "sweeper", "old") is login_limits.of("iam", "acct", "sweeper", "old")
    assert "old" not in repr(login_limits)
