"""Other people's text has no effect, and secrets do not come back from the other side."""

import re
from email import message_from_bytes
from email.policy import default
from html import unescape
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from hand_clock import HandClock
from nbsweep.adapters.channels.kinds import dingtalk, feishu, slack, teams, wecom
from nbsweep.adapters.channels.kinds.smtp import MailServer, SmtpSender
from nbsweep.adapters.channels.wording import one_line, parts_of_url, provider_id, said, without_effects
from nbsweep.core.notices.channel import Letter

LETTER = Letter("k1", "subject", "text", "<p>html</p>", "markdown", "wei.chen@example.com")
PIECES = [
    *("@all", "@所有人", "@here", '<at user_id="all">', "<at id=all></at>", "<!channel>", "<@U1>", "<@userid>"),
    *("\r\n", "Bcc: x@y.z", "\n\n", "[x](https://evil.example)", "a", " ", "\u2028", "\u202e", "*", "\x00", "\\", "_"),
]
HOSTILE = st.one_of(st.text(max_size=60), st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
TAG = re.compile(r"<\s*(at|!|@|a|font)", re.IGNORECASE)
MENTION = re.compile(r"(?<![\w.+-])@(all|here|everyone|channel|所有人)")
MAIL = SmtpSender(MailServer("mail.example.com", 587, "none", None, None, None), "nbsweep@example.com", None, HandClock())


def texts(value: Any) -> list[str]:
    """Return all texts of a document."""
    if isinstance(value, dict):
        return [text for part in value.values() for text in texts(part)]
    if isinstance(value, list):
        return [text for part in value for text in texts(part)]
    return [value] if isinstance(value, str) else []


@given(HOSTILE)
def test_a_subject_cannot_add_a_header_or_a_recipient(subject: str) -> None:
    """Whatever it holds, the mail has the headers that it should have, each once, and one recipient."""
    letter = replace(LETTER, subject=subject)
    raw = MAIL._message(letter).as_bytes()  # noqa: SLF001 - the mail as it would be sent
    head = raw.partition(b"\r\n\r\n")[0]
    message = message_from_bytes(raw, policy=default)
    assert [str(name) for name in message.keys()] == [  # noqa: SIM118 - names of headers may repeat
        "From",
        "To",
        "Subject",
        "Date",
        "Message-ID",
        "Auto-Submitted",
        "MIME-Version",
        "Content-Type",
    ]
    assert message["To"] == "wei.chen@example.com"
    assert message["Message-ID"] == "<k1@nbsweep>"
    assert b"\n" not in head.replace(b"\r\n", b"")


@pytest.mark.parametrize("to", ["a@b.c, d@e.f", "a@b.c\r\nBcc: d@e.f", "a", "", "a@", "@b", "a b@c.d", "<a@b.c>"])
async def test_what_is_no_single_address_is_refused_before_anything_is_sent(to: str) -> None:
    """No server is asked."""
    attempt = await MAIL.deliver(replace(LETTER, to=to))
    assert attempt.receipt.acceptance.value == "refused"
    assert MAIL.size_bytes(replace(LETTER, to=to)) == 0


@given(HOSTILE, HOSTILE)
def test_nothing_in_a_message_mentions_anybody_or_is_a_tag_for_a_robot(name: str, subject: str) -> None:
    """In any text of what is sent, also in the subject."""
    letter = replace(LETTER, subject=subject, text=name, markdown=name)
    bodies = [dingtalk._body(letter), feishu._body(letter, {}), teams._body(letter), slack._body(letter)]  # noqa: SLF001
    found = [text for body in bodies for text in texts(msgspec.json.decode(body))] + [wecom._content(letter)]  # noqa: SLF001
    titles = {one_line(subject)}  # cards show titles as plain text
    assert [text for text in found if text not in titles and (TAG.search(text) or MENTION.search(text))] == []


@given(HOSTILE)
def test_slack_gets_the_text_escaped_as_its_documents_want_it(name: str) -> None:
    """What Slack shows is the text, without the invisible signs."""
    text = msgspec.json.decode(slack._body(replace(LETTER, subject="s", text=name)))["text"]  # noqa: SLF001
    assert "<" not in text
    assert ">" not in text
    assert unescape(text).replace("\u200b", "") == f"s\n{name}".replace("\u200b", "")


def test_dingtalk_and_plain_text_mention_nobody() -> None:
    """Mentions of all need a key of their own there."""
    assert msgspec.json.decode(dingtalk._body(LETTER))["at"] == {"isAtAll": False}  # noqa: SLF001
    assert without_effects("bert @all <at>, wei@example.com") == "bert @\u200ball <\u200bat>, wei@example.com"


@given(st.text(max_size=400))
def test_one_line_is_printable_and_short(text: str) -> None:
    """And stays what it is."""
    line = one_line(text, 50)
    assert line.isprintable()
    assert len(line) <= 50
    assert one_line(line, 50) == line


URL = "https://oapi.dingtalk.com/robot/send?access_token=Ab3%2F4def56"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("errcode 0 ok", "errcode 0 ok"),
        (f"no such robot {URL}", "no such robot ***"),
        ("token Ab3/4def56 is not exist", "token *** is not exist"),
        ("token AB3%2F4DEF56 is not exist", "token *** is not exist"),
        ("550 <wei.chen@example.com>: unknown", "550 <***>: unknown"),
        ("550 wei.chen@例子.中国 unknown", "550 *** unknown"),
        ("a\r\nb\x1b[31mc", "a b [31mc"),
        ("invalid webhook url", "invalid webhook url"),
        ("x" * 60, "***"),
    ],
)
def test_what_the_other_side_said_holds_no_secret_and_no_address(text: str, expected: str) -> None:
    """And nothing that controls a terminal."""
    assert said(text, parts_of_url(URL)) == expected


@pytest.mark.parametrize(("value", "expected"), [("bf94b63a", "bf94b63a"), ("a b", ""), ("x" * 200, ""), (7, ""), (None, "")])
def test_an_id_is_a_short_word(value: object, expected: str) -> None:
    """Anything else is no id."""
    assert provider_id(value) == expected
