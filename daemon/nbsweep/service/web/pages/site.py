"""Answers requests to pages: checks them, has the page handle them, and writes what it returns."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from urllib.parse import quote, urlencode

from aiohttp import web

from nbsweep.core.ports import Telemetry
from nbsweep.core.reasons.language import Language
from nbsweep.service.web.access.visitors import SignedIn, Visitor
from nbsweep.service.web.cookies import Cookie, Cookies
from nbsweep.service.web.errors import STATUS, Code, Refused, refusal_of
from nbsweep.service.web.messages import Message
from nbsweep.service.web.pages.flash import NAME as FLASH
from nbsweep.service.web.pages.flash import flash_cookie, read_flash
from nbsweep.service.web.pages.languages.choice import language_of
from nbsweep.service.web.pages.layout import ROLES, TAGS, Chrome, Layout, entries
from nbsweep.service.web.pages.requests import read_fields, require_known_query
from nbsweep.service.web.pages.routing import Answer, Moved, Page, PageRoute, Shown, Visit, local_path
from nbsweep.service.web.pages.views.errors import ADVICE, ErrorView, error_title

HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex, nofollow",
}
"""On every page. A page loads only our own files, and tells no other site where a link was."""
SIGN_IN = "/sign-in"
IN_ADDRESSES = "/?=&%:@+,;~*!$'()-._"
"""Signs that stay as they are in the address to which a browser is sent."""


class Site:
    """All pages."""

    def __init__(self, pages: Sequence[Page], layout: Layout, cookies: Cookies, telemetry: Telemetry, usual: Language) -> None:
        """Take the pages, in the order of the navigation; `usual` is for a browser that asks for no language of ours."""
        self._cookies = cookies
        self._layout = layout
        self._usual = usual
        self._telemetry = telemetry
        self._sections = [section for page in pages if (section := page.section())]
        self.routes = {(route.method, route.path): route for page in pages for route in page.routes()}
        """The routes of all pages, by method and path."""

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """Add the routes of all pages. The guard finds each by `route_of`, and has it answered by `answer`."""
        for method, path in self.routes:
            for each in ("GET", "HEAD") if method == "GET" else (method,):
                router.add_route(each, path, _never_called)

    def route_of(self, request: web.Request) -> PageRoute | None:
        """Return the route of a request; None if it is none of a page."""
        resource = request.match_info.route.resource
        method = "GET" if request.method == "HEAD" else request.method
        return self.routes.get((method, resource.canonical)) if resource else None

    def has(self, request: web.Request) -> bool:
        """Return whether a request is answered with a page: it is to a page, or a browser asks for what is not there."""
        if self.route_of(request):
            return True
        is_api = request.path.startswith("/api/")
        return not is_api and request.match_info.http_exception is not None and "text/html" in request.headers.get("Accept", "")

    async def answer(self, request: web.Request, route: PageRoute, visitor: Visitor) -> web.StreamResponse:
        """Have a page handle a request that may pass.

        Raises:
            Refused: the query or the form holds what the route does not take.
            Exception: whatever the handler raises.
        """
        require_known_query(request, route.query)
        form = await read_fields(request, route) if route.method == "POST" else {}
        visit = Visit(request, self._language(request), visitor, form)
        return self._written(visit, await route.handle(visit))

    async def refused(self, request: web.Request, error: Exception, visitor: Visitor) -> web.StreamResponse:
        """Return the page of an error; a visitor who has to sign in first gets the page for that."""
        refusal = refusal_of(request, error, self._telemetry)
        visit = Visit(request, self._language(request), visitor)
        if refusal.code is Code.UNAUTHORIZED and "Authorization" not in request.headers:
            return self._moved(visit, Moved(f"{SIGN_IN}?{urlencode({'next': _next_of(request)})}"))
        view = ErrorView(ADVICE.get(refusal.code), refusal.message, str(refusal), refusal.code)
        return self._page(visit, Shown("error.html", view, error_title(refusal.code), STATUS[refusal.code], refusal.headers))

    def _written(self, visit: Visit, answer: Answer) -> web.StreamResponse:
        match answer:
            case Shown():
                return self._page(visit, answer)
            case Moved():
                return self._moved(visit, answer)
        for name, value in HEADERS.items():
            answer.headers.setdefault(name, value)
        return answer

    def _page(self, visit: Visit, shown: Shown) -> web.Response:
        flash = self._cookies.read(visit.request, FLASH)
        text = self._layout.write(shown, self._chrome(visit, read_flash(flash)), visit.language)
        headers = {
            **HEADERS,
            "Content-Language": TAGS[visit.language],
            "Vary": "Accept-Language, Cookie",
            **shown.headers,
        }
        response = web.Response(text=text, content_type="text/html", status=shown.status, headers=headers)
        if flash:
            self._cookies.put(visit.request, response, Cookie(FLASH, "", 0))
        return response

    def _moved(self, visit: Visit, moved: Moved) -> web.Response:
        headers = {**HEADERS, "Location": quote(local_path(moved.to), safe=IN_ADDRESSES), **moved.headers}
        response = web.Response(status=HTTPStatus.SEE_OTHER, headers=headers)
        flash = [flash_cookie(moved.flash)] if moved.flash else []
        for cookie in (*flash, *moved.cookies):
            self._cookies.put(visit.request, response, cookie)
        return response

    def _chrome(self, visit: Visit, flash: Message | None) -> Chrome:
        request = visit.request
        return Chrome(
            sections=entries(self._sections, request.path),
            visitor=visit.visitor,
            role=ROLES[visit.visitor.role],
            can_sign_out=visit.visitor.signed_in is SignedIn.SESSION,
            flash=flash,
            here=_next_of(request),
            sought=request.query.get("q", ""),
        )

    def _language(self, request: web.Request) -> Language:
        return language_of(request, self._cookies, self._usual)


def _next_of(request: web.Request) -> str:
    """Return where a visitor goes after signing in: to the page that was refused, but not again through a form."""
    return request.path_qs if request.method in ("GET", "HEAD") else "/"


async def _never_called(_request: web.Request) -> web.StreamResponse:
    raise Refused(Code.INTERNAL, "pages are answered by the guard")
