"""`schedule`: when the service sweeps."""

from datetime import timedelta
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, StrictStr

from nbsweep.core.schedule.timetable import Timetable
from nbsweep.core.schedule.wall_times import WallTimes
from nbsweep.settings.fields.base import Group
from nbsweep.settings.fields.crontab import read_crontab
from nbsweep.settings.fields.units import Duration, DurationOrZero


def _crontab(line: str) -> str:
    read_crontab(line)
    return line


def _timezone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("is not in the time zone database; write UTC, or a name such as Asia/Shanghai") from None
    return name


class ScheduleSettings(Group):
    """When `serve` sweeps."""

    cron: Annotated[StrictStr, AfterValidator(_crontab)]
    """Five crontab fields: minute, hour, day of month, month, weekday (0 and 7 are Sunday); six begin with the second."""
    timezone: Annotated[StrictStr, AfterValidator(_timezone)] = "UTC"
    """The time zone that `cron` is read in, by its IANA name."""
    jitter: DurationOrZero = timedelta(0)
    """Start up to so much later, by chance, so that many sweepers do not all begin on the minute."""

    misfire_grace: Duration = timedelta(hours=1)
    """How late a sweep may still begin when the service was away at its time; later than that it waits for the next one."""

    @property
    def timetable(self) -> Timetable:
        """When it is due."""
        return Timetable(WallTimes.of(read_crontab(self.cron)), ZoneInfo(self.timezone))
