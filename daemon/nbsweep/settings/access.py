"""Who may use the HTTP API and the pages: tokens, and the users that a reverse proxy vouches for."""

from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated, Literal

from pydantic import AfterValidator, StrictStr

from nbsweep.settings.fields.base import Group
from nbsweep.settings.fields.paths import FilePath
from nbsweep.settings.fields.types import Written

TOKEN_NAME = Written(r"^[0-9A-Za-z][0-9A-Za-z._ -]{0,63}$", "must be a short name of letters, digits, blanks, '.', '_' and '-'")
NETWORK = Written(
    r"^[0-9A-Fa-f:.]+(/[0-9]{1,3})?$", "must be an address or a network, such as 10.0.0.7, 10.0.0.0/28 or fd00::/64"
)
GROUP = Written(r"^[^\x00-\x1f\x7f,]{1,256}$", "must be the name of a group, without commas")


def _network(text: str) -> str:
    """Check an address or a network.

    Raises:
        ValueError: it is none, or it covers every address.
    """
    try:
        network = ip_network(text)
    except ValueError:
        raise ValueError(f"{text} is no network: its address must be the first one, such as 10.0.0.0/28") from None
    if network.prefixlen == 0:
        raise ValueError("covers every address, so that anybody could say who they are")
    return text


Network = Annotated[StrictStr, NETWORK, AfterValidator(_network)]


class ApiTokenSettings(Group):
    """A token of the HTTP API, and what it allows."""

    file: FilePath
    """A file with the token, which no other user of the machine may read."""
    role: Literal["viewer", "approver", "admin"]
    """viewer reads; approver also carries out plans; admin also makes plans, starts sweeps, pauses and resumes."""
    name: Annotated[StrictStr, TOKEN_NAME] | None = None
    """Whose token it is, for the records of changes and the pages; left out, it is the role."""


class ProxyRoleSettings(Group):
    """The groups of the proxy's users that have a role; all other users only read."""

    admin: tuple[Annotated[StrictStr, GROUP], ...] = ()
    """Groups whose members may change everything."""
    approver: tuple[Annotated[StrictStr, GROUP], ...] = ()
    """Groups whose members may carry out plans."""


def networks_of(texts: tuple[str, ...]) -> tuple[IPv4Network | IPv6Network, ...]:
    """Return the networks that the configuration names."""
    return tuple(map(ip_network, texts))


def require_whole(trusted: tuple[str, ...], secret_file: str | None, roles: ProxyRoleSettings) -> None:
    """Check that the settings of a proxy go together.

    Raises:
        ValueError: something is missing.
    """
    if not trusted and (secret_file or roles.admin or roles.approver):
        raise ValueError("has proxy_secret_file or proxy_roles, but no trusted_proxies: name the addresses of the proxy")
    if secret_file is None and any(network.is_loopback for network in networks_of(trusted)):
        raise ValueError(
            "trusts a proxy on this machine, where any other program could say who it is: set proxy_secret_file, and have the "
            "proxy send the secret in the header X-Nbsweep-Proxy-Secret"
        )
