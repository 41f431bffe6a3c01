"""Checks every request, and adds headers to every response."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from nbsweep.core.errors import JournalError
from nbsweep.core.ports import Telemetry
from nbsweep.service.web.access.auth import PUBLIC, Auth
from nbsweep.service.web.access.connections import Connections
from nbsweep.service.web.access.origin import READING, require_own_site
from nbsweep.service.web.access.visitors import NOBODY, VISITOR, Needs, SignedIn, Visitor
from nbsweep.service.web.address import LOOPBACK_NAMES, Address
from nbsweep.service.web.api.operations import APPROVING
from nbsweep.service.web.bodies import read_body
from nbsweep.service.web.errors import Code, Refused, error_answer, refusal_of
from nbsweep.service.web.keep.routes import HEADERS, PageAddress, is_page
from nbsweep.service.web.messages import message
from nbsweep.service.web.pages.site import Site

LARGEST_BODY_BYTES = 16 * 1024
ON_EVERY_ANSWER: Mapping[str, str] = {
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Server": "nbsweep",
}


@dataclass(frozen=True, slots=True)
class Guard:
    """Checks requests, has them answered, and converts exceptions to responses."""

    address: Address
    auth: Auth
    connections: Connections
    telemetry: Telemetry
    site: Site
    links: PageAddress | None = None
    """Where the pages of one-time links are reached; None if there are none."""

    def middleware(self) -> Middleware:
        """Return the middleware of the application."""

        @web.middleware
        async def guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
            with self.connections.serving(request.protocol):
                response = await self._answer(request, handler)
            for name, value in ON_EVERY_ANSWER.items():
                response.headers.setdefault(name, value)
            return response

        return guarded

    async def _answer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if self.links and is_page(request):
            return await self._link(self.links, request, handler)
        if self.site.has(request):
            return await self._page(request, handler)
        try:
            request[VISITOR] = await self._admitted(request, needs_of_api(request))
            return await handler(request)
        except Exception as error:  # noqa: BLE001 -- whatever it is, it is told in the one shape
            return error_answer(refusal_of(request, error, self.telemetry))

    async def _link(self, links: PageAddress, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answer a request to a page of a one-time link."""
        try:
            require_small_body(request)
            links.require(request, self.address)
            response = await handler(request)
        except Exception as error:  # noqa: BLE001 -- whatever it is, it is told in the one shape
            response = error_answer(refusal_of(request, error, self.telemetry))
        response.headers.update(HEADERS)
        return response

    async def _page(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answer a request to a page; whatever goes wrong is shown as a page."""
        try:
            route = self.site.route_of(request)
            largest_bytes = route.largest_form_bytes if route else LARGEST_BODY_BYTES
            visitor = await self._admitted(request, route.needs if route else Needs.NOTHING, largest_bytes)
            # Without a route, the handler raises what is wrong with the address.
            return await self.site.answer(request, route, visitor) if route else await handler(request)
        except Exception as error:  # noqa: BLE001 -- whatever it is, it is shown in the one shape
            return await self.site.refused(request, error, await self._known(request))

    async def _admitted(self, request: web.Request, needs: Needs, largest_bytes: int = LARGEST_BODY_BYTES) -> Visitor:
        """Return who sends a request that may pass.

        Raises:
            Refused: it may not.
            JournalError: the session of the visitor cannot be read.
        """
        require_small_body(request, largest_bytes)
        if not self.auth.proxies.passes_on(request):
            require_host(request, self.address)
        visitor = await self.auth.visitor(request)
        self.auth.admit(request, visitor, needs)
        require_own_site(request, has_token=visitor.signed_in is SignedIn.BEARER)
        return visitor

    async def _known(self, request: web.Request) -> Visitor:
        """Return who sends a request that was refused, as far as the journal can be read."""
        try:
            return await self.auth.visitor(request)
        except JournalError:
            return NOBODY


def needs_of_api(request: web.Request) -> Needs:
    """Return what a request to the API needs."""
    if request.method not in READING:
        resource = request.match_info.route.resource
        return Needs.APPROVER if resource and resource.canonical in APPROVING else Needs.ADMIN
    return Needs.NOTHING if request.path in PUBLIC else Needs.READING


def require_host(request: web.Request, address: Address) -> None:
    """Refuse requests to loopback under a foreign host name. On other addresses the token protects the API."""
    if not address.on_loopback:
        return
    name = re.sub(r":[0-9]{1,5}$", "", request.headers.get("Host", "")).lower()
    if name not in LOOPBACK_NAMES and name != address.name:
        raise Refused(Code.FORBIDDEN, message("the Host header must be localhost, 127.0.0.1 or [::1]"))


def require_small_body(request: web.Request, largest_bytes: int = LARGEST_BODY_BYTES) -> None:
    """Refuse a body whose declared length is too large. A body without a length is read up to the limit only."""
    if (request.content_length or 0) > largest_bytes:
        said = message("the body of the request is larger than %(largest)s bytes", largest=str(largest_bytes))
        raise Refused(Code.TOO_LARGE, said)


def reject_unknown_query(handler: Handler, *keys: str, takes_body: bool = False) -> Handler:
    """Refuse requests with unknown or repeated query keys, or with a body unless the handler reads it."""

    async def checked(request: web.Request) -> web.StreamResponse:
        for key in request.query:
            if key not in keys:
                known = f"only {', '.join(keys)}" if keys else "no query"
                raise Refused(Code.BAD_REQUEST, f"unknown query key; this address accepts {known}")
            if len(request.query.getall(key)) > 1:
                raise Refused(Code.BAD_REQUEST, f"query key {key} is repeated")
        if not takes_body and request.can_read_body and await read_body(request):
            raise Refused(Code.BAD_REQUEST, "this address takes no body")
        return await handler(request)

    return checked
