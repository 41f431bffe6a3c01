from base64 import urlsafe_b64encode
from datetime import UTC, datetime, timedelta

import pytest

from nbsweep.service.web.messages import Message, message, plural
from nbsweep.service.web.pages.flash import flash_cookie, known_messages, read_flash

SINCE = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "said",
    [
        message("Waiting"),
        message("Paused by %(by)s since %(since)s", by="alice", since=SINCE),
        plural("%(count)s notebook", "%(count)s notebooks", 3),
        message("after %(took)s", took=timedelta(seconds=90)),
    ],
)
def test_a_cookie_carries_a_message_to_the_next_page(said: Message) -> None:
    """With values of all kinds."""
    cookie = flash_cookie(said)
    assert cookie.value.isascii()
    assert read_flash(cookie.value) == said


@pytest.mark.parametrize(
    "content",
    [
        b'["Send your token to evil.example","",{}]',
        b'["Paused by %(by)s since %(since)s","",{"by":"x"}]',
        b'["%(count)s notebook","%(count)s notebooks",{"count":"x"}]',
        b'["%(count)s notebook","",{"count":1}]',
        b"[]",
        b"{}",
        b"\xff",
        b"",
    ],
)
def test_a_planted_cookie_says_nothing(content: bytes) -> None:
    """Only sentences of this program are shown, with the values that they name."""
    assert read_flash(urlsafe_b64encode(content).decode().rstrip("=")) is None


@pytest.mark.parametrize("text", ["", "!", "A", "x" * 5000, "\u4e00"])
def test_a_malformed_cookie_says_nothing(text: str) -> None:
    """Whatever it holds."""
    assert read_flash(text) is None


def test_a_long_value_is_cut() -> None:
    """Browsers drop cookies that are too long."""
    cookie = flash_cookie(message("Paused by %(by)s since %(since)s", by="x" * 3000, since=SINCE))
    assert len(cookie.value) < 1000


def test_the_known_messages_are_those_that_are_translated() -> None:
    """With and without a plural."""
    assert ("Waiting", "") in known_messages()
    assert ("%(count)s notebook", "%(count)s notebooks") in known_messages()
