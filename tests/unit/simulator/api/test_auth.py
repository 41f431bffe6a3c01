from collections.abc import Mapping

import pytest

from nbsweep.simulator import AccessKey, AccessOptions, DialectOptions, Permissions
from unit.simulator.support import PROJECT, SWEEPER, Desk, notebook, simulated

PATH = f"/v1/{PROJECT}/notebooks/all"


async def refused(desk: Desk, key: AccessKey | None = SWEEPER, headers: Mapping[str, str] | None = None) -> str:
    """Make a call that is not let in, and return what the refusal says."""
    reply = await desk.call("GET", PATH, key=key, headers=headers)
    assert reply.status == 401
    assert reply.code == "APIGW.0301"
    assert reply.json["request_id"] == reply.headers["X-Request-Id"]
    return str(reply.json["error_msg"])


async def test_a_signed_request_is_let_in() -> None:
    """The right key opens the auth, and the answer has a date and a request id."""
    async with simulated() as desk:
        reply = await desk.notebooks()
        assert reply.status == 200
        assert "Date" in reply.headers
        assert len(reply.headers["X-Request-Id"]) == 32


async def test_a_request_without_credentials_is_refused() -> None:
    """Neither token nor signature: 401."""
    async with simulated() as desk:
        assert "x-auth-token not found" in await refused(desk, key=None)


async def test_an_unknown_access_key_is_refused() -> None:
    """A key that nobody handed out: 401."""
    async with simulated() as desk:
        assert "access key not found" in await refused(desk, key=AccessKey(access_key="STRANGER"))


async def test_a_wrong_secret_shows_the_canonical_request() -> None:
    """The refusal repeats what the server would have signed, in one line, without the secret."""
    async with simulated() as desk:
        message = await refused(desk, key=AccessKey(secret_key="wrong"))
        assert f"canonicalRequest:GET|/v1/{PROJECT}/notebooks/all/||content-type:application/json|host:" in message
        assert "\n" not in message
        assert AccessKey().secret_key not in message


@pytest.mark.parametrize("skew_s", [-901, 901])
async def test_a_signature_of_another_time_is_refused(skew_s: float) -> None:
    """More than fifteen minutes off, either way: 401."""
    async with simulated() as desk:
        desk.skew_s = skew_s
        assert "15 minutes" in await refused(desk)


@pytest.mark.parametrize("skew_s", [-900, 900])
async def test_fifteen_minutes_of_skew_are_tolerated(skew_s: float) -> None:
    """Up to fifteen minutes off, the signature is good."""
    async with simulated() as desk:
        desk.skew_s = skew_s
        assert (await desk.call("GET", PATH)).status == 200


async def test_host_and_date_must_be_signed() -> None:
    """A signature that leaves out the date would be good for ever: 401."""
    async with simulated() as desk:
        headers = {"Authorization": f"SDK-HMAC-SHA256 Access={AccessKey().access_key}, SignedHeaders=host, Signature=0"}
        assert "signed header x-sdk-date is missing" in await refused(desk, key=None, headers=headers)


async def test_signed_headers_must_be_there() -> None:
    """A header that is said to be signed but was not sent: 401."""
    async with simulated() as desk:
        signed = "host;x-sdk-date;x-lost"
        credential = f"Access={AccessKey().access_key}, SignedHeaders={signed}, Signature=0"
        headers = {"Authorization": f"SDK-HMAC-SHA256 {credential}", "X-Sdk-Date": "20270115T080000Z"}
        assert "signed header x-lost is missing" in await refused(desk, key=None, headers=headers)


async def test_the_body_is_covered_by_the_signature() -> None:
    """A declared hash that is not the body's hash does not pass."""
    async with simulated(notebook(status="RUNNING")) as desk:
        path = f"/v1/{PROJECT}/notebooks/nb/lease"
        body = {"duration": 3_600_000, "type": "IDLE"}
        assert (await desk.call("PATCH", path, body=body)).status == 200
        unsigned = {"X-Sdk-Content-Sha256": "UNSIGNED-PAYLOAD"}
        assert (await desk.call("PATCH", path, body=body, headers=unsigned)).status == 200
        forged = {"X-Sdk-Content-Sha256": "0" * 64}
        assert (await desk.call("PATCH", path, body=body, headers=forged)).status == 401


async def test_a_security_token_belongs_to_its_key() -> None:
    """A temporary key passes with its own token only, and a refusal does not repeat the token."""
    key = AccessKey(security_token="token-secret-mine")
    async with simulated(access=AccessOptions(access_keys=(key,))) as desk:
        assert (await desk.call("GET", PATH, key=key)).status == 200
        assert "security token" in await refused(desk, key=AccessKey())
        assert "security token" in await refused(desk, key=AccessKey(security_token="token-secret-other"))
        message = await refused(desk, key=AccessKey(security_token="token-secret-mine", secret_key="wrong"))
        assert "x-security-token:***|" in message
        assert "token-secret-mine" not in message


async def test_the_security_token_is_shown_where_the_dialect_shows_it() -> None:
    """As the real gateway does, the refusal can be made to repeat every header's value."""
    key = AccessKey(security_token="token-secret-mine")
    dialect = DialectOptions(mask_security_token=False)
    async with simulated(access=AccessOptions(access_keys=(key,)), dialect=dialect) as desk:
        message = await refused(desk, key=AccessKey(security_token="token-secret-mine", secret_key="wrong"))
        assert "x-security-token:token-secret-mine|" in message


async def test_a_security_token_must_be_signed() -> None:
    """Sent beside the signature, the token does not count."""
    key = AccessKey(security_token="token-secret-mine")
    async with simulated(access=AccessOptions(access_keys=(key,))) as desk:
        plain = desk.signed("GET", PATH, b"", {}, AccessKey())
        headers = plain | {"X-Security-Token": "token-secret-mine"}
        assert "signed header x-security-token is missing" in await refused(desk, key=None, headers=headers)


async def test_an_unknown_token_is_refused() -> None:
    """A token that nobody issued: 401."""
    async with simulated() as desk:
        assert "decrypt token fail" in await refused(desk, key=None, headers={"X-Auth-Token": "made-up"})


@pytest.mark.parametrize(
    ("method", "path", "flag"),
    [
        ("GET", "", "list_own"),
        ("GET", "/all", "list_all"),
        ("GET", "/nb", "show"),
        ("DELETE", "/nb", "delete"),
        ("POST", "/nb/stop", "stop"),
        ("POST", "/nb/start", "start"),
        ("PATCH", "/nb/lease", "update"),
        ("POST", "/nb/tags/create", "update"),
    ],
)
async def test_a_missing_permission_is_forbidden(method: str, path: str, flag: str) -> None:
    """Each call needs its own permission: 403 ModelArts.0108 without it."""
    key = AccessKey(permissions=Permissions(**{flag: False}))
    async with simulated(notebook(), access=AccessOptions(access_keys=(key,))) as desk:
        reply = await desk.call(method, f"/v1/{PROJECT}/notebooks{path}")
        assert (reply.status, reply.code) == (403, "ModelArts.0108")
        assert reply.json.keys() == {"error_code", "error_msg"}


async def test_workspaces_need_a_permission() -> None:
    """The list of workspaces has its own permission."""
    key = AccessKey(permissions=Permissions(workspaces=False))
    async with simulated(access=AccessOptions(access_keys=(key,))) as desk:
        assert (await desk.call("GET", f"/v1/{PROJECT}/workspaces")).code == "ModelArts.0108"


async def test_another_project_is_forbidden() -> None:
    """In the path or in X-Project-Id, a foreign project gets 403."""
    async with simulated() as desk:
        reply = await desk.call("GET", f"/v1/{'f' * 32}/notebooks")
        assert (reply.status, reply.code) == (403, "APIGW.0302")
        reply = await desk.call("GET", PATH, headers={"X-Project-Id": "f" * 32})
        assert (reply.status, reply.code) == (403, "APIGW.0302")
        assert (await desk.call("GET", PATH, headers={"X-Project-Id": PROJECT})).status == 200


async def test_an_unknown_path_is_no_api() -> None:
    """What is not an API gets 404 APIGW.0101, which never means a notebook."""
    async with simulated() as desk:
        for method, path in (("GET", "/v9/x"), ("PUT", f"/v1/{PROJECT}/notebooks/nb")):
            reply = await desk.call(method, path)
            assert (reply.status, reply.code) == (404, "APIGW.0101")


async def test_older_gateways_have_another_prefix() -> None:
    """Gateway codes begin with APIG. where the dialect says so."""
    async with simulated(dialect=DialectOptions(gateway_prefix="APIG")) as desk:
        assert (await desk.call("GET", "/v9/x")).code == "APIG.0101"
