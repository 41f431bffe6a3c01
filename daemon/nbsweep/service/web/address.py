"""The address of the HTTP API, and whether other machines can reach it."""

from ipaddress import ip_address

from msgspec import Struct

from nbsweep.core.errors import ConfigurationError, Mistake

HIGHEST_PORT = 65_535
LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})
"""A web page can point its own host name to loopback (DNS rebinding), but it cannot send one of these names as Host."""


def mistaken(key: str, problem: str) -> ConfigurationError:
    """Return the error for a key of `service`."""
    return ConfigurationError("the configuration", (Mistake(f"service.{key}", None, problem),))


class Address(Struct, frozen=True):
    """A host and a port to listen on."""

    host: str
    """Without the brackets of an IPv6 address."""
    port: int
    """0 for any free port."""

    @classmethod
    def of(cls, listen: str) -> "Address":
        """Read `service.listen`.

        Raises:
            ConfigurationError: the text is not an address.
        """
        host, _, port = listen.rpartition(":")
        if not host or not (port.isascii() and port.isdigit()) or int(port) > HIGHEST_PORT:
            raise mistaken("listen", f"must be an address and a port up to {HIGHEST_PORT}, such as 127.0.0.1:9464")
        # Not resolved: `localhost` means this machine, even if the resolver says otherwise.
        return cls("127.0.0.1" if host.lower() == "localhost" else host.removeprefix("[").removesuffix("]"), int(port))

    @property
    def on_loopback(self) -> bool:
        """Return whether only this machine can reach the address. A host name may resolve to any address."""
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return False

    @property
    def name(self) -> str:
        """Return the host in the form that precedes a port."""
        return f"[{self.host}]" if ":" in self.host else self.host

    def __str__(self) -> str:
        """Return the address in the format of the configuration."""
        return f"{self.name}:{self.port}"
