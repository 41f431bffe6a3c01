"""Says which lost processes of a fleet nobody has made up for. Pure."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Protocol, TypeVar

from nbsweep.core.workers.model import FORGOTTEN_AFTER


class ReportingProcess(Protocol):
    """A process that reports itself in the journal every few seconds."""

    @property
    def started_at(self) -> datetime:
        """When it was started."""
        ...

    @property
    def beat_at(self) -> datetime:
        """The time of its last beat."""
        ...

    @property
    def stopped_at(self) -> datetime | None:
        """When it stopped normally."""
        ...

    def is_lost(self, now: datetime) -> bool:
        """Return whether it has sent no beat for too long, without having stopped."""
        ...


Process = TypeVar("Process", bound=ReportingProcess)


def losses(processes: Sequence[Process], now: datetime) -> Iterator[Process]:
    """Yield the processes that were lost within a day, except those after whose loss as many have run as before.

    No process replaces a certain other one: with several losses, each start makes up for one of them, the last one first.
    """
    for process in processes:
        if process.is_lost(now) and now - process.beat_at < FORGOTTEN_AFTER and not _made_up_for(process, processes, now):
            yield process


def _made_up_for(lost: ReportingProcess, processes: Sequence[ReportingProcess], now: datetime) -> bool:
    before = _running_at(lost.beat_at, processes, now)
    later = (each.started_at for each in processes if each.started_at > lost.beat_at)
    return any(_running_at(started_at, processes, now) >= before for started_at in later)


def _running_at(moment: datetime, processes: Sequence[ReportingProcess], now: datetime) -> int:
    """Return how many processes ran at a moment; a lost one ran until its last beat."""
    return sum(each.started_at <= moment <= _end_of(each, now) for each in processes)


def _end_of(process: ReportingProcess, now: datetime) -> datetime:
    return process.stopped_at or (process.beat_at if process.is_lost(now) else now)
