"""When a schedule is due next. Brings APScheduler, so it is imported only where there is a schedule."""

from datetime import datetime
from zoneinfo import ZoneInfo

from apscheduler.triggers.cron import CronTrigger

from nbsweep.settings import ScheduleSettings


def next_run(schedule: ScheduleSettings, now: datetime) -> datetime | None:
    """Tell when it is due next, in its own time zone and without the jitter; None when never again."""
    trigger = CronTrigger(**schedule.trigger_fields(), timezone=ZoneInfo(schedule.timezone))
    due: datetime | None = trigger.get_next_fire_time(None, now.astimezone(ZoneInfo(schedule.timezone)))
    return due
