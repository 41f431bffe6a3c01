"""The JSON documents of the outbox."""

from collections.abc import Iterable
from typing import Annotated

from msgspec import Meta

from nbsweep.core.notices.outbox import Message, MessageKind, MessageState
from nbsweep.documents.base import Count, Document, Time, moment_text


class MessageDocument(Document, frozen=True):
    """One message: to whom, by which channel, and what became of it. It holds no address and no text."""

    key: str
    kind: MessageKind
    recipient: Annotated[str, Meta(description="owner:KEY, fallback, channel:NAME or operators:NAME; never an address.")]
    channel: str
    state: MessageState
    created_at: Time
    attempts: Count
    next_at: Annotated[Time | None, Meta(description="When the next attempt is due; null if there is none.")]
    ended_at: Time | None
    proof: Annotated[str | None, Meta(description="What the other side said when it accepted the message.")]
    problem: Annotated[str | None, Meta(description="The result of the last failed attempt.")]


def message_document(message: Message) -> MessageDocument:
    """Return the document of a message."""
    unsent = message.state in (MessageState.PENDING, MessageState.LEASED)
    return MessageDocument(
        key=message.key,
        kind=message.kind,
        recipient=message.recipient,
        channel=message.channel,
        state=message.state,
        created_at=moment_text(message.created_at),
        attempts=message.attempts,
        next_at=moment_text(message.next_at) if unsent else None,
        ended_at=moment_text(message.ended_at),
        proof=message.proof or None,
        problem=message.problem or None,
    )


def message_documents(messages: Iterable[Message]) -> list[MessageDocument]:
    """Return the documents of messages."""
    return [message_document(message) for message in messages]
