"""The routes of the pages, and the rules for requests to them."""

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from aiohttp import web
from msgspec import Struct

from nbsweep.core.exemptions.links import PATH
from nbsweep.service.web.address import LOOPBACK_NAMES, Address
from nbsweep.service.web.errors import Code, Refused

HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow",
}
"""On every answer there. No page loads anything from elsewhere, and no link is told to another site."""
SAME_SITE = ("same-origin", "none")
"""What browsers say of a form on our own page, and of what was typed or opened from outside."""


class PageAddress(Struct, frozen=True):
    """The address at which owners reach the pages."""

    url: str
    """The setting `exemptions.page_url`: scheme, host and port."""

    def require(self, request: web.Request, address: Address) -> None:
        """Check the host, and for a change, where its form comes from.

        Raises:
            Refused: the host is not one of ours, or the form is on a page of another site.
        """
        host = request.headers.get("Host", "").lower()
        name = re.sub(r":[0-9]{1,5}$", "", host)
        if name not in (*LOOPBACK_NAMES, address.name.lower(), self._name):
            raise Refused(Code.FORBIDDEN, f"the Host header must be that of exemptions.page_url, {self._name}")
        if request.method not in ("GET", "HEAD"):
            self._require_own_form(request, host)

    def _require_own_form(self, request: web.Request, host: str) -> None:
        """Refuse forms of other sites. A page without referrer sends the origin `null`; older browsers say nothing else."""
        origin = request.headers.get("Origin", "null").lower()
        site = request.headers.get("Sec-Fetch-Site", "none").lower()
        if origin not in ("null", self.url.lower(), f"http://{host}", f"https://{host}") or site not in SAME_SITE:
            raise Refused(Code.FORBIDDEN, "forms on pages of another site are not allowed")

    @property
    def _name(self) -> str:
        name = urlsplit(self.url).hostname or ""
        return f"[{name}]" if ":" in name else name


def is_page(request: web.Request) -> bool:
    """Return whether a request is to a page of a link."""
    return request.path.startswith(PATH)
