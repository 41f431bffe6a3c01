"""Selects the proxy and the trusted certificates for the calls to a server.

The proxy variables are those of Python's own libraries: HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY, in either case.
aiohttp's `trust_env` also takes passwords from ~/.netrc, and these would replace the signatures.
"""

import ssl
from collections.abc import Mapping
from typing import Any

from msgspec import Struct
from yarl import URL

from nbsweep.adapters.network import proxy_of_environment
from nbsweep.settings import TargetSettings

STRAIGHT: Mapping[str, Any] = {}
"""Options for calls without a proxy. All calls to the metadata server use them."""


class Route(Struct, frozen=True):
    """The proxy and the trusted certificates of a target."""

    proxy: str | None = None
    """The address of the proxy, which may contain a password; "none" for no proxy, None for the proxy of the environment."""
    trust: ssl.SSLContext | None = None
    """None for the certificates in SSL_CERT_FILE, or those that this machine trusts."""

    @classmethod
    def of(cls, target: TargetSettings) -> "Route":
        """Build the route of a target; reads the certificates in its `ca_file`."""
        proxy = target.proxy.get_secret_value() if target.proxy is not None else None
        trust = ssl.create_default_context(cafile=target.ca_file) if target.ca_file is not None else None
        return cls(proxy, trust)

    def to(self, url: str) -> Mapping[str, Any]:
        """Return the options that aiohttp needs for each request to a server."""
        proxy = proxy_of_environment(url) if self.proxy is None else self.proxy
        options: dict[str, Any] = {"proxy": URL(proxy)} if proxy and proxy != "none" else {}
        return options | {"ssl": self.trust} if self.trust is not None else options
