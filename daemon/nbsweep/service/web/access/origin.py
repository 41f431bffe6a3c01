"""Refuses requests that a browser sends for a page of another site.

Browsers say where a request comes from in Sec-Fetch-Site; older ones name the origin of a form. A program says neither: it
shows a token, which no browser sends by itself.
"""

from aiohttp import web

from nbsweep.service.web.errors import Code, Refused
from nbsweep.service.web.messages import message

READING = frozenset({"GET", "HEAD"})
OWN = frozenset({"same-origin", "none"})
"""A page of ours, and what somebody typed or opened from outside of the browser."""
ANOTHER_SITE = message("requests from pages of another site or origin are not allowed")
UNKNOWN_SITE = message(
    "the browser does not say which page sent this form: open nbsweep by https:// or on localhost, or use a newer browser; "
    "programs need a token in the header Authorization"
)


def require_own_site(request: web.Request, *, has_token: bool) -> None:
    """Check where a request comes from; `has_token` says whether it shows a valid token in its header.

    Raises:
        Refused: it comes from a page of another site, or it changes something and does not say where it comes from.
    """
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        _require_own(site.lower() in OWN or _opens_a_page(request))
        return
    origin = request.headers.get("Origin")
    if origin is not None:
        host = request.headers.get("Host", "").lower()
        _require_own(origin.lower() in (f"http://{host}", f"https://{host}"))
        return
    if request.method not in READING and not has_token:
        raise Refused(Code.FORBIDDEN, UNKNOWN_SITE)


def _opens_a_page(request: web.Request) -> bool:
    """Return whether a browser opens a page by a link on another site, as from a mail or a chat; that only reads."""
    return request.method in READING and request.headers.get("Sec-Fetch-Mode", "").lower() == "navigate"


def _require_own(is_own: bool) -> None:  # noqa: FBT001 - the only argument
    if not is_own:
        raise Refused(Code.FORBIDDEN, ANOTHER_SITE)
