"""Says which lost workers of a fleet nobody has made up for. Pure."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from nbsweep.core.facts import format_moment
from nbsweep.core.workers.model import FORGOTTEN_AFTER, WorkerRecord


def problems_of_losses(workers: Sequence[WorkerRecord], now: datetime) -> Iterator[str]:
    """Yield a sentence for each worker that was lost within a day, unless as many workers have run since then as before.

    No worker replaces a certain other one: with several losses, each start makes up for one of them, the last one first.
    """
    for worker in workers:
        if worker.is_lost(now) and now - worker.beat_at < FORGOTTEN_AFTER and not _made_up_for(worker, workers, now):
            since = format_moment(worker.beat_at)
            yield (
                f"{worker} has reported nothing since {since}, and fewer workers run than before: other workers take its "
                "accounts; start it again, or another one"
            )


def _made_up_for(lost: WorkerRecord, workers: Sequence[WorkerRecord], now: datetime) -> bool:
    before = _running_at(lost.beat_at, workers, now)
    later = (worker.started_at for worker in workers if worker.started_at > lost.beat_at)
    return any(_running_at(started_at, workers, now) >= before for started_at in later)


def _running_at(moment: datetime, workers: Sequence[WorkerRecord], now: datetime) -> int:
    """Return how many workers ran at a moment; a lost one ran until its last beat."""
    return sum(worker.started_at <= moment <= _end_of(worker, now) for worker in workers)


def _end_of(worker: WorkerRecord, now: datetime) -> datetime:
    return worker.stopped_at or (worker.beat_at if worker.is_lost(now) else now)
