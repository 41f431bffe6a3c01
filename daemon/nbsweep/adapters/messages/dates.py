"""Dates for people: absolute, with the day of the week, the ISO date and the time zone."""

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from nbsweep.core.reasons.language import Language

WEEKDAYS: Mapping[Language, tuple[str, ...]] = {
    Language.ENGLISH: ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    Language.CHINESE: ("星期一", "星期二", "星期三", "星期四", "星期五", "星期六", "星期日"),
}


def format_date(moment: datetime, zone: ZoneInfo, language: Language) -> str:
    """Return a moment in a zone, to the minute before: ``Tuesday 2026-12-08 09:00 (Asia/Shanghai)``."""
    local = moment.astimezone(zone)
    weekday = WEEKDAYS[language][local.weekday()]
    place = f"{zone.key}, {_offset(local)}" if _is_twice(local) else zone.key
    if language is Language.CHINESE:
        return f"{local.year}年{local.month}月{local.day}日 {weekday} {local:%H:%M}（{place}）"
    return f"{weekday} {local:%Y-%m-%d %H:%M} ({place})"


def format_iso(moment: datetime, zone: ZoneInfo) -> str:
    """Return a moment in a zone as ISO 8601 with its offset: ``2026-12-08T09:00+08:00``."""
    return moment.astimezone(zone).isoformat(timespec="minutes")


def _is_twice(local: datetime) -> bool:
    """Return whether the clocks show this time twice, because they are set back."""
    return local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()


def _offset(local: datetime) -> str:
    return f"UTC{local:%z}"[:6] + ":" + f"{local:%z}"[3:5]
