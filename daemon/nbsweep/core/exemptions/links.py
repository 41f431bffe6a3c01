"""The tokens of one-time links: what a notice offers, signed, so that nobody else can offer it.

A token is compared as text with the only token that each key gives for its content. So there is exactly one spelling of a valid
token; a signature that is decoded first, as in common libraries, has several spellings in base64.
"""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256

import msgspec
from msgspec import Struct

from nbsweep.core.model import microseconds, moment_of

PURPOSE = b"nbsweep keep 1"
"""What the signature is for: a signature for anything else is not valid here."""
PATH = "/keep/"
"""Where the pages of links are; the rest of the path is the token."""
LONGEST_TOKEN = 512
SHORTEST_KEY = 32
"""Bytes of a key, at least."""


class KeepLink(Struct, frozen=True, array_like=True):
    """The content of a link: the marked instance, and how long the link is valid."""

    mark_id: str
    created_us: int
    """The creation of the notebook, in microseconds since 1970."""
    expires_us: int
    """When the link ends, in microseconds since 1970."""

    @property
    def created_at(self) -> datetime:
        """The creation of the notebook."""
        return moment_of(self.created_us)

    @property
    def expires_at(self) -> datetime:
        """When the link ends."""
        return moment_of(self.expires_us)


def keep_link(mark_id: str, created_at: datetime, expires_at: datetime) -> KeepLink:
    """Return the content of a link.

    Raises:
        ValueError: a moment is naive.
    """
    return KeepLink(mark_id, microseconds(created_at), microseconds(expires_at))


def sign_link(link: KeepLink, key: bytes) -> str:
    """Return the token of a link, which only consists of letters, digits, `-`, `_` and one dot."""
    return _signed(_text(msgspec.json.encode(link)), key)


def read_link(token: str, keys: Sequence[bytes]) -> KeepLink | None:
    """Return the content of a token that one of the keys has signed; None for any other text."""
    content, _, _ = token.partition(".")
    if len(token) > LONGEST_TOKEN or not token.isascii():
        return None
    # Every key is tried, so that the time says nothing about them.
    matches = [hmac.compare_digest(token, _signed(content, key)) for key in keys]
    if True not in matches:
        return None
    return msgspec.json.decode(urlsafe_b64decode(content + "=" * (-len(content) % 4)), type=KeepLink)


def _signed(content: str, key: bytes) -> str:
    signature = hmac.digest(key, PURPOSE + b"\n" + content.encode("ascii"), sha256)
    return f"{content}.{_text(signature)}"


def _text(content: bytes) -> str:
    return urlsafe_b64encode(content).rstrip(b"=").decode("ascii")
