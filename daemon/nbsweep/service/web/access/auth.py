"""Checks the token of each request: required for changes, and for reads too if other machines can reach the API."""

import math
from collections import OrderedDict, deque

from aiohttp import web

from nbsweep.core.events.service import WebUnauthorized
from nbsweep.core.ports import Clock, Telemetry
from nbsweep.service.web.access.tokens import Role, Tokens
from nbsweep.service.web.access.visitors import NOBODY, Needs, SignedIn, Visitor
from nbsweep.service.web.errors import Code, Refused, logged_path

READING = frozenset({"GET", "HEAD"})
PUBLIC = frozenset({"/healthz"})
"""Paths that need no token anywhere: their responses say nothing about this service's targets."""
MOST_FAILURES = 5
WITHIN_S = 60.0
MOST_PEERS = 1024
MOST_LINES = 100
"""Number of refusals that are logged within that time."""
HOW_TO_CONFIGURE = (
    "changes are disabled, because no token is configured: set service.api_token_file to a file that holds the token, "
    "and that only the user of nbsweep can read"
)
READS_ONLY = f"this token has the role {Role.VIEWER}, which only reads; this request needs a token with the role {Role.ADMIN}"


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


class TokenAuth:
    """Checks the token of each request."""

    def __init__(self, tokens: Tokens, clock: Clock, telemetry: Telemetry, *, reading_is_free: bool) -> None:
        """Take the tokens, and whether reads need none."""
        self._tokens = tokens
        self._clock = clock
        self._telemetry = telemetry
        self._reading_is_free = reading_is_free
        self._failures = Failures()
        self._logged_from_s = float("-inf")
        self._logged = 0

    def admit(self, request: web.Request) -> Visitor:
        """Check that a request to the API may pass; return who sends it.

        Raises:
            Refused: the request needs a token and does not carry it, or the role of its token does not allow the request.
        """
        reads = request.method in READING
        visitor = self.visitor(request)
        if visitor.may(self._needs(request), reading_is_free=self._reading_is_free):
            return visitor
        if not self._tokens:
            raise Refused(Code.FORBIDDEN, HOW_TO_CONFIGURE)
        if not visitor.is_signed_in:
            raise self._refusal(request)
        raise Refused(Code.FORBIDDEN, READS_ONLY if not reads else "")

    def admit_to_page(self, request: web.Request, needs: Needs) -> Visitor:
        """Check that a request to a page may pass; return who sends it.

        Raises:
            Refused: the visitor is not signed in, or their role does not allow the request.
        """
        visitor = self.visitor(request)
        if visitor.may(needs, reading_is_free=self._reading_is_free):
            return visitor
        if not self._tokens:
            raise Refused(Code.FORBIDDEN, HOW_TO_CONFIGURE)
        if not visitor.is_signed_in:
            raise self._refusal(request)
        raise Refused(Code.FORBIDDEN, f"your role is {visitor.role}; this needs the role {needs}")

    def visitor(self, request: web.Request) -> Visitor:
        """Return who sends a request."""
        # Behind a proxy all callers share one address, and failures of others must not block a valid token.
        file = self._tokens.find(_shown(request))
        return Visitor(file.shown_name, file.role, SignedIn.BEARER) if file else NOBODY

    @staticmethod
    def _needs(request: web.Request) -> Needs:
        """Return what a request to the API needs."""
        if request.method not in READING:
            return Needs.ADMIN
        return Needs.NOTHING if request.path in PUBLIC else Needs.READING

    def _refusal(self, request: web.Request) -> Refused:
        """Return the refusal of a request. A wrong token is counted, logged and delayed; a missing one is not counted."""
        peer, now_s = request.remote or "", self._clock.steady_s()
        shown = request.headers.getall("Authorization", [])
        wait_s = self._failures.wait_s(peer, now_s) if shown else 0
        if wait_s > 0:
            message = "too many requests with a wrong token from this address; try again later"
            return Refused(Code.TOO_MANY_ATTEMPTS, message, {"Retry-After": str(math.ceil(wait_s))})
        if shown:
            self._failures.note(peer, now_s)
        if self._may_log(now_s):
            self._telemetry.emit(WebUnauthorized(peer, request.method, logged_path(request)))
        message = (
            "this request needs the header Authorization: Bearer TOKEN, with a token of service.api_token_file or api_tokens"
        )
        return Refused(Code.UNAUTHORIZED, message, {"WWW-Authenticate": 'Bearer realm="nbsweep"'})

    def _may_log(self, now_s: float) -> bool:
        """Return whether one more refusal may be logged now: unauthenticated callers must not fill the log."""
        if now_s - self._logged_from_s >= WITHIN_S:
            self._logged_from_s, self._logged = now_s, 0
        self._logged += 1
        return self._logged <= MOST_LINES


def _shown(request: web.Request) -> bytes:
    """Return the token of a request; empty if its header is missing or malformed. No token is empty."""
    shown = request.headers.getall("Authorization", [])
    scheme, _, rest = shown[0].partition(" ") if len(shown) == 1 else ("", "", "")
    return rest.strip().encode("utf-8", "surrogateescape") if scheme.lower() == "bearer" else b""
