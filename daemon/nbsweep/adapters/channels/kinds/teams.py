"""Workflows of Microsoft Teams: the answer comes before the message is posted, so it proves nothing."""

from dataclasses import dataclass
from typing import Any

import msgspec

from nbsweep.adapters.channels.http import Answer, Poster, by_status
from nbsweep.adapters.channels.sender import Attempt, unproven
from nbsweep.adapters.channels.wording import one_line, without_effects
from nbsweep.adapters.secret_files import SecretSource
from nbsweep.core.notices.channel import Letter


@dataclass(frozen=True, slots=True)
class TeamsSender:
    """Sends messages to a workflow, as Adaptive Cards."""

    poster: Poster
    url: SecretSource
    addressed: bool = False

    def size_bytes(self, letter: Letter) -> int:
        """Return the size of the body."""
        return len(_body(letter))

    async def deliver(self, letter: Letter) -> Attempt:
        """Send a letter once."""
        return await self.poster.post(self.url.read(), _body(letter), _read)


def _body(letter: Letter) -> bytes:
    # A run of text is no Markdown, unlike a text block.
    title = {"type": "TextRun", "text": one_line(letter.subject), "weight": "Bolder", "size": "Medium"}
    card: dict[str, Any] = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "msteams": {"width": "Full"},
        "body": [
            {"type": "RichTextBlock", "inlines": [title]},
            {"type": "TextBlock", "text": without_effects(letter.markdown or letter.text), "wrap": True},
        ],
    }
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return msgspec.json.encode({"type": "message", "attachments": [attachment]})


def _read(answer: Answer) -> Attempt:
    return unproven(answer.words) if answer.ok else by_status(answer)
