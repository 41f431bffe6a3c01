"""Identities that the environment names: by OpenID Connect, of a pod, and those that cannot be had."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from local_server import local_server
from nbsweep.adapters.clock import SystemClock
from nbsweep.adapters.cloud.auth.credentials import Credentials
from nbsweep.adapters.cloud.auth.provider import METADATA_VARIABLE, open_credential_provider
from nbsweep.adapters.cloud.auth.signing import Request
from nbsweep.core.errors import Unauthorized
from nbsweep.settings import TargetSettings

NOBODY = {METADATA_VARIABLE: "http://127.0.0.1:1"}
REQUEST = Request("GET", "host", "/")


def keys(**names: str) -> dict[str, Any]:
    """Return keys for an hour, under the names of whoever gives them."""
    return {
        names["access"]: "AK",
        names["secret"]: "SK",
        names["token"]: "ST",
        names["end"]: f"{datetime.now(UTC) + timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}",
    }


STS = {"access": "access_key_id", "secret": "secret_access_key", "token": "security_token", "end": "expiration"}
POD = {"access": "access", "secret": "secret", "token": "securitytoken", "end": "expires_at"}


@asynccontextmanager
async def server(content: Any, status: int = 200) -> AsyncIterator[tuple[str, list[tuple[str, str, str, Any]]]]:
    """Answer so; give the address, and what arrived: method, path, Authorization, body."""
    arrived: list[tuple[str, str, str, Any]] = []

    async def handle(request: web.Request) -> web.StreamResponse:
        authorization = request.headers.get("Authorization", "")
        arrived.append((request.method, request.path_qs, authorization, json.loads(await request.read())))
        return web.json_response(content, status=status)

    async with local_server(handle) as url:
        yield url, arrived


@asynccontextmanager
async def finding(environment: dict[str, str]) -> AsyncIterator[Credentials]:
    """Find the credentials of a target whose configuration names none."""
    target = TargetSettings(name="t", region="cn-north-4", project_id="0" * 32)
    async with open_credential_provider(NOBODY | environment, SystemClock()) as provider:
        yield await provider.find(target)


async def find(environment: dict[str, str]) -> None:
    """Find them, and let go."""
    async with finding(environment):
        pass


def oidc(url: str, token: Path) -> dict[str, str]:
    """Name an agency, with all that there is to say of it."""
    return {
        "HUAWEICLOUD_SDK_STS_ENDPOINT": url,
        "HUAWEICLOUD_OIDC_PROVIDER_URN": "iam::p",
        "HUAWEICLOUD_OIDC_AGENCY_URN": "iam::a",
        "HUAWEICLOUD_OIDC_TOKEN_FILE": str(token),
        "HUAWEICLOUD_OIDC_POLICY_IDS": "one, two,",
        "HUAWEICLOUD_OIDC_DURATION_SECONDS": "900",
        "HUAWEICLOUD_SDK_AK": "OTHER",
        "HUAWEICLOUD_SDK_SK": "OTHER",
    }


async def test_an_openid_token_is_exchanged_for_keys_before_all_else(tmp_path: Path) -> None:
    """Before the keys in the environment, as in the vendor's chain; its file is read anew for each renewal."""
    token = tmp_path / "token"
    token.write_text("jwt-1\n")
    async with server({"credentials": keys(**STS)}) as (url, arrived), finding(oidc(url, token)) as credentials:
        proof = await credentials.ready()
        headers = proof.headers(REQUEST, datetime.now(UTC))
        assert headers["X-Security-Token"] == "ST"
        assert "Access=AK" in headers["Authorization"]
        token.write_text("jwt-2\n")
        assert await credentials.refused(Unauthorized("ended", code="APIGW.0307", http_status=401), proof)
        method, path, _, body = arrived[0]
        assert (method, path) == ("POST", "/v5/agencies/assume-with-oidc")
        assert body == {
            "provider_urn": "iam::p",
            "agency_urn": "iam::a",
            "agency_session_name": "oidc-sts-session",
            "id_token": "jwt-1",
            "duration_seconds": 900,
            "policy_ids": ["one", "two"],
        }
        assert arrived[1][3]["id_token"] == "jwt-2"


async def test_a_pod_has_keys_of_its_own(tmp_path: Path) -> None:
    """From the agent on its node, with the token that is mounted; before the machine's agency, which nobody has named."""
    token = tmp_path / "token"
    token.write_text("pod-jwt\n")
    async with server(keys(**POD)) as (url, arrived):
        environment = {
            "HC_CONTAINER_CREDENTIALS_FULL_URI": f"{url}/v1/credentials?x=1",
            "HC_CONTAINER_AUTHORIZATION_TOKEN_FILE": str(token),
        }
        async with finding(environment) as credentials:
            assert (await credentials.ready()).headers(REQUEST, datetime.now(UTC))["X-Security-Token"] == "ST"
        assert arrived == [("POST", "/v1/credentials?x=1", "pod-jwt", {})]


@pytest.mark.parametrize(
    ("content", "status"), [({"error_code": "PAP5.0001", "error_msg": "denied"}, 403), ({}, 200), ({"credentials": {}}, 200)]
)
async def test_what_is_no_keys_is_told_without_the_token(tmp_path: Path, content: Any, status: int) -> None:
    """One sentence that names the agency."""
    token = tmp_path / "token"
    token.write_text("secret-jwt")
    async with server(content, status) as (url, _), finding(oidc(url, token)) as credentials:
        with pytest.raises(Unauthorized, match=r"iam::a|its keys") as caught:
            await credentials.ready()
        assert "secret-jwt" not in str(caught.value)


KEYS = {"HUAWEICLOUD_SDK_AK": "AK", "HUAWEICLOUD_SDK_SK": "SK"}


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        (KEYS | {"HUAWEICLOUD_SDK_IDP_ID": "idp"}, "HUAWEICLOUD_SDK_IDP_ID name an identity provider"),
        (KEYS | {"HUAWEICLOUD_SDK_ID_TOKEN_FILE": "/t"}, "HUAWEICLOUD_SDK_ID_TOKEN_FILE name an identity provider"),
        (KEYS | {"HUAWEICLOUD_OIDC_AGENCY_URN": "a"}, "but not HUAWEICLOUD_OIDC_PROVIDER_URN and HUAWEICLOUD_OIDC_TOKEN_FILE"),
        (KEYS | {"HUAWEICLOUD_OIDC_TOKEN_FILE": "/t"}, "OpenID Connect needs all of them"),
        ({"HUAWEICLOUD_SDK_SECURITY_TOKEN": "st"}, "has HUAWEICLOUD_SDK_SECURITY_TOKEN, but not HUAWEICLOUD_SDK_AK"),
        ({"HC_CONTAINER_CREDENTIALS_FULL_URI": "http://h/"}, "but not HC_CONTAINER_AUTHORIZATION_TOKEN_FILE"),
        ({"HC_CONTAINER_AUTHORIZATION_TOKEN_FILE": "/t"}, "but not HC_CONTAINER_CREDENTIALS_FULL_URI"),
        ({"HW_ACCESS_KEY": "AK"}, 'write access_key: "${HW_ACCESS_KEY}"'),
    ],
)
async def test_a_named_identity_is_never_silently_another_one(environment: dict[str, str], words: str) -> None:
    """It is an error that names the variable, though keys of somebody else are at hand."""
    with pytest.raises(Unauthorized) as caught:
        await find(environment)
    assert words in str(caught.value)


async def test_users_of_koocli_get_a_hint(tmp_path: Path) -> None:
    """Its profiles cannot be read."""
    (tmp_path / ".hcloud").mkdir()
    with pytest.raises(Unauthorized, match="KooCLI"):
        await find({"HOME": str(tmp_path)})


async def test_a_profile_of_an_identity_provider_is_refused(tmp_path: Path) -> None:
    """The vendor's tools would be that identity, and not the one of the keys."""
    (tmp_path / "p").write_text("[basic]\nak = a\nsk = s\nidp_id = i\nid_token_file = /t\n")
    with pytest.raises(Unauthorized, match="names an identity provider"):
        await find({"HUAWEICLOUD_SDK_CREDENTIALS_FILE": str(tmp_path / "p")})
