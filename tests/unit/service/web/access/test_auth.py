from pathlib import Path

import pytest

from nbsweep.core.errors import ConfigurationError
from nbsweep.core.events.service import WebUnauthorized
from nbsweep.service.web.access.failures import MOST_PEERS, Failures
from nbsweep.service.web.access.tokens import Role, TokenFile
from unit.service.web.support import BEARER, TOKEN, VIEWER_BEARER, Scene, token_file, viewer_file

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
        assert face.control.asked == [("sweep", "research")] * 2


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
        assert "no token is configured: set service.api_token_file" in message
        assert face.control.asked == []


async def test_reading_on_loopback_needs_no_token() -> None:
    """Nor does it when there is one."""
    async with Scene().open() as face:
        assert [(await face.ask("GET", path))[0] for path in READS] == [200, 200, 200, 200, 200, 404]


async def test_where_others_can_reach_it_everything_but_health_needs_the_token(tmp_path: Path) -> None:
    """Not even what there is can be told from the answers."""
    async with Scene(listen="0.0.0.0:9464", token_file=token_file(tmp_path)).open() as face:
        assert await face.ask("GET", "/healthz") == (200, "ok")
        assert (await face.ask("GET", "/", allow_redirects=False))[0] == 303
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


async def test_a_viewers_token_reads_and_changes_nothing(tmp_path: Path) -> None:
    """403 says which role it has, and which one is needed; nothing was asked of the service."""
    scene = Scene(listen="0.0.0.0:9464", token_file=token_file(tmp_path), token_files=(viewer_file(tmp_path),))
    async with scene.open() as face:
        assert (await face.ask("GET", "/api/v1/targets", headers=VIEWER_BEARER))[0] == 200
        for what in ("plan", "sweep", "pause", "resume"):
            refused = await face.error("POST", f"/api/v1/targets/research/{what}", headers=VIEWER_BEARER)
            needed = "approver" if what == "plan" else "admin"
            message = f"the role viewer does not allow this request; it needs the role {needed}"
            assert refused == (403, "forbidden", message)
        assert face.control.asked == []
        assert (await face.ask("POST", SWEEP, headers=BEARER))[0] == 202
        assert face.telemetry.of(WebUnauthorized) == []


async def test_an_admins_token_may_be_in_the_list_too(tmp_path: Path) -> None:
    """Without service.api_token_file."""
    scene = Scene(listen="0.0.0.0:9464", token_files=(TokenFile(token_file(tmp_path), Role.ADMIN), viewer_file(tmp_path)))
    async with scene.open() as face:
        assert (await face.ask("POST", SWEEP, headers=BEARER))[0] == 202
        assert (await face.ask("GET", "/metrics", headers=VIEWER_BEARER))[0] == 200
        assert (await face.ask("GET", "/metrics"))[0] == 401


async def test_with_a_viewers_token_only_nothing_can_be_changed(tmp_path: Path) -> None:
    """A guess at another token is a wrong token all the same, and is counted as one."""
    async with Scene(token_files=(viewer_file(tmp_path),)).open() as face:
        assert (await face.error("POST", SWEEP, headers=VIEWER_BEARER))[:2] == (403, "forbidden")
        assert [(await face.ask("POST", SWEEP, headers=BEARER))[0] for _ in range(6)] == [401] * 5 + [429]
