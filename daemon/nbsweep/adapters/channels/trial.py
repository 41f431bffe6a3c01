"""Tries a channel as far as that goes without a message: its secrets, its library, and the connection to its server."""

import ssl
from importlib.util import find_spec
from urllib.parse import urlsplit

import anyio
from msgspec import Struct
from pydantic import SecretStr

from nbsweep.adapters.channels.kinds.smn import endpoint_of
from nbsweep.adapters.channels.kinds.smtp import SmtpSender
from nbsweep.adapters.channels.open import mail_server
from nbsweep.adapters.network import proxy_of_environment, words_of
from nbsweep.adapters.secret_files import SecretSource, Unusable
from nbsweep.core.notices.channel import Acceptance
from nbsweep.core.ports import Clock
from nbsweep.settings.people.channels import AnyChannel, AppriseSettings, HttpChannelSettings, SmnSettings, SmtpSettings

CONNECT_S = 10.0
SECRETS = ("url", "secret", "password")


class Trial(Struct, frozen=True):
    """The result for one channel; the finding shows no secret and no private address."""

    works: bool
    finding: str


async def try_channel(name: str, settings: AnyChannel, clock: Clock) -> Trial:
    """Read the secrets of a channel, and connect to its server; a mail server is also logged in to. No message is sent."""
    place = f"channels.{name}"
    try:
        _read_secrets(place, settings)
        match settings:
            case SmtpSettings():
                return await _try_mail_server(place, settings, clock)
            case AppriseSettings():
                return _try_apprise()
            case SmnSettings():
                return await _try_address(settings.endpoint or endpoint_of(settings.topic_urn), None, None)
            case _:
                return await _try_http(place, settings)
    except Unusable as error:
        return Trial(works=False, finding=str(error))


def _read_secrets(place: str, settings: AnyChannel) -> None:
    """Read each file with a secret.

    Raises:
        Unusable: one cannot be read, other users can read it, or it holds no secret.
    """
    for key in SECRETS:
        paths: str | tuple[str, ...] = getattr(settings, f"{key}_file", None) or ()
        for path in (paths,) if isinstance(paths, str) else paths:
            SecretSource(f"{place}.{key}", path=path).read()


async def _try_mail_server(place: str, settings: SmtpSettings, clock: Clock) -> Trial:
    attempt = await SmtpSender(mail_server(place, settings), settings.sender, settings.reply_to, clock).log_in()
    server = f"{settings.host}:{settings.port_in_force}"
    if attempt.receipt.acceptance is not Acceptance.ACCEPTED:
        return Trial(works=False, finding=f"{server}: {attempt.receipt.detail}")
    return Trial(works=True, finding=f"{server} {'takes the login' if settings.username else 'answers'}")


def _try_apprise() -> Trial:
    if find_spec("apprise") is None:
        return Trial(works=False, finding="Apprise is not installed: install nbsweep[apprise]")
    return Trial(works=True, finding="Apprise is installed; its service was not called")


async def _try_http(place: str, settings: HttpChannelSettings) -> Trial:
    url = SecretSource(f"{place}.url", settings.url, settings.url_file).read()
    return await _try_address(url, settings.proxy, settings.ca_file)


async def _try_address(url: str, proxy: SecretStr | None, ca_file: str | None) -> Trial:
    """Connect to the server of an address, or to the proxy before it."""
    chosen = proxy.get_secret_value() if proxy is not None else proxy_of_environment(url)
    through = chosen if chosen and chosen != "none" else None
    who = "the proxy" if through else "the server"
    try:
        parts = urlsplit(through or url)
        trust = ssl.create_default_context(cafile=None if through else ca_file) if parts.scheme == "https" else None
        with anyio.fail_after(CONNECT_S):
            await _connect(parts.hostname or "", parts.port or (443 if trust else 80), trust)
    except TimeoutError:
        return Trial(works=False, finding=f"{who} does not answer within {CONNECT_S:.0f} s")
    except (OSError, ValueError) as error:
        return Trial(works=False, finding=f"{who} cannot be reached: {words_of(error)}")
    return Trial(works=True, finding=f"{who} answers")


async def _connect(host: str, port: int, trust: ssl.SSLContext | None) -> None:
    """Open a connection, encrypted if there are certificates to trust, and close it."""
    if trust is None:
        await (await anyio.connect_tcp(host, port)).aclose()
        return
    stream = await anyio.connect_tcp(host, port, tls=True, ssl_context=trust, tls_standard_compatible=False)
    await stream.aclose()
