"""Where IAM is asked when the name of its region does not resolve."""

import asyncio

import aiohttp
import pytest

from nbsweep.adapters.cloud.auth.iam import Iam, iam_of
from nbsweep.adapters.cloud.session import AuthClient, NoSuchName, NotSent, open_session
from nbsweep.settings import TargetSettings
from nbsweep.testing import FakeClock

pytestmark = pytest.mark.looptime(noop_cycles=1)
TIMEOUT = aiohttp.ClientTimeout(total=1)


class Names:
    """Answers at the names that are known."""

    def __init__(self, *known: str) -> None:
        self.known = known
        self.asked: list[str] = []

    async def ask(self, auth_client: AuthClient) -> str:
        """Answer, or say that there is no such name."""
        self.asked.append(auth_client.url)
        await asyncio.sleep(0)
        if auth_client.url not in self.known:
            raise NoSuchName(f"{auth_client.url} cannot be reached: Name or service not known. Check the endpoint")
        return auth_client.url


def target(**more: str) -> TargetSettings:
    """Return a target of a region without an IAM of its own."""
    return TargetSettings(name="t", region="cn-north-11", **more)


async def iam(**more: str) -> Iam:
    """Return the IAM of that target."""
    async with open_session(TIMEOUT, 1) as session:
        return iam_of(target(**more), session, FakeClock())


REGIONAL, GLOBAL = "https://iam.cn-north-11.myhuaweicloud.com", "https://iam.myhuaweicloud.com"


async def test_the_global_one_is_asked_where_the_regions_name_does_not_resolve() -> None:
    """Once found out, the name is not tried again; the login_limit of the user stays that of the region."""
    names, found = Names(GLOBAL), await iam()
    assert await found.call(names.ask) == GLOBAL
    assert await found.call(names.ask) == GLOBAL
    assert names.asked == [REGIONAL, GLOBAL, GLOBAL]
    assert found.url == REGIONAL


async def test_where_neither_resolves_the_hint_is_iam_endpoint() -> None:
    """Both names are in the sentence, and a later try may find one."""
    names, found = Names(), await iam()
    with pytest.raises(NotSent, match="set iam_endpoint") as caught:
        await found.call(names.ask)
    assert REGIONAL in str(caught.value)
    assert GLOBAL in str(caught.value)
    names.known = (REGIONAL,)
    assert await found.call(names.ask) == REGIONAL


async def test_an_address_that_is_named_is_the_only_one() -> None:
    """A password goes nowhere else."""
    names, found = Names(GLOBAL), await iam(iam_endpoint="https://iam.example.com")
    with pytest.raises(NotSent, match="and iam_endpoint"):
        await found.call(names.ask)
    assert names.asked == ["https://iam.example.com"]
