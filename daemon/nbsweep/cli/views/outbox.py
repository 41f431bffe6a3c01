"""The view of `outbox`: what was sent, what is waiting, and what has failed."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime

from rich.console import Group, RenderableType

from nbsweep.cli.views.results import cell
from nbsweep.cli.views.tables import NAME, SHORT_NAME, Column, Row, make_table
from nbsweep.core.control.requests import Pause
from nbsweep.core.facts import format_age, format_moment
from nbsweep.core.notices.health import NONE_WAITING
from nbsweep.core.notices.outbox import Message, MessageState, WaitingItems

COLUMNS = (
    Column("MESSAGE"),
    Column("KIND", leaves=2),
    Column("RECIPIENT", most=NAME),
    Column("CHANNEL", most=SHORT_NAME),
    Column("STATE"),
    Column("CREATED", leaves=1),
    Column("ATTEMPTS", right=True, leaves=3),
    Column("RESULT", folds=True),
)
STYLES: Mapping[MessageState, str] = {
    MessageState.PENDING: "yellow",
    MessageState.LEASED: "cyan",
    MessageState.SENT: "green",
    MessageState.FAILED: "bold red",
}
SHORT_KEY = 12


def outbox_view(
    messages: Sequence[Message], pause: Pause | None, now: datetime, waiting: WaitingItems = NONE_WAITING
) -> RenderableType:
    """Return the table of messages, how many are in each state, the items that wait for one, and whether sending is paused."""
    parts: list[RenderableType] = []
    if messages:
        parts.append(make_table(COLUMNS, lambda: (_row(message, now) for message in messages)))
        counts = Counter(message.state for message in messages)
        parts.append(
            cell(", ".join(f"{counts[state]} {state.lower()}" for state in MessageState if counts[state]) + ".", "bold")
        )
    else:
        parts.append(cell("The outbox has no such message."))
    if waiting.oldest_at is not None:
        items = "1 item waits" if waiting.count == 1 else f"{waiting.count} items wait"
        parts.append(cell(f"{items} for a message, since {format_moment(waiting.oldest_at)}."))
    if pause is not None and pause.in_force(now):
        parts.append(cell(f"Sending is {pause}. `nbsweep notify resume` ends that.", "yellow"))
    return Group(*parts)


def _row(message: Message, now: datetime) -> Row:
    return (
        cell(message.key[:SHORT_KEY]),
        cell(message.kind),
        cell(message.recipient),
        cell(message.channel),
        cell(message.state, STYLES[message.state]),
        cell(f"{message.created_at:%Y-%m-%d %H:%M}Z"),
        cell(message.attempts),
        cell(_result(message, now), "dim"),
    )


def _result(message: Message, now: datetime) -> str:
    if message.state is MessageState.SENT:
        return message.proof
    if message.state is MessageState.FAILED:
        return message.problem
    again = f"next attempt in {format_age(message.next_at - now)}" if message.next_at > now else "due now"
    return f"{message.problem}; {again}" if message.problem else again
