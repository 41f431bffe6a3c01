"""The suite that the fences of every journal pass, over a real PostgreSQL server, and what only a server can show."""

import asyncio
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url

from contract.conftest import Opener
from contract.test_fences import *  # noqa: F403  # the same tests, collected here again
from contract.test_fences import HOUR, holder, stored
from nbsweep.adapters.journal import Timeouts, open_journal
from postgresql.conftest import BOUNCER_PORT, Server

LASTS = timedelta(seconds=60)
PATIENT = Timeouts(patience_s=30)


@pytest.mark.parametrize(("silent_s", "taken"), [(50, False), (61, True), (-50, False), (-70, True)])
async def test_a_fence_is_taken_over_when_it_was_silent_for_long_enough(
    opener: Opener, address: str, silent_s: int, *, taken: bool
) -> None:
    """By the clock of the server; a beat from far in its future counts for nothing, since the clock was set back."""
    url = make_url(address)
    async with opener() as journal:
        await journal.fences.take("cron", holder("a"), LASTS)
        with psycopg.connect(f"dbname={url.database} host={url.query['host']} user={url.username}", autocommit=True) as other:
            other.execute("UPDATE fences SET beat_at = beat_at - %s", [silent_s * 1_000_000])
        fence = await journal.fences.take("cron", holder("b"), LASTS)
        assert fence.is_of(holder("b")) is taken


async def test_fences_need_no_session(server: Server, bouncer: Path) -> None:
    """PgBouncer in transaction mode gives each transaction another connection, also one that another process had."""
    name = server.new_database().partition("@/")[2].partition("?")[0]
    address = f"postgresql://{server.user}@/{name}?host={bouncer}&port={BOUNCER_PORT}"
    async with open_journal(address) as one, open_journal(address) as other:
        for round_ in range(5):
            both = [(one, holder("a")), (other, holder("b"))]
            taken = await asyncio.gather(*(journal.fences.take("cron", process, HOUR) for journal, process in both))
            assert len({(fence.holder.owner, fence.epoch) for fence in taken}) == 1
            journal = one if taken[0].is_of(holder("a")) else other
            assert await journal.fences.beat(taken[0], str(round_))
            await journal.fences.release(taken[0])
            assert (await stored(one)).memory == str(round_)


async def test_a_fence_outlasts_the_connections_of_its_holder(server: Server, address: str) -> None:
    """No lock of a session is behind it."""
    async with open_journal(address, PATIENT) as one, open_journal(address, PATIENT) as other:
        mine = await one.fences.take("cron", holder("a"), HOUR)
        server.end_connections()
        assert (await other.fences.take("cron", holder("b"), HOUR)).is_of(holder("a"))
        assert await one.fences.beat(mine)
