"""What a server and what stands before it do to connections, and what the journal makes of that."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from threading import Thread

import psycopg
import pytest
from msgspec.structs import replace
from psycopg import sql
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from acceptance.conftest import Simulate
from acceptance.support import Desk, asked, eventually, free_port, idle_fleet
from builders import removal, run_record
from nbsweep.adapters.journal import SqlJournal, Timeouts, open_journal
from nbsweep.adapters.journal.connections.postgresql import PREPARING
from nbsweep.core.errors import JournalError
from nbsweep.core.lifecycle import Removal, State
from postgresql.conftest import BOUNCER_PORT, Server
from trails import whole_trail

PATIENT = Timeouts(patience_s=30)


@asynccontextmanager
async def opened(address: str) -> AsyncIterator[SqlJournal]:
    """Open the journal as a sweep does."""
    async with open_journal(address, PATIENT) as journal:
        yield journal


async def entries(journal: SqlJournal) -> list[tuple[str, str]]:
    """List what is on the trail."""
    return [(link.entry.notebook_id, link.entry.what) for link in await whole_trail(journal)]


async def test_two_first_starts_make_one_journal(server: Server) -> None:
    """Four at once on an empty database; each finds the tables, made once."""
    for _ in range(3):
        address = server.new_database()
        async with asyncio.TaskGroup() as tasks:
            for number in range(4):
                tasks.create_task(_start(address, f"run{number}"))
        async with open_journal(address) as journal:
            assert len(await journal.runs(10)) == 4


async def _start(address: str, run_id: str) -> None:
    async with open_journal(address) as journal:
        await journal.open_run(run_record(run_id))


@pytest.mark.parametrize("held", ["LOCK TABLE meta", f"SELECT pg_advisory_xact_lock({PREPARING})"], ids=["table", "opening"])
async def test_a_journal_that_is_locked_is_waited_for_and_then_said_to_be(address: str, held: str) -> None:
    """With who holds the lock; when they let go, the journal opens."""
    async with open_journal(address):
        pass
    with psycopg.connect(address, application_name="backup") as holder:
        holder.execute(held)
        with pytest.raises(JournalError) as raised:
            async with open_journal(address, Timeouts(busy_s=0.2)):
                pass
        said = str(raised.value)
        assert "is locked: for 0.2 s" in said
        assert f"session {holder.info.backend_pid} of user {holder.info.user} (program backup, for " in said
        holder.rollback()
        async with open_journal(address, Timeouts(busy_s=0.2)) as journal:
            assert await journal.runs(1) == ()


async def test_an_opening_waits_for_a_lock_as_long_as_a_sweep_has_patience(address: str) -> None:
    """It opens as soon as the lock is released."""
    async with open_journal(address):
        pass
    with psycopg.connect(address) as holder:
        holder.execute("LOCK TABLE meta")
        async with asyncio.TaskGroup() as tasks:
            opening = tasks.create_task(_start(address, "run1"))
            await asyncio.sleep(0.5)
            assert not opening.done()
            holder.rollback()


async def test_connections_that_were_ended_are_made_anew(server: Server, address: str) -> None:
    """Those that write and those that read; nothing is lost, and nothing is written twice."""
    async with opened(address) as journal:
        for number in range(3):
            await journal.write([removal(number)])
            server.end_connections()
            assert len(await journal.removals("run1")) == number + 1
            server.end_connections()
        assert await entries(journal) == [(f"nb{number}", "decided") for number in range(3)]


async def test_a_write_waits_for_a_server_that_is_restarted(server: Server, address: str) -> None:
    """It comes back when the server does."""
    async with opened(address) as journal:
        await journal.write([removal(1)])
        down, again = asyncio.Event(), asyncio.Event()
        loop = asyncio.get_running_loop()

        def wait_while_down() -> None:
            loop.call_soon_threadsafe(down.set)
            asyncio.run_coroutine_threadsafe(again.wait(), loop).result(60)

        thread = Thread(target=partial(server.restart, before=wait_while_down))
        thread.start()
        await down.wait()
        async with asyncio.TaskGroup() as tasks:
            written = tasks.create_task(journal.write([removal(2)]))
            read = tasks.create_task(journal.removals("run1"))
            await asyncio.sleep(0.5)
            assert not written.done()
            again.set()
        await asyncio.to_thread(thread.join)
        assert removal(1) in read.result()
        assert await entries(journal) == [("nb1", "decided"), ("nb2", "decided")]


async def test_a_commit_of_which_nobody_heard_is_not_repeated(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The connection breaks between the commit and its answer: every step is on the trail once, a new run is open once."""
    async with opened(address) as journal:
        await journal.write([removal(1)])
        commit = Connection._commit_impl  # noqa: SLF001  # nothing else is between the commit and its answer
        lost: list[Connection] = []

        def commit_unheard(self: Connection) -> None:
            commit(self)
            if not lost:
                lost.append(self)
                self.invalidate()
                raise OperationalError("COMMIT", {}, ConnectionError(), connection_invalidated=True)

        monkeypatch.setattr(Connection, "_commit_impl", commit_unheard)
        requested = _requested(removal(1))
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(journal.open_run(run_record("run2")))
            tasks.create_task(journal.write([requested]))
            tasks.create_task(journal.write([_accepted(requested)]))
        assert lost
        assert await entries(journal) == [("nb1", "decided"), ("nb1", "requested"), ("nb1", "accepted")]
        assert len(await journal.run("run2")) == 1


def test_every_run_is_served_by_pgbouncer_in_transaction_mode(
    server: Server, bouncer: Path, simulate: Simulate, desk: Desk
) -> None:
    """Connections of the server go from hand to hand, and what one run has prepared there is not in the next one's way."""
    name = server.new_database().partition("@/")[2].partition("?")[0]
    cloud = simulate(idle_fleet(40))
    brakes = {"max_deletions": 10, "max_share": None, "on_excess": "trim"}
    desk.write(cloud, journal=f"postgresql://{server.user}@/{name}?host={bouncer}&port={BOUNCER_PORT}", brakes=brakes)
    for _ in range(3):
        ended = desk.sweep()
        assert ended.code == 0, ended.err
    assert len(cloud.gone()) == 30


def test_a_sweep_goes_on_when_the_server_was_restarted(server: Server, simulate: Simulate, desk: Desk, address: str) -> None:
    """Exit code 0, no error and no alert, and every notebook is deleted once."""
    cloud = simulate(idle_fleet(40), timing={"deletion_median_s": 0.5})
    desk.write(cloud, journal=address, target={"limits": {"delete": "10/s"}})
    with desk.started("run", "--yes", "--format", "json") as started:
        eventually(lambda: len(cloud.accepted()) >= 5, "five DELETEs")
        server.restart()
        ended = started.ended()
    assert ended.code == 0, ended.err
    assert not [line for line in ended.lines if line["level"] == "error"]
    assert cloud.accepted() == dict.fromkeys(cloud.instances(), 1)
    assert desk.run("audit", "verify").code == 0


def test_a_sweep_goes_on_although_its_connections_are_ended_again_and_again(
    server: Server, simulate: Simulate, desk: Desk, address: str
) -> None:
    """As by an administrator, or a proxy that is moved: each costs a reconnection, and nothing is lost or done twice."""
    cloud = simulate(idle_fleet(40), timing={"deletion_median_s": 0.5})
    desk.write(cloud, journal=address, target={"limits": {"delete": "10/s"}})
    ended_times = 0
    with desk.started("run", "--yes", "--format", "json") as started:
        eventually(lambda: len(cloud.accepted()) >= 1, "the first DELETE")
        while len(cloud.accepted()) < 35:
            server.end_connections()
            ended_times += 1
            time.sleep(0.2)
        ended = started.ended()
    assert ended.code == 0, ended.err
    assert ended_times >= 3
    assert not [line for line in ended.lines if line["level"] == "error"]
    assert cloud.accepted() == dict.fromkeys(cloud.instances(), 1)
    assert desk.run("audit", "verify").code == 0


@pytest.mark.parametrize("table", ["removals", "audit", "leases"])
def test_a_sweep_waits_for_a_table_that_somebody_else_has_locked(
    table: str, simulate: Simulate, desk: Desk, address: str
) -> None:
    """For 20 s, as a backup or a change of an index does: no DELETE leaves meanwhile, and the sweep goes on."""
    cloud = simulate(idle_fleet(40), timing={"deletion_median_s": 0.5})
    desk.write(cloud, journal=address, target={"limits": {"delete": "10/s"}})
    with desk.started("run", "--yes", "--format", "json") as started:
        eventually(lambda: len(cloud.accepted()) >= 5, "five DELETEs")
        with psycopg.connect(address) as other:
            other.execute(sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(sql.Identifier(table)))
            time.sleep(20)
        ended = started.ended()
    assert ended.code == 0, ended.err
    assert not [line for line in ended.lines if line["level"] == "error"]
    assert cloud.accepted() == dict.fromkeys(cloud.instances(), 1)


@pytest.mark.parametrize("option", ["lock_timeout", "statement_timeout"])
async def test_a_server_that_gives_a_lock_little_time_is_asked_again(option: str, server: Server, address: str) -> None:
    """Reads and writes wait as long as the journal waits for an outage, not as long as the server does."""
    with server.connected() as administrator:
        name = address.partition("@/")[2].partition("?")[0]
        administrator.execute(sql.SQL("ALTER DATABASE {} SET {} = 200").format(sql.Identifier(name), sql.Identifier(option)))
    async with opened(address) as journal:
        await journal.write([removal(1)])
        other = await psycopg.AsyncConnection.connect(address)
        try:
            await other.execute(f"SET {option} = 0")
            await other.execute("LOCK TABLE removals IN ACCESS EXCLUSIVE MODE")
            async with asyncio.TaskGroup() as tasks:
                written = tasks.create_task(journal.write([removal(2)]))
                read = tasks.create_task(journal.removals("run1"))
                await asyncio.sleep(1.5)
                assert not written.done()
                assert not read.done()
                await other.rollback()
        finally:
            await other.close()
        assert len(await journal.removals("run1")) == 2


def _requested(planned: Removal) -> Removal:
    at = planned.planned_at
    return replace(planned, state=State.REQUESTED, requested_at=at, sent_at=at, requests=1)


def _accepted(requested: Removal) -> Removal:
    return replace(requested, state=State.ACCEPTED, accepted_at=requested.planned_at)


def test_no_password_of_the_address_is_told_by_a_service_whose_server_is_away(
    server: Server, simulate: Simulate, desk: Desk, address: str
) -> None:
    """Neither in the log nor over the API, which answers without a token here; the outage is told, and called no bug."""
    cloud = simulate(idle_fleet(3))
    listen = f"127.0.0.1:{free_port()}"
    secret = f"{address}&password=QXZ-0789-KVW&sslpassword=QXZ-0789-KVW&options="
    desk.write(
        cloud, journal=secret, mode="enforce", service={"listen": listen, "lease": "3s"}, schedule={"cron": "* * * * * *"}
    )
    told: list[str] = []

    def ask() -> None:
        eventually(lambda: asked(listen, "GET", "/readyz")[0] == 503, "the service is not ready")
        told.extend(asked(listen, "GET", path)[1] for path in ("/readyz", "/api/v1/targets", "/api/v1/runs", "/metrics"))

    with desk.started("serve") as started:
        started.wait_for("sweep.finished")
        server.restart(before=ask)
        eventually(lambda: asked(listen, "GET", "/readyz")[0] == 200, "the service is ready again")
        started.signal(signal.SIGTERM)
        ended = started.ended()
    assert ended.code in (0, 130), ended.err
    assert any("is away" in text or "cannot be read" in text for text in told), told
    for text in (*told, ended.out, ended.err):
        assert not [piece for piece in ("QXZ", "0789", "KVW", "a bug in nbsweep") if piece in text]
