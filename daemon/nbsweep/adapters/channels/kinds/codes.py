"""Reads the answers of robots that answer HTTP 200 to a refusal, with an error code in the body."""

from collections.abc import Mapping
from datetime import timedelta

from msgspec import Struct

from nbsweep.adapters.channels.http import Answer, by_status
from nbsweep.adapters.channels.sender import Attempt, accepted, later, misconfigured, refused
from nbsweep.core.notices.channel import Acceptance


class Meaning(Struct, frozen=True):
    """What an error code means."""

    acceptance: Acceptance
    advice: str = ""
    retry_after: timedelta | None = None
    throttled: bool = False


class Codes(Struct, frozen=True):
    """The error codes of a vendor."""

    keys: tuple[str, ...]
    """The keys of the code in the body, the first that is there."""
    texts: tuple[str, ...]
    """The keys of the text."""
    meanings: Mapping[int, Meaning]
    """By code. An unknown code is a refusal of the message."""


UNKNOWN = Meaning(Acceptance.REFUSED)
TOO_MANY = Meaning(Acceptance.LATER, retry_after=timedelta(minutes=1), throttled=True)
OF_TOO_MANY = ("too fast", "too many", "frequen", "freq out", "rate limit", "限流", "频率")
"""Vendors change the codes of throttling; their texts say it all the same."""


def read_by_code(answer: Answer, codes: Codes) -> Attempt:
    """Return what an answer means by its body; without a code in it, by its status."""
    document = answer.document
    key = next((key for key in codes.keys if _is_code(document.get(key))), None)
    if key is None or (document[key] == 0 and not answer.ok):
        return by_status(answer)
    code, text = document[key], next((str(document[name]) for name in codes.texts if document.get(name)), "")
    if code == 0:
        return accepted(f"{key} 0 {text}".rstrip())
    otherwise = TOO_MANY if any(words in text.casefold() for words in OF_TOO_MANY) else UNKNOWN
    return _meant(codes.meanings.get(code, otherwise), f"{key} {code} {text}".rstrip(), answer)


def _is_code(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _meant(meaning: Meaning, words: str, answer: Answer) -> Attempt:
    detail = f"{words}: {meaning.advice}" if meaning.advice else words
    match meaning.acceptance:
        case Acceptance.LATER:
            return later(detail, answer.retry_after or meaning.retry_after, throttled=meaning.throttled)
        case Acceptance.MISCONFIGURED:
            return misconfigured(detail)
        case _:
            return refused(detail)
