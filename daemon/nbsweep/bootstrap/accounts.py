"""The accounts of the targets. Targets of one account share its lanes, because the gateway limits each account."""

from collections.abc import AsyncIterator, Hashable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from hashlib import sha256

from msgspec import Struct

from nbsweep.adapters.cloud.auth.credentials import Credentials
from nbsweep.adapters.cloud.auth.lazy import LazyCredentials
from nbsweep.adapters.cloud.auth.provider import CredentialProvider, open_credential_provider
from nbsweep.adapters.cloud.client import CloudClient, open_client
from nbsweep.adapters.cloud.limiter import Lane, Lanes
from nbsweep.core.errors import CloudError
from nbsweep.core.pacing import Rate
from nbsweep.core.ports import Clock, Telemetry
from nbsweep.settings import LimitSettings, TargetSettings


class TargetAccess(Struct, frozen=True):
    """The credentials of a target, and the lanes of its account."""

    target: TargetSettings
    credentials: Credentials
    problem: CloudError | None
    """Why there are no credentials yet. Each call of the target then looks for them, and fails alone."""
    limits: Sequence[LimitSettings]
    """The limits of all targets of the account."""
    lanes: Lanes

    @property
    def account(self) -> Hashable:
        """The account of the target, which may have several targets; it may reveal an access key, so it is never shown."""
        return _account_of(self.target, self.credentials)

    @property
    def caller(self) -> str:
        """A pseudonym of the caller for a target of scope `own`, which reveals neither a name nor a key; empty otherwise."""
        return sha256(self.credentials.account.encode()).hexdigest()[:12] if self.target.scope == "own" else ""

    def open_client(self, clock: Clock, telemetry: Telemetry) -> AbstractAsyncContextManager[CloudClient]:
        """Open the connections to the project of the target."""
        return open_client(self.target, self.credentials, self.lanes, clock, telemetry)


@asynccontextmanager
async def open_accounts(
    targets: Iterable[TargetSettings], environment: Mapping[str, str], clock: Clock
) -> AsyncIterator[tuple[TargetAccess, ...]]:
    """Look for the credentials of each target, and yield the access to each target in the same order."""
    async with open_credential_provider(environment, clock) as provider:
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
    return target.base_url, credentials.account


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
