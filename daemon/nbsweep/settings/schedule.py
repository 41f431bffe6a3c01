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


def known_timezone(name: str) -> str:
    """Return the name of a time zone unchanged if it is known.

    Raises:
        ValueError: it is not in the time zone database.
    """
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("is not in the time zone database; write UTC, or a name such as Asia/Shanghai") from None
    return name


class ScheduleSettings(Group):
    """When `serve` sweeps."""

    cron: Annotated[StrictStr, AfterValidator(_crontab)]
    """Five crontab fields: minute, hour, day of month, month, weekday (0 and 7 are Sunday); six begin with the second."""
    timezone: Annotated[StrictStr, AfterValidator(known_timezone)] = "UTC"
    """The IANA name of the time zone of `cron`."""
    jitter: DurationOrZero = timedelta(0)
    """A random delay up to this time, so that many sweepers do not start at once."""

    misfire_grace: Duration = timedelta(hours=1)
    """How late a sweep may start if the service was down at its time; after that it waits for the next time."""

    @property
    def timetable(self) -> Timetable:
        """The times at which sweeps are due."""
        return Timetable(WallTimes.of(read_crontab(self.cron)), ZoneInfo(self.timezone))
