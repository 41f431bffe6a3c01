"""Remembers failed attempts, so that tokens cannot be guessed."""

import math
from collections import OrderedDict, deque

from nbsweep.service.web.errors import Code, Refused
from nbsweep.service.web.messages import message

MOST_FAILURES = 5
WITHIN_S = 60.0
MOST_PEERS = 1024


class Failures:
    """Remembers recent failed attempts by client address, up to a fixed number of addresses."""

    def __init__(self) -> None:
        """Start without entries."""
        self._moments: OrderedDict[str, deque[float]] = OrderedDict()

    def __len__(self) -> int:
        """Return the number of remembered addresses."""
        return len(self._moments)

    def wait_s(self, peer: str, now_s: float) -> float:
        """Return the seconds until an address may try again; 0 if it may try now."""
        moments = self._moments.get(peer)
        if moments is None or len(moments) < MOST_FAILURES:
            return 0.0
        return max(0.0, moments[0] + WITHIN_S - now_s)

    def note(self, peer: str, now_s: float) -> None:
        """Record a failure. If there are too many addresses, the one with the oldest failure is forgotten."""
        self._moments.setdefault(peer, deque(maxlen=MOST_FAILURES)).append(now_s)
        self._moments.move_to_end(peer)
        if len(self._moments) > MOST_PEERS:
            self._moments.popitem(last=False)

    def refuse_too_many(self, peer: str, now_s: float) -> None:
        """Refuse an attempt of an address that has to wait; a right token is never asked.

        Raises:
            Refused: it has to wait.
        """
        wait_s = self.wait_s(peer, now_s)
        if wait_s > 0:
            said = message("too many requests with a wrong token from this address; try again later")
            raise Refused(Code.TOO_MANY_ATTEMPTS, said, {"Retry-After": str(math.ceil(wait_s))})
