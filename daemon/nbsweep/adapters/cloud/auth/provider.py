"""Selects the credentials of a target: those of the configuration, or else the first that the standard chain finds.

The chain is the vendor's (ModelArts API, section 5.4): OpenID Connect, keys in the environment, the profile file, the identity
of a pod, the metadata server. The pod comes before the machine, because the environment names it. An identity that is named but
cannot be used, such as that of an identity provider, is an error; no other identity is used instead.
"""

from collections.abc import AsyncIterator, Hashable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import aiohttp

from nbsweep.adapters.cloud.auth import metadata
from nbsweep.adapters.cloud.auth.credentials import Credentials, key_pair
from nbsweep.adapters.cloud.auth.federation import NamedSource, hints, oidc_source, pod_source, refuse_federation
from nbsweep.adapters.cloud.auth.iam import iam_of
from nbsweep.adapters.cloud.auth.login_limit import LoginLimits
from nbsweep.adapters.cloud.auth.metadata import MetadataSource
from nbsweep.adapters.cloud.auth.profile import keys_of_environment, keys_of_profile, profile_path, read_secret
from nbsweep.adapters.cloud.auth.refresh import RefreshingCredentials
from nbsweep.adapters.cloud.auth.tokens import Login, TokenSource
from nbsweep.adapters.cloud.session import IAM_TIMEOUT, AuthClient, Connect, by_tcp, open_session
from nbsweep.core.errors import CloudError, Unauthorized
from nbsweep.core.fences.logins import SharedLogins
from nbsweep.core.ports import Clock
from nbsweep.settings import CredentialSettings, TargetSettings

METADATA_VARIABLE = "NBSWEEP_METADATA_ENDPOINT"
"""Sets another address of the metadata server, for tests and for hosts with a proxy in front of it."""


@dataclass(slots=True)
class CredentialProvider:
    """Finds the credentials of all targets. They share the agency of this machine."""

    environment: Mapping[str, str] = field(repr=False)
    session: aiohttp.ClientSession
    clock: Clock
    shared_logins: SharedLogins | None = None
    """The logins of the other processes of a fleet; None if there is no fleet."""
    _agency: RefreshingCredentials | None = None
    _users: dict[Hashable, RefreshingCredentials] = field(default_factory=dict, repr=False)
    _login_limits: LoginLimits = field(init=False)

    def __post_init__(self) -> None:
        """Start without logins."""
        self._login_limits = LoginLimits(self.clock, self.shared_logins)

    async def find(self, target: TargetSettings) -> Credentials:
        """Find a target's credentials, and read their files. A password is not used before it is needed.

        Raises:
            Unauthorized: there are none, or what there is cannot be used.
        """
        given = target.credentials
        if given is None:
            return await self._chain(target)
        if given.agency is not None:
            return self._metadata()
        if given.username is not None:
            return self._user(given.username, given, target)
        token = _secret(given, "security_token") or None
        return key_pair(f"target {target.name}", given.access_key or "", _secret(given, "secret_key"), token)

    def _user(self, username: str, given: CredentialSettings, target: TargetSettings) -> RefreshingCredentials:
        """Return the tokens of a user for a project; targets with the same user and project share them."""

        def read() -> Login:
            return Login(username, _secret(given, "password"), given.domain or "", target.project_id, target.region)

        key = (target.iam_url, target.proxy, target.ca_file, read())
        if key not in self._users:
            source = TokenSource(
                read, f"{given.domain}/{username}", iam_of(target, self.session, self.clock), self._login_limits
            )
            self._users[key] = RefreshingCredentials(source, self.clock)
        return self._users[key]

    async def _chain(self, target: TargetSettings) -> Credentials:
        """Return the first credentials of the chain; the agency of this machine comes last."""
        refuse_federation(self.environment)
        if source := oidc_source(self.environment, target, self.session, self.clock):
            return self._named(source)
        if key := keys_of_environment(self.environment) or keys_of_profile(self.environment):
            return key
        if source := pod_source(self.environment, self.session, self.clock):
            return self._named(source)
        agency = self._metadata()
        try:
            await agency.ready()
        except CloudError as error:
            raise self._no_credentials(error) from error
        return agency

    def _named(self, source: NamedSource) -> RefreshingCredentials:
        """Return the keys of an identity; all targets share them."""
        return self._users.setdefault(source.account, RefreshingCredentials(source, self.clock))

    def _metadata(self) -> RefreshingCredentials:
        if self._agency is None:
            url = self.environment.get(METADATA_VARIABLE) or metadata.ENDPOINT
            if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
                raise Unauthorized(f"{METADATA_VARIABLE} must be an address such as {metadata.ENDPOINT}")
            server = AuthClient(self.session, url.rstrip("/"), metadata.TIMEOUT, self.clock)
            self._agency = RefreshingCredentials(MetadataSource(server), self.clock)
        return self._agency

    def _no_credentials(self, error: CloudError) -> Unauthorized:
        problem = (
            "there are no credentials: the target has none in the configuration; HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK are "
            f"not set; {profile_path(self.environment) or '~/.huaweicloud/credentials'} is not there, or has no [basic] keys; "
            f"and this seems to be no ECS with an agency: {error.problem}"
        )
        others = hints(self.environment)
        return Unauthorized(problem, advice=error.advice + others) if error.advice else Unauthorized(problem + others)


@asynccontextmanager
async def open_credential_provider(
    environment: Mapping[str, str], clock: Clock, connect: Connect = by_tcp, shared_logins: SharedLogins | None = None
) -> AsyncIterator[CredentialProvider]:
    """Open a session for credentials; they can be renewed while it is open."""
    async with open_session(IAM_TIMEOUT, 8, connect) as session:
        yield CredentialProvider(environment, session, clock, shared_logins)


def _secret(given: CredentialSettings, name: str) -> str:
    """Return a secret from the configuration or from the file that it names; empty if it has neither."""
    value, path = getattr(given, name), getattr(given, f"{name}_file")
    if path is not None:
        return read_secret(f"{name}_file", path)
    return str(value.get_secret_value()) if value is not None else ""
