"""What happens to the log itself; see `events`."""

from typing import ClassVar

from nbsweep.core.events import Event, Level


class LogLinesLost(Event, frozen=True):
    """Lines of the log were lost, because nobody read what was written before them."""

    name: ClassVar[str] = "log.lines_lost"
    level: ClassVar[Level] = "warning"
    lines: int
    """How many, since this was last told."""
