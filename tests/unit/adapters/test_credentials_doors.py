"""How often a password is tried: once for all targets, and not again while the vendor might lock the user."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from nbsweep.adapters.cloud.doors import Door, Doors, UserRefused
from nbsweep.adapters.cloud.renewal import Issued
from nbsweep.adapters.cloud.session import NotSent
from nbsweep.core.errors import CloudError, Unauthorized
from nbsweep.testing import FakeClock

pytestmark = pytest.mark.looptime(noop_cycles=1)

TOKEN = Issued(lambda _request, _moment: {}, 100.0, 20.0)
WRONG = UserRefused("the password is wrong", code="IAM.1", http_status=401)
QUARTER_S = 15 * 60


class Logins:
    """Counts logins, each of which takes a second and ends as it is told."""

    def __init__(self, *ends: CloudError | None) -> None:
        self.ends = list(ends)
        self.count = 0

    async def __call__(self) -> Issued:
        self.count += 1
        end = self.ends.pop(0) if self.ends else None
        await asyncio.sleep(1)
        if end is not None:
            raise end
        return TOKEN


async def outcomes(
    calls: int, enter: Callable[[Callable[[], Awaitable[Issued]]], Awaitable[Issued]], logins: Logins
) -> list[object]:
    """Enter so many times at once."""
    return list(await asyncio.gather(*(enter(logins) for _ in range(calls)), return_exceptions=True))


async def test_a_wrong_password_is_tried_once_whoever_asks() -> None:
    """Five targets at once, and more later: one login, and the same answer for all."""
    door, logins = Door(FakeClock()), Logins(WRONG)
    found = await outcomes(5, door.enter, logins)
    await asyncio.sleep(QUARTER_S - 10)
    found += await outcomes(5, door.enter, logins)
    assert logins.count == 1
    assert len({str(error) for error in found}) == 1
    assert [type(error) for error in found] == [UserRefused] * 10
    assert "no login is tried before" in str(found[0])
    assert {getattr(error, "code", "") for error in found} == {"IAM.1"}


async def test_after_fifteen_minutes_one_more_login_is_tried() -> None:
    """One of them again, and not one for each target."""
    door, logins = Door(FakeClock()), Logins(WRONG, WRONG, None)
    await outcomes(5, door.enter, logins)
    await asyncio.sleep(QUARTER_S)
    await outcomes(5, door.enter, logins)
    assert logins.count == 2
    await asyncio.sleep(QUARTER_S)
    assert await outcomes(5, door.enter, logins) == [TOKEN] * 5


async def test_a_refusal_for_a_project_closes_no_door() -> None:
    """The next target may have the right one, and its login is another."""
    door, logins = Door(FakeClock()), Logins(Unauthorized("no role"), None)
    first, second = await outcomes(2, door.enter, logins)
    assert str(first) == "no role"
    assert second is TOKEN


async def test_who_waited_for_an_iam_that_is_away_does_not_wait_again() -> None:
    """One time limit for all of them together; whoever comes later tries anew."""
    door, logins, clock = Door(FakeClock()), Logins(NotSent("away"), None), FakeClock()
    began_s = clock.steady_s()
    assert {str(error) for error in await outcomes(9, door.enter, logins)} == {"away"}
    assert clock.steady_s() - began_s == pytest.approx(1)
    assert await door.enter(logins) is TOKEN


async def test_once_a_password_is_proven_logins_do_not_queue() -> None:
    """Twenty projects of one user take no longer than one."""
    door, logins, clock = Door(FakeClock()), Logins(), FakeClock()
    await door.enter(logins)
    began_s = clock.steady_s()
    await outcomes(20, door.enter, logins)
    assert clock.steady_s() - began_s == pytest.approx(1)


async def test_another_password_is_another_door() -> None:
    """A mounted password that has been put right is tried at once."""
    doors, logins = Doors(FakeClock()), Logins(WRONG, None)
    with pytest.raises(UserRefused):
        await doors.of("iam", "acct", "sweeper", "old").enter(logins)
    assert await doors.of("iam", "acct", "sweeper", "new").enter(logins) is TOKEN
    assert doors.of("iam", "acct", "sweeper", "old") is doors.of("iam", "acct", "sweeper", "old")
    assert "old" not in repr(doors)
