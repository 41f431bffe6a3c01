"""Topics of Huawei Cloud SMN, which passes a message on to its subscribers. Accepted is 2xx with the id of the message."""

from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import urlsplit

import msgspec

from nbsweep.adapters.channels.http import Answer, Poster, by_status
from nbsweep.adapters.channels.sender import Attempt, accepted, later, misconfigured
from nbsweep.adapters.channels.wording import one_line, provider_id, said
from nbsweep.core.notices.channel import Letter
from nbsweep.core.notices.proof import NoProof, Prove

LONGEST_SUBJECT_BYTES = 512


@dataclass(frozen=True, slots=True)
class SmnSender:
    """Publishes messages to a topic."""

    poster: Poster
    prove: Prove = field(repr=False)
    target: str
    topic_urn: str
    endpoint: str
    addressed: bool = False

    def size_bytes(self, letter: Letter) -> int:
        """Return the size of the text, which is what the limit counts."""
        return len(letter.text.encode())

    async def deliver(self, letter: Letter) -> Attempt:
        """Send a letter once."""
        body = msgspec.json.encode({"subject": _subject(letter.subject), "message": letter.text})
        path = f"/v2/{self._project_id}/notifications/topics/{self.topic_urn}/publish"
        try:
            proof = await self.prove(self.target, urlsplit(self.endpoint).netloc, path, body)
        except NoProof as error:
            detail = said(f"target {self.target}: {error}")
            return later(detail) if error.passing else misconfigured(detail)
        return await self.poster.post(f"{self.endpoint}{path}", body, _read, proof)

    @property
    def _project_id(self) -> str:
        return self.topic_urn.split(":")[3]


def endpoint_of(topic_urn: str) -> str:
    """Return the address of SMN in the region of a topic."""
    return f"https://smn.{topic_urn.split(':')[2]}.myhuaweicloud.com"


def _subject(text: str) -> str:
    """Return the subject, cut to the bytes that SMN accepts."""
    return one_line(text).encode()[:LONGEST_SUBJECT_BYTES].decode(errors="ignore")


def _read(answer: Answer) -> Attempt:
    message_id = provider_id(answer.document.get("message_id"))
    if answer.ok and message_id:
        return accepted(f"HTTP {answer.status} message_id {message_id}", message_id)
    if answer.status == HTTPStatus.FORBIDDEN:
        return misconfigured(f"{answer.words}: grant smn:topic:publish to the caller of the target")
    if answer.status == HTTPStatus.NOT_FOUND:
        return misconfigured(f"{answer.words}: check topic_urn")
    return by_status(answer)
