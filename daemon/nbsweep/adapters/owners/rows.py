"""One entry of the owners' file: checks its fields. No mistake quotes a value, because it may be an address."""

import re
from collections.abc import Mapping

from msgspec import Struct

from nbsweep.core.notices.addresses import is_address
from nbsweep.core.notices.contacts import Contact
from nbsweep.core.reasons.language import Language

FIELDS = ("email", "address", "language", "channel", "name")
LONGEST_KEY = 128
LONGEST_NAME = 100
LONGEST_ADDRESS = 254
CHANNEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
PLAIN_WORD = re.compile(r"[A-Za-z_ -]{1,24}")
"""What a column may be called when it is quoted; a row of addresses in the place of the header is not quoted."""


class FileMistake(Struct, frozen=True):
    """One mistake in the owners' file."""

    line: int | None
    """None if it belongs to no line."""
    problem: str
    """What is wrong, and what is right; never a value of the file."""

    def __str__(self) -> str:
        """Describe the mistake in one line."""
        return self.problem if self.line is None else f"line {self.line}: {self.problem}"


class Row(Struct, frozen=True):
    """One entry of the file, unchecked."""

    line: int
    key: str
    fields: Mapping[str, str]

    def __repr__(self) -> str:
        """Return the row for debugging, without its values."""
        return f"Row(line={self.line})"


def contact_of(row: Row) -> Contact:
    """Return the contact of an entry.

    Raises:
        ValueError: something is wrong; its message says what is right.
    """
    _require_key(row.key)
    if unknown := [field for field in row.fields if field not in FIELDS]:
        raise ValueError(f"{quoted(unknown[0])} is not known; there are {', '.join(FIELDS)}")
    given = {field: value.strip() for field, value in row.fields.items() if value.strip()}
    return Contact(
        address=_address(given),
        source="file",
        channel=_channel(given),
        language=_language(given),
        name=_name(given),
    )


def quoted(field: str) -> str:
    """Return the name of a field for a mistake; if it may be a value, it is not quoted."""
    return field if PLAIN_WORD.fullmatch(field) else "a column or key"


def is_line(text: str, longest: int) -> bool:
    """Return whether a text is one line of printable characters."""
    return 1 <= len(text) <= longest and text.isprintable()


def _require_key(key: str) -> None:
    if not is_line(key, LONGEST_KEY) or key != key.strip():
        raise ValueError(
            f"the owner must be an IAM name or id: one line of 1 to {LONGEST_KEY} characters, without spaces at its ends"
        )


def _address(given: Mapping[str, str]) -> str:
    email, address = given.get("email"), given.get("address")
    if email and address:
        raise ValueError("has both email and address: give one of them")
    if email:
        if not is_address(email):
            raise ValueError("email must be one mail address, such as alice@example.com, without a name and without spaces")
        return email
    if address and not is_line(address, LONGEST_ADDRESS):
        raise ValueError(f"address must be one line of at most {LONGEST_ADDRESS} characters")
    if "channel" not in given:
        raise ValueError("must have an email, or an address and its channel" if not address else "address needs its channel")
    return address or ""


def _channel(given: Mapping[str, str]) -> str:
    channel = given.get("channel", "")
    if channel and not CHANNEL.fullmatch(channel):
        raise ValueError("channel must be the name of a channel of the configuration")
    return channel


def _language(given: Mapping[str, str]) -> Language | None:
    language = given.get("language")
    if language is None:
        return None
    if language not in set(Language):
        raise ValueError("language must be en or zh")
    return Language(language)


def _name(given: Mapping[str, str]) -> str:
    name = given.get("name", "")
    if name and not is_line(name, LONGEST_NAME):
        raise ValueError(f"name must be one line of at most {LONGEST_NAME} characters")
    return name
