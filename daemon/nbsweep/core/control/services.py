"""The record that a running service writes about itself to the journal, and what a command concludes from it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from msgspec import Struct

from nbsweep.core.facts import format_age, format_moment
from nbsweep.core.lease import Holder

BEAT_EVERY = timedelta(seconds=15)
SILENT_AFTER = timedelta(seconds=60)
"""A service without a beat for so long counts as lost, unless this host can see its process."""
FORGOTTEN_AFTER = timedelta(days=7)


class ServiceRecord(Struct, frozen=True):
    """A service's record of itself."""

    holder: Holder
    """The process of the service."""
    version: str
    started_at: datetime
    beat_at: datetime
    """The time of the last beat; as `stopped_at` by the clock that all processes share, see `LeaseRecords.now`."""
    mode: str
    digest: str
    """The digest of the configuration in force, without its secrets."""
    in_force_since: datetime
    targets: tuple[str, ...]
    scheduled: tuple[str, ...]
    """The targets that have a schedule."""
    reload_problem: str = ""
    """Why the last reload was refused; empty if it was accepted."""
    stopped_at: datetime | None = None
    waiting: Mapping[str, int] = {}
    """The targets that wait for the turn of their account, each with the number of accounts that have waited longer."""

    def is_lost(self, now: datetime) -> bool:
        """Return whether it has sent no beat for too long, without having stopped."""
        return life_of(self, now, alive=None) is Life.LOST

    def __str__(self) -> str:
        """Describe the process."""
        return f"the service on host {self.holder.host} (process {self.holder.pid})"


class Life(StrEnum):
    """Whether a service is alive."""

    RUNNING = "running"
    STOPPED = "stopped"
    """It stopped normally."""
    LOST = "lost"
    """It has sent no beat for too long, or its process does not exist."""


def life_of(record: ServiceRecord, now: datetime, *, alive: bool | None) -> Life:
    """Return whether a service is alive; `alive` says whether its process exists, None if this host cannot check that."""
    if record.stopped_at is not None:
        return Life.STOPPED
    if alive is None:
        return Life.LOST if abs(now - record.beat_at) >= SILENT_AFTER else Life.RUNNING
    return Life.RUNNING if alive else Life.LOST


class ServiceStatus(Struct, frozen=True):
    """The service that sweeps a target, as the journal and this host know it."""

    record: ServiceRecord
    life: Life
    digest: str
    """The digest of the configuration file that this command has read."""

    def problems(self, target: str, now: datetime) -> Sequence[str]:
        """Return what needs an action."""
        record, found = self.record, []
        if self.life is Life.LOST:
            found.append(f"{record} has reported nothing since {format_moment(record.beat_at)}: start it again")
        if self.life is Life.RUNNING and now - record.beat_at >= SILENT_AFTER:
            silent = format_age(now - record.beat_at)
            found.append(f"{record} is running, but has reported nothing for {silent}: it hangs, or cannot write this journal")
        if self.life is Life.RUNNING and record.reload_problem:
            head, *mistakes = map(str.strip, record.reload_problem.splitlines())
            found.append(f"{record} has refused to reload its configuration: {head} {'; '.join(mistakes)}".rstrip())
        if self.life is Life.RUNNING and target not in record.targets:
            found.append(f"{record} does not know this target: reload its configuration")
        return found

    def describe(self, target: str, now: datetime) -> Iterator[str]:
        """Describe the service, the configuration that is in force, and whether the target has a schedule, line by line."""
        record = self.record
        if self.life is Life.STOPPED and record.stopped_at:
            # The clock of another host may be ahead.
            ago = format_age(max(now - record.stopped_at, timedelta(0)))
            yield f"{record} was stopped {ago} ago, at {format_moment(record.stopped_at)}"
            return
        runs = "runs" if self.life is Life.RUNNING else "ran"
        yield f"{record} was started at {format_moment(record.started_at)}, and {runs} in mode {record.mode}"
        if self.life is Life.LOST:
            return
        which = "the one of the file" if record.digest == self.digest else "not the one of the file"
        yield f"its configuration, {which}, has been in force since {format_moment(record.in_force_since)} ({record.digest})"
        ahead = record.waiting.get(target)
        if ahead is not None:
            accounts = "1 other account has" if ahead == 1 else f"{ahead} other accounts have"
            yield f"this target waits for its turn: {f'{accounts} waited longer' if ahead else 'it is next'}"
        if target not in record.scheduled:
            yield "no schedule: it is swept on request only"


def service_of(target: str, services: Iterable[ServiceStatus]) -> ServiceStatus | None:
    """Return the service of a target. A running service is preferred to a lost one, and a lost one to a stopped one."""
    order = (Life.STOPPED, Life.LOST, Life.RUNNING)
    known = [each for each in services if target in each.record.targets or each.life is Life.RUNNING]
    mine = [each for each in known if each.life is not Life.LOST or not _was_replaced(each, target, known)]
    return max(
        mine,
        key=lambda each: (order.index(each.life), target in each.record.targets, each.record.beat_at),
        default=None,
    )


def _was_replaced(lost: ServiceStatus, target: str, services: Iterable[ServiceStatus]) -> bool:
    """Return whether another service of the target was started after the last beat of a lost one."""
    return any(target in each.record.targets and each.record.started_at > lost.record.beat_at for each in services)
