"""Which way calls take to a server: through a proxy or not, and whose certificates are trusted.

The environment is read as Python's own libraries read it: HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY, in capitals or not.
aiohttp's `trust_env` would do so too, but takes passwords from ~/.netrc besides, which would replace signatures.
"""

import ssl
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies_environment, proxy_bypass_environment  # type: ignore[attr-defined]  # typeshed has one

from msgspec import Struct
from yarl import URL

from nbsweep.settings import TargetSettings

STRAIGHT: Mapping[str, Any] = {}
"""Through no proxy; the metadata server is never asked in any other way."""


class Route(Struct, frozen=True):
    """What a target says of the way to its servers."""

    proxy: str | None = None
    """The proxy's address, which may hold a password; "none" for no proxy, None for what the environment says."""
    trust: ssl.SSLContext | None = None
    """None: the certificates that this machine trusts, or those of SSL_CERT_FILE."""

    @classmethod
    def of(cls, target: TargetSettings) -> "Route":
        """Read the certificates that a target names."""
        proxy = target.proxy.get_secret_value() if target.proxy is not None else None
        trust = ssl.create_default_context(cafile=target.ca_file) if target.ca_file is not None else None
        return cls(proxy, trust)

    def to(self, url: str) -> Mapping[str, Any]:
        """Give what aiohttp is to be told with each request to a server."""
        proxy = _proxy_of_environment(url) if self.proxy is None else self.proxy
        options: dict[str, Any] = {"proxy": URL(proxy)} if proxy and proxy != "none" else {}
        return options | {"ssl": self.trust} if self.trust is not None else options


def _proxy_of_environment(url: str) -> str | None:
    parts, proxies = urlsplit(url), getproxies_environment()
    found = proxies.get(parts.scheme) or proxies.get("all")
    if not found or proxy_bypass_environment(parts.netloc, proxies):
        return None
    return found if "://" in found else f"http://{found}"
