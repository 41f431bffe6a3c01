"""Redacts secrets in text that comes from elsewhere.

The length of the text has no bound. Each expression starts at a fixed word, or where the character before rules out another
start, and does not backtrack (`+` after a repetition), so the time is proportional to the length.
"""

import re

SECRET_VALUE = re.compile(
    r"(?i)((?:token|secret|password|signature|authorization|access)[\w-]{0,40}+[\"']?\s*+[:=][\[({\s\"':=]*+)"
    r"(?:(?:bearer|basic|sdk-hmac-sha256)\s+)?[^|,\s\"'}\])]+"
)
"""The value behind the name of a secret, as in `X-Auth-Token: ...`, `"token": "..."` and `?token=...`."""
ADDRESS = re.compile(r"(://)[^\s\"'<>|]+")
"""Any URL: the URL of a notebook opens the notebook, and cannot be distinguished from other URLs."""
OPAQUE = re.compile(r"(?<![\w/+=%.-])[\w+=%-][\w/+=%-]{39,}")
"""A long word without a name: keys, tokens and signatures are that long; ids, paths and words are not."""
MAILBOX = re.compile(r"(?<![^\s<>\"'(),;:\[\]])[^\s<>\"'(),;:\[\]@]{1,256}+@[\w.-]+")
"""A mail address."""
SIGNS = ("://", "token", "secret", "password", "signature", "authorization", "access")
"""Each text that `redact_named` changes contains one of these; hardly any other text does."""


def redact(text: str) -> str:
    """Replace named secrets, URLs and long opaque words: a gateway's message may repeat headers of the request."""
    return OPAQUE.sub("***", _without_named(text))


def redact_mailboxes(text: str) -> str:
    """Replace mail addresses, which are personal data: a mail server repeats the recipient in its refusals."""
    return MAILBOX.sub("***", text)


def redact_named(text: str) -> str:
    """Replace named secrets and URLs, but not long words: the name of a notebook may be one."""
    folded = text.casefold()
    return _without_named(text) if any(sign in folded for sign in SIGNS) else text


def _without_named(text: str) -> str:
    return ADDRESS.sub(r"\1***", SECRET_VALUE.sub(r"\1***", text))
