"""Custom bots of Feishu and Lark groups: the truth is in `code`, or in `StatusCode` of the old form."""

import base64
import hmac
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

CODES = Codes(
    keys=("code", "StatusCode"),
    texts=("msg", "StatusMessage"),
    meanings={
        19001: Meaning(Acceptance.MISCONFIGURED, "the address of the bot is wrong, or the bot was removed"),
        19021: Meaning(
            Acceptance.MISCONFIGURED, "the secret is not the bot's, or the time of this machine is more than an hour wrong"
        ),
        19022: Meaning(Acceptance.MISCONFIGURED, "allow the IP address of this machine in the bot's security settings"),
        19024: Meaning(
            Acceptance.MISCONFIGURED, "add one of the bot's keywords to the messages, such as nbsweep, in its security settings"
        ),
        11232: Meaning(Acceptance.LATER, "too many messages", timedelta(minutes=1), throttled=True),
        99991400: Meaning(Acceptance.LATER, "too many messages", timedelta(minutes=1), throttled=True),
        9499: Meaning(Acceptance.REFUSED, "the message has the wrong form, or is too large"),
    },
)


@dataclass(frozen=True, slots=True)
class FeishuSender:
    """Sends messages to the group of a bot, as cards."""

    poster: Poster
    url: SecretSource
    secret: SecretSource | None
    addressed: bool = False

    def size_bytes(self, letter: Letter) -> int:
        """Return the size of the body, the signature included."""
        return len(_body(letter, {"timestamp": "0" * 10, "sign": "0" * 44}))

    async def deliver(self, letter: Letter) -> Attempt:
        """Send a letter once."""
        url, secret = self.url.read(), self.secret.read() if self.secret else ""
        proof = self._signature(secret) if secret else {}
        return await self.poster.post(url, _body(letter, proof), _read, hidden=(secret,))

    def _signature(self, secret: str) -> dict[str, str]:
        """Return the proof: the digest of nothing, with time and secret as its key."""
        timestamp = str(int(self.poster.clock.now().timestamp()))
        digest = hmac.digest(f"{timestamp}\n{secret}".encode(), b"", "sha256")
        return {"timestamp": timestamp, "sign": base64.b64encode(digest).decode()}


def _body(letter: Letter, proof: dict[str, str]) -> bytes:
    document: dict[str, Any] = {
        **proof,
        "msg_type": "interactive",
        "card": {
            "header": {"title": {"tag": "plain_text", "content": one_line(letter.subject)}},
            "elements": [{"tag": "markdown", "content": without_effects(letter.markdown or letter.text)}],
        },
    }
    return msgspec.json.encode(document)


def _read(answer: Answer) -> Attempt:
    return read_by_code(answer, CODES)
