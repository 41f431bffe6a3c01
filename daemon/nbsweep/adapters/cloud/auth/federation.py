"""Temporary keys of an identity that the environment names: an OpenID Connect token, or the identity of this pod.

Names of variables, requests and answers are those of the vendor's SDK 3.1.219 (ModelArts API, 5.3 and 5.4). The files that
hold the tokens are read again for each renewal, because the platform that mounts them replaces them.
"""

import json
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import aiohttp
import msgspec
from msgspec import Struct

from nbsweep.adapters.cloud.auth.credentials import AwareDatetime, key_pair, life_s
from nbsweep.adapters.cloud.auth.profile import read_secret
from nbsweep.adapters.cloud.auth.refresh import IssuedCredentials
from nbsweep.adapters.cloud.auth.signing import Signer
from nbsweep.adapters.cloud.bodies import UNREADABLE
from nbsweep.adapters.cloud.responses import TransientError
from nbsweep.adapters.cloud.route import Route
from nbsweep.adapters.cloud.session import IAM_TIMEOUT, AuthClient, NotSent, Reply
from nbsweep.core.errors import Unauthorized
from nbsweep.core.ports import Clock
from nbsweep.settings import TargetSettings

EARLY_S = 2400.0
JSON = {"Content-Type": "application/json;charset=UTF-8"}
ASSUME = "/v5/agencies/assume-with-oidc"
STS = "https://sts.cn-north-4.myhuaweicloud.com"
STS_VARIABLE = "HUAWEICLOUD_SDK_STS_ENDPOINT"
PROVIDER, AGENCY = "HUAWEICLOUD_OIDC_PROVIDER_URN", "HUAWEICLOUD_OIDC_AGENCY_URN"
ID_TOKEN, ID_TOKEN_FILE = "HUAWEICLOUD_OIDC_ID_TOKEN", "HUAWEICLOUD_OIDC_TOKEN_FILE"  # names of variables
SESSION, DURATION = "HUAWEICLOUD_OIDC_SESSION_NAME", "HUAWEICLOUD_OIDC_DURATION_SECONDS"
POLICY, POLICY_IDS = "HUAWEICLOUD_OIDC_POLICY", "HUAWEICLOUD_OIDC_POLICY_IDS"
OIDC = (PROVIDER, AGENCY, ID_TOKEN, ID_TOKEN_FILE)
POD_URI, POD_TOKEN_FILE = "HC_CONTAINER_CREDENTIALS_FULL_URI", "HC_CONTAINER_AUTHORIZATION_TOKEN_FILE"  # likewise
FEDERATED = ("HUAWEICLOUD_SDK_IDP_ID", "HUAWEICLOUD_SDK_ID_TOKEN_FILE")
Text = Annotated[str, msgspec.Meta(min_length=1)]


class _Keys(Struct):
    """Keys in the form of STS, and in the form of the pod agent and the metadata server."""

    access_key_id: Text | None = None
    secret_access_key: Text | None = None
    security_token: Text | None = None
    expiration: AwareDatetime | None = None
    access: Text | None = None
    secret: Text | None = None
    securitytoken: Text | None = None
    expires_at: AwareDatetime | None = None


class _Body(Struct):
    credentials: _Keys | None = None
    credential: _Keys | None = None


class NamedSource(Struct, frozen=True):
    """Fetches keys from one server, with a token as proof."""

    account: str
    """The account of the keys."""
    server: AuthClient
    ask: Callable[[AuthClient], Awaitable[Reply]]

    async def issue(self) -> IssuedCredentials:
        """Fetch new keys."""
        reply = await self.ask(self.server)
        if reply.status not in (HTTPStatus.OK, HTTPStatus.CREATED):
            answer = reply.words()
            message = f"{self.server.url} gives no keys to {self.account}: {answer}"
            if isinstance(answer.error(), TransientError):
                raise NotSent(message)
            advice = "Check the identity that the environment names"
            raise Unauthorized(message, advice=advice, http_status=answer.status)
        return self._issued(reply)

    def _issued(self, reply: Reply) -> IssuedCredentials:
        try:
            body = msgspec.json.decode(reply.body, type=_Body)
            keys = body.credentials or body.credential or msgspec.json.decode(reply.body, type=_Keys)
        except UNREADABLE:
            raise Unauthorized(f"{self.server.url} answered with no keys for {self.account}") from None
        access, secret = keys.access_key_id or keys.access, keys.secret_access_key or keys.secret
        ends_at = keys.expiration or keys.expires_at
        if ends_at is None:
            raise Unauthorized(f"{self.server.url} did not say when its keys for {self.account} end")
        key = key_pair(self.server.url, access or "", secret or "", keys.security_token or keys.securitytoken)
        lasts_s = life_s(reply.sent_at, ends_at)
        return IssuedCredentials(Signer(key).headers, lasts_s, min(lasts_s / 2, EARLY_S))


def refuse_federation(environment: Mapping[str, str]) -> None:
    """Refuse an identity that the environment names and nbsweep does not support, rather than use another identity.

    Raises:
        Unauthorized: it is named.
    """
    if named := [name for name in FEDERATED if environment.get(name)]:
        raise Unauthorized(
            f"{' and '.join(named)} name an identity provider, and nbsweep cannot sign in through one. Unset them and give "
            "other credentials; with OpenID Connect set HUAWEICLOUD_OIDC_PROVIDER_URN, _AGENCY_URN and _TOKEN_FILE"
        )


def oidc_source(
    environment: Mapping[str, str], target: TargetSettings, session: aiohttp.ClientSession, clock: Clock
) -> NamedSource | None:
    """Return the keys of an agency that trusts an OpenID Connect provider; None if the environment names none.

    Raises:
        Unauthorized: only a part of it is named, or the token's file cannot be read.
    """
    if not any(environment.get(name) for name in OIDC):
        return None
    missing = [name for name in (PROVIDER, AGENCY) if not environment.get(name)]
    if not (environment.get(ID_TOKEN) or environment.get(ID_TOKEN_FILE)):
        missing.append(f"{ID_TOKEN_FILE} (or {ID_TOKEN})")
    if missing:
        given = next(name for name in OIDC if environment.get(name))
        raise Unauthorized(f"the environment has {given}, but not {' and '.join(missing)}; OpenID Connect needs all of them")
    url = environment.get(STS_VARIABLE) or STS
    _require_address(STS_VARIABLE, url)
    _oidc_document(environment)
    server = AuthClient(session, url.rstrip("/"), IAM_TIMEOUT, clock, Route.of(target).to(url))
    return NamedSource(environment[AGENCY], server, lambda auth_client: _assume(environment, auth_client))


async def _assume(environment: Mapping[str, str], server: AuthClient) -> Reply:
    return await server.ask("POST", ASSUME, JSON, json.dumps(_oidc_document(environment)).encode())


def _oidc_document(environment: Mapping[str, str]) -> dict[str, Any]:
    duration = environment.get(DURATION) or "3600"
    if not (duration.isascii() and duration.isdigit()):
        raise Unauthorized(f"{DURATION} must be a number of seconds")
    document: dict[str, Any] = {
        "provider_urn": environment[PROVIDER],
        "agency_urn": environment[AGENCY],
        "agency_session_name": environment.get(SESSION) or "oidc-sts-session",
        "id_token": environment.get(ID_TOKEN) or read_secret(ID_TOKEN_FILE, environment[ID_TOKEN_FILE]).strip(),
        "duration_seconds": int(duration),
    }
    ids = [part.strip() for part in environment.get(POLICY_IDS, "").split(",") if part.strip()]
    more = {"policy": environment.get(POLICY), "policy_ids": ids}
    return document | {name: value for name, value in more.items() if value}


def pod_source(environment: Mapping[str, str], session: aiohttp.ClientSession, clock: Clock) -> NamedSource | None:
    """Return the keys of the pod's own identity, from the agent on its node, never through a proxy; None if there is none.

    Raises:
        Unauthorized: only a part of it is named, or the token's file cannot be read.
    """
    uri, file = environment.get(POD_URI), environment.get(POD_TOKEN_FILE)
    if not uri and not file:
        return None
    if not uri or not file:
        given, missing = (POD_URI, POD_TOKEN_FILE) if uri else (POD_TOKEN_FILE, POD_URI)
        raise Unauthorized(f"the environment has {given}, but not {missing}; the identity of a pod needs both")
    _require_address(POD_URI, uri)
    read_secret(POD_TOKEN_FILE, file)
    parts = urlsplit(uri)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")

    async def ask(agent: AuthClient) -> Reply:
        return await agent.ask("POST", path, JSON | {"Authorization": read_secret(POD_TOKEN_FILE, file).strip()}, b"{}")

    return NamedSource(
        "the identity of this pod", AuthClient(session, f"{parts.scheme}://{parts.netloc}", IAM_TIMEOUT, clock), ask
    )


def _require_address(name: str, url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None:
        raise Unauthorized(f"{name} must be an address that begins with https:// or http://")


def hints(environment: Mapping[str, str]) -> str:
    """Return hints about credentials of other tools in this environment; empty if there are none."""
    found = []
    if any(environment.get(name) for name in ("HW_ACCESS_KEY", "HW_SECRET_KEY")):
        found.append(
            'HW_ACCESS_KEY and HW_SECRET_KEY are of Terraform: to use them, write access_key: "${HW_ACCESS_KEY}" and '
            'secret_key: "${HW_SECRET_KEY}" under credentials'
        )
    home = environment.get("HOME")
    if home and Path(home, ".hcloud").is_dir():
        found.append("the profiles of KooCLI (hcloud) cannot be read by other programs: give nbsweep the keys themselves")
    return "".join(f". {hint[0].upper()}{hint[1:]}" for hint in found)
