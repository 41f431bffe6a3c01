"""Checks who sends each request, and what they may do.

Changes need a role, and so do reads if other machines can reach the API.
"""

from dataclasses import dataclass, field

from aiohttp import web

from nbsweep.core.events.service import WebUnauthorized
from nbsweep.core.ports import Clock, Telemetry
from nbsweep.service.web.access.failures import WITHIN_S, Failures
from nbsweep.service.web.access.proxies import Proxies
from nbsweep.service.web.access.sessions import Sessions
from nbsweep.service.web.access.tokens import Tokens
from nbsweep.service.web.access.visitors import NOBODY, Needs, SignedIn, Visitor
from nbsweep.service.web.errors import Code, Refused, logged_path
from nbsweep.service.web.messages import message

PUBLIC = frozenset({"/healthz"})
"""Paths of the API that need no token anywhere: their responses say nothing about this service's targets."""
MOST_LINES = 100
"""Number of refusals that are logged within that time."""
HOW_TO_CONFIGURE = message(
    "changes are disabled, because no token is configured: set service.api_token_file to a file that holds the token, "
    "and that only the user of nbsweep can read"
)
HOW_TO_SHOW = message(
    "this request needs the header Authorization: Bearer TOKEN, with a token of service.api_token_file or api_tokens"
)


@dataclass(slots=True)
class RefusalLog:
    """Logs refusals, up to a number within a minute: callers without a token must not fill the log."""

    clock: Clock
    telemetry: Telemetry
    _from_s: float = float("-inf")
    _lines: int = 0

    def note(self, request: web.Request) -> None:
        """Log a refused request."""
        now_s = self.clock.steady_s()
        if now_s - self._from_s >= WITHIN_S:
            self._from_s, self._lines = now_s, 0
        self._lines += 1
        if self._lines <= MOST_LINES:
            self.telemetry.emit(WebUnauthorized(request.remote or "", request.method, logged_path(request)))


@dataclass(frozen=True, slots=True)
class Auth:
    """Checks who sends each request."""

    tokens: Tokens
    sessions: Sessions
    clock: Clock
    log: RefusalLog
    proxies: Proxies
    on_loopback: bool
    """Whether only this machine reaches the service; reads then need no role, unless a proxy passes them on."""
    failures: Failures = field(default_factory=Failures)

    async def visitor(self, request: web.Request) -> Visitor:
        """Return who sends a request: by the headers of a trusted proxy, or else by its token, or else by its session.

        Raises:
            JournalError: the session cannot be read.
        """
        vouched = self.proxies.visitor(request)
        if vouched.is_signed_in:
            return vouched
        if "Authorization" not in request.headers:
            return await self.sessions.visitor(request)
        # Behind a proxy all callers share one address, and failures of others must not block a valid token.
        file = self.tokens.find(_shown(request))
        return Visitor(file.shown_name, file.role, SignedIn.BEARER) if file else NOBODY

    def admit(self, request: web.Request, visitor: Visitor, needs: Needs) -> None:
        """Check that a visitor may do what a request needs.

        Raises:
            Refused: the request needs a role, and the visitor is not signed in or has another one.
        """
        reading_is_free = self.on_loopback and not self.proxies.passes_on(request)
        if visitor.may(needs, reading_is_free=reading_is_free):
            return
        if not self.tokens and not self.proxies:
            raise Refused(Code.FORBIDDEN, HOW_TO_CONFIGURE)
        if not visitor.is_signed_in:
            raise self._refusal(request)
        said = message(
            "the role %(role)s does not allow this request; it needs the role %(needs)s",
            role=str(visitor.role),
            needs=str(needs),
        )
        raise Refused(Code.FORBIDDEN, said)

    def _refusal(self, request: web.Request) -> Refused:
        """Return the refusal of a request. A wrong token is counted, logged and delayed; a missing one is not counted."""
        peer, now_s = request.remote or "", self.clock.steady_s()
        if "Authorization" in request.headers:
            self.failures.refuse_too_many(peer, now_s)
            self.failures.note(peer, now_s)
        self.log.note(request)
        return Refused(Code.UNAUTHORIZED, HOW_TO_SHOW, {"WWW-Authenticate": 'Bearer realm="nbsweep"'})


def _shown(request: web.Request) -> bytes:
    """Return the token of a request; empty if its header is missing or malformed. No token is empty."""
    shown = request.headers.getall("Authorization", [])
    scheme, _, rest = shown[0].partition(" ") if len(shown) == 1 else ("", "", "")
    return rest.strip().encode("utf-8", "surrogateescape") if scheme.lower() == "bearer" else b""
