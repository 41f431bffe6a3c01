import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from nbsweep.service.scheduler import Schedule
from nbsweep.settings.schedule import ScheduleSettings
from nbsweep.testing import FakeClock

pytestmark = pytest.mark.looptime(noop_cycles=5)
HOUR_S = 3600.0


@dataclass
class Diary:
    """Who was told what, and when by the wall clock."""

    clock: FakeClock
    due: list[datetime] = field(default_factory=list)
    missed: list[datetime] = field(default_factory=list)

    def schedule(self) -> Schedule:
        """Return a schedule that writes into it."""
        return Schedule(lambda _: self.due.append(self.clock.now()), lambda _: self.missed.append(self.clock.now()))


def diary(clocks: list[FakeClock], start: datetime) -> Diary:
    """Begin at that moment."""
    clocks.append(FakeClock(start))
    return Diary(clocks[0])


def at(*moments: str) -> list[datetime]:
    """Read moments in UTC."""
    return [datetime.fromisoformat(moment).replace(tzinfo=UTC) for moment in moments]


def to_the_second(moments: list[datetime]) -> list[datetime]:
    """Leave the fractions out: a timer may be a little late, never early."""
    return [moment.replace(microsecond=0) for moment in moments]


async def test_a_sweep_is_wanted_at_each_time_of_the_cron(clocks: list[FakeClock]) -> None:
    """Three nights at three, in the schedule's own time zone."""
    seen = diary(clocks, datetime(2026, 3, 1, 12, tzinfo=UTC))
    schedule = seen.schedule()
    async with schedule.running({"lab": ScheduleSettings(cron="0 3 * * *", timezone="Asia/Shanghai")}):
        assert schedule.next_run("lab") == datetime(2026, 3, 1, 19, tzinfo=UTC)
        assert schedule.next_run("other") is None
        await asyncio.sleep(72 * HOUR_S)
    assert to_the_second(seen.due) == at("2026-03-01T19:00", "2026-03-02T19:00", "2026-03-03T19:00")
    assert seen.missed == []


async def test_a_night_that_loses_an_hour_is_swept_once(clocks: list[FakeClock]) -> None:
    """In Berlin half past two does not exist on 29 March 2026: the sweep is not lost, and there is one for each night."""
    seen = diary(clocks, datetime(2026, 3, 28, 12, tzinfo=UTC))
    async with seen.schedule().running({"lab": ScheduleSettings(cron="30 2 * * *", timezone="Europe/Berlin")}):
        await asyncio.sleep(47 * HOUR_S)
    assert len(seen.due) == 2
    assert [moment.date().day for moment in seen.due] == [29, 30]


async def test_a_night_that_has_an_hour_twice_is_swept_once(clocks: list[FakeClock]) -> None:
    """In Berlin half past two comes twice on 25 October 2026; the sweep does not."""
    seen = diary(clocks, datetime(2026, 10, 24, 12, tzinfo=UTC))
    async with seen.schedule().running({"lab": ScheduleSettings(cron="30 2 * * *", timezone="Europe/Berlin")}):
        await asyncio.sleep(47 * HOUR_S)
    assert [moment.date().day for moment in seen.due] == [25, 26]


async def test_jitter_in_the_hour_that_comes_twice_brings_one_sweep(clocks: list[FakeClock]) -> None:
    """Half past two in Berlin, up to five seconds later: once on 25 October 2026, and the schedule goes on the next day."""
    seen = diary(clocks, datetime(2026, 10, 24, 22, 30, tzinfo=UTC))
    settings = ScheduleSettings(cron="30 2 * * *", timezone="Europe/Berlin", jitter=timedelta(seconds=5))
    schedule = seen.schedule()
    async with schedule.running({"lab": settings}):
        await asyncio.sleep(4 * HOUR_S)
        due = schedule.next_run("lab")
    assert [moment.replace(second=0) for moment in to_the_second(seen.due)] == at("2026-10-25T00:30")
    assert due is not None
    assert due.replace(second=0, microsecond=0) == datetime(2026, 10, 26, 1, 30, tzinfo=UTC)


async def test_a_jitter_longer_than_the_schedule_skips_and_repeats_nothing(clocks: list[FakeClock]) -> None:
    """Each of sixty minutes has its own sweep, whose delay of up to ten minutes ends before the next one is due."""
    seen = diary(clocks, datetime(2026, 3, 1, 0, 0, 1, tzinfo=UTC))
    async with seen.schedule().running({"lab": ScheduleSettings(cron="* * * * *", jitter=timedelta(minutes=10))}):
        await asyncio.sleep(HOUR_S)
    assert [moment.minute for moment in seen.due][:59] == list(range(1, 60))


async def test_years_of_seconds_that_were_missed_are_not_gone_through(clocks: list[FakeClock]) -> None:
    """A clock that began in 1971, as without a battery, and was set: one sweep, and the next in a second."""
    seen = diary(clocks, datetime(1971, 1, 1, tzinfo=UTC))
    async with seen.schedule().running({"lab": ScheduleSettings(cron="* * * * * *", timezone="Europe/Berlin")}):
        await asyncio.sleep(0.5)
        clocks[0].jump(55 * 365 * 24 * HOUR_S)
        await asyncio.sleep(2)
    assert 1 <= len(seen.due) <= 3


async def test_a_clock_that_is_set_back_brings_no_sweep_again(clocks: list[FakeClock]) -> None:
    """Swept at three; at five past the clock goes back to half past two, and three o'clock comes once more."""
    seen = diary(clocks, datetime(2026, 3, 1, 2, 59, tzinfo=UTC))
    async with seen.schedule().running({"lab": ScheduleSettings(cron="0 3 * * *")}):
        await asyncio.sleep(6 * 60)
        clocks[0].jump(-35 * 60)
        await asyncio.sleep(3 * HOUR_S)
    assert to_the_second(seen.due) == at("2026-03-01T03:00")


async def test_a_clock_that_is_set_forward_is_noticed_within_the_minute(clocks: list[FakeClock]) -> None:
    """At noon the clock jumps to ten past three at night: the sweep is ten minutes late, and comes at once."""
    seen = diary(clocks, datetime(2026, 3, 1, 12, tzinfo=UTC))
    async with seen.schedule().running({"lab": ScheduleSettings(cron="0 3 * * *")}):
        await asyncio.sleep(10)
        clocks[0].jump(15 * HOUR_S + 600)
        await asyncio.sleep(60)
    assert len(seen.due) == 1
    assert timedelta(0) <= seen.due[0] - datetime(2026, 3, 2, 3, 10, tzinfo=UTC) <= timedelta(minutes=1)


async def test_a_time_that_passed_for_longer_than_its_grace_is_missed(clocks: list[FakeClock]) -> None:
    """The clock jumps over the time by two hours, and an hour late is all that is allowed: it is told, and not made up for."""
    seen = diary(clocks, datetime(2026, 3, 1, 12, tzinfo=UTC))
    async with seen.schedule().running({"lab": ScheduleSettings(cron="0 3 * * *")}):
        clocks[0].jump(17 * HOUR_S)
        await asyncio.sleep(60)
    assert seen.due == []
    assert len(seen.missed) == 1


async def test_times_that_were_missed_together_count_once(clocks: list[FakeClock]) -> None:
    """Ten of a schedule of every minute passed at once: one sweep makes up for all of them."""
    seen = diary(clocks, datetime(2026, 3, 1, 12, 0, 30, tzinfo=UTC))
    async with seen.schedule().running({"lab": ScheduleSettings(cron="* * * * *")}):
        clocks[0].jump(600)
        await asyncio.sleep(29.9)
    assert len(seen.due) <= 1


async def test_jitter_makes_a_sweep_late_and_never_early(clocks: list[FakeClock]) -> None:
    """Up to five minutes."""
    seen = diary(clocks, datetime(2026, 3, 1, 0, 30, tzinfo=UTC))
    async with seen.schedule().running({"lab": ScheduleSettings(cron="0 * * * *", jitter=timedelta(minutes=5))}):
        await asyncio.sleep(24 * HOUR_S)
    assert len(seen.due) in (23, 24)
    assert all(0 <= moment.minute <= 5 for moment in seen.due)


async def test_seconds_may_come_before_the_five_fields(clocks: list[FakeClock]) -> None:
    """Every fifteen seconds, for a minute."""
    seen = diary(clocks, datetime(2026, 3, 1, 0, 0, 1, tzinfo=UTC))
    async with seen.schedule().running({"lab": ScheduleSettings(cron="*/15 * * * * *")}):
        await asyncio.sleep(60)
    assert [moment.second for moment in seen.due] == [15, 30, 45, 0]
