"""What holds for every kind of channel, with a real server on the other side."""

import logging
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from msgspec.structs import replace

from channel_rigs import KINDS, LETTER, Rig, rig
from nbsweep.adapters.channels import http
from nbsweep.adapters.channels.kinds import smtp
from nbsweep.core.notices.channel import Acceptance
from nbsweep.core.notices.limits import LIMITS
from robots import Mood

SHORT_S = 0.3
LOGS_OF_SERVERS = ("mail.", "aiohttp.server")
UNPROVEN = ("teams", "apprise")
OVER_HTTP = tuple(kind for kind in KINDS if kind not in ("smtp", "apprise"))


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    """Return each kind in turn."""
    return str(request.param)


@pytest.fixture
async def other_side(kind: str, tmp_path: Path) -> AsyncIterator[Rig]:
    """Open a channel of the kind, and its other side."""
    async with rig(kind, tmp_path) as found:
        yield found


@pytest.fixture
def little_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let channels give up soon."""
    monkeypatch.setattr(http, "TIMEOUT", aiohttp.ClientTimeout(total=SHORT_S))
    monkeypatch.setattr(smtp, "TOTAL_S", SHORT_S)


async def test_a_letter_that_arrives_is_accepted_once(other_side: Rig) -> None:
    """What Teams and Apprise say proves nothing, whatever arrived."""
    receipt = await other_side.channel.send(LETTER)
    expected = Acceptance.UNPROVEN if other_side.kind in UNPROVEN else Acceptance.ACCEPTED
    assert (receipt.acceptance, receipt.attempted, other_side.accepted) == (expected, True, 1), receipt


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "apprise"], indirect=True)
async def test_a_message_that_is_refused_for_good_is_refused(other_side: Rig) -> None:
    """Four of the kinds answer HTTP 200 to it, or an answer about one recipient."""
    other_side.feel(Mood.REFUSES)
    receipt = await other_side.channel.send(LETTER)
    assert (receipt.acceptance, other_side.accepted) == (Acceptance.REFUSED, 0), receipt


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "apprise"], indirect=True)
async def test_a_refusal_that_concerns_all_messages_is_of_the_channel(other_side: Rig) -> None:
    """Such as a robot that was removed, or a sender that may not send."""
    other_side.feel(Mood.REFUSES_ALL)
    receipt = await other_side.channel.send(LETTER)
    assert (receipt.acceptance, other_side.accepted) == (Acceptance.MISCONFIGURED, 0), receipt


@pytest.mark.parametrize("mood", [Mood.IS_THROTTLED, Mood.FAILS])
async def test_throttling_and_failures_of_the_server_may_pass(other_side: Rig, mood: Mood) -> None:
    """By HTTP 429 or 503, by a code in a body of HTTP 200, or by 451."""
    other_side.feel(mood)
    receipt = await other_side.channel.send(LETTER)
    assert (receipt.acceptance, other_side.accepted) == (Acceptance.LATER, 0), receipt


@pytest.mark.parametrize("kind", OVER_HTTP, indirect=True)
async def test_throttling_says_when_to_come_back(other_side: Rig) -> None:
    """By Retry-After, or by what the vendor documents."""
    other_side.feel(Mood.IS_THROTTLED)
    receipt = await other_side.channel.send(LETTER)
    waits = {"dingtalk": 600, "feishu": 60, "wecom": 60}
    assert receipt.retry_after is not None
    assert receipt.retry_after.total_seconds() == waits.get(other_side.kind, 7)


@pytest.mark.usefixtures("little_time")
@pytest.mark.parametrize("kind", ["smtp", *OVER_HTTP], indirect=True)
@pytest.mark.parametrize("mood", [Mood.HANGS, Mood.BREAKS_OFF])
async def test_an_answer_that_does_not_arrive_whole_may_arrive_later(mood: Mood, kind: str, tmp_path: Path) -> None:
    """Whether the message has arrived is unknown; it keeps its key."""
    async with rig(kind, tmp_path) as other_side:
        other_side.feel(mood)
        receipt = await other_side.channel.send(LETTER)
        assert (receipt.acceptance, receipt.attempted) == (Acceptance.LATER, True), receipt


@pytest.mark.parametrize("kind", OVER_HTTP, indirect=True)
async def test_redirects_are_not_followed(other_side: Rig) -> None:
    """They could lead anywhere, with a message about people."""
    other_side.feel(Mood.REDIRECTS)
    receipt = await other_side.channel.send(LETTER)
    assert other_side.robot is not None
    assert (receipt.acceptance, len(other_side.robot.seen)) == (Acceptance.MISCONFIGURED, 1), receipt


@pytest.mark.parametrize("kind", OVER_HTTP, indirect=True)
async def test_an_answer_without_an_end_is_not_read_to_the_end(other_side: Rig) -> None:
    """Nor believed."""
    other_side.feel(Mood.IS_HUGE)
    receipt = await other_side.channel.send(LETTER)
    assert receipt.acceptance is Acceptance.LATER, receipt


@pytest.mark.parametrize("kind", ["dingtalk", "feishu", "wecom", "slack", "smn"], indirect=True)
async def test_the_page_of_a_proxy_is_no_acceptance(other_side: Rig) -> None:
    """It has HTTP 200."""
    other_side.feel(Mood.TALKS_NONSENSE)
    receipt = await other_side.channel.send(LETTER)
    assert receipt.acceptance is Acceptance.LATER, receipt


@pytest.mark.parametrize(
    "mood", [Mood.ACCEPTS, Mood.REFUSES, Mood.REFUSES_ALL, Mood.FAILS, Mood.BREAKS_OFF, Mood.REDIRECTS, Mood.TALKS_NONSENSE]
)
async def test_no_secret_and_no_address_is_in_a_receipt_a_log_or_a_repr(
    mood: Mood, other_side: Rig, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """Although the other side repeats all of them."""
    caplog.set_level(logging.DEBUG)
    other_side.feel(mood)
    receipt = await other_side.channel.send(LETTER)
    logs = [record.getMessage() for record in caplog.records if not record.name.startswith(LOGS_OF_SERVERS)]
    shown = f"{receipt!r} {other_side.channel!r} {logs} {capfd.readouterr()}"
    assert receipt.detail
    assert [secret for secret in other_side.secrets if secret in shown] == []


async def test_the_limits_are_those_of_the_documents(other_side: Rig) -> None:
    """Mail and webhooks may need addresses; nothing is trusted by default."""
    limit = LIMITS[other_side.kind]
    channel = other_side.channel
    assert (channel.name, channel.rate, channel.limit_bytes) == ("ops", limit.rate, limit.bytes)
    assert channel.addressed == (other_side.kind in ("smtp", "webhook"))
    assert not channel.trust_unproven


async def test_the_size_grows_with_the_letter(other_side: Rig) -> None:
    """By what was added, once or in both of its forms."""
    small = other_side.channel.size_bytes(LETTER)
    longer = replace(LETTER, text=LETTER.text + "x" * 500, markdown=LETTER.markdown + "x" * 500)
    assert small + 500 <= other_side.channel.size_bytes(longer) <= small + 1100


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "smn"], indirect=True)
async def test_a_secret_that_others_can_read_is_not_used(other_side: Rig, tmp_path: Path) -> None:
    """It is read for each message, and its file is named."""
    name = "password" if other_side.kind == "smtp" else "url"
    (tmp_path / name).chmod(0o604)
    receipt = await other_side.channel.send(LETTER)
    assert receipt.acceptance is Acceptance.MISCONFIGURED
    assert f"channels.ops.{name}_file" in receipt.detail
    assert "chmod o-rw" in receipt.detail
    assert other_side.accepted == 0
