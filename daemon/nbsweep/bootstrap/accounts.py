"""The accounts of the targets. Targets of one account share its lanes, because the gateway limits each account."""

from collections.abc import AsyncIterator, Hashable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from hashlib import sha256
from urllib.parse import urlsplit

import aiohttp
import anyio
from msgspec import Struct
from msgspec.structs import replace

from nbsweep.adapters.cloud.auth.credentials import Credentials
from nbsweep.adapters.cloud.auth.domains import DomainLookup
from nbsweep.adapters.cloud.auth.iam import iam_of
from nbsweep.adapters.cloud.auth.lazy import LazyCredentials
from nbsweep.adapters.cloud.auth.provider import CredentialProvider, open_credential_provider
from nbsweep.adapters.cloud.client import CloudClient, open_client
from nbsweep.adapters.cloud.limiter import Lane, Lanes
from nbsweep.adapters.cloud.session import IAM_TIMEOUT, Connect, by_tcp, open_session
from nbsweep.core.errors import CloudError, WrongAddress
from nbsweep.core.fences.logins import SharedLogins
from nbsweep.core.pacing import Rate
from nbsweep.core.ports import Clock, Telemetry
from nbsweep.settings import LimitSettings, TargetSettings

LOOKUPS_AT_ONCE = 8
ONLY_KEYS = "~"
"""Begins the id of an account of which only its credentials are known."""


class TargetAccess(Struct, frozen=True):
    """The credentials of a target, and the lanes of its account."""

    target: TargetSettings
    credentials: Credentials
    problem: CloudError | None
    """Why there are no credentials yet. Each call of the target then looks for them, and fails alone."""
    limits: Sequence[LimitSettings]
    """The limits of all targets of the account."""
    lanes: Lanes
    account_id: str = ""
    """The account of the target, the same in all processes of a fleet, and without a secret; empty until it is looked up."""
    account_problem: CloudError | None = None
    """Why `account_id` is that of the credentials alone, if IAM did not say whose they are."""

    @property
    def account(self) -> Hashable:
        """The account of the target, which may have several targets; it may reveal an access key, so it is never shown."""
        return self.account_id or _account_of(self.target, self.credentials)

    @property
    def caller(self) -> str:
        """A pseudonym of the caller for a target of scope `own`, which reveals neither a name nor a key; empty otherwise."""
        return _pseudonym(self.credentials.account) if self.target.scope == "own" else ""

    def open_client(self, clock: Clock, telemetry: Telemetry) -> AbstractAsyncContextManager[CloudClient]:
        """Open the connections to the project of the target."""
        return open_client(self.target, self.credentials, self.lanes, clock, telemetry)


@asynccontextmanager
async def open_accounts(
    targets: Iterable[TargetSettings],
    environment: Mapping[str, str],
    clock: Clock,
    shared_logins: SharedLogins | None = None,
) -> AsyncIterator[tuple[TargetAccess, ...]]:
    """Look for the credentials of each target, and yield the access to each target in the same order.

    `shared_logins` are those of the fleet, if there is one.
    """
    async with open_credential_provider(environment, clock, shared_logins=shared_logins) as provider:
        found = [(target, *await _find_credentials(target, provider)) for target in targets]
        limits: dict[tuple[str, str], list[LimitSettings]] = {}
        for target, credentials, _ in found:
            limits.setdefault(_account_of(target, credentials), []).append(target.limits)
        lanes = {account: make_lanes(each, clock) for account, each in limits.items()}
        yield tuple(
            TargetAccess(target, credentials, problem, limits[key := _account_of(target, credentials)], lanes[key])
            for target, credentials, problem in found
        )


async def _find_credentials(target: TargetSettings, provider: CredentialProvider) -> tuple[Credentials, CloudError | None]:
    try:
        return await provider.find(target), None
    except CloudError as error:
        find = partial(provider.find, target)
        return LazyCredentials(f"target {target.name}, of an account that is unknown", find), error


def _account_of(target: TargetSettings, credentials: Credentials) -> tuple[str, str]:
    return target.base_url, f"account {target.account}" if target.account else credentials.account


async def identify_accounts(
    accesses: Sequence[TargetAccess], clock: Clock, connect: Connect = by_tcp
) -> tuple[TargetAccess, ...]:
    """Look up the account of each target for a fleet, and let the targets of one account share its lanes.

    An account is an endpoint together with the `account` of the target or, by default, the IAM account of its credentials. If
    the lookup fails, the credentials stand for their account, whose other credentials then count as those of others.
    """
    found: dict[int, TargetAccess] = {}

    async def identify(number: int, access: TargetAccess, session: aiohttp.ClientSession) -> None:
        found[number] = await _identified(access, session, clock)

    async with open_session(IAM_TIMEOUT, LOOKUPS_AT_ONCE, connect) as session, anyio.create_task_group() as group:
        for number, access in enumerate(accesses):
            group.start_soon(identify, number, access, session)
    return _sharing_lanes([found[number] for number in range(len(accesses))], clock)


async def _identified(access: TargetAccess, session: aiohttp.ClientSession, clock: Clock) -> TargetAccess:
    target, credentials, access = access.target, access.credentials, replace(access, account_problem=None)
    if target.account:
        return replace(access, account_id=_account_id(target, target.account))
    lookup = DomainLookup(target.project_id, target.region, credentials, iam_of(target, session, clock))
    try:
        if not target.iam_url:
            raise WrongAddress("the address of IAM is unknown", advice="Set iam_endpoint, or account")
        return replace(access, account_id=_account_id(target, _pseudonym(f"domain {await lookup.find()}")))
    except CloudError as error:
        pseudonym = f"{ONLY_KEYS}{_pseudonym(credentials.account)}"
        return replace(access, account_id=_account_id(target, pseudonym), account_problem=error)


def _sharing_lanes(accesses: Sequence[TargetAccess], clock: Clock) -> tuple[TargetAccess, ...]:
    limits: dict[str, list[LimitSettings]] = {}
    for access in accesses:
        limits.setdefault(access.account_id, []).append(access.target.limits)
    lanes = {account: make_lanes(each, clock) for account, each in limits.items()}
    return tuple(replace(each, limits=limits[each.account_id], lanes=lanes[each.account_id]) for each in accesses)


def _account_id(target: TargetSettings, account: str) -> str:
    """Return the endpoint and the account: quotas differ by region, which each has an endpoint."""
    return f"{urlsplit(target.base_url).netloc.lower().removeprefix('modelarts.')}/{account}"


def _pseudonym(name: str) -> str:
    return sha256(name.encode()).hexdigest()[:12]


def make_lanes(limits: Sequence[LimitSettings], clock: Clock) -> Lanes:
    """Build the lanes of an account. If its targets have different limits, the slowest applies to all of them."""
    rates = {
        Lane.DELETE: _slowest(limit.delete for limit in limits),
        Lane.SHOW: _slowest(limit.show for limit in limits),
        Lane.LIST: _slowest(limit.list for limit in limits),
    }
    totals = [limit.total for limit in limits if limit.total is not None]
    return Lanes(rates, _slowest(totals) if totals else None, clock)


def _slowest(rates: Iterable[Rate]) -> Rate:
    return max(rates, key=lambda rate: rate.spacing_s)
