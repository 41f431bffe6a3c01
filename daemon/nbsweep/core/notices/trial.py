"""The letter that tries a channel."""

from nbsweep.core.notices.channel import Letter
from nbsweep.core.reasons.language import Language

SUBJECTS = {
    Language.ENGLISH: "Test message of nbsweep",
    Language.CHINESE: "nbsweep 测试消息",
}
TEXTS = {
    Language.ENGLISH: "This message tries the channel {name} of nbsweep. It is about no notebook, and nothing will be deleted.",
    Language.CHINESE: "这是 nbsweep 通知渠道 {name} 的测试消息，与任何 Notebook 实例无关，不会删除任何内容。",
}


def trial_letter(key: str, name: str, language: Language, to: str = "") -> Letter:
    """Return a letter that tries a channel; the name of a channel needs no escaping."""
    text = TEXTS[language].format(name=name)
    html = f'<!DOCTYPE html><html lang="{language}"><head><meta charset="utf-8"></head><body><p>{text}</p></body></html>'
    return Letter(key, SUBJECTS[language], text, html, text, to)
