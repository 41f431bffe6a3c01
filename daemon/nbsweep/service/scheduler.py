"""APScheduler's cron says that a sweep is wanted; it never runs one."""

import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

import anyio
import anyio.lowlevel
from apscheduler.events import EVENT_JOB_MISSED
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.cron import CronTrigger

from nbsweep.settings.schedule import ScheduleSettings

LOOK_AT_THE_CLOCK_S = 30.0
"""A timer does not notice that the clock was set; so the schedule looks at it now and then."""


@dataclass(slots=True)
class Schedule:
    """When the sweeps of all targets are due."""

    due: Callable[[str], None]
    """Told the name of each target whose time has come; must not wait."""
    missed: Callable[[str], None]
    """Told the name of each target whose time had passed for longer than its grace."""
    _scheduler: AsyncIOScheduler = field(default_factory=lambda: AsyncIOScheduler(timezone=ZoneInfo("UTC")))

    @asynccontextmanager
    async def running(self, schedules: Mapping[str, ScheduleSettings]) -> AsyncIterator[None]:
        """Run while inside. Of times that were missed together only one counts, and none that is later than its grace."""
        for name, settings in schedules.items():
            self._scheduler.add_job(
                self._tell,
                trigger(settings),
                id=name,
                args=[name],
                coalesce=True,
                max_instances=1,
                misfire_grace_time=max(1, round(settings.misfire_grace.total_seconds())),
            )
        # It would tell stderr of every time that was missed, past our own log.
        logging.getLogger("apscheduler").addHandler(logging.NullHandler())
        self._scheduler.add_listener(lambda event: self.missed(event.job_id), EVENT_JOB_MISSED)
        self._scheduler.start()
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(self._look_at_the_clock, name="clock")
                yield
                group.cancel_scope.cancel()
        finally:
            self._scheduler.shutdown(wait=False)
            await anyio.lowlevel.cancel_shielded_checkpoint()

    def next_run(self, name: str) -> datetime | None:
        """Tell when a target's sweep is due next; None when it has no schedule."""
        job = self._scheduler.get_job(name)
        return job.next_run_time if job else None

    async def _tell(self, name: str) -> None:
        self.due(name)

    async def _look_at_the_clock(self) -> None:
        while True:
            await anyio.sleep(LOOK_AT_THE_CLOCK_S)
            self._scheduler.wakeup()


class OnceADay(CronTrigger):  # type: ignore[misc]  # APScheduler says no types
    """A cron of named hours, for which an hour that comes twice in autumn counts once, as it does for crontab."""

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime | None:
        """Tell when it fires next."""
        found: datetime | None = super().get_next_fire_time(previous_fire_time, now)
        while found is not None and found.fold:
            found = super().get_next_fire_time(found, found)
        return found


def trigger(settings: ScheduleSettings) -> CronTrigger:
    """Make APScheduler's trigger of a schedule."""
    jitter_s = round(settings.jitter.total_seconds())
    kind = CronTrigger if settings.trigger_fields()["hour"] == "*" else OnceADay
    return kind(**settings.trigger_fields(), timezone=ZoneInfo(settings.timezone), jitter=jitter_s or None)
