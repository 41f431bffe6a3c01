import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from nbsweep.core.errors import JournalError, Unreachable
from nbsweep.core.events.service import WebFailed
from nbsweep.core.runs import RunRecord
from nbsweep.testing import InMemoryJournal
from unit.service.web.support import BEARER, TOKEN, Scene, token_file

TARGETS = "/api/v1/targets"
PAUSE = f"{TARGETS}/research/pause"
ELSEWHERE = "192.0.2.1:9464"


class BrokenJournal(InMemoryJournal):
    """A journal that cannot be read, or in which there is a bug."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self._error = error

    async def runs(self, limit: int, target: str | None = None) -> tuple[RunRecord, ...]:  # noqa: ARG002 - the port's
        """Fail."""
        raise self._error


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:1", "127.0.0.1", "127.0.0.1:80", "[::1]", "[::1]:9464", "localhost:65535"]
)
async def test_loopback_answers_to_its_own_names(host: str) -> None:
    """With any port, or none: a tunnel may have another one at its near end."""
    async with Scene().open() as face:
        assert (await face.ask("GET", TARGETS, headers={"Host": host}))[0] == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:9464", "localhost.evil.example", "127.0.0.1.evil.example", "127.0.0.2", "::1", "[::2]", "0"],
)
@pytest.mark.parametrize("path", ["/healthz", "/metrics", TARGETS, "/nowhere"])
async def test_loopback_does_not_answer_to_other_names(host: str, path: str) -> None:
    """A page that has its own name lead here would have the browser read all of it."""
    async with Scene().open() as face:
        assert (await face.error("GET", path, headers={"Host": host}))[:2] == (403, "forbidden")


async def test_elsewhere_it_answers_to_any_name(tmp_path: Path) -> None:
    """The token guards it, and names there are the operator's business."""
    async with Scene(listen=ELSEWHERE, token_file=token_file(tmp_path)).open() as face:
        assert (await face.ask("GET", TARGETS, headers={"Host": "nbsweep.example", **BEARER}))[0] == 200


async def test_a_page_of_its_own_host_is_answered(tmp_path: Path) -> None:
    """Browsers name the origin also where it is the same."""
    async with Scene(token_file=token_file(tmp_path)).open() as face:
        own = {"Origin": face.url, **BEARER}
        assert (await face.ask("POST", PAUSE, headers=own))[0] == 200
        assert (await face.ask("GET", TARGETS, headers={"Host": "localhost", "Origin": "https://localhost"}))[0] == 200


@pytest.mark.parametrize(
    "origin",
    ["null", "", "http://evil.example", "http://localhost:1", "http://127.0.0.1", "127.0.0.1", "http://[", "file://"],
)
async def test_a_page_of_another_origin_is_not(tmp_path: Path, origin: str) -> None:
    """Not even with the token, and not even to read."""
    async with Scene(token_file=token_file(tmp_path)).open() as face:
        for method, path in (("POST", PAUSE), ("GET", TARGETS)):
            status, code, _ = await face.error(method, path, headers={"Origin": origin, **BEARER})
            assert (status, code) == (403, "forbidden")
        assert face.control.asked == []


async def test_a_body_is_refused_and_a_large_one_is_not_even_read(tmp_path: Path) -> None:
    """No request needs one: up to 16 KiB it is a mistake, above that it is too much, whether or not it says so itself."""

    async def pieces(count: int) -> AsyncIterator[bytes]:
        for _ in range(count):
            yield b"x" * 1024

    async with Scene(token_file=token_file(tmp_path)).open() as face:
        for body, status, code in [
            (b"{}", 400, "bad-request"),
            (b"x" * 16_384, 400, "bad-request"),
            (b"x" * 16_385, 413, "too-large"),
            (pieces(16), 400, "bad-request"),
            (pieces(17), 413, "too-large"),
        ]:
            assert (await face.error("POST", PAUSE, headers=BEARER, data=body))[:2] == (status, code)
        assert face.control.asked == []


@pytest.mark.parametrize(
    "query",
    [
        "runs?limits=5",
        "runs?limit=5&limit=5",
        "runs?limit=",
        "runs?limit=0",
        "runs?limit=-1",
        "runs?limit=1.0",
        "runs?limit=1e2",
        "runs?limit=%2B5",
        "runs?limit=1001",
        "runs?limit=99999999999999999999",
        "runs?limit=%D9%A5",
        "targets?limit=5",
        "targets/a%20b",
        "targets/a%2Fb",
        f"runs/{'x' * 65}",
        "removals/-x",
        "runs/%00",
    ],
)
async def test_what_is_not_taken_is_refused_with_a_sentence(query: str) -> None:
    """400 and never a guess at what was meant."""
    async with Scene().open() as face:
        status, code, message = await face.error("GET", f"/api/v1/{query}")
        assert (status, code) == (400, "bad-request")
        assert " " in message


@pytest.mark.parametrize("path", ["/index.html", "/api/v1", "/api/v2/targets", "/healthz/", "/api/v1/targets/research/delete"])
async def test_an_unknown_address_is_told_in_the_one_shape(path: str) -> None:
    """404 as JSON, like any other error."""
    async with Scene().open() as face:
        assert (await face.error("GET", path))[:2] == (404, "not-found")


async def test_a_wrong_method_is_told_with_those_that_are_right(tmp_path: Path) -> None:
    """405 as JSON, with the header that HTTP demands."""
    async with Scene(token_file=token_file(tmp_path)).open() as face:
        for method, path, allowed in [
            ("GET", PAUSE, "POST"),
            ("POST", TARGETS, "GET, HEAD"),
            ("DELETE", "/healthz", "GET, HEAD"),
        ]:
            async with face.session.request(method, face.url + path, headers=BEARER) as response:
                assert (response.status, response.headers["Allow"]) == (405, allowed)
                assert (await response.json())["error"]["code"] == "method-not-allowed"


async def test_every_answer_forbids_to_be_kept_sniffed_or_framed(tmp_path: Path) -> None:
    """Errors too; and none says with what it was made."""
    async with Scene(token_file=token_file(tmp_path)).open() as face:
        for method, path in [("GET", "/healthz"), ("GET", "/metrics"), ("GET", TARGETS), ("GET", "/nowhere"), ("POST", PAUSE)]:
            async with face.session.request(method, face.url + path) as response:
                assert response.headers["X-Content-Type-Options"] == "nosniff"
                assert response.headers["Cache-Control"] == "no-store"
                assert "frame-ancestors 'none'" in response.headers["Content-Security-Policy"]
                assert response.headers["Server"] == "nbsweep"


async def test_a_bug_is_logged_and_the_caller_learns_no_more_than_that() -> None:
    """500 in the one shape; what went wrong and where is in the log."""
    async with Scene(journal=BrokenJournal(KeyError("a-detail"))).open() as face:
        status, code, message = await face.error("GET", "/api/v1/runs")
        assert (status, code) == (500, "internal")
        assert "a-detail" not in message
        [event] = face.telemetry.of(WebFailed)
        assert (event.method, event.path, event.problem) == ("GET", "/api/v1/runs", "KeyError: 'a-detail'")
        assert event.place.startswith("test_guard.py:")


async def test_metrics_that_cannot_be_written_are_a_bug_like_any_other() -> None:
    """The service goes on."""

    def broken() -> bytes:
        raise ValueError("no metrics")

    async with Scene(exposition=broken).open() as face:
        assert (await face.error("GET", "/metrics"))[:2] == (500, "internal")
        assert await face.ask("GET", "/healthz") == (200, "ok")


async def test_a_journal_that_cannot_be_read_is_told_in_its_own_words() -> None:
    """They are written for people."""
    async with Scene(journal=BrokenJournal(JournalError("the journal is locked"))).open() as face:
        assert await face.error("GET", "/api/v1/runs") == (503, "journal-failed", "the journal is locked")


async def test_a_cloud_that_cannot_be_surveyed_is_told_in_its_own_words(tmp_path: Path) -> None:
    """So are the cloud's errors."""
    scene = Scene(token_file=token_file(tmp_path))
    scene.control.error = Unreachable("the cloud cannot be reached")
    async with scene.open() as face:
        told = await face.error("POST", f"{TARGETS}/research/plan", headers=BEARER)
        assert told == (502, "cloud-failed", "the cloud cannot be reached")


async def test_a_very_long_path_is_not_logged_as_a_whole(tmp_path: Path) -> None:
    """The log is not for callers to fill."""
    async with Scene(token_file=token_file(tmp_path)).open() as face:
        await face.ask("POST", "/" + "x" * 4000)
        assert len(face.telemetry.records[0][0].path) == 200  # type: ignore[attr-defined]


async def test_what_is_no_http_disturbs_nobody(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """It is answered with 400, and neither written to stderr nor told with what it held."""
    async with Scene(token_file=token_file(tmp_path)).open() as face:
        host, _, port = face.bound.rpartition(":")

        async def told(sent: bytes) -> bytes:
            reader, writer = await asyncio.open_connection(host, int(port))
            writer.write(sent)
            answer: bytes = await reader.read(4096)
            writer.close()
            await writer.wait_closed()
            return answer

        assert b" 400 " in (await told(b"\x16\x03\x01\x00\r\n\r\n")).splitlines()[0]
        answer = await told(f"GET / HTTP/1.1\r\nHost: localhost\r\nbad header {TOKEN}\r\n\r\n".encode())
        assert b" 400 " in answer.splitlines()[0]
        assert await face.ask("GET", "/healthz") == (200, "ok")
    assert capfd.readouterr() == ("", "")
