"""The health and the metrics of a worker over HTTP, and nothing else: no pages, no targets, no changes."""

from collections.abc import Callable, Mapping

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from msgspec import Struct

from nbsweep.core.ports import Clock, Journal, Telemetry
from nbsweep.service.web.access.auth import Auth, RefusalLog
from nbsweep.service.web.access.connections import Connections
from nbsweep.service.web.access.proxies import Proxies
from nbsweep.service.web.access.sessions import Sessions
from nbsweep.service.web.access.tokens import Tokens
from nbsweep.service.web.access.visitors import Needs
from nbsweep.service.web.api.health import Health, Readiness
from nbsweep.service.web.app import ADDRESS, CONNECTIONS, WebSettings, protected_address
from nbsweep.service.web.cookies import Cookies
from nbsweep.service.web.errors import error_answer, refusal_of
from nbsweep.service.web.guard import (
    LARGEST_BODY_BYTES,
    ON_EVERY_ANSWER,
    reject_unknown_query,
    require_host,
    require_small_body,
)

NEEDS: Mapping[str, Needs] = {"/healthz": Needs.NOTHING, "/readyz": Needs.NOTHING, "/metrics": Needs.READING}
"""What each address needs. Whether a worker is ready says nothing about targets, so that a probe needs no token."""


class ProbePorts(Struct, frozen=True):
    """What the application uses."""

    readiness: Readiness
    exposition: Callable[[], bytes]
    """Writes the metrics."""
    journal: Journal
    clock: Clock
    telemetry: Telemetry


def make_probe_app(settings: WebSettings, ports: ProbePorts) -> web.Application:
    """Build the application, and read its tokens.

    Raises:
        ConfigurationError: the address is invalid, a token cannot be used, or the address needs a token and has none.
    """
    address, connections = protected_address(settings), Connections()
    tokens = Tokens(settings.tokens)
    auth = Auth(
        tokens,
        Sessions(tokens, ports.journal, ports.clock, Cookies(address.on_loopback)),
        ports.clock,
        RefusalLog(ports.clock, ports.telemetry),
        Proxies(settings.proxies),
        on_loopback=address.on_loopback,
    )
    app = web.Application(middlewares=[_guard(auth, connections, ports.telemetry)], client_max_size=LARGEST_BODY_BYTES)
    app[ADDRESS], app[CONNECTIONS] = address, connections
    health = Health(ports.readiness, ports.exposition)
    for path, handler in {"/healthz": health.live, "/readyz": health.ready, "/metrics": health.metrics}.items():
        app.router.add_get(path, reject_unknown_query(handler))
    return app


def _guard(auth: Auth, connections: Connections, telemetry: Telemetry) -> Middleware:
    """Return the middleware that checks requests, and converts exceptions to responses."""

    @web.middleware
    async def guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
        with connections.serving(request.protocol):
            try:
                require_small_body(request)
                needs = NEEDS.get(request.path, Needs.READING)
                if needs is not Needs.NOTHING:
                    require_host(request, request.app[ADDRESS])
                    auth.admit(request, await auth.visitor(request), needs)
                response = await handler(request)
            except Exception as error:  # noqa: BLE001 -- whatever it is, it is told in the one shape
                response = error_answer(refusal_of(request, error, telemetry))
        for name, value in ON_EVERY_ANSWER.items():
            response.headers.setdefault(name, value)
        return response

    return guarded
