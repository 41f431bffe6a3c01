"""Text that comes from elsewhere, without the secrets that it may repeat.

Other people write it, and nothing bounds its length. Each of the expressions starts at a fixed word, or where the character
before rules out another start, and gives nothing back (`+` after a repetition): the time is in proportion to the length.
"""

import re

SECRET_VALUE = re.compile(
    r"(?i)((?:token|secret|password|signature|authorization|access)[\w-]{0,40}+[\"']?\s*+[:=][\[({\s\"':=]*+)"
    r"(?:(?:bearer|basic|sdk-hmac-sha256)\s+)?[^|,\s\"'}\])]+"
)
"""What stands behind the name of a secret, as in `X-Auth-Token: ...`, `"token": "..."` and `?token=...`."""
ADDRESS = re.compile(r"(://)[^\s\"'<>|]+")
"""A notebook's address opens it; nor is it told apart from others here."""
OPAQUE = re.compile(r"(?<![\w/+=%.-])[\w+=%-][\w/+=%-]{39,}")
"""A run of letters without a name: keys, tokens and signatures are that long; ids, paths and words are not."""
SIGNS = ("://", "token", "secret", "password", "signature", "authorization", "access")
"""One of these is in every text that `mask` has to do something about, and hardly any text has one of them."""


def redact(text: str) -> str:
    """Take out what a gateway's message repeats of a request's headers (API notes, section 3.1) or of a notebook's row."""
    return OPAQUE.sub("***", _without_named(text))


def mask(text: str) -> str:
    """Do what `redact` does, but leave long words alone, for a notebook's name may be one."""
    folded = text.casefold()
    return _without_named(text) if any(sign in folded for sign in SIGNS) else text


def _without_named(text: str) -> str:
    return ADDRESS.sub(r"\1***", SECRET_VALUE.sub(r"\1***", text))
