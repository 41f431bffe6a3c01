import os
from pathlib import Path

import pytest

from nbsweep.core.errors import ConfigurationError
from nbsweep.core.events.service import WebUnauthorized
from nbsweep.service.web.app import reload_token
from nbsweep.service.web.auth import MOST_PEERS, Failures, read_token
from unit.service.web.support import BEARER, TOKEN, Scene, token_file

SWEEP = "/api/v1/targets/research/sweep"
READS = ["/readyz", "/metrics", "/api/v1/targets", "/api/v1/runs", "/api/v1/openapi.json", "/nowhere"]
WRONG = [
    {},
    {"Authorization": ""},
    {"Authorization": TOKEN},
    {"Authorization": f"Basic {TOKEN}"},
    {"Authorization": "Bearer"},
    {"Authorization": "Bearer "},
    {"Authorization": f"Bearer {TOKEN}x"},
    {"Authorization": f"Bearer {TOKEN[:-1]}"},
    {"Authorization": f"Bearer {TOKEN.upper()}"},
    {"Authorization": "Bearer t\u00f6ken"},
]


async def test_who_shows_the_token_may_change_something(tmp_path: Path) -> None:
    """The scheme's name is read in any case, as HTTP has it."""
    async with Scene(token_file=token_file(tmp_path)).open() as face:
        assert (await face.ask("POST", SWEEP, headers=BEARER))[0] == 202
        assert (await face.ask("POST", SWEEP, headers={"Authorization": f"bearer {TOKEN}"}))[0] == 202
        assert face.control.asked == [("trigger", "research")] * 2


@pytest.mark.parametrize("headers", WRONG)
async def test_who_does_not_show_the_token_may_not(tmp_path: Path, headers: dict[str, str]) -> None:
    """401, with what to show; nothing was asked of the service."""
    async with Scene(token_file=token_file(tmp_path)).open() as face:
        async with face.session.post(face.url + SWEEP, headers=headers) as response:
            assert response.status == 401
            assert response.headers["WWW-Authenticate"] == 'Bearer realm="nbsweep"'
            assert (await response.json())["error"]["code"] == "unauthorized"
        assert face.control.asked == []


async def test_the_token_twice_is_no_token(tmp_path: Path) -> None:
    """Which of two headers counts is for nobody to guess."""
    async with Scene(token_file=token_file(tmp_path)).open() as face:
        twice = [("Authorization", f"Bearer {TOKEN}"), ("Authorization", "Bearer other")]
        assert (await face.error("POST", SWEEP, headers=twice))[:2] == (401, "unauthorized")


async def test_a_refusal_is_logged_without_what_was_shown(tmp_path: Path) -> None:
    """Who, and where to: a token with a slip in it is nearly the token."""
    async with Scene(token_file=token_file(tmp_path)).open() as face:
        await face.ask("POST", f"{SWEEP}?secret=1", headers={"Authorization": f"Bearer {TOKEN}x"})
        assert [event for event, _ in face.telemetry.records] == [WebUnauthorized("127.0.0.1", "POST", SWEEP)]
        assert TOKEN not in str(face.telemetry.records)


async def test_after_five_wrong_tokens_in_a_minute_a_peer_has_to_wait(tmp_path: Path) -> None:
    """Guessing does not pay: a minute after the first wrong one they may try again. The right one is never made to wait."""
    wrong = {"Authorization": f"Bearer {TOKEN}x"}
    async with Scene(token_file=token_file(tmp_path)).open() as face:
        for _ in range(5):
            assert (await face.ask("POST", SWEEP, headers=wrong))[0] == 401
            face.clock.seconds += 4
        async with face.session.post(face.url + SWEEP, headers=wrong) as response:
            assert response.status == 429
            assert response.headers["Retry-After"] == "40"
            assert (await response.json())["error"]["code"] == "too-many-attempts"
        assert (await face.ask("POST", SWEEP, headers=BEARER))[0] == 202
        assert (await face.ask("GET", "/api/v1/targets"))[0] == 200
        assert len(face.telemetry.of(WebUnauthorized)) == 5
        face.clock.seconds += 40
        assert (await face.ask("POST", SWEEP, headers=wrong))[0] == 401


async def test_requests_without_a_token_lock_nobody_out(tmp_path: Path) -> None:
    """Behind a proxy everybody has one address: a scanner's hundred requests, and then whoever has the token."""
    async with Scene(listen="0.0.0.0:9464", token_file=token_file(tmp_path)).open() as face:
        assert {(await face.ask("GET", "/metrics"))[0] for _ in range(150)} == {401}
        assert (await face.ask("GET", "/metrics", headers=BEARER))[0] == 200
        assert (await face.ask("GET", "/metrics", headers={"Authorization": "Bearer wrong"}))[0] == 401
        assert len(face.telemetry.of(WebUnauthorized)) == 100


def test_only_so_many_peers_are_remembered() -> None:
    """Whoever has many addresses must not fill the memory; the latest to fail are the ones that count."""
    failures = Failures()
    for number in range(3 * MOST_PEERS):
        for _ in range(5):
            failures.note(f"peer{number}", 10.0)
    assert len(failures) == MOST_PEERS
    assert failures.wait_s("peer0", 10.0) == 0
    assert failures.wait_s(f"peer{3 * MOST_PEERS - 1}", 10.0) == 60


async def test_without_a_token_file_nothing_can_be_changed() -> None:
    """403 says what to configure; no header helps."""
    async with Scene().open() as face:
        status, code, message = await face.error("POST", SWEEP, headers=BEARER)
        assert (status, code) == (403, "forbidden")
        assert "service.api_token_file is not set" in message
        assert face.control.asked == []


async def test_reading_on_loopback_needs_no_token() -> None:
    """Nor does it when there is one."""
    async with Scene().open() as face:
        assert [(await face.ask("GET", path))[0] for path in READS] == [200, 200, 200, 200, 200, 404]


async def test_where_others_can_reach_it_everything_but_health_needs_the_token(tmp_path: Path) -> None:
    """Not even what there is can be told from the answers."""
    async with Scene(listen="0.0.0.0:9464", token_file=token_file(tmp_path)).open() as face:
        assert await face.ask("GET", "/healthz") == (200, "ok")
        for path in READS:
            assert (await face.ask("GET", path))[0] == 401
            face.clock.seconds += 60
        assert [(await face.ask("GET", path, headers=BEARER))[0] for path in READS] == [200, 200, 200, 200, 200, 404]


@pytest.mark.parametrize("listen", ["0.0.0.0:0", "[::]:0", "192.0.2.1:9464", "nbsweep.example:9464"])
async def test_it_does_not_start_where_others_can_reach_it_without_a_token_file(listen: str) -> None:
    """The error names both ways out."""
    with pytest.raises(ConfigurationError, match=r"service.listen: is .* set service.api_token_file, or listen on 127.0.0.1"):
        async with Scene(listen=listen).open():
            pass


@pytest.mark.parametrize(
    ("text", "mode", "problem"),
    [
        ("", 0o600, "is empty"),
        (" \n", 0o600, "is empty"),
        ("two words", 0o600, "must hold one word"),
        ("a" * 4097, 0o600, "must hold one word"),
        ("t\u00f6ken", 0o600, "must hold one word"),
        (TOKEN, 0o604, "others on this machine"),
        (TOKEN, 0o602, "others on this machine"),
    ],
)
def test_a_token_file_that_cannot_be_used_is_refused(tmp_path: Path, text: str, mode: int, problem: str) -> None:
    """With a sentence that never holds what is in it."""
    path = token_file(tmp_path, text, mode)
    with pytest.raises(ConfigurationError, match=problem) as caught:
        read_token(path)
    assert f"service.api_token_file: {path}" in str(caught.value)
    assert TOKEN not in str(caught.value)


def test_a_token_file_may_be_for_a_group(tmp_path: Path) -> None:
    """Who deploys it gives it to the service's group; only others are kept out. Line ends around it count for nothing."""
    assert read_token(token_file(tmp_path, f"\n{TOKEN}\r\n", 0o640)) == TOKEN.encode()


def test_what_is_no_file_is_no_token_file(tmp_path: Path) -> None:
    """Nothing there, a directory, or a pipe that nobody writes into; none of them makes it wait."""
    os.mkfifo(tmp_path / "pipe", 0o600)
    for name in ("missing", "", "pipe"):
        with pytest.raises(ConfigurationError, match=r"service\.api_token_file"):
            read_token(tmp_path / name)


async def test_a_reload_reads_the_token_anew(tmp_path: Path) -> None:
    """From then on only the new one opens."""
    path = token_file(tmp_path)
    async with Scene(token_file=path).open() as face:
        path.write_text("another")
        reload_token(face.app, path)
        assert (await face.ask("POST", SWEEP, headers=BEARER))[0] == 401
        assert (await face.ask("POST", SWEEP, headers={"Authorization": "Bearer another"}))[0] == 202


async def test_a_reload_that_fails_leaves_the_old_token_in_force(tmp_path: Path) -> None:
    """A slip in a file must neither lock out nor let in."""
    path = token_file(tmp_path)
    async with Scene(token_file=path).open() as face:
        path.write_text("")
        with pytest.raises(ConfigurationError, match="is empty"):
            reload_token(face.app, path)
        assert (await face.ask("POST", SWEEP, headers=BEARER))[0] == 202
        assert (await face.ask("POST", SWEEP, headers={"Authorization": "Bearer "}))[0] == 401


async def test_a_reload_can_take_the_token_away_only_on_loopback(tmp_path: Path) -> None:
    """There nothing can be changed any more; elsewhere it would stand open, and the old one stays."""
    async with Scene(token_file=token_file(tmp_path)).open() as face:
        reload_token(face.app, None)
        assert (await face.ask("POST", SWEEP, headers=BEARER))[0] == 403
    async with Scene(listen="0.0.0.0:9464", token_file=token_file(tmp_path)).open() as face:
        with pytest.raises(ConfigurationError, match="must stay set"):
            reload_token(face.app, None)
        assert (await face.ask("GET", "/metrics", headers=BEARER))[0] == 200
