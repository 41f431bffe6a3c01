"""The interface of credentials, and helpers that all kinds of credentials share.

`AccessKey` never expires, `RefreshingCredentials` do; `provider.py` selects the credentials of a target.
"""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Annotated, Protocol

import msgspec

from nbsweep.adapters.cloud.auth.signing import AccessKey, Proof, Request
from nbsweep.core.errors import CloudError, Unauthorized

Headers = Callable[[Request, datetime], Mapping[str, str]]
"""Returns the headers that authenticate a request at a given time."""
AwareDatetime = Annotated[datetime, msgspec.Meta(tz=True)]
KEY = re.compile(r"[!-~]+")
"""The characters that a header may contain."""
LEAST_LIFE_S = 1.0
"""A shorter lifetime is a sign of two clocks that disagree."""
UNKNOWN_LIFE_S = 60.0


class Credentials(Protocol):
    """The credentials of a caller. All callers on an account may share them."""

    @property
    def account(self) -> str:
        """The name of the account, never a secret. Calls of one account share their lanes."""
        ...

    async def ready(self) -> Proof:
        """Return proof that is valid now, after a renewal if one is due.

        Raises:
            NotSent: the proof could not be obtained; a later attempt may succeed.
            SweepEnding: the proof cannot be obtained.
        """
        ...

    async def refused(self, error: CloudError, used: Proof) -> bool:
        """Handle a refusal with 401. Return whether another attempt with new proof makes sense.

        Raises:
            NotSent, SweepEnding: as `ready`.
        """
        ...


def key_pair(source: str, access_key: str, secret_key: str, security_token: str | None) -> AccessKey:
    """Build a pair of keys from values found in `source`.

    Raises:
        Unauthorized: they cannot be keys.
    """
    if not all(KEY.fullmatch(part) for part in (access_key, secret_key, security_token or "-")):
        raise Unauthorized(f"invalid key from {source}: it is empty, or contains white space or a character that is not ASCII")
    return AccessKey(access_key, secret_key, security_token or None)


def life_s(issued_at: datetime, ends_at: datetime) -> float:
    """Return the lifetime in seconds; if the dates contradict each other, a default after which only a 401 shows the end."""
    lasts_s = (ends_at - issued_at).total_seconds()
    return lasts_s if lasts_s >= LEAST_LIFE_S else UNKNOWN_LIFE_S
