from typing import Any

import pytest

from nbsweep.simulator import AccessKey, AccessOptions, IamUser, Permissions
from nbsweep.simulator.clock import iso_date
from unit.simulator.support import PROJECT, START_S, Desk, Reply, notebook, simulated

ANA = IamUser(name="ana.lopez", password="open", domain="acct")
ACCESS = AccessOptions(users=(ANA,), token_lifetime_s=3600)
TTL = {"X-Metadata-Token-Ttl-Seconds": "21600"}


def login(password: str = "open", **scope: Any) -> dict[str, Any]:
    """Word a request for a token."""
    user = {"name": "ana.lopez", "password": password, "domain": {"name": "acct"}}
    auth: dict[str, Any] = {"identity": {"methods": ["password"], "password": {"user": user}}}
    return {"auth": auth | ({"scope": scope} if scope else {})}


async def token(desk: Desk, body: Any, **parameters: str) -> Reply:
    """Ask for a token."""
    return await desk.call("POST", "/v3/auth/tokens", parameters, body=body, key=None)


async def listing(desk: Desk, token_: str) -> Reply:
    """List one's own notebooks with a token."""
    return await desk.call("GET", f"/v1/{PROJECT}/notebooks", key=None, headers={"X-Auth-Token": token_})


async def test_a_password_earns_a_token() -> None:
    """201, the token of several KB in a header, its end in the body; it works for its user until then."""
    async with simulated(notebook(owner="ana.lopez"), notebook("other", owner="li.chen"), access=ACCESS) as desk:
        reply = await token(desk, login(project={"name": "cn-north-4", "domain": {"name": "acct"}}), nocatalog="true")
        secret = reply.headers["X-Subject-Token"]
        assert (reply.status, len(secret) > 4000) == (201, True)
        content = reply.json["token"]
        assert content["expires_at"] == iso_date(START_S + 3600) == "2027-01-15T09:00:00.000000Z"
        assert content["project"]["id"] == PROJECT
        assert "catalog" not in content
        assert secret not in reply.text
        assert (await listing(desk, secret)).names == ["nb"]


async def test_a_token_ends() -> None:
    """At its end: 401 APIGW.0307; a new one works."""
    async with simulated(access=ACCESS) as desk:
        first = (await token(desk, login())).headers["X-Subject-Token"]
        desk.time.now_s += 3599
        assert (await listing(desk, first)).status == 200
        second = (await token(desk, login())).headers["X-Subject-Token"]
        desk.time.now_s += 1
        reply = await listing(desk, first)
        assert (reply.status, reply.code) == (401, "APIGW.0307")
        assert (await listing(desk, second)).status == 200


async def test_a_tokens_permissions_are_its_users() -> None:
    """The user's flags hold for tokens as well."""
    user = IamUser(name="ana.lopez", password="open", permissions=Permissions(list_own=False))
    async with simulated(access=AccessOptions(users=(user,))) as desk:
        secret = (await token(desk, login())).headers["X-Subject-Token"]
        assert (await listing(desk, secret)).code == "ModelArts.0108"


@pytest.mark.parametrize(
    "body", [login("wrong"), login(project={"name": "mars", "domain": {"name": "acct"}}), login(project={"id": "0"})]
)
async def test_a_wrong_login_is_refused_as_keystone_does(body: Any) -> None:
    """A wrong password or scope: 401 with a nested error."""
    async with simulated(access=ACCESS) as desk:
        reply = await token(desk, body)
        assert reply.status == 401
        assert reply.json["error"]["code"] == 401
        assert reply.json["error"]["title"] == "Unauthorized"
        assert "X-IAM-Trace-Id" in reply.headers


async def test_a_malformed_login_is_no_request() -> None:
    """400 IAM.0011."""
    async with simulated() as desk:
        reply = await token(desk, {"auth": {}})
        assert (reply.status, reply.code) == (400, "IAM.0011")


@pytest.mark.parametrize(("count", "ids"), [(0, []), (1, [PROJECT])])
async def test_projects_are_found_by_name(count: int, ids: list[str]) -> None:
    """As many projects as the options say."""
    async with simulated(access=AccessOptions(projects_found=count)) as desk:
        reply = await desk.call("GET", "/v3/projects", {"name": "cn-north-4"})
        assert [project["id"] for project in reply.json["projects"]] == ids
        assert (await desk.call("GET", "/v3/projects", {"name": "eu"})).json["projects"] == []
        assert (await desk.call("GET", "/v3/projects", key=None)).status == 401


async def test_a_name_can_be_ambiguous() -> None:
    """Two projects of one name are possible."""
    async with simulated(access=AccessOptions(projects_found=2)) as desk:
        projects = (await desk.call("GET", "/v3/projects", {"name": "cn-north-4"})).json["projects"]
        assert [project["name"] for project in projects] == ["cn-north-4", "cn-north-4"]
        assert projects[0]["id"] != projects[1]["id"]


async def test_own_projects_are_of_all_regions() -> None:
    """The caller picks by name: the region's project is one of several."""
    async with simulated() as desk:
        projects = (await desk.call("GET", "/v3/auth/projects")).json["projects"]
        assert [project["name"] for project in projects] == ["eu-west-101", "cn-north-4"]
        assert projects[1]["id"] == PROJECT


async def test_who_may_not_search_projects_may_still_list_his_own() -> None:
    """403 in IAM's own words; the other call needs no permission, and tells the same id."""
    key = AccessKey(permissions=Permissions(projects=False))
    async with simulated(access=AccessOptions(access_keys=(key,))) as desk:
        refused = await desk.call("GET", "/v3/projects", {"name": "cn-north-4"})
        assert refused.status == 403
        assert (refused.json["error"]["code"], refused.json["error"]["title"]) == (403, "Forbidden")
        projects = (await desk.call("GET", "/v3/auth/projects")).json["projects"]
        assert {project["name"]: project["id"] for project in projects}["cn-north-4"] == PROJECT


async def security_key(desk: Desk) -> AccessKey:
    """Fetch a temporary key as a virtual machine does."""
    session = await desk.call("PUT", "/meta-data/latest/api/token", headers=TTL, key=None)
    headers = {"X-Metadata-Token": session.text}
    reply = await desk.call("GET", "/openstack/latest/securitykey", headers=headers, key=None)
    credential = reply.json["credential"]
    assert credential["expires_at"] == iso_date(desk.time.now_s + 600)
    return AccessKey(
        access_key=credential["access"], secret_key=credential["secret"], security_token=credential["securitytoken"]
    )


async def test_the_metadata_server_hands_out_keys_that_end() -> None:
    """A temporary key is accepted until its end, not after; a new one is accepted again."""
    async with simulated(access=AccessOptions(metadata_key_lifetime_s=600)) as desk:
        path = f"/v1/{PROJECT}/notebooks"
        key = await security_key(desk)
        assert (await desk.call("GET", path, key=key)).status == 200
        desk.time.now_s += 600
        reply = await desk.call("GET", path, key=key)
        assert (reply.status, reply.code) == (401, "APIGW.0301")
        assert (await desk.call("GET", path, key=await security_key(desk))).status == 200


async def test_temporary_keys_stand_for_the_agencys_user() -> None:
    """User and permissions are those of the options."""
    access = AccessOptions(metadata_user="agency", metadata_permissions=Permissions(delete=False), metadata_key_lifetime_s=600)
    async with simulated(notebook(), access=access) as desk:
        key = await security_key(desk)
        assert (await desk.call("DELETE", f"/v1/{PROJECT}/notebooks/nb", key=key)).status == 403
        assert desk.simulator.log.entries[-1].user == "agency"


async def test_the_metadata_token_is_required_and_ends() -> None:
    """Without a token, or with one that is over: 401. A token needs a life of at most six hours."""
    async with simulated() as desk:
        path = "/openstack/latest/securitykey"
        assert (await desk.call("GET", path, key=None)).status == 401
        for ttl in ({}, {"X-Metadata-Token-Ttl-Seconds": "0"}, {"X-Metadata-Token-Ttl-Seconds": "21601"}):
            assert (await desk.call("PUT", "/meta-data/latest/api/token", headers=ttl, key=None)).status == 400
        session = await desk.call("PUT", "/meta-data/latest/api/token", headers=TTL, key=None)
        headers = {"X-Metadata-Token": session.text}
        assert (await desk.call("GET", path, headers=headers, key=None)).status == 200
        desk.time.now_s += 21_600
        assert (await desk.call("GET", path, headers=headers, key=None)).status == 401


async def test_the_legacy_metadata_server_knows_no_tokens() -> None:
    """PUT gets 405; keys come without a token."""
    async with simulated(access=AccessOptions(metadata_mode="legacy")) as desk:
        assert (await desk.call("PUT", "/meta-data/latest/api/token", headers=TTL, key=None)).status == 405
        assert (await desk.call("GET", "/openstack/latest/securitykey", key=None)).status == 200


async def test_a_machine_without_an_agency_gets_no_keys() -> None:
    """401 that says what to configure."""
    async with simulated(access=AccessOptions(metadata_mode="off")) as desk:
        reply = await desk.call("GET", "/openstack/latest/securitykey", key=None)
        assert reply.status == 401
        assert "Please configure Cloud Service Agency first" in reply.text
