"""Webhooks after the Standard Webhooks specification: signed, with an id that stays the same over all attempts."""

from dataclasses import dataclass
from datetime import UTC
from http import HTTPStatus
from typing import Any

import msgspec
from standardwebhooks import Webhook
from standardwebhooks.webhooks import EmptyWebhookSecretError

from nbsweep.adapters.channels.http import Answer, Poster, by_status
from nbsweep.adapters.channels.sender import Attempt, accepted, misconfigured, refused
from nbsweep.adapters.channels.wording import one_line
from nbsweep.adapters.secret_files import SecretSource, Unusable
from nbsweep.core.notices.channel import Acceptance, Letter

TYPE = "nbsweep.notice"
OF_CHANNEL = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED})
"""Refusals that concern all messages."""


@dataclass(frozen=True, slots=True)
class WebhookSender:
    """Sends signed messages to a server."""

    poster: Poster
    url: SecretSource
    secrets: tuple[SecretSource, ...]
    """During a rotation several: the server accepts a message if it knows one of them."""
    addressed: bool = False

    def size_bytes(self, letter: Letter) -> int:
        """Return the size of the body."""
        return len(self._body(letter))

    async def deliver(self, letter: Letter) -> Attempt:
        """Send a letter once."""
        url, secrets = self.url.read(), [source.read() for source in self.secrets]
        body = self._body(letter)
        now = self.poster.clock.now().astimezone(UTC)
        signatures = [
            _signer(source, secret).sign(letter.key, now, body.decode())
            for source, secret in zip(self.secrets, secrets, strict=True)
        ]
        headers = {
            "webhook-id": letter.key,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": " ".join(signatures),
        }
        return await self.poster.post(url, body, _read, headers, hidden=(letter.to, *secrets))

    def _body(self, letter: Letter) -> bytes:
        data: dict[str, Any] = {"key": letter.key, "subject": one_line(letter.subject), "text": letter.text}
        if letter.markdown:
            data["markdown"] = letter.markdown
        if self.addressed:
            data["to"] = letter.to
        return msgspec.json.encode({"type": TYPE, "data": data})


def _signer(source: SecretSource, secret: str) -> Webhook:
    try:
        return Webhook(secret)
    except (ValueError, EmptyWebhookSecretError):
        raise Unusable(f"{source.setting}: must be whsec_ and base64, as the server shows it") from None


def _read(answer: Answer) -> Attempt:
    if answer.ok:
        return accepted(answer.words)
    if answer.status == HTTPStatus.GONE:
        return misconfigured(f"{answer.words}: the server does not want messages any more")
    if answer.status in OF_CHANNEL:
        return misconfigured(f"{answer.words}: compare address and secret with the server's")
    attempt = by_status(answer)
    return attempt if attempt.receipt.acceptance is Acceptance.LATER else refused(answer.words)
