"""Why nobody can be told: each sentence is recognised in the text that a mark keeps, and has its Chinese words."""

from string import Formatter

import pytest

from nbsweep.core.reasons.language import Language
from nbsweep.core.reasons.model import Cause, CauseCode
from nbsweep.core.reasons.render import render, render_untold
from nbsweep.core.reasons.sentences.untold import CHINESE, UntoldSentence

VALUES = {
    "file": "/etc/nbsweep/owners.yaml",
    "why": "line 3: no address",
    "tag": "contact",
    "role": "iam:users:getUser",
    "status": " (HTTP 503 IAM.0011)",
    "channel": "mail",
}


def names(sentence: str) -> set[str]:
    """Return the names in a sentence."""
    return {name for _, name, _, _ in Formatter().parse(sentence) if name}


@pytest.mark.parametrize("sentence", UntoldSentence)
def test_each_sentence_has_its_chinese_words_with_the_same_values(sentence: UntoldSentence) -> None:
    """It is recognised as itself, also after the key of a part of the directory of owners."""
    assert names(CHINESE[sentence]) == names(sentence)
    english, chinese = sentence.format(**VALUES), CHINESE[sentence].format(**VALUES)
    assert render_untold(english, Language.CHINESE) == chinese
    assert render_untold(f"iam: {english}", Language.CHINESE) == f"iam：{chinese}"
    assert render_untold(english, Language.ENGLISH) == english


@pytest.mark.parametrize(
    ("text", "chinese"),
    [
        (
            "file: owners.yaml does not name the owner; iam: IAM knows no such user",
            "file：owners.yaml 中没有该所有者；iam：IAM 中没有该用户",
        ),
        ("iam: IAM did not answer", "iam：IAM 未响应"),
        ("iam: IAM gave no usable answer (HTTP 400)", "iam：IAM 的响应不可用 (HTTP 400)"),
        ("the owner is unknown; mail: 550 no; such user", "所有者未知；mail: 550 no；such user"),
        (
            "fallback: it is neither an address nor a channel, and there is no file",
            "fallback：它既不是邮箱地址也不是渠道，且没有文件",
        ),
    ],
)
def test_several_parts_are_recognised_one_by_one(text: str, chinese: str) -> None:
    """The words of a server stay as they are."""
    assert render_untold(text, Language.CHINESE) == chinese


@pytest.mark.parametrize("text", ["mail: 552 mailbox full; try later", "", "550 no", "{file} {0.__class__}"])
def test_what_is_not_recognised_stays_as_it_is(text: str) -> None:
    """As it was written, so that a page can mark it as English."""
    assert render_untold(text, Language.CHINESE) == text


def test_the_reason_of_a_verdict_says_it_too() -> None:
    """It holds the same text."""
    params = {"marked_at": "2026-03-01T12:00:00+00:00", "untold": "iam: IAM knows no such user"}
    cause = Cause(CauseCode.UNTOLD, "idle", params=params)
    assert render(cause, Language.CHINESE).endswith("标记，未能通知：iam：IAM 中没有该用户")
    assert render(cause, Language.ENGLISH).endswith("the owner cannot be told: iam: IAM knows no such user")
