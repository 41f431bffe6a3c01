"""Robots of WeCom groups: HTTP 200 to almost everything, and the truth in `errcode`."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import msgspec

from nbsweep.adapters.channels.http import Answer, Poster
from nbsweep.adapters.channels.kinds.codes import Codes, Meaning, read_by_code
from nbsweep.adapters.channels.sender import Attempt
from nbsweep.adapters.channels.wording import one_line, without_effects
from nbsweep.adapters.secret_files import SecretSource
from nbsweep.core.notices.channel import Acceptance, Letter

REMOVED = "the address of the robot is wrong, or the robot was removed from the group"
CODES = Codes(
    keys=("errcode",),
    texts=("errmsg",),
    meanings={
        -1: Meaning(Acceptance.LATER),
        6000: Meaning(Acceptance.LATER),
        45009: Meaning(Acceptance.LATER, "more than 20 messages in a minute", timedelta(minutes=1), throttled=True),
        45033: Meaning(Acceptance.LATER, "too many messages at once", timedelta(minutes=1), throttled=True),
        93000: Meaning(Acceptance.MISCONFIGURED, REMOVED),
        93004: Meaning(Acceptance.MISCONFIGURED, "the robot was stopped"),
        93008: Meaning(Acceptance.MISCONFIGURED, REMOVED),
        40001: Meaning(Acceptance.MISCONFIGURED, REMOVED),
        40014: Meaning(Acceptance.MISCONFIGURED, REMOVED),
        60020: Meaning(Acceptance.MISCONFIGURED, "allow the IP address of this machine"),
    },
)


@dataclass(frozen=True, slots=True)
class WecomSender:
    """Sends messages to the group of a robot."""

    poster: Poster
    url: SecretSource
    addressed: bool = False

    def size_bytes(self, letter: Letter) -> int:
        """Return the size of the Markdown, which is what the limit counts."""
        return len(_content(letter).encode())

    async def deliver(self, letter: Letter) -> Attempt:
        """Send a letter once."""
        document: dict[str, Any] = {"msgtype": "markdown", "markdown": {"content": _content(letter)}}
        return await self.poster.post(self.url.read(), msgspec.json.encode(document), _read)


def _content(letter: Letter) -> str:
    """Return subject and text in one, because this form has no title."""
    return without_effects(f"**{one_line(letter.subject).replace('*', '')}**\n{letter.markdown or letter.text}")


def _read(answer: Answer) -> Attempt:
    return read_by_code(answer, CODES)
