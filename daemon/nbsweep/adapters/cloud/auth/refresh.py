"""Credentials that expire: renewed early, and after a refusal; concurrent callers share a renewal."""

from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Protocol

from nbsweep.adapters.cloud.auth.credentials import Headers
from nbsweep.adapters.cloud.auth.signing import Proof
from nbsweep.adapters.cloud.auth.single_flight import SingleFlight
from nbsweep.adapters.cloud.responses import ENDED
from nbsweep.core.errors import CloudError
from nbsweep.core.ports import Clock

RENEWABLE = frozenset({"0301", "0307", "6401", "6620"})
"""Numbers of the error codes with status 401 for which a new token or new keys may help (ModelArts API, section 3.4)."""


@dataclass(frozen=True, slots=True)
class IssuedCredentials:
    """Temporary credentials, as a source issues them."""

    headers: Headers = field(repr=False)
    life_s: float
    """The lifetime in seconds, by the clock of the issuer."""
    early_s: float
    """How many seconds before their end they are renewed."""
    project_id: str = ""
    """The only project of the credentials, if they name one."""


class CredentialSource(Protocol):
    """A source of temporary credentials."""

    @property
    def account(self) -> str:
        """The account of the calls."""
        ...

    async def issue(self) -> IssuedCredentials:
        """Fetch new credentials.

        Raises:
            NotSent: not now; a later try may succeed.
            SweepEnding: not at all.
        """
        ...


class RefreshingCredentials:
    """Credentials that are fetched when they are first needed, and again before they end."""

    def __init__(self, source: CredentialSource, clock: Clock) -> None:
        """Store the source; nothing is fetched yet."""
        self._source = source
        self._clock = clock
        self._next = SingleFlight(self._fetch)
        self._proof: Proof | None = None
        self._due_s = 0.0
        self._early_s = 0.0

    @property
    def account(self) -> str:
        """Return the account of the calls."""
        return self._source.account

    async def ready(self) -> Proof:
        """Return valid proof. A caller waits for a renewal that is under way only if the current proof has expired."""
        now_s, held = self._clock.steady_s(), self._proof
        if held is None or now_s >= held.ends_s:
            return await self._next.get()
        if now_s < self._due_s or self._next.under_way:
            return held
        try:
            return await self._next.get()
        except CloudError:
            # The present credentials are still valid. The next attempt is later, but well before their end.
            self._due_s = self._clock.steady_s() + self._early_s / 5
            return held

    async def refused(self, error: CloudError, used: Proof) -> bool:
        """Renew the credentials if the refusal says that they expired. A second caller finds them renewed."""
        refused = error.http_status == HTTPStatus.UNAUTHORIZED and error.code.rpartition(".")[2] in RENEWABLE
        if not refused and error.code not in ENDED:
            return False
        if used is self._proof:
            await self._next.get()
        return True

    async def _fetch(self) -> Proof:
        begun_s = self._clock.steady_s()
        issued = await self._source.issue()
        self._early_s = issued.early_s
        self._due_s = begun_s + issued.life_s - issued.early_s
        # The proof must still be valid when the request arrives.
        self._proof = Proof(issued.headers, begun_s + issued.life_s - issued.early_s / 10, issued.project_id)
        return self._proof
