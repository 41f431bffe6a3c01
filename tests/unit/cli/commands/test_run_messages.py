"""What `run` says about the messages that it sent."""

import pytest

from nbsweep.cli.commands.run import describe_messages
from nbsweep.documents.reports import MessagesDocument


@pytest.mark.parametrize(
    ("messages", "words"),
    [
        (MessagesDocument(told=3, sent=2, not_accepted=0), "messages: 2 messages sent, which announce 3 deletions."),
        (MessagesDocument(told=1, sent=1, not_accepted=0), "messages: 1 message sent, which announces 1 deletion."),
        (MessagesDocument(told=0, sent=1, not_accepted=0), "messages: 1 message sent."),
        (MessagesDocument(told=0, sent=0, not_accepted=2), "messages: 0 messages sent; 2 not accepted: see `nbsweep outbox`."),
    ],
)
def test_the_report_says_what_was_sent(messages: MessagesDocument, words: str) -> None:
    """And where to look if a message was not accepted."""
    assert describe_messages(messages) == words
