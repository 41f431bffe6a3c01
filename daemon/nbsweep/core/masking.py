"""Text that comes from elsewhere, without the secrets that it may repeat."""

import re

SECRET_HEADER = re.compile(
    r"(?i)\b(x-security-token|x-auth-token|authorization|signature|access)([\"']?\s*[:=]\s*[\"']?)"
    r"(?:(?:bearer|basic|sdk-hmac-sha256)\s+)?[^|,\s\"'}]+"
)
URL = re.compile(r"(?i)\b([a-z][a-z0-9+.-]{0,20}://)[^\s\"'<>]+")


def redact(text: str) -> str:
    """Take out what a gateway's message repeats of the request's headers (API notes, section 3.1)."""
    return SECRET_HEADER.sub(r"\1\2***", text)


def mask(text: str) -> str:
    """Take out what `redact` does, and where any url leads: a notebook's own has its token in it."""
    folded = text.casefold()
    if "://" in folded or "token" in folded or "authorization" in folded or "signature" in folded or "access" in folded:
        return redact(URL.sub(r"\1***", text))
    # One of these is in every text that has something to mask, and hardly any text has one of them.
    return text
