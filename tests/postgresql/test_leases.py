"""The leases of targets by the clock of the server: the clocks of the hosts may say what they like."""

from contextlib import AbstractAsyncContextManager
from datetime import timedelta

import psycopg
import pytest
from sqlalchemy import make_url

from builders import fence_holder, identity
from contract.conftest import Opener
from hand_clock import HandClock
from nbsweep.core.errors import HeldElsewhere
from nbsweep.core.lease import TargetLease
from nbsweep.core.ports import Cloud, Journal, Ports
from nbsweep.engine.coordination.lease import LeaseGuard
from nbsweep.engine.options import LeaseOptions
from nbsweep.engine.shutdown import Shutdown
from nbsweep.testing import FakeClock, FakeCloud, RecordingTelemetry

LASTS = timedelta(seconds=60)
APART = [timedelta(minutes=10), timedelta(minutes=-10), timedelta(0)]


def guard(owner: str, journal: Journal, clock: HandClock) -> LeaseGuard:
    """Return a guard of a process on a host of its own, whose clock does not even show the year of the server."""
    lease = TargetLease("research", fence_holder(owner), "cron", clock.now(), clock.now())
    ports = Ports(FakeCloud(FakeClock(), []), journal, clock, RecordingTelemetry())
    options = LeaseOptions(fence_holder(owner), LASTS, lambda _: None)
    return LeaseGuard(ports, options, lease, identity(), Shutdown())


def clock_of(apart: timedelta) -> HandClock:
    """Return a clock that is so far ahead of the other host's."""
    clock = HandClock()
    clock.set_s = apart.total_seconds()
    return clock


def held(owner: str, journal: Journal, apart: timedelta = timedelta(0)) -> AbstractAsyncContextManager[Cloud]:
    """Hold the lease."""
    return guard(owner, journal, clock_of(apart)).held()


def age(address: str, seconds: int) -> None:
    """Let the last beat be so much older."""
    url = make_url(address)
    with psycopg.connect(f"dbname={url.database} host={url.query['host']} user={url.username}", autocommit=True) as connection:
        connection.execute("UPDATE leases SET beat_at = beat_at - %s", [seconds * 1_000_000])


@pytest.mark.parametrize("apart", APART)
async def test_a_lease_that_is_held_is_not_taken_whatever_the_clocks_say(opener: Opener, apart: timedelta) -> None:
    """Neither by a host that is ten minutes ahead nor by one that is behind."""
    async with opener() as one, opener() as other, held("a", one):
        with pytest.raises(HeldElsewhere, match="host-a"):
            async with held("b", other, apart):
                pass
        lease = await one.leases.find("research")
        assert lease
        assert lease.holder.owner == "a"


@pytest.mark.parametrize("apart", APART)
async def test_a_silent_lease_is_taken_over_in_time_whatever_the_clocks_say(
    opener: Opener, address: str, apart: timedelta
) -> None:
    """Not 50 seconds after the last beat, but 61 seconds after it; the one who took it is on record by the server's clock."""
    async with opener() as one, opener() as other:
        first = guard("a", one, clock_of(timedelta(0)))
        await first._take()  # noqa: SLF001  # as a process does that dies then
        age(address, 50)
        with pytest.raises(HeldElsewhere):
            async with held("b", other, apart):
                pass
        age(address, 11)
        async with held("b", other, apart):
            lease = await one.leases.find("research")
            assert lease
            assert lease.holder.owner == "b"
            assert abs(await one.leases.now(clock_of(apart).now()) - lease.beat_at) < LASTS
