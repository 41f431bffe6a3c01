"""Describes failures of connections without quoting received data, and finds proxies in the environment; for all adapters."""

import os
import re
import socket
import ssl
from urllib.parse import urlsplit
from urllib.request import getproxies_environment, proxy_bypass_environment  # type: ignore[attr-defined]  # typeshed has one

QUOTED = re.compile(r"\bb['\"].*", re.DOTALL)
"""Bytes that aiohttp's errors quote if they are not HTTP; they may contain a token or a notebook's row."""


def words_of(error: Exception) -> str:
    """Describe a failure of the transport on one line, without quoting any received data."""
    cause = error.__cause__ or error
    if isinstance(cause, ssl.SSLError):
        return _words_of_tls(cause)
    if isinstance(cause, OSError) and not isinstance(cause, socket.gaierror) and (cause.errno or 0) > 0:
        return os.strerror(cause.errno or 0)
    text = getattr(cause, "strerror", None) or getattr(cause, "verify_message", None) or str(cause) or type(cause).__name__
    return " ".join(QUOTED.sub("", str(text)).split()).rstrip(" :")


def _words_of_tls(error: ssl.SSLError) -> str:
    """Describe a TLS error by OpenSSL's message; its number is not one of the operating system."""
    if verify_message := getattr(error, "verify_message", ""):
        return str(verify_message).rstrip(".")
    words = (error.reason or "the connection cannot be encrypted").replace("_", " ").lower()
    plain = words in ("wrong version number", "record layer failure", "packet length too long")
    return f"{words}; does the server speak plain HTTP on this port?" if plain else words


def unreadable_certificates() -> str:
    """Return a clause that names SSL_CERT_FILE if the file cannot be read: OpenSSL ignores such a file without an error."""
    path = os.environ.get("SSL_CERT_FILE")
    if not path or (os.path.isfile(path) and os.access(path, os.R_OK)):  # noqa: PTH113  # as OpenSSL looks at it
        return ""
    return f"; SSL_CERT_FILE names {path}, which cannot be read"


def proxy_of_environment(url: str) -> str | None:
    """Return the address of the proxy for an address, by the variables of the environment."""
    parts, proxies = urlsplit(url), getproxies_environment()
    found = proxies.get(parts.scheme) or proxies.get("all")
    if not found or proxy_bypass_environment(parts.netloc, proxies):
        return None
    return found if "://" in found else f"http://{found}"
