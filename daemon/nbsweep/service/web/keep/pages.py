"""The handlers of the pages: a GET shows what a link offers and changes nothing, a POST keeps the notebook."""

import math
from datetime import timedelta
from http import HTTPStatus

from aiohttp import web
from msgspec import Struct

from nbsweep.core.errors import GrantRefused, JournalError
from nbsweep.core.exemptions.links import PATH
from nbsweep.core.granting.grants import GrantLimits
from nbsweep.core.granting.keeping import Offer, Standing
from nbsweep.core.ports import Clock, Journal, Telemetry
from nbsweep.core.reasons.language import Language
from nbsweep.service.keeping import Keeping
from nbsweep.service.web.access.failures import Failures
from nbsweep.service.web.bodies import read_form
from nbsweep.service.web.errors import Refused
from nbsweep.service.web.keep.page import STYLE, PageWriter, Typed
from nbsweep.service.web.keep.words import WORDS, Text
from nbsweep.service.web.pages.languages.choice import preferred_language
from nbsweep.settings.fields.units import parse_duration

STATUS = {
    Standing.TOO_LATE: HTTPStatus.CONFLICT,
    Standing.EXPIRED: HTTPStatus.GONE,
}
"""The status of a page; 200 for all others."""


class PageSettings(Struct, frozen=True):
    """The settings of the pages."""

    url: str
    """Where owners reach them: `exemptions.page_url`."""
    keys: tuple[bytes, ...]
    """The keys of links; the first one signs."""
    limits: GrantLimits
    """What owners may grant themselves."""
    language: Language = Language.ENGLISH
    """The language for a browser that asks for none of ours."""


class KeepPages:
    """Handles the requests under /keep/."""

    def __init__(self, settings: PageSettings, journal: Journal, clock: Clock, telemetry: Telemetry) -> None:
        """Compile the template, and start without failed attempts."""
        self._keeping = Keeping(journal, clock, telemetry, settings.keys, settings.limits)
        self._writer = PageWriter(settings.limits)
        self._clock = clock
        self._language = settings.language
        self._failures = Failures()

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """Add the routes of the pages."""
        for path, handler in ((f"{PATH}style.css", self.style), (f"{PATH}{{token}}", self.show)):
            for method in ("GET", "HEAD"):
                router.add_route(method, path, handler)
        router.add_route("POST", f"{PATH}{{token}}", self.keep)

    async def style(self, _request: web.Request) -> web.StreamResponse:
        """Return the style sheet."""
        return web.Response(text=STYLE, content_type="text/css")

    async def show(self, request: web.Request) -> web.StreamResponse:
        """Show what a link offers."""
        return await self._answer(request, None)

    async def keep(self, request: web.Request) -> web.StreamResponse:
        """Keep the notebook of a link, once."""
        try:
            form = await read_form(request)
        except Refused:
            form = {}
        return await self._answer(request, Typed(form.get("length", ""), form.get("reason", "")))

    async def _answer(self, request: web.Request, typed: Typed | None) -> web.Response:
        language = preferred_language(request.headers.get("Accept-Language", ""), self._language)
        try:
            offer = await self._keeping.look(request.match_info["token"])
            if offer is None:
                return self._invalid(request, language)
            return await self._of_offer(offer, typed, language)
        except JournalError:
            return self._plain(WORDS[language].failed, language, HTTPStatus.SERVICE_UNAVAILABLE)

    async def _of_offer(self, offer: Offer, typed: Typed | None, language: Language) -> web.Response:
        now, status = self._clock.now(), None
        if typed and offer.standing(now) is Standing.OPEN:
            try:
                offer = await self._keeping.accept(offer, _length(typed.length), typed.reason)
            except GrantRefused as error:
                typed, status = Typed(typed.length, typed.reason, error.field), HTTPStatus.BAD_REQUEST
        elif typed and offer.standing(now) is Standing.USED:
            # It was used before, by another request.
            typed = None
        page = self._writer.of_offer(offer, now, language, typed)
        return _page(page, language, status or STATUS.get(offer.standing(now), HTTPStatus.OK))

    def _invalid(self, request: web.Request, language: Language) -> web.Response:
        """Return the same page for whatever nobody has offered; valid links of the same address are never delayed."""
        peer, now_s = request.remote or "", self._clock.steady_s()
        wait_s = self._failures.wait_s(peer, now_s)
        if wait_s > 0:
            answer = self._plain(WORDS[language].too_many, language, HTTPStatus.TOO_MANY_REQUESTS)
            answer.headers["Retry-After"] = str(math.ceil(wait_s))
            return answer
        self._failures.note(peer, now_s)
        return self._plain(WORDS[language].invalid, language, HTTPStatus.NOT_FOUND)

    def _plain(self, text: Text, language: Language, status: HTTPStatus) -> web.Response:
        return _page(self._writer.plain(text, language), language, status)


def _page(text: str, language: Language, status: HTTPStatus) -> web.Response:
    headers = {"Content-Language": "zh-CN" if language is Language.CHINESE else "en", "Vary": "Accept-Language"}
    return web.Response(text=text, content_type="text/html", status=status, headers=headers)


def _length(text: str) -> timedelta:
    """Read the chosen length.

    Raises:
        GrantRefused: none was chosen.
    """
    try:
        return parse_duration(text)
    except ValueError:
        raise GrantRefused("until", "must be a duration such as 30d") from None
