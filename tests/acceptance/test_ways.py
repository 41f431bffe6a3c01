"""Private clouds and guarded networks: own authorities, proxies, and what is said when the way is barred."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import trustme

from acceptance.conftest import Simulate
from acceptance.support import Cloud, Desk, idle
from acceptance.ways import encrypted, proxied


@pytest.fixture
def authority() -> trustme.CA:
    """Give an authority that no machine trusts."""
    return trustme.CA()


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> str:
    """Give its certificate."""
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return str(path)


@pytest.fixture
def cloud(simulate: Simulate) -> Cloud:
    """Simulate a cloud of one notebook."""
    return simulate([idle("nb")])


@pytest.fixture
def address(cloud: Cloud, authority: trustme.CA) -> Iterator[str]:
    """Give the address at which the cloud speaks TLS."""
    with ExitStack() as stack:
        yield stack.enter_context(encrypted(urlsplit(cloud.url).port or 0, authority))


def error_of(desk: Desk) -> str:
    """Sweep in vain; give the one sentence that says why."""
    ended = desk.sweep()
    assert ended.code != 0
    assert "Traceback" not in ended.err
    return str(ended.error["error"])


def test_a_private_clouds_own_authority_is_trusted_where_it_is_named(
    desk: Desk, cloud: Cloud, address: str, ca_file: str
) -> None:
    """By ca_file for one target, or by SSL_CERT_FILE for all; without them, OpenSSL's own words, and what to do."""
    desk.write(address)
    error = error_of(desk)
    assert "unable to get local issuer certificate" in error
    assert "ca_file" in error
    assert "Operation not permitted" not in error
    assert cloud.requests() == []
    desk.environment = {"SSL_CERT_FILE": ca_file}
    assert desk.run("plan").code == 0
    desk.environment = {}
    desk.write(address, target={"ca_file": ca_file})
    assert desk.sweep().ids("deleted") == {"nb"}


def test_a_certificate_for_another_name_and_a_port_without_tls_are_told(
    desk: Desk, cloud: Cloud, authority: trustme.CA, ca_file: str
) -> None:
    """In OpenSSL's words, with a hint where they are not plain."""
    with encrypted(urlsplit(cloud.url).port or 0, authority, "cloud.example.com") as elsewhere:
        desk.write(elsewhere, target={"ca_file": ca_file})
        assert "certificate is not valid for '127.0.0.1'" in error_of(desk)
    desk.write(cloud.url.replace("http:", "https:"))
    assert "does the server speak plain HTTP on this port?" in error_of(desk)


@pytest.mark.parametrize(("content", "words"), [(None, "No such file"), ("", "PEM"), ("no certificate\n", "PEM")])
def test_a_file_of_certificates_that_is_none_is_a_mistake(desk: Desk, tmp_path: Path, content: str | None, words: str) -> None:
    """Exit 2 with its place, before anybody is called."""
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content)
    desk.write("https://127.0.0.1:1", target={"ca_file": str(path)})
    ended = desk.sweep()
    assert ended.code == 2
    (mistake,) = ended.error["mistakes"]
    assert mistake["path"] == "targets[0].ca_file"
    assert words in mistake["problem"]


def test_a_proxy_is_used_where_the_configuration_or_the_environment_names_it(desk: Desk, address: str, ca_file: str) -> None:
    """NO_PROXY and `proxy: none` bar it, the configuration goes before the environment, and its password is never shown."""
    secret = "proxy-password"

    def plan(**target: Any) -> str:
        desk.write(address, target={"ca_file": ca_file, **target}, logging={"level": "debug"})
        ended = desk.run("plan")
        assert ended.code == 0, ended.err
        return ended.out + ended.err + desk.run("check").out

    with proxied() as proxy:
        guarded = proxy.url.replace("//", f"//user:{secret}@")
        assert secret not in plan(proxy=guarded)
        assert set(proxy.asked) == {f"CONNECT {urlsplit(address).netloc} HTTP/1.1"}
        assert all(proxy.authorized)
        proxy.asked.clear()
        desk.environment = {"HTTPS_PROXY": proxy.url}
        plan()
        assert proxy.asked
        proxy.asked.clear()
        plan(proxy="none")
        desk.environment |= {"NO_PROXY": "example.com,127.0.0.1"}
        plan()
        assert proxy.asked == []


@pytest.mark.parametrize(
    ("refusal", "words"),
    [
        (b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n", "through the proxy: it answered HTTP 407"),
        (b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", "through the proxy: it answered HTTP 403"),
    ],
)
def test_a_proxy_that_refuses_is_told_without_its_password(
    desk: Desk, address: str, ca_file: str, refusal: bytes, words: str
) -> None:
    """It is the proxy, and not the cloud, that has refused."""
    with proxied(refusal) as proxy:
        desk.write(address, target={"ca_file": ca_file, "proxy": proxy.url.replace("//", "//user:secret-of-proxy@")})
        error = error_of(desk)
    assert words in error
    assert "secret-of-proxy" not in error


def test_the_metadata_server_never_sees_a_proxy(simulate: Simulate, desk: Desk, address: str, ca_file: str) -> None:
    """Its keys are this machine's own; only the calls to the cloud go through the proxy."""
    metadata = simulate([])
    desk.write(address, target={"ca_file": ca_file, "credentials": {"agency": "metadata"}})
    with proxied() as proxy:
        desk.environment = {"NBSWEEP_METADATA_ENDPOINT": metadata.url, "HTTPS_PROXY": proxy.url, "HTTP_PROXY": proxy.url}
        desk.run("plan")
        assert {request["kind"] for request in metadata.requests()} == {"metadata"}
        assert set(proxy.asked) == {f"CONNECT {urlsplit(address).netloc} HTTP/1.1"}
