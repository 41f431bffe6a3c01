"""Incoming webhooks of Slack: accepted is the word `ok`."""

from dataclasses import dataclass

import msgspec

from nbsweep.adapters.channels.http import Answer, Poster, by_status
from nbsweep.adapters.channels.sender import Attempt, accepted, later, misconfigured
from nbsweep.adapters.channels.wording import one_line, without_effects
from nbsweep.adapters.secret_files import SecretSource
from nbsweep.core.notices.channel import Letter

OF_CHANNEL = {
    "no_service": "the webhook was removed",
    "no_service_id": "the address of the webhook is wrong",
    "no_active_hooks": "the webhook was switched off",
    "no_team": "the workspace no longer exists",
    "team_disabled": "the workspace was switched off",
    "invalid_token": "the address of the webhook is wrong",
    "channel_not_found": "the channel of the webhook no longer exists",
    "channel_is_archived": "the channel of the webhook is archived",
    "user_not_found": "the user of the webhook no longer exists",
    "action_prohibited": "an administrator does not allow it",
    "posting_to_general_channel_denied": "an administrator does not allow it in this channel",
}
"""Refusals that concern all messages, and what they mean."""


@dataclass(frozen=True, slots=True)
class SlackSender:
    """Sends messages to the channel of a webhook, as plain text: Slack's own markup has no way to write a name as it is."""

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
    text = f"{one_line(letter.subject)}\n{letter.text}"
    # A mention is <!channel> or <@name>, and a link <address|text>: escaped, they are text.
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return msgspec.json.encode({"text": without_effects(escaped), "mrkdwn": False, "link_names": False})


def _read(answer: Answer) -> Attempt:
    word = answer.body.decode(errors="replace").strip()
    if advice := OF_CHANNEL.get(word.replace(" ", "_").casefold()):
        return misconfigured(f"{answer.words}: {advice}")
    if answer.ok:
        return accepted("ok") if word == "ok" else later(f"{answer.words}: not the answer of Slack; is it a proxy's?")
    return by_status(answer)
