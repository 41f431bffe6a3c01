"""The chains of the audit trail on a real PostgreSQL server: who waits for whom, and what is seen meanwhile."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from threading import Event

import pytest
from sqlalchemy import Connection, create_engine, make_url, text
from sqlalchemy.exc import DBAPIError

from builders import NOON, removal
from legacy import legacy_links, make_legacy
from nbsweep.adapters.journal import SqlJournal, open_journal
from nbsweep.adapters.journal.connections.postgresql import STALLED_AFTER_MS
from nbsweep.adapters.journal.dialects import commit_in_chunks
from nbsweep.adapters.journal.records.audit import TrailWriter
from nbsweep.adapters.journal.transaction import Procedure, Transaction, Turn
from nbsweep.core.audit.chain import LEGACY
from nbsweep.core.audit.control import entry_of_request
from nbsweep.core.audit.entries import AuditQuery
from nbsweep.core.audit.heads import ChainHead
from nbsweep.core.control.requests import SweepRequest
from nbsweep.core.exemptions.model import Exemption
from nbsweep.service.trail_verifier import TrailVerifier
from notice_builders import exemption
from postgresql.conftest import Server
from postgresql.test_migrations import connected
from trails import whole_trail

PATIENCE_S = 20
"""Far more than a write takes that waits for nobody."""
A_WHILE_S = 0.5
"""Enough for a write to be done that should wait."""


@asynccontextmanager
async def held(address: str, *targets: str, turn: Turn = Turn.NONE) -> AsyncIterator[Callable[[], None]]:
    """Write an entry for each target in a transaction that another process leaves open; yields what lets it commit."""
    reached, go_on = Event(), Event()

    def store(transaction: Transaction) -> None:
        for target in targets:
            trail.append_one(transaction, target, partial(entry_of_request, SweepRequest(target, NOON, "held")))
        reached.set()
        assert go_on.wait(PATIENCE_S)

    engine = create_engine(make_url(address).set(drivername="postgresql+psycopg"), execution_options={STALLED_AFTER_MS: 60_000})
    trail = TrailWriter(engine.dialect)
    with engine.connect() as connection:
        change = Procedure(store, frozenset(targets), turn)
        task = asyncio.create_task(asyncio.to_thread(commit_in_chunks, connection, [change]))
        try:
            assert await asyncio.to_thread(reached.wait, PATIENCE_S)
            yield go_on.set
        finally:
            go_on.set()
            await task
    engine.dispose()


async def test_writers_for_two_targets_do_not_wait_for_each_other(address: str) -> None:
    """One leaves its transaction open while the other commits, a removal as well as a request."""
    async with open_journal(address) as journal, held(address, "teaching"):
        async with asyncio.timeout(PATIENCE_S):
            await journal.write([removal(1)])
            await journal.control.request_sweep(SweepRequest("research", NOON, "li"))
        assert [link.chain for link in await whole_trail(journal)] == ["research"] * 2


async def test_writers_for_the_same_target_take_turns(address: str) -> None:
    """The second waits for the first, and its entry follows."""
    async with open_journal(address) as journal:
        async with held(address, "research") as commit:
            write = asyncio.create_task(journal.write([removal(1)]))
            await asyncio.sleep(A_WHILE_S)
            assert not write.done()
            commit()
            async with asyncio.timeout(PATIENCE_S):
                await write
        assert [link.entry.what for link in await whole_trail(journal)] == ["sweep_requested", "decided"]


@pytest.mark.parametrize("granted", [exemption(target=""), exemption(target="teaching")])
async def test_an_order_waits_for_a_grant_for_any_target(address: str, granted: Exemption) -> None:
    """A grant for all targets is in another chain than the order; the order is written after it, or not at all."""
    async with open_journal(address) as journal:
        version = await journal.exemptions.version()
        async with held(address, "teaching", turn=Turn.GRANTS) as commit:
            order = asyncio.create_task(journal.write([removal(1)], exemptions_version=version))
            await asyncio.sleep(A_WHILE_S)
            assert not order.done()
            commit()
            await order
        await journal.exemptions.grant(granted)
        with pytest.raises(Exception, match="An exemption was granted"):
            await journal.write([removal(2)], exemptions_version=version)


async def test_an_entry_that_is_committed_late_is_in_its_place(address: str) -> None:
    """Its position is lower than one that was read already; who goes on to older entries, or forward in its chain, has it."""
    async with open_journal(address) as journal:
        async with held(address, "teaching"):
            await journal.write([removal(1)])
            [newest] = await journal.trail.latest(AuditQuery(), 10)
            assert newest.entry.what == "decided"
        [late] = await journal.trail.latest(AuditQuery(before=newest.position), 10)
        assert (late.chain, late.entry.started_by) == ("teaching", "held")
        assert late.position < newest.position
        assert await journal.trail.after("teaching", 0, 10) == (late,)


async def test_transactions_over_many_targets_do_not_deadlock(server: Server, address: str) -> None:
    """Four processes write for ten new targets in any order, several in each commit."""
    dice = random.Random(1)  # noqa: S311  # no secret
    targets = [f"target{number}" for number in range(10)]

    async def write(journal: SqlJournal, number: int) -> None:
        chosen = dice.sample(targets, 4)
        await journal.write([removal(number, target=target, run_id=f"run{number}") for target in chosen])

    async with asyncio.timeout(60), asyncio.TaskGroup() as journals:
        for process in range(4):

            async def work(process: int) -> None:
                async with open_journal(address) as journal, asyncio.TaskGroup() as tasks:
                    for number in range(25):
                        tasks.create_task(write(journal, process * 25 + number))

            journals.create_task(work(process))
    async with open_journal(address) as journal:
        assert len(await whole_trail(journal)) == 400
        assert (await TrailVerifier(journal.trail).verify()).is_unbroken
    with server.connected() as connection:
        name = make_url(address).database
        [deadlocks] = connection.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = %s", [name]).fetchone() or [
            None
        ]
        assert deadlocks == 0


async def test_the_entries_of_an_older_version_stay_one_chain(server: Server) -> None:
    """Bit for bit, with the head that was noted then; new chains follow on its end, and it never grows."""
    address = server.new_database()
    old = legacy_links("research", "teaching", "research")
    with connected(address) as connection:
        head = make_legacy(connection, old)
    async with open_journal(address) as journal:
        assert [link._replace(position=0) for link in await journal.trail.after(LEGACY, 0, 10)] == old
        await journal.write([removal(1)])
        assert [link.position for link in await journal.trail.latest(AuditQuery(), 10)] == [4, 3, 2, 1]
        verified = await TrailVerifier(journal.trail, (ChainHead(None, head),)).verify()
        assert verified.is_unbroken
        assert [(each.chain, each.head.sequence, len(each.noted)) for each in verified.chains] == [
            (LEGACY, 3, 1),
            ("research", 1, 0),
        ]
    with pytest.raises(DBAPIError, match="append-only"), connected(address) as connection:
        _write_as_before(connection)
    with connected(address) as connection:
        connection.execute(text("ALTER TABLE audit DISABLE TRIGGER USER"))
        connection.execute(text("DELETE FROM audit WHERE id = 3"))
        connection.execute(
            text("UPDATE audit_chains SET sequence = 2, digest = :digest WHERE chain = '(legacy)'"), {"digest": old[1].digest}
        )
    async with open_journal(address) as journal:
        found = await TrailVerifier(journal.trail).verify()
    assert [(each.chain, each.broken is None) for each in found.chains] == [(LEGACY, True), ("research", False)]


def _write_as_before(connection: Connection) -> None:
    """Add an entry to the one chain, as a process of the older version would that still runs."""
    columns = (
        "moment_us, what, target, run_id, started_by, notebook_id, name, owner, policy, reason, requests, request_id, digest"
    )
    connection.execute(text(f"INSERT INTO audit (sequence, {columns}) SELECT 4, {columns} FROM audit WHERE id = 3"))  # noqa: S608  # names of columns
