"""Addresses of servers that keys and passwords are sent to."""

import ipaddress
import re
import ssl
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, SecretStr, StrictStr

from nbsweep.settings.fields.paths import FilePath
from nbsweep.settings.fields.types import Written

USUAL_PORTS = {"https": 443, "http": 80}
SERVER = r"^https?://([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?/?$"
"""An address without a path."""
ENDPOINT = Written(SERVER, "must be an address without a path, such as https://modelarts.cn-north-4.myhuaweicloud.com")


def _endpoint(url: str) -> str:
    return encrypted_address(url, "or keys would travel in clear; http:// is for a server on this machine only")


def encrypted_address(url: str, why: str) -> str:
    """Return the canonical form of an address at which everything is encrypted, unless it is on this machine.

    Raises:
        ValueError: it is not; says why it should.
    """
    try:
        port = urlsplit(url).port
    except ValueError:
        port = 0
    if port == 0:
        raise ValueError("must have a port from 1 to 65535, or none")
    if url.startswith("http:") and not is_loopback(urlsplit(url).hostname or ""):
        raise ValueError(f"must begin with https://, {why}")
    return canonical_address(url)


def canonical_address(url: str) -> str:
    """Return the canonical form of an address, so that addresses can be compared.

    The scheme and the host are in lower case; the usual port, the slash and the dot at the end of either are left out.
    """
    parts = urlsplit(url)
    host = (parts.hostname or "").removesuffix(".")
    bracketed = f"[{ipaddress.ip_address(host).compressed}]" if ":" in host else host
    port = "" if parts.port in (None, USUAL_PORTS[parts.scheme]) else f":{parts.port}"
    return f"{parts.scheme}://{bracketed}{port}"


def is_loopback(host: str) -> bool:
    """Return whether a host is this machine."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


PRIVATE_URL = re.compile(r"https?://[A-Za-z0-9.:\[\]-]+([/?][!-~]*)?")


def check_private_url(url: str) -> None:
    """Refuse an address that is no valid one, or that would travel in clear. The message does not repeat the address.

    Raises:
        ValueError: it is.
    """
    try:
        host, port = urlsplit(url).hostname or "", urlsplit(url).port
    except ValueError:
        host, port = "", 0
    if not host or port == 0 or not PRIVATE_URL.fullmatch(url):
        raise ValueError("must be an address that begins with https://, with nothing before or after it")
    if url.startswith("http:") and not is_loopback(host):
        raise ValueError("must begin with https://, or it would travel in clear; http:// is for a server on this machine only")


Endpoint = Annotated[StrictStr, ENDPOINT, AfterValidator(_endpoint)]
"""Scheme, host and port, without a slash at its end; encrypted, unless it is on this machine."""


PROXY = Written(
    r"^(none|https?://([^\s/@]+@)?([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?/?)$",
    "must be an address such as http://proxy.example.com:3128, or none",
)
Proxy = Annotated[SecretStr, PROXY]
"""The address of an HTTP proxy. It may hold a name and a password, so it is never shown."""


def _certificates(path: str) -> str:
    try:
        ssl.create_default_context(cafile=path)
    except ssl.SSLError:
        raise ValueError("must be a file of certificates in PEM form; there is none in it") from None
    except OSError as error:
        raise ValueError(f"cannot be read: {error.strerror or 'unknown reason'}") from None
    return path


CaFile = Annotated[FilePath, AfterValidator(_certificates)]
"""A file of certificates that is there and can be used."""
