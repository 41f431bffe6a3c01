"""Custom robots of DingTalk groups: HTTP 200 to almost everything, and the truth in `errcode`."""

import base64
import hmac
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import msgspec

from nbsweep.adapters.channels.http import Answer, Poster
from nbsweep.adapters.channels.kinds.codes import Codes, Meaning, read_by_code
from nbsweep.adapters.channels.sender import Attempt
from nbsweep.adapters.channels.wording import one_line, without_effects
from nbsweep.adapters.secret_files import SecretSource
from nbsweep.core.notices.channel import Acceptance, Letter

BLOCKED_FOR = timedelta(minutes=10)
"""How long a robot is blocked that sent more than 20 messages in a minute."""
SECURITY = (
    "the robot's security settings refuse the message: compare secret, the time of this machine, its IP address, and the "
    "robot's keywords"
)
ADVICE = {
    "keyword": "add one of the robot's keywords to the messages, such as nbsweep, in the robot's security settings",
    "sign": "the secret is not the robot's",
    "timestamp": "the time of this machine is more than an hour wrong",
    "whitelist": "allow the IP address of this machine in the robot's security settings",
}
"""What to do about error 310000, by a word of its text."""
CODES = Codes(
    keys=("errcode",),
    texts=("errmsg",),
    meanings={
        -1: Meaning(Acceptance.LATER),
        310000: Meaning(Acceptance.MISCONFIGURED),
        300001: Meaning(Acceptance.MISCONFIGURED, "the address of the robot is wrong, or the robot was removed"),
        300005: Meaning(Acceptance.MISCONFIGURED, "the address of the robot is wrong, or the robot was removed"),
        40035: Meaning(Acceptance.MISCONFIGURED, "the address of the robot is not whole"),
        43002: Meaning(Acceptance.MISCONFIGURED, "a proxy may have changed the request"),
        400101: Meaning(Acceptance.MISCONFIGURED, "the address of the robot is wrong"),
        400102: Meaning(Acceptance.MISCONFIGURED, "the robot was stopped"),
        400106: Meaning(Acceptance.MISCONFIGURED, "the robot was removed"),
        400013: Meaning(Acceptance.MISCONFIGURED, "the group no longer exists"),
        43004: Meaning(Acceptance.MISCONFIGURED, "a proxy may have changed the request"),
        130101: Meaning(Acceptance.LATER, "more than 20 messages in a minute", BLOCKED_FOR, throttled=True),
        410100: Meaning(Acceptance.LATER, "more than 20 messages in a minute", BLOCKED_FOR, throttled=True),
        90018: Meaning(Acceptance.LATER, "", timedelta(seconds=1), throttled=True),
        90030: Meaning(Acceptance.LATER, "the quota of the organisation is used up", timedelta(hours=1), throttled=True),
    },
)


@dataclass(frozen=True, slots=True)
class DingtalkSender:
    """Sends messages to the group of a robot."""

    poster: Poster
    url: SecretSource
    secret: SecretSource | None
    addressed: bool = False

    def size_bytes(self, letter: Letter) -> int:
        """Return the size of the body."""
        return len(_body(letter))

    async def deliver(self, letter: Letter) -> Attempt:
        """Send a letter once."""
        url, secret = self.url.read(), self.secret.read() if self.secret else ""
        signed = f"{url}{'&' if '?' in url else '?'}{self._signature(secret)}" if secret else url
        return await self.poster.post(signed, _body(letter), _read, hidden=(secret,))

    def _signature(self, secret: str) -> str:
        timestamp = str(int(self.poster.clock.now().timestamp() * 1000))
        digest = hmac.digest(secret.encode(), f"{timestamp}\n{secret}".encode(), "sha256")
        return urlencode({"timestamp": timestamp, "sign": base64.b64encode(digest).decode()})


def _body(letter: Letter) -> bytes:
    text = without_effects(letter.markdown or letter.text)
    document: dict[str, Any] = {
        "msgtype": "markdown",
        "markdown": {"title": without_effects(one_line(letter.subject)), "text": text},
        "at": {"isAtAll": False},
    }
    return msgspec.json.encode(document)


def _read(answer: Answer) -> Attempt:
    text = str(answer.document.get("errmsg", "")).casefold()
    advice = next((advice for word, advice in ADVICE.items() if word in text), SECURITY)
    meanings = {**CODES.meanings, 310000: Meaning(Acceptance.MISCONFIGURED, advice)}
    return read_by_code(answer, msgspec.structs.replace(CODES, meanings=meanings))
