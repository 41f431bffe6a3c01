"""A journal from before each target had a chain: its entries stay one chain, and every new chain follows on its end."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from builders import NOON, removal
from legacy import legacy_links, make_legacy
from nbsweep.adapters.journal import open_journal
from nbsweep.core.audit.chain import LEGACY, Flaw, Head
from nbsweep.core.audit.entries import AuditQuery
from nbsweep.core.audit.heads import ChainHead, NotedHead
from nbsweep.core.audit.verification import VerifiedTrail
from nbsweep.core.control.requests import Pause
from nbsweep.service.trail_verifier import TrailVerifier

OLD = legacy_links("research", "teaching", "research", "")
HEAD = Head(4, OLD[-1].digest)
WITHOUT_GUARDS = tuple(f"DROP TRIGGER audit_{name}" for name in ("never_changes", "never_shrinks", "only_grows"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Make a journal of the version before."""
    path = tmp_path / "journal.db"
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        assert make_legacy(connection, OLD) == HEAD
    engine.dispose()
    return path


async def verified(path: Path, *noted: NotedHead) -> VerifiedTrail:
    """Verify the trail."""
    async with open_journal(f"sqlite:///{path}") as journal:
        return await TrailVerifier(journal.trail, noted).verify()


async def go_on(path: Path) -> None:
    """Write for two targets with the present version."""
    async with open_journal(f"sqlite:///{path}") as journal:
        await journal.write([removal(1), removal(2)])
        await journal.control.pause(Pause("teaching", NOON))


async def test_the_entries_stay_as_they_were(path: Path) -> None:
    """Number, content and digest of each; the head that was noted then is found again."""
    async with open_journal(f"sqlite:///{path}") as journal:
        assert [link._replace(position=0) for link in await journal.trail.after(LEGACY, 0, 10)] == OLD
        assert await journal.trail.heads() == {LEGACY: HEAD}
    await go_on(path)
    found = await verified(path, ChainHead(None, HEAD), ChainHead(None, Head(2, OLD[1].digest)))
    assert found.is_unbroken
    assert [(each.chain, each.head.sequence, len(each.noted)) for each in found.chains] == [
        *((LEGACY, 4, 2), ("research", 2, 0), ("teaching", 1, 0))
    ]


async def test_the_lists_have_the_old_entries_behind_the_new_ones(path: Path) -> None:
    """By the position, which goes on from the last number."""
    await go_on(path)
    async with open_journal(f"sqlite:///{path}") as journal:
        latest = await journal.trail.latest(AuditQuery(), 10)
        assert [(link.position, link.chain, link.entry.sequence) for link in latest] == [
            *((7, "teaching", 1), (6, "research", 2), (5, "research", 1)),
            *((4, LEGACY, 4), (3, LEGACY, 3), (2, LEGACY, 2), (1, LEGACY, 1)),
        ]
        mine = await journal.trail.latest(AuditQuery(target="research", before=6), 10)
        assert [link.position for link in mine] == [5, 3, 1]


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        (["DELETE FROM audit WHERE id = 4"], [(LEGACY, Flaw.CUT, 4)]),
        (
            [
                "DELETE FROM audit WHERE id = 4",
                "DELETE FROM audit_chains WHERE chain = '(legacy)'",
                "INSERT INTO audit_chains SELECT chain, sequence, digest FROM audit WHERE id = 3",
            ],
            [("research", Flaw.ALTERED, 1), ("teaching", Flaw.ALTERED, 1)],
        ),
        (
            ["DELETE FROM audit WHERE id < 5", "DELETE FROM audit_chains WHERE chain = '(legacy)'"],
            [("research", Flaw.ALTERED, 1), ("teaching", Flaw.ALTERED, 1)],
        ),
        (["UPDATE audit SET chain = 'research' WHERE id = 4"], [(LEGACY, Flaw.CUT, 4), ("research", Flaw.MISSING, 3)]),
        (["UPDATE audit SET owner = 'bob' WHERE id = 2"], [(LEGACY, Flaw.ALTERED, 2)]),
        (
            ["DELETE FROM audit WHERE id = 7", "DELETE FROM audit_chains WHERE chain = 'teaching'"],
            [],
        ),
    ],
)
async def test_what_is_done_to_it_is_found(path: Path, statements: list[str], expected: list[tuple[str, Flaw, int]]) -> None:
    """The end of the old chain is held by the first entry of each new one; only a whole new chain is not missed by itself."""
    await go_on(path)
    line = (await verified(path)).together
    assert line
    with closing(sqlite3.connect(path)) as connection:
        for statement in (*WITHOUT_GUARDS, *statements):
            connection.execute(statement)
        connection.commit()
    found = await verified(path)
    assert [(each.chain, each.broken.flaw, each.broken.sequence) for each in found.chains if each.broken] == expected
    assert not (await verified(path, line)).is_unbroken


async def test_the_old_chain_never_grows(path: Path) -> None:
    """A process of the older version that still runs is refused, and deletes nothing."""
    await go_on(path)
    columns = (
        "moment_us, what, target, run_id, started_by, notebook_id, name, owner, policy, reason, requests, request_id, digest"
    )
    insert = f"INSERT INTO audit (sequence, {columns}) SELECT 5, {columns} FROM audit WHERE id = 4"  # noqa: S608  # names of columns
    with closing(sqlite3.connect(path)) as connection, pytest.raises(sqlite3.IntegrityError, match="append-only"):
        connection.execute(insert)
