"""Builds the one-time links of notices, and what answers them."""

from collections.abc import Callable
from datetime import datetime

from nbsweep.adapters.secret_files import SecretSource, Unusable
from nbsweep.core.checks import Check, failed, passed
from nbsweep.core.errors import ConfigurationError, Mistake
from nbsweep.core.exemptions.links import PATH, SHORTEST_KEY, sign_link
from nbsweep.core.granting.keeping import offer_to_keep
from nbsweep.core.marks.model import Mark
from nbsweep.core.ports import Clock
from nbsweep.settings import Settings

SETTING = "exemptions.link_key"
KeepLinks = Callable[[Mark], tuple[str, datetime] | None]


def offers_links(settings: Settings) -> bool:
    """Return whether notices have links."""
    return settings.exemptions.page_url is not None and bool(settings.exemptions.owners_may)


def read_link_keys(settings: Settings) -> tuple[bytes, ...]:
    """Read the keys of links; the first one signs.

    Raises:
        ConfigurationError: a file cannot be read, other users can read it, or its key is too short.
    """
    return tuple(_read_key(path) for path in settings.exemptions.link_key_file or ())


def make_keep_links(settings: Settings, clock: Clock) -> KeepLinks:
    """Return what makes the link for a mark, and until when the owner may keep the notebook.

    Raises:
        ConfigurationError: a key cannot be used.
    """
    page_url, keys, length = settings.exemptions.page_url, read_link_keys(settings), settings.exemptions.owners_may

    def link_of(mark: Mark) -> tuple[str, datetime] | None:
        offer = offer_to_keep(mark)
        return (f"{page_url}{PATH}{sign_link(offer, keys[0])}", clock.now() + length) if offer else None

    return link_of


def check_links(settings: Settings) -> list[Check]:
    """Check the keys of links, if there are links."""
    if settings.exemptions.page_url is None:
        return []
    try:
        keys = read_link_keys(settings)
    except ConfigurationError as error:
        return [failed("links", error, "Notices have no links to keep a notebook until the key can be read.")]
    if not offers_links(settings):
        return [passed("links", "exemptions.owners_may is 0s: notices have no links")]
    count = "1 key" if len(keys) == 1 else f"{len(keys)} keys"
    finding = f"{count}; owners open links at {settings.exemptions.page_url}{PATH}, which must lead to service.listen"
    return [passed("links", finding)]


def _read_key(path: str) -> bytes:
    try:
        key = SecretSource(SETTING, path=path).read().encode()
    except Unusable as error:
        raise _mistaken(str(error).removeprefix(f"{SETTING}_file: ")) from error
    if len(key) < SHORTEST_KEY:
        raise _mistaken(f"{path} holds a key of {len(key)} bytes; `openssl rand -base64 32` makes one that is long enough")
    return key


def _mistaken(problem: str) -> ConfigurationError:
    return ConfigurationError("the configuration", (Mistake(f"{SETTING}_file", None, problem),))
