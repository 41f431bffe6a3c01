"""Credentials that are not to be had yet: one target's missing key is that target's trouble, and nobody else's."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from nbsweep.adapters.cloud.auth.credentials import Credentials
from nbsweep.adapters.cloud.auth.signing import Proof
from nbsweep.core.errors import CloudError


@dataclass(slots=True)
class LazyCredentials:
    """Sought anew whenever a call needs them, until they are found: a mounted secret may come late, or be put right.

    Whose they will be is unknown until then, so their calls have lanes of their own; a restart, or a configuration read anew,
    brings them into those of their account.
    """

    account: str
    """Stands for the account that is unknown."""
    find: Callable[[], Awaitable[Credentials]]
    """Raises Unauthorized while there are none."""
    _found: Credentials | None = None

    async def ready(self) -> Proof:
        """Give proof that lasts for now, from wherever it is found by now.

        Raises:
            Unauthorized: there are still no credentials.
            NotSent, SweepEnding: as those say that were found.
        """
        if self._found is None:
            self._found = await self.find()
        return await self._found.ready()

    async def refused(self, error: CloudError, used: Proof) -> bool:
        """Hear that a call was refused; whoever made it had proof, so they were found."""
        return self._found is not None and await self._found.refused(error, used)
