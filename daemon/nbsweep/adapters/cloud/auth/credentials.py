"""What the client needs of credentials, and what all kinds of them share.

`AccessKey` is the fixed kind, `Renewed` the one that ends; `chain.py` decides which a target gets.
"""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Annotated, Protocol

import msgspec

from nbsweep.adapters.cloud.auth.signing import AccessKey, Proof, Request
from nbsweep.core.errors import CloudError, Unauthorized

Headers = Callable[[Request, datetime], Mapping[str, str]]
"""Gives the headers that make a request acceptable at a moment."""
Moment = Annotated[datetime, msgspec.Meta(tz=True)]
KEY = re.compile(r"[!-~]+")
"""What can travel in a header."""
LEAST_LIFE_S = 1.0
"""Nobody issues anything for less; it would be a sign of two clocks that do not agree."""
UNKNOWN_LIFE_S = 60.0


class Credentials(Protocol):
    """Who calls, and how that is proven. All callers on an account may share one."""

    @property
    def account(self) -> str:
        """Whose calls these are; never a secret. Calls of one account share their lanes."""
        ...

    async def ready(self) -> Proof:
        """Give proof that lasts for now, after a renewal if one is due.

        Raises:
            NotSent: it could not be come by; a later try may succeed.
            SweepEnding: it cannot be come by.
        """
        ...

    async def refused(self, error: CloudError, used: Proof) -> bool:
        """Hear that a call was refused with 401; tell whether it makes sense to try once more, with new proof.

        Raises:
            NotSent, SweepEnding: as `ready`.
        """
        ...


def key_pair(source: str, access_key: str, secret_key: str, security_token: str | None) -> AccessKey:
    """Make a pair of keys of what was found somewhere.

    Raises:
        Unauthorized: they cannot be keys.
    """
    if not all(KEY.fullmatch(part) for part in (access_key, secret_key, security_token or "-")):
        raise Unauthorized(f"a key of {source} is no key: it is empty, or holds a space, a line end or a letter beyond ASCII")
    return AccessKey(access_key, secret_key, security_token or None)


def life_s(issued_at: datetime, ends_at: datetime) -> float:
    """Tell how long something lasts; where the dates make no sense, so long that only a 401 can tell."""
    lasts_s = (ends_at - issued_at).total_seconds()
    return lasts_s if lasts_s >= LEAST_LIFE_S else UNKNOWN_LIFE_S
