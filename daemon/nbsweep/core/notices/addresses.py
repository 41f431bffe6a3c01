"""Checks of mail addresses, and the form in which names of owners are compared. Pure.

The checks are stricter than the standards of mail: an address comes from tags, files and names that other people write, and a
wrong one would tell a stranger.
"""

import re
import unicodedata

LONGEST_ADDRESS = 254
"""By RFC 5321, with the brackets left out."""
LONGEST_LOCAL_PART = 64
LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
DOMAIN = re.compile(rf"(?:{LABEL}\.)+[A-Za-z](?:[A-Za-z0-9-]{{0,61}}[A-Za-z0-9])?")
"""At least two labels; the last one begins with a letter, so that no IP address is a domain."""
WORD = r"[A-Za-z0-9_!#$%&'*+/=?^`{|}~-]+"
LOCAL_PART = re.compile(rf"(?!-){WORD}(?:\.{WORD})*")
"""Words of ASCII characters with single dots between them; no quotes, and no dash in front, which looks like an option."""
SAFE_NAME = re.compile(r"[A-Za-z0-9_](?:[.-]?[A-Za-z0-9_])*")
"""A name of an owner that may become the local part of an address: letters, digits and `_`, joined by single signs."""


def is_domain(text: str) -> bool:
    """Return whether a text is the name of a mail domain, such as example.com."""
    return len(text) <= LONGEST_ADDRESS and DOMAIN.fullmatch(text) is not None


def is_address(text: str) -> bool:
    """Return whether a text is one plain mail address, without a display name and without spaces."""
    local, at, domain = text.rpartition("@")
    return bool(at) and len(text) <= LONGEST_ADDRESS and _is_local_part(local) and is_domain(domain)


def _is_local_part(text: str) -> bool:
    return len(text) <= LONGEST_LOCAL_PART and LOCAL_PART.fullmatch(text) is not None


def address_of(name: str, domain: str) -> str | None:
    """Return the address of an owner's name at a domain; None if the name cannot be part of an address."""
    if len(name) > LONGEST_LOCAL_PART or not SAFE_NAME.fullmatch(name):
        return None
    address = f"{name}@{domain}"
    return address if is_address(address) else None


def comparable(name: str) -> str:
    """Return the form in which names and ids of owners are compared: without regard to case and to how accents are encoded."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name.strip()).casefold())
