"""What the records of workers of every journal keep to, by the port's own words; the journal for tests too."""

from datetime import timedelta

from msgspec.structs import replace

from builders import NOON, ago
from contract.conftest import Opener
from nbsweep.core.lease import Holder
from nbsweep.core.workers.model import WorkerRecord


def worker(owner: str = "w1", **changes: object) -> WorkerRecord:
    """Return the record of a worker that has run for an hour."""
    plain = WorkerRecord(Holder(owner, "host", "machine", 7, 1), "1.0", ago(hours=1), NOON, "c1", 5, 2)
    return replace(plain, **changes)


async def test_a_record_comes_back_as_it_was_written(opener: Opener) -> None:
    """Every field survives."""
    full = worker(accounts=("a", "b"), refused={"c2": 3}, draining=True, stopped_at=NOON)
    async with opener() as journal:
        for record in (worker(), full):
            await journal.workers.beat(record)
            assert await journal.workers.all() == (record,)


async def test_the_latest_record_of_a_worker_counts(opener: Opener) -> None:
    """Records are listed by the start of their workers."""
    async with opener() as journal:
        for record in (worker("late", started_at=NOON), worker(), worker(accounts=("a",))):
            await journal.workers.beat(record)
        assert await journal.workers.all() == (worker(accounts=("a",)), worker("late", started_at=NOON))


async def test_a_worker_learns_with_its_beat_that_it_is_to_end(opener: Opener) -> None:
    """It stays so for all later beats; a worker that is not on record cannot be asked."""
    async with opener() as journal:
        assert not await journal.workers.drain("w1")
        assert not await journal.workers.beat(worker())
        assert await journal.workers.drain("w1")
        assert await journal.workers.beat(worker())
        assert await journal.workers.beat(worker())
        assert not await journal.workers.beat(worker("w2"))


async def test_workers_that_are_long_gone_are_forgotten(opener: Opener) -> None:
    """Those whose last beat is older than a moment."""
    async with opener() as journal:
        await journal.workers.beat(worker("old", beat_at=ago(days=2)))
        await journal.workers.beat(worker())
        await journal.workers.forget(ago(days=1))
        assert await journal.workers.all() == (worker(),)


def test_a_worker_that_is_silent_counts_as_lost_unless_it_has_stopped() -> None:
    """After a minute without a beat."""
    assert worker().is_lost(NOON + timedelta(seconds=60))
    assert not worker().is_lost(NOON + timedelta(seconds=59))
    assert not worker(stopped_at=NOON).is_lost(NOON + timedelta(days=1))
