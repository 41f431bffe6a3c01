"""What owners do in a year, by the days and hours of their countries. It is drawn first, and knows nothing of sweeps."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from random import Random
from zoneinfo import ZoneInfo

from builders import NOON

DAYS = 365
A_DAY = timedelta(days=1)
DAY_S = 86_400.0


class Deed(StrEnum):
    """What an owner does to a notebook."""

    START = "is started"
    STOP = "is stopped"
    FAIL_TO_START = "cannot be started"
    RENEW = "has its lease renewed"
    KEEP_BY_TAG = "is tagged to be kept"
    UNTAG = "loses its tag"
    KEEP_BY_NAME = "is renamed to be kept"
    RENAME = "is renamed"
    PASS_ON = "is passed on"
    EXEMPT = "is exempted"
    EXEMPT_ALL = "is exempted with all of its owner's"
    REVOKE = "loses its exemption"
    REMOVE = "is removed by its owner"
    CREATE = "is created again"


RARE = (
    *(Deed.RENEW, Deed.RENEW, Deed.KEEP_BY_TAG, Deed.UNTAG, Deed.KEEP_BY_NAME, Deed.RENAME, Deed.RENAME, Deed.PASS_ON),
    *(Deed.EXEMPT, Deed.EXEMPT_ALL, Deed.REVOKE, Deed.REMOVE, Deed.REMOVE, Deed.CREATE, Deed.CREATE, Deed.FAIL_TO_START),
)


@dataclass(frozen=True, slots=True)
class Country:
    """Where owners live and work."""

    zone: str
    holidays: frozenset[date]


def _days(*parts: tuple[int, int, int, int]) -> frozenset[date]:
    return frozenset(date(year, month, day + more) for year, month, day, many in parts for more in range(many))


CHINA = Country("Asia/Shanghai", _days((2026, 5, 1, 5), (2026, 6, 19, 3), (2026, 10, 1, 7), (2027, 1, 1, 3), (2027, 2, 5, 8)))
GERMANY = Country(
    "Europe/Berlin", _days((2026, 4, 3, 4), (2026, 5, 14, 1), (2026, 10, 3, 1), (2026, 12, 24, 3), (2027, 1, 1, 1))
)


@dataclass(frozen=True, slots=True)
class Owner:
    """An owner with their holidays and absences."""

    name: str
    country: Country
    absences: tuple[tuple[int, int], ...]
    """The first and the last day of each, from 0."""

    def works(self, day: int) -> bool:
        """Return whether they work on a day of the year."""
        when = (NOON + day * A_DAY).date()
        absent = any(first <= day <= last for first, last in self.absences)
        return when.weekday() < 5 and when not in self.country.holidays and not absent

    def at(self, day: int, hour: float) -> float:
        """Return a wall time of theirs in seconds since the beginning."""
        midnight = datetime.combine((NOON + day * A_DAY).date(), time(0), ZoneInfo(self.country.zone))
        return (midnight - NOON).total_seconds() + hour * 3600


@dataclass(frozen=True, slots=True)
class Act:
    """Something that an owner does at one time."""

    at_s: float
    slot: int
    """The number of the notebook's id."""
    deed: Deed
    number: int
    """A number of its own, for names and lengths."""


def draw_owner(random: Random, number: int) -> Owner:
    """Draw an owner."""
    absences = []
    for _ in range(random.choice((0, 1, 2, 3))):
        first = random.randrange(DAYS)
        absences.append((first, first + random.choice((3, 10, 15, 40))))
    return Owner(f"owner{number}", random.choice((CHINA, CHINA, GERMANY)), tuple(absences))


def draw_acts(random: Random, slot: int, owner: Owner) -> Iterator[Act]:
    """Draw what happens to a notebook: bursts of work and long rests, and rare deeds at any time."""
    day = random.randrange(40)
    while day < DAYS:
        for worked in range(day, min(DAYS, day + random.choice((1, 2, 5, 12)))):
            if owner.works(worked) and random.random() < 0.7:
                yield from _work(random, slot, owner, worked)
        rest = random.choice((4, 12, 25, 45, 60, 100))
        for _ in range(random.choice((0, 0, 1, 1, 2))):
            rare = day + random.randrange(1, rest + 1)
            if rare < DAYS:
                yield _act(random, slot, owner, rare, random.uniform(0, 23), random.choice(RARE))
        day += rest + random.randrange(8)


def _work(random: Random, slot: int, owner: Owner, day: int) -> Iterator[Act]:
    start = random.uniform(8, 12)
    lasts = random.choice((0.5, 3, 8, 30))  # some are left running over night
    yield _act(random, slot, owner, day, start, Deed.START)
    yield _act(random, slot, owner, day, start + lasts, Deed.STOP)


def _act(random: Random, slot: int, owner: Owner, day: int, hour: float, deed: Deed) -> Act:
    """Return an act in the first half of an hour: sweeps take place in the other."""
    at_s = owner.at(day, int(hour)) + random.uniform(60, 1500)
    return Act(max(60.0, at_s), slot, deed, random.randrange(10**6))
