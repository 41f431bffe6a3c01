"""Builds the HTTP API: its middlewares and its routes."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from zoneinfo import ZoneInfo

from aiohttp import web
from aiohttp.typedefs import Handler
from msgspec import Struct

from nbsweep.core.granting.grants import GrantLimits
from nbsweep.core.notices.contacts import OwnerDirectory
from nbsweep.core.ports import Clock, Journal, Telemetry
from nbsweep.core.reasons.language import Language
from nbsweep.service.control import Control, FleetSource
from nbsweep.service.web.access.auth import Auth, RefusalLog
from nbsweep.service.web.access.call_limit import CallLimit
from nbsweep.service.web.access.connections import Connections
from nbsweep.service.web.access.ownership import Ownership
from nbsweep.service.web.access.proxies import Proxies, ProxySettings
from nbsweep.service.web.access.sessions import Sessions
from nbsweep.service.web.access.tokens import TokenFile, Tokens
from nbsweep.service.web.address import Address, mistaken
from nbsweep.service.web.api.exemptions import ExemptionPorts, ExemptionsApi
from nbsweep.service.web.api.fleet import FleetApi
from nbsweep.service.web.api.handlers import Api
from nbsweep.service.web.api.health import Health
from nbsweep.service.web.api.notices import NoticesApi
from nbsweep.service.web.api.openapi import openapi_document
from nbsweep.service.web.api.operations import OPERATIONS
from nbsweep.service.web.cookies import Cookies
from nbsweep.service.web.guard import LARGEST_BODY_BYTES, Guard, reject_unknown_query
from nbsweep.service.web.keep.pages import KeepPages, PageSettings
from nbsweep.service.web.keep.routes import PageAddress
from nbsweep.service.web.pages.book import PageTools, all_pages
from nbsweep.service.web.pages.handlers.events import EventsPage, Pulse
from nbsweep.service.web.pages.layout import Layout
from nbsweep.service.web.pages.site import Site
from nbsweep.service.web.pages.static import StaticFiles
from nbsweep.service.web.planning.api import PlansApi
from nbsweep.service.web.planning.desk import PlanDesk
from nbsweep.service.web.responses import json_answer
from nbsweep.service.web.trying.port import Backtester

ADDRESS = web.AppKey("address", Address)
"""Address of the server. Whether callers need a token depends on it."""
CONNECTIONS = web.AppKey("connections", Connections)
SITE = web.AppKey("site", Site)
"""The pages; all other routes are those of the API, and the pages of one-time links."""


class WebSettings(Struct, frozen=True):
    """The settings of the HTTP API."""

    listen: str
    """An address and a port, as `service.listen`."""
    tokens: tuple[TokenFile, ...] = ()
    limits: GrantLimits = GrantLimits(timedelta(days=90), ZoneInfo("UTC"))
    """The limits on exemptions that administrators grant; their time zone is that of the pages."""
    pages: PageSettings | None = None
    """The pages of one-time links; None if there are no links."""
    language: Language = Language.ENGLISH
    """The language of the pages for a browser that asks for none of ours."""
    proxies: ProxySettings = ProxySettings()
    """The proxies that say who their users are."""
    directory: OwnerDirectory | None = None
    """Knows which owner a user of a proxy is; None if nobody does."""
    owner_limits: GrantLimits = GrantLimits(timedelta(days=30), ZoneInfo("UTC"), "exemptions.owners_may")
    """The limits on exemptions that owners grant themselves."""
    backtester: Backtester | None = None
    """Tries policies on the past; None if there is no page for that."""
    fleet: FleetSource | None = None
    """Reads what the processes of a fleet do; None without a fleet."""


def make_app(
    control: Control,
    journal: Journal,
    exposition: Callable[[], bytes],
    settings: WebSettings,
    telemetry: Telemetry,
    clock: Clock,
) -> web.Application:
    """Build the HTTP API and read its tokens.

    Raises:
        ConfigurationError: the address is invalid, a token cannot be used, or the address needs a token and has none.
    """
    address = protected_address(settings)
    tokens, cookies = Tokens(settings.tokens), Cookies(address.on_loopback)
    tools = PageTools(
        control=control,
        journal=journal,
        clock=clock,
        sessions=Sessions(tokens, journal, clock, cookies),
        ownership=Ownership(settings.directory),
        telemetry=telemetry,
        calls=CallLimit(clock),
        limits=settings.limits,
        events=EventsPage(Pulse(control, journal)),
        desk=PlanDesk(control, journal, clock),
        owner_limits=settings.owner_limits,
        backtester=settings.backtester,
        fleet=settings.fleet,
    )
    log, proxies = RefusalLog(clock, telemetry), Proxies(settings.proxies)
    auth = Auth(tokens, tools.sessions, clock, log, proxies, on_loopback=address.on_loopback)
    connections, site, pages = Connections(), _site(tools, settings, cookies), settings.pages
    checks = Guard(address, auth, connections, telemetry, site, PageAddress(pages.url) if pages else None)
    app = web.Application(middlewares=[checks.middleware()], client_max_size=LARGEST_BODY_BYTES)
    app.on_shutdown.append(tools.events.close)
    app[ADDRESS], app[CONNECTIONS], app[SITE] = address, connections, site
    _add_operations(app.router, _all_handlers(tools, Health(control, exposition)))
    site.add_routes(app.router)
    if pages:
        KeepPages(pages, journal, clock, telemetry).add_routes(app.router)
    return app


def protected_address(settings: WebSettings) -> Address:
    """Return the address to listen on.

    Raises:
        ConfigurationError: it is invalid, or others can reach it and there is no token.
    """
    address = Address.of(settings.listen)
    if not settings.tokens and not settings.proxies.networks and not address.on_loopback:
        raise mistaken(
            "listen", f"is {settings.listen}, which others can reach: set service.api_token_file, or listen on 127.0.0.1"
        )
    return address


def _site(tools: PageTools, settings: WebSettings, cookies: Cookies) -> Site:
    files = StaticFiles()
    return Site([*all_pages(tools), files], Layout(tools.limits.zone, files), cookies, tools.telemetry, settings.language)


def _add_operations(router: web.UrlDispatcher, handlers: Mapping[str, Handler]) -> None:
    for operation in OPERATIONS:
        handler = reject_unknown_query(handlers[operation.name], *operation.query, takes_body=bool(operation.takes))
        for method in ("GET", "HEAD") if operation.method == "GET" else (operation.method,):
            router.add_route(method, operation.path, handler)


def _all_handlers(tools: PageTools, health: Health) -> Mapping[str, Handler]:
    """Return the handler of each operation."""
    control, journal, clock = tools.control, tools.journal, tools.clock
    api = Api(control, journal, clock, tools.calls, tools.desk)
    exemptions = ExemptionsApi(control, ExemptionPorts(journal, clock, tools.telemetry), tools.limits, tools.calls)
    handlers = _handlers(health, api, exemptions, NoticesApi(control, journal, clock))
    return {**handlers, **_plan_handlers(PlansApi(tools.desk, journal)), "fleet": FleetApi(tools.fleet).fleet}


def _plan_handlers(plans: PlansApi) -> Mapping[str, Handler]:
    """Return the handler of each operation about plans."""
    return {
        "last_plan": plans.last_plan,
        "exclude": plans.exclude,
        "approve": plans.approve,
        "approved_plans": plans.approved_plans,
        "approved_plan": plans.approved_plan,
        "compare": plans.compare,
        "carry_out": plans.carry_out,
    }


def _handlers(health: Health, api: Api, exemptions: ExemptionsApi, notices: NoticesApi) -> Mapping[str, Handler]:
    """Return the handler of each operation about other things."""
    document = openapi_document()

    async def openapi(_request: web.Request) -> web.StreamResponse:
        return json_answer(document)

    return {
        "live": health.live,
        "ready": health.ready,
        "metrics": health.metrics,
        "openapi": openapi,
        "targets": api.targets,
        "target": api.target,
        "runs": api.runs,
        "run": api.run,
        "removals": api.removals,
        "explain": api.explain,
        "plan": api.plan,
        "sweep": api.sweep,
        "pause": api.pause,
        "resume": api.resume,
        "marks": notices.marks,
        "marks_of_notebook": notices.marks_of_notebook,
        "outbox": notices.outbox,
        "retry": notices.retry,
        "exemptions": exemptions.exemptions,
        "grant": exemptions.grant,
        "revoke": exemptions.revoke,
    }
