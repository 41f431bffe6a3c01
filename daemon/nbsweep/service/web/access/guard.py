"""Checks every request, and adds headers to every response."""

import re
from collections.abc import Mapping

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from nbsweep.core.ports import Telemetry
from nbsweep.service.web.access.auth import TokenAuth
from nbsweep.service.web.access.connections import Connections
from nbsweep.service.web.address import LOOPBACK_NAMES, Address
from nbsweep.service.web.bodies import read_body
from nbsweep.service.web.errors import Code, Refused, error_answer, refusal_of
from nbsweep.service.web.keep.routes import HEADERS, PageAddress, is_page

LARGEST_BODY_BYTES = 16 * 1024
ON_EVERY_ANSWER: Mapping[str, str] = {
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Server": "nbsweep",
}


def guard(
    address: Address, auth: TokenAuth, connections: Connections, telemetry: Telemetry, pages: PageAddress | None = None
) -> Middleware:
    """Return the middleware that checks requests and converts exceptions to responses."""

    @web.middleware
    async def guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
        response: web.StreamResponse
        try:
            require_small_body(request)
            if pages and is_page(request):
                pages.require(request, address)
            else:
                require_host(request, address)
                require_same_origin(request)
                auth.admit(request)
            with connections.serving(request.protocol):
                response = await handler(request)
        except Exception as error:  # noqa: BLE001 -- whatever it is, it is told in the one shape
            response = error_answer(refusal_of(request, error, telemetry))
        response.headers.update(ON_EVERY_ANSWER)
        if is_page(request):
            response.headers.update(HEADERS)
        return response

    return guarded


def require_host(request: web.Request, address: Address) -> None:
    """Refuse requests to loopback under a foreign host name. On other addresses the token protects the API."""
    if not address.on_loopback:
        return
    name = re.sub(r":[0-9]{1,5}$", "", request.headers.get("Host", "")).lower()
    if name not in LOOPBACK_NAMES and name != address.name:
        raise Refused(Code.FORBIDDEN, "the Host header must be localhost, 127.0.0.1 or [::1]")


def require_same_origin(request: web.Request) -> None:
    """Refuse requests that a browser sends for a page of another origin."""
    origin = request.headers.get("Origin")
    if origin is None:
        return
    host = request.headers.get("Host", "").lower()
    if origin.lower() not in (f"http://{host}", f"https://{host}"):
        raise Refused(Code.FORBIDDEN, "requests from pages of another origin are not allowed")


def require_small_body(request: web.Request) -> None:
    """Refuse a body whose declared length is too large. A body without a length is read up to the limit only."""
    if (request.content_length or 0) > LARGEST_BODY_BYTES:
        raise Refused(Code.TOO_LARGE, f"the body of the request is larger than {LARGEST_BODY_BYTES} bytes")


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
