"""Builds the settings of the web server: tokens, proxies, and the pages of links."""

from pathlib import Path

from nbsweep.bootstrap.backtest_process import ProcessBacktester
from nbsweep.bootstrap.people.links import offers_links, read_link_keys
from nbsweep.bootstrap.people.owners import make_directory
from nbsweep.bootstrap.sweeps import OpenResources
from nbsweep.service.control import FleetSource
from nbsweep.service.web.access.proxies import ProxySettings
from nbsweep.service.web.access.tokens import Role, TokenFile
from nbsweep.service.web.app import WebSettings
from nbsweep.service.web.keep.pages import PageSettings
from nbsweep.settings import ServiceSettings, Settings
from nbsweep.settings.access import networks_of


def make_web_settings(settings: Settings, listen: str, opened: OpenResources, fleet: FleetSource | None = None) -> WebSettings:
    """Return the settings of the web server, which listens on an address; `fleet` reads what its processes do, if there is one.

    Raises:
        ConfigurationError: the key of a link cannot be used.
    """
    return WebSettings(
        listen,
        token_files_of(settings.service),
        settings.grant_limits,
        _pages(settings),
        settings.messages.languages[0],
        _proxies(settings.service),
        make_directory(settings, opened.user_lookups, opened.clock) if settings.owners else None,
        settings.owner_limits,
        ProcessBacktester(settings),
        fleet,
    )


def token_files_of(settings: ServiceSettings) -> tuple[TokenFile, ...]:
    """Return the files of the tokens, which are not read yet."""
    one = [TokenFile(Path(settings.api_token_file))] if settings.api_token_file else []
    listed = (
        TokenFile(Path(token.file), Role(token.role), f"api_tokens[{place}].file", token.name or "")
        for place, token in enumerate(settings.api_tokens)
    )
    return (*one, *listed)


def _proxies(settings: ServiceSettings) -> ProxySettings:
    roles = settings.proxy_roles
    secret_file = Path(settings.proxy_secret_file) if settings.proxy_secret_file else None
    admins, approvers = dict.fromkeys(roles.admin, Role.ADMIN), dict.fromkeys(roles.approver, Role.APPROVER)
    return ProxySettings(networks_of(settings.trusted_proxies), settings.proxy_headers, secret_file, {**approvers, **admins})


def _pages(settings: Settings) -> PageSettings | None:
    """Return the settings of the pages of links.

    Raises:
        ConfigurationError: a key of links cannot be used.
    """
    url = settings.exemptions.page_url
    if url is None or not offers_links(settings):
        return None
    return PageSettings(url, read_link_keys(settings), settings.owner_limits, settings.messages.languages[0])
