"""Changes the language of the pages, for one browser."""

from collections.abc import Sequence

from msgspec import Struct

from nbsweep.core.reasons.language import Language
from nbsweep.service.web.access.visitors import Needs
from nbsweep.service.web.cookies import Cookie
from nbsweep.service.web.errors import Code, Refused
from nbsweep.service.web.messages import message
from nbsweep.service.web.pages.languages.choice import COOKIE, COOKIE_S
from nbsweep.service.web.pages.routing import Moved, PageRoute, Visit


class LanguagePage(Struct, frozen=True):
    """Takes the form at the foot of each page."""

    def section(self) -> None:
        """Return None: there is nothing to navigate to."""

    def routes(self) -> Sequence[PageRoute]:
        """Return the routes."""
        return (PageRoute("POST", "/language", self.choose, Needs.NOTHING, fields=("language", "next")),)

    async def choose(self, visit: Visit) -> Moved:
        """Store the choice in a cookie, and return to the page.

        Raises:
            Refused: there is no such language.
        """
        chosen = visit.form.get("language", "")
        if chosen not in list(Language):
            raise Refused(Code.BAD_REQUEST, message("language must be one of %(choices)s", choices=tuple(Language)))
        return Moved(visit.form.get("next", "/"), cookies=[Cookie(COOKIE, chosen, COOKIE_S)])
