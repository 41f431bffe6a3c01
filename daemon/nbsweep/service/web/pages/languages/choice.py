"""Chooses the language of a page: that of the cookie, or else the best one that the browser accepts."""

import re

from aiohttp import web

from nbsweep.core.reasons.language import Language
from nbsweep.service.web.cookies import Cookies

COOKIE = "nbsweep-language"
COOKIE_S = 365 * 24 * 3600
MOST_ACCEPTED = 20
"""Number of entries of Accept-Language that are read."""
ACCEPTED = re.compile(r"\s*(zh|en)(?:-[A-Za-z0-9-]+)?\s*(?:;\s*q=([01](?:\.[0-9]{1,3})?))?\s*", re.IGNORECASE)


def language_of(request: web.Request, cookies: Cookies, usual: Language) -> Language:
    """Return the language for a request; `usual` is for a browser that asks for none of ours."""
    chosen = cookies.read(request, COOKIE)
    if chosen in list(Language):
        return Language(chosen)
    return preferred_language(request.headers.get("Accept-Language", ""), usual)


def preferred_language(accepted: str, usual: Language) -> Language:
    """Return the language that a browser prefers among ours, by its header Accept-Language."""
    found = [match for part in accepted.split(",")[:MOST_ACCEPTED] if (match := ACCEPTED.fullmatch(part))]
    wanted = [(float(match[2] or 1), Language(match[1].lower())) for match in found]
    # The first one of those that are equally good.
    best = max(wanted, key=lambda each: each[0], default=(0.0, usual))
    return best[1] if best[0] > 0 else usual
