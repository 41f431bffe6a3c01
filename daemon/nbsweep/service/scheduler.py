"""Schedules the sweeps with APScheduler, which only marks a target as due and never runs a sweep."""

import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import random
from zoneinfo import ZoneInfo

import anyio
import anyio.lowlevel
from apscheduler.events import EVENT_JOB_MISSED
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.base import BaseTrigger

from nbsweep.core.schedule.timetable import Timetable
from nbsweep.settings.schedule import ScheduleSettings

LOOK_AT_THE_CLOCK_S = 30.0
"""A timer does not notice that the clock was set, so the schedule reads the clock at this interval."""

SHORTEST = timedelta(milliseconds=1)
"""Smallest share of the time to the next due time that a delay leaves."""


@dataclass(slots=True)
class Schedule:
    """The schedule of all targets."""

    due: Callable[[str], None]
    """Called with the name of each target that is due; must not block."""
    missed: Callable[[str], None]
    """Called with the name of each target whose due time is older than its grace period."""
    _scheduler: AsyncIOScheduler = field(default_factory=lambda: AsyncIOScheduler(timezone=ZoneInfo("UTC")))

    @asynccontextmanager
    async def running(self, schedules: Mapping[str, ScheduleSettings]) -> AsyncIterator[None]:
        """Run the scheduler inside the context. Missed due times count once, and none counts after its grace period."""
        for name, settings in schedules.items():
            self._scheduler.add_job(
                self._tell,
                TimetableTrigger(settings.timetable, settings.jitter),
                id=name,
                args=[name],
                coalesce=True,
                max_instances=1,
                misfire_grace_time=max(1, round(settings.misfire_grace.total_seconds())),
            )
        # APScheduler would log every missed time to stderr.
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
        """Return the next due time of a target, or None if it has no schedule."""
        job = self._scheduler.get_job(name)
        return job.next_run_time if job else None

    async def _tell(self, name: str) -> None:
        self.due(name)

    async def _look_at_the_clock(self) -> None:
        while True:
            await anyio.sleep(LOOK_AT_THE_CLOCK_S)
            self._scheduler.wakeup()


class TimetableTrigger(BaseTrigger):  # type: ignore[misc]  # APScheduler says no types
    """APScheduler's view of a timetable; APScheduler's own cron trigger is wrong at changes of daylight saving time."""

    def __init__(self, timetable: Timetable, jitter: timedelta) -> None:
        """Take the timetable and the largest allowed delay."""
        self._timetable = timetable
        self._jitter = jitter

    def get_next_fire_time(self, previous: datetime | None, now: datetime) -> datetime | None:
        """Return the next time to fire: a later one, or now if a due time has passed since the last call."""
        due = self._timetable.after(now if previous is None else self._due_of(previous))
        if due is not None and previous is not None and due <= now:
            # Several missed due times count as one.
            due = max(due, self._timetable.at_or_before(now) or due)
        return due and due + self._delay(due)

    def _due_of(self, fired: datetime) -> datetime:
        """Return the due time of a moment at which the trigger fired. A delay never reaches the next due time."""
        return self._timetable.at_or_before(fired) or fired

    def _delay(self, due: datetime) -> timedelta:
        following = self._timetable.after(due)
        most = min(self._jitter, following - due - SHORTEST) if following else self._jitter
        return most * random()  # noqa: S311  # spreads load, guards nothing
