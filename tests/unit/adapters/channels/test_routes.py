"""How the servers of robots are reached: trusted certificates and proxies."""

import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trustme
from aiohttp import web

from channel_rigs import LETTER, opened
from local_server import local_server
from nbsweep.core.notices.channel import Acceptance

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


async def accept(_request: web.Request) -> web.StreamResponse:
    """Accept a message as Slack does."""
    return web.Response(text="ok")


@asynccontextmanager
async def secure_server(folder: Path, name: str) -> AsyncIterator[tuple[str, str]]:
    """Run a server with TLS; yield its address, and the file with the certificate of its authority."""
    authority, context = trustme.CA(), ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(name).configure_cert(context)
    authority.cert_pem.write_to_path(folder / "ca.pem")
    app = web.Application()
    app.router.add_route("*", "/{anything:.*}", accept)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
        yield f"https://localhost:{runner.addresses[0][1]}/services/x", str(folder / "ca.pem")
    finally:
        await runner.cleanup()


@pytest.mark.parametrize(
    ("name", "trusted", "expected"),
    [
        ("localhost", True, Acceptance.ACCEPTED),
        ("localhost", False, Acceptance.MISCONFIGURED),
        ("other.example.com", True, Acceptance.MISCONFIGURED),
    ],
)
async def test_a_server_is_trusted_by_its_certificate(
    name: str, *, trusted: bool, expected: Acceptance, tmp_path: Path
) -> None:
    """Its authority, and its name."""
    async with secure_server(tmp_path, name) as (url, ca_file):
        settings = {"kind": "slack", "url": url, **({"ca_file": ca_file} if trusted else {})}
        async with opened({"ops": settings}) as channels:
            receipt = await channels.channels[0].send(LETTER)
    assert receipt.acceptance is expected
    assert ("is not trusted" in receipt.detail) is (expected is Acceptance.MISCONFIGURED)


async def test_a_proxy_of_the_environment_is_used_unless_the_channel_says_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """The proxy sees the whole address; `none` goes straight."""
    asked: list[str] = []

    async def proxy(request: web.Request) -> web.StreamResponse:
        asked.append(str(request.url))
        return web.Response(text="ok")

    async with local_server(accept) as address, local_server(proxy) as proxy_address:
        monkeypatch.setenv("HTTP_PROXY", proxy_address)
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        for more in ({}, {"proxy": "none"}):
            async with opened({"ops": {"kind": "slack", "url": f"{address}/services/x", **more}}) as channels:
                assert (await channels.channels[0].send(LETTER)).acceptance is Acceptance.ACCEPTED
    assert asked == [f"{address}/services/x"]
