"""Signing in by a token, and out."""

from collections.abc import Mapping, Sequence

from msgspec import Struct

from nbsweep.service.web.access.sessions import Sessions
from nbsweep.service.web.access.visitors import Needs
from nbsweep.service.web.errors import STATUS, Code, Refused
from nbsweep.service.web.messages import Message, message
from nbsweep.service.web.pages.routing import Moved, PageRoute, Shown, Visit
from nbsweep.service.web.pages.views.sign_in import SignInView

TITLE = message("Sign in")
PROBLEMS: Mapping[Code, Message] = {
    Code.UNAUTHORIZED: message("This token is not valid. Copy it whole from its file, without blanks."),
    Code.TOO_MANY_ATTEMPTS: message("There were too many wrong tokens from this address. Try again in a minute."),
}


class SignInPage(Struct, frozen=True):
    """Signs visitors in and out."""

    sessions: Sessions

    def section(self) -> None:
        """Return None: the frame of each page leads here."""

    def routes(self) -> Sequence[PageRoute]:
        """Return the routes."""
        return (
            PageRoute("GET", "/sign-in", self.show, Needs.NOTHING, query=("next",)),
            PageRoute("POST", "/sign-in", self.sign_in, Needs.NOTHING, fields=("token", "next")),
            PageRoute("POST", "/sign-out", self.sign_out, Needs.NOTHING),
        )

    async def show(self, visit: Visit) -> Shown:
        """Show the form."""
        return Shown("sign_in.html", self._view(visit.query.get("next", "/")), TITLE)

    async def sign_in(self, visit: Visit) -> Shown | Moved:
        """Begin a session, and go on to the page that was asked for; or show the form again."""
        following = visit.form.get("next", "/")
        try:
            cookie = await self.sessions.sign_in(visit.request, visit.form.get("token", ""))
        except Refused as refusal:
            view = self._view(following, PROBLEMS[refusal.code])
            return Shown("sign_in.html", view, TITLE, STATUS[refusal.code], refusal.headers)
        return Moved(following, cookies=[cookie])

    async def sign_out(self, visit: Visit) -> Moved:
        """End the session."""
        return Moved("/sign-in", message("You are signed out."), cookies=[await self.sessions.sign_out(visit.request)])

    def _view(self, following: str, problem: Message | None = None) -> SignInView:
        return SignInView(following, bool(self.sessions.tokens), problem)
