"""What truly happened, in true time: letters that arrived, what owners did, and DELETEs that the cloud accepted."""

from dataclasses import dataclass, field
from datetime import datetime

from nbsweep.core.model import Notebook


@dataclass(frozen=True, slots=True)
class Shown:
    """One line of a letter, as its reader sees it."""

    kind: str
    item_id: str
    name: str
    """The name of the notebook; each instance has another."""
    deadline: datetime | None


@dataclass(slots=True)
class Arrival:
    """A letter that was sent; `at` is None until the other side has accepted it."""

    message: str
    """The key of the message."""
    channel: str
    to: str
    lines: tuple[Shown, ...]
    begun: datetime
    life: int
    at: datetime | None = None
    counts: bool = False
    """Whether the other side said that it has accepted the letter, or is trusted."""
    answered: bool = False


@dataclass(slots=True)
class Truth:
    """The record of one seed."""

    letters: list[Arrival] = field(default_factory=list)
    """All letters, in the order in which their sending began."""
    used: dict[str, list[datetime]] = field(default_factory=dict)
    """When each instance was used, or its lease renewed, by name."""
    tagged: dict[str, datetime] = field(default_factory=dict)
    """Since when an instance has a tag that protects it."""
    marked: dict[str, datetime] = field(default_factory=dict)
    """When each mark was written, by its id."""
    mark_names: dict[str, str] = field(default_factory=dict)
    """The name of the instance of each mark."""
    item_marks: dict[str, str] = field(default_factory=dict)
    """The mark of each item."""
    unreachable: dict[str, list[datetime]] = field(default_factory=dict)
    """When it became certain that an owner cannot be told, by the name of the owner or of the instance."""
    deleted: list[tuple[datetime, Notebook]] = field(default_factory=list)
    lines: list[tuple[datetime, str]] = field(default_factory=list)
    """The trace."""

    def note(self, now: datetime, line: str) -> None:
        """Add a line to the trace."""
        self.lines.append((now, line))

    def uses(self, name: str) -> list[datetime]:
        """List when an instance was used."""
        return self.used.get(name, [])
