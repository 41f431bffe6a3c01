"""Messages of the pages: English texts that are translated when they are shown, so that views do not depend on a language."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from msgspec import Struct

Value = str | int | float | datetime | timedelta | tuple[str, ...]
"""What may stand in a message; numbers, dates, durations and lists are written as the language of the reader does."""


class Message(Struct, frozen=True):
    """A text in English with its values, such as `paused by %(by)s`."""

    text: str
    values: Mapping[str, Value] = {}
    plural: str = ""
    """The text for other numbers than one; empty if the text does not depend on a number."""


def english_of(message: Message) -> str:
    """Return a message in English with plain values, for programs."""
    values = {name: ", ".join(value) if isinstance(value, tuple) else str(value) for name, value in message.values.items()}
    return message.text % values


def message(text: str, **values: Value) -> Message:
    """Return a message. The text must be a literal, so that it is found for translation."""
    return Message(text, values)


def plural(one: str, many: str, count: int, **values: Value) -> Message:
    """Return a message whose text depends on `%(count)s`. Both texts must be literals."""
    return Message(one, {"count": count, **values}, many)
