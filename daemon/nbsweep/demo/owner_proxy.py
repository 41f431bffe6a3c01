"""A reverse proxy on loopback that signs every visitor in as one owner, as oauth2-proxy does after a login."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import aiohttp
from aiohttp import web
from msgspec import Struct
from yarl import URL

from nbsweep.demo.messages import on_loopback

HOP_BY_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade", "content-length"})
SIGNED_IN = "x-auth-request-"
LONGEST_BODY_BYTES = 1_048_576


class OwnerProxy(Struct, frozen=True):
    """Passes requests on in the name of an owner."""

    service_url: str
    headers: Mapping[str, str]
    """What tells the service who the visitor is."""
    session: aiohttp.ClientSession

    async def forward(self, request: web.Request) -> web.StreamResponse:
        """Pass a request on, and its answer back, piece by piece."""
        kept = {key: value for key, value in request.headers.items() if _is_passed_on(key)}
        url = URL(f"{self.service_url}{request.raw_path}", encoded=True)
        body = await request.read()
        async with self.session.request(
            request.method, url, headers={**kept, **self.headers}, data=body or None, allow_redirects=False
        ) as answer:
            response = web.StreamResponse(status=answer.status)
            for key, value in answer.headers.items():
                if _is_passed_on(key):
                    response.headers.add(key, value)
            await response.prepare(request)
            async for piece in answer.content.iter_any():
                await response.write(piece)
            return response


@asynccontextmanager
async def pages_as(owner: str, service_url: str, secret: str) -> AsyncIterator[str]:
    """Serve the pages as an owner sees them, and yield the address."""
    headers = {
        "X-Auth-Request-User": owner,
        "X-Auth-Request-Email": f"{owner}@example.com",
        "X-Nbsweep-Proxy-Secret": secret,
    }
    jar, patience = aiohttp.DummyCookieJar(), aiohttp.ClientTimeout(total=None)
    async with aiohttp.ClientSession(cookie_jar=jar, auto_decompress=False, timeout=patience) as session:
        app = web.Application(client_max_size=LONGEST_BODY_BYTES)
        app.router.add_route("*", "/{path:.*}", OwnerProxy(service_url, headers, session).forward)
        async with on_loopback(app) as url:
            yield url


def _is_passed_on(header: str) -> bool:
    return header.lower() not in HOP_BY_HOP and not header.lower().startswith(SIGNED_IN)
