"""The cookies of the pages: no script reads them, no other site sends them, and they go by HTTPS except on loopback."""

from aiohttp import web
from msgspec import Struct

HOST_ONLY = "__Host-"
"""The prefix of cookies that a browser takes only by HTTPS, and only from this host."""


class Cookie(Struct, frozen=True):
    """A cookie to set; with an empty value it is deleted."""

    name: str
    """The name without the prefix."""
    value: str
    lasts_s: int


class Cookies(Struct, frozen=True):
    """Reads and sets cookies."""

    on_loopback: bool
    """Whether only this machine reaches the service, so that a browser may come by HTTP."""

    def read(self, request: web.Request, name: str) -> str:
        """Return the value of a cookie; empty if there is none."""
        return request.cookies.get(self._full(request, name), "")

    def put(self, request: web.Request, response: web.Response, cookie: Cookie) -> None:
        """Set a cookie on a response."""
        response.set_cookie(
            self._full(request, cookie.name),
            cookie.value,
            max_age=cookie.lasts_s,
            path="/",
            httponly=True,
            samesite="Lax",
            secure=self._is_secure(request),
        )

    def _full(self, request: web.Request, name: str) -> str:
        return f"{HOST_ONLY}{name}" if self._is_secure(request) else name

    def _is_secure(self, request: web.Request) -> bool:
        """Return whether the browser comes by HTTPS; a proxy says so, and on loopback it may come without."""
        return not self.on_loopback or request.headers.get("X-Forwarded-Proto", request.scheme).lower() == "https"
