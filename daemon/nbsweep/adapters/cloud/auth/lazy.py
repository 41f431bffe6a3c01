"""Credentials that may not be available yet, so that a missing key of one target does not affect the others."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from nbsweep.adapters.cloud.auth.credentials import Credentials
from nbsweep.adapters.cloud.auth.signing import Proof
from nbsweep.core.errors import CloudError


@dataclass(slots=True)
class LazyCredentials:
    """Looks for the credentials at each call until they are found: a secret may be mounted late, or corrected.

    Their account is unknown until then, so their calls use separate lanes. A restart or a reload moves them to the lanes of
    their account.
    """

    account: str
    """A stand-in for the name of the unknown account."""
    find: Callable[[], Awaitable[Credentials]]
    """Raises Unauthorized while there are none."""
    _found: Credentials | None = None

    async def ready(self) -> Proof:
        """Return proof that is valid now, and look for the credentials first if necessary.

        Raises:
            Unauthorized: there are still no credentials.
            NotSent, SweepEnding: as those say that were found.
        """
        if self._found is None:
            self._found = await self.find()
        return await self._found.ready()

    async def refused(self, error: CloudError, used: Proof) -> bool:
        """Handle a refusal. The caller had proof, so the credentials were found before."""
        return self._found is not None and await self._found.refused(error, used)
