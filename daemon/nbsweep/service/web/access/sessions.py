"""Signs visitors in by a token, and knows them by the cookie of their session."""

import secrets
from dataclasses import dataclass, field

from aiohttp import web

from nbsweep.core.control.sessions import LASTS, begin_session, is_bound_to, session_id
from nbsweep.core.ports import Clock, Journal
from nbsweep.service.web.access.failures import Failures
from nbsweep.service.web.access.tokens import Tokens
from nbsweep.service.web.access.visitors import NOBODY, SignedIn, Visitor
from nbsweep.service.web.cookies import Cookie, Cookies
from nbsweep.service.web.errors import Code, Refused

NAME = "nbsweep-session"
COOKIE_BYTES = 32
WRONG = "this token is not valid: use one of service.api_token_file or service.api_tokens"


@dataclass(frozen=True, slots=True)
class Sessions:
    """The sessions of this service. The journal keeps them, so that they outlive a restart."""

    tokens: Tokens
    journal: Journal
    clock: Clock
    cookies: Cookies
    failures: Failures = field(default_factory=Failures)

    async def sign_in(self, request: web.Request, token: str) -> Cookie:
        """Begin a session, and return its cookie. A right token is never delayed by the failures of others.

        Raises:
            Refused: the token is wrong, or its sender has to wait after too many wrong ones.
            JournalError: the session could not be recorded.
        """
        given, peer, now_s = token.strip().encode("utf-8", "replace"), request.remote or "", self.clock.steady_s()
        if self.tokens.find(given) is None:
            self.failures.refuse_too_many(peer, now_s)
            self.failures.note(peer, now_s)
            raise Refused(Code.UNAUTHORIZED, WRONG)
        cookie, now = secrets.token_urlsafe(COOKIE_BYTES), self.clock.now()
        await self.journal.sessions.forget(now)
        await self.journal.sessions.begin(begin_session(cookie, given, now))
        return Cookie(NAME, cookie, round(LASTS.total_seconds()))

    async def visitor(self, request: web.Request) -> Visitor:
        """Return the visitor of a session that is in force, and whose token still is one.

        Raises:
            JournalError: the journal cannot be read.
        """
        cookie = self.cookies.read(request, NAME)
        session = await self.journal.sessions.find(session_id(cookie), self.clock.now()) if cookie else None
        if session is None:
            return NOBODY
        file = self.tokens.find_by(lambda token: is_bound_to(session, cookie, token))
        return Visitor(file.shown_name, file.role, SignedIn.SESSION) if file else NOBODY

    async def sign_out(self, request: web.Request) -> Cookie:
        """End the session of a request, and return the cookie that removes that of the browser.

        Raises:
            JournalError: the journal cannot be written.
        """
        cookie = self.cookies.read(request, NAME)
        if cookie:
            await self.journal.sessions.end(session_id(cookie))
        return Cookie(NAME, "", 0)
