"""IAM's descriptions of users in the simulated cloud."""

from typing import Any

import pytest

from nbsweep.simulator import AccessKey, AccessOptions, Limit, LimitOptions, PeopleOptions, Permissions
from nbsweep.simulator.state.model import Person
from unit.simulator.support import Desk, Reply, notebook, simulated

ANA, LI = Person("ana.lopez").id, Person("li.chen").id


async def shown(desk: Desk, user_id: str) -> Reply:
    """Ask for a user."""
    return await desk.call("GET", f"/v3.0/OS-USER/users/{user_id}")


async def test_an_owner_is_described_with_their_address() -> None:
    """Under the id that the rows of notebooks have; the options set the address or its domain."""
    people = PeopleOptions(emails={"li.chen": "li@other.test"})
    async with simulated(notebook(owner="ana.lopez"), notebook("other", owner="li.chen"), people=people) as desk:
        user = (await shown(desk, ANA)).json["user"]
        assert (user["id"], user["name"], user["enabled"]) == (ANA, "ana.lopez", True)
        assert user["email"] == "ana.lopez@example.com"
        assert (await shown(desk, LI)).json["user"]["email"] == "li@other.test"


@pytest.mark.parametrize(
    ("no_email_as", "there"), [("empty", {"email": ""}), ("absent", {}), ("null", {"email": None}), ("dash", {"email": "-"})]
)
@pytest.mark.parametrize("people", [{"without_email": ("ana.lopez",)}, {"email_domain": None}])
async def test_a_missing_address_shows_as_the_options_say(no_email_as: Any, there: Any, people: Any) -> None:
    """For one user, or for all."""
    async with simulated(notebook(owner="ana.lopez"), people=PeopleOptions(no_email_as=no_email_as, **people)) as desk:
        user = (await shown(desk, ANA)).json["user"]
        assert {key: value for key, value in user.items() if key == "email"} == there


async def test_a_user_may_be_disabled_gone_or_unknown() -> None:
    """404 in the words of Keystone."""
    people = PeopleOptions(disabled=("ana.lopez",), gone=("li.chen",))
    async with simulated(notebook(owner="ana.lopez"), notebook("other", owner="li.chen"), people=people) as desk:
        assert (await shown(desk, ANA)).json["user"]["enabled"] is False
        for user_id in (LI, "0" * 32):
            reply = await shown(desk, user_id)
            assert (reply.status, reply.json["error"]["title"]) == (404, "Not Found")


async def test_without_the_permission_only_oneself_may_be_read() -> None:
    """403 for all others, whether they exist or not."""
    key = AccessKey(user="ana.lopez", permissions=Permissions(users=False))
    async with simulated(notebook(owner="li.chen"), access=AccessOptions(access_keys=(key,))) as desk:
        assert (await shown(desk, ANA)).status == 200
        for user_id in (LI, "0" * 32):
            reply = await shown(desk, user_id)
            assert (reply.status, reply.json["error"]["code"]) == (403, 403)


async def test_these_calls_have_a_limit_of_their_own() -> None:
    """429, and logins are not hindered."""
    limits = LimitOptions(per_api={"users": Limit(1)})
    async with simulated(notebook(owner="ana.lopez"), limits=limits) as desk:
        assert [(await shown(desk, ANA)).status for _ in range(2)] == [200, 429]
        assert (await desk.call("GET", "/v3/auth/projects")).status == 200
