"""Text for people and for channels: what others said without secrets, and other people's text without effects."""

import re
from collections.abc import Iterable, Iterator
from urllib.parse import unquote, urlsplit

from nbsweep.core.redaction import redact, redact_mailboxes

LONGEST_DETAIL = 300
LONGEST_SUBJECT = 250
SHORTEST_SECRET = 6
"""Shorter parts of an address are words or numbers, whose removal would only spoil sentences."""
ZERO_WIDTH_SPACE = "\N{ZERO WIDTH SPACE}"
MENTION = re.compile(r"(?<![\w.+-])@(?=\S)|<(?=\S)")
"""The beginning of a mention or of a tag: an `@` at the beginning of a word, or a `<` before anything."""
UNSEEN = re.compile("[\u202a-\u202e\u2066-\u2069]")
"""Signs that change the direction of what follows them."""
PROVIDER_ID = re.compile(r"[A-Za-z0-9._:<>@-]{1,128}")
WORDS_OF_PATHS = frozenset(
    {
        *(
            "automations",
            "cgi-bin",
            "channels",
            "incoming",
            "invoke",
            "messages",
            "notifications",
            "open-apis",
            "powerautomate",
        ),
        *("publish", "services", "topics", "triggers", "webhook", "webhooks", "workflows"),
    }
)
"""Parts of paths that are no secrets."""


def one_line(text: str, longest: int = LONGEST_SUBJECT) -> str:
    """Return a text on one line, without control characters; cut if it is too long."""
    words = "".join(character if character.isprintable() else " " for character in UNSEEN.sub("", text))
    line = " ".join(words.split())
    return line if len(line) <= longest else f"{line[: longest - 1]}…"


def without_effects(text: str) -> str:
    """Return a text in which names cannot mention anybody, and cannot be tags: an invisible sign takes the effect away.

    No message of nbsweep mentions anybody or holds a tag, so each one comes from a name.
    """
    return MENTION.sub(lambda found: f"{found[0]}{ZERO_WIDTH_SPACE}", text)


def said(text: str, hidden: Iterable[str] = ()) -> str:
    """Return what the other side said on one line, without secrets, addresses of people and long opaque words."""
    for secret in sorted({each for each in hidden if len(each) >= SHORTEST_SECRET}, key=len, reverse=True):
        text = re.sub(re.escape(secret), "***", text, flags=re.IGNORECASE)
    return one_line(redact(redact_mailboxes(text)), LONGEST_DETAIL)


def provider_id(value: object) -> str:
    """Return the other side's id of a message; empty if it is no short word."""
    return value if isinstance(value, str) and PROVIDER_ID.fullmatch(value) else ""


def parts_of_url(url: str) -> Iterator[str]:
    """Yield an address, and each part of it that may be a secret, as it is written and decoded."""
    parts = urlsplit(url)
    yield url
    yield parts.query
    values = [value.partition("=")[2] for value in parts.query.split("&")]
    for value in (*values, *parts.path.split("/"), parts.fragment):
        for form in {value, unquote(value)}:
            if form.casefold() not in WORDS_OF_PATHS:
                yield form
