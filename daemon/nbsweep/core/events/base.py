"""The base class of all events.

Each event is a frozen record with a `name` (the event in the log), a `level`, and fields that become the keys of the log line.
What several events share (`run_id`, `target`, `notebook_id`, `policy`) is bound once around the work, see `Telemetry.bound`,
and is not repeated in the records.
"""

from typing import ClassVar, Literal

from msgspec import Struct

Level = Literal["debug", "info", "warning", "error"]


class Event(Struct, frozen=True):
    """Something that happened."""

    name: ClassVar[str]
    level: ClassVar[Level] = "info"
