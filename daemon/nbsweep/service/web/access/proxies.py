"""Knows visitors by the headers of a trusted reverse proxy, such as oauth2-proxy.

Only one family of headers is read: a proxy overwrites the headers that it sets itself, and may pass on others that a visitor
has made up.
"""

import hmac
from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address
from pathlib import Path

from aiohttp import web
from msgspec import Struct

from nbsweep.service.web.access.tokens import Role, read_token
from nbsweep.service.web.access.visitors import NOBODY, ORDER, SignedIn, Visitor

SECRET_HEADER = "X-Nbsweep-Proxy-Secret"  # noqa: S105 - the header's name
SECRET_KEY = "proxy_secret_file"  # noqa: S105 - the configuration's key
LONGEST_VALUE = 256
MOST_GROUPS = 1000


class ProxySettings(Struct, frozen=True):
    """The proxies that are trusted, and the roles of their users."""

    networks: tuple[IPv4Network | IPv6Network, ...] = ()
    family: str = "x-auth-request"
    """What the headers begin with, before `-user`, `-email` and `-groups`."""
    secret_file: Path | None = None
    roles: Mapping[str, Role] = {}
    """The role of the members of a group."""


class Proxies:
    """The trusted proxies."""

    def __init__(self, settings: ProxySettings) -> None:
        """Read the secret.

        Raises:
            ConfigurationError: its file cannot be used.
        """
        self._settings = settings
        self._secret = read_token(settings.secret_file, SECRET_KEY) if settings.secret_file else None

    def __bool__(self) -> bool:
        """Return whether any proxy is trusted."""
        return bool(self._settings.networks)

    def passes_on(self, request: web.Request) -> bool:
        """Return whether a trusted proxy passes on a request: it comes from there, and shows the secret if there is one."""
        if not self._is_from_proxy(request):
            return False
        if self._secret is None:
            return True
        shown = request.headers.getall(SECRET_HEADER, [])
        return len(shown) == 1 and hmac.compare_digest(shown[0].encode("utf-8", "surrogateescape"), self._secret)

    def visitor(self, request: web.Request) -> Visitor:
        """Return the user whom a trusted proxy names; nobody for any other request. A user without a group is a viewer."""
        if not self.passes_on(request):
            return NOBODY
        user = self._header(request, "user")
        if not user:
            return NOBODY
        known_as = tuple(filter(None, (user, self._header(request, "email"))))
        return Visitor(user, self._role(request), SignedIn.PROXY, known_as)

    def _role(self, request: web.Request) -> Role:
        groups = request.headers.getall(f"{self._settings.family}-groups", [])
        named = groups[0].split(",")[:MOST_GROUPS] if len(groups) == 1 else []
        roles = [role for group in named if (role := self._settings.roles.get(group.strip()))]
        return max(roles, key=ORDER.index, default=Role.VIEWER)

    def _header(self, request: web.Request, name: str) -> str:
        """Return the value of a header; empty if it is missing, repeated, too long, or holds what no name does."""
        values = request.headers.getall(f"{self._settings.family}-{name}", [])
        value = values[0].strip() if len(values) == 1 else ""
        return value if value.isprintable() and len(value) <= LONGEST_VALUE else ""

    def _is_from_proxy(self, request: web.Request) -> bool:
        try:
            peer = ip_address(request.remote or "")
        except ValueError:
            return False
        if isinstance(peer, IPv6Address) and peer.ipv4_mapped:
            peer = peer.ipv4_mapped
        return any(peer in network for network in self._settings.networks)
