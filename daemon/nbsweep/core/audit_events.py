"""What is told of the audit trail, see `audit` and `events`."""

from typing import ClassVar

from nbsweep.core.events import Event


class AuditHead(Event, frozen=True):
    """How far the trail had come at a run's end, for `audit verify --head`: the log is the place elsewhere to note it in."""

    name: ClassVar[str] = "audit.head"
    sequence: int
    digest: str
