"""Takes jobs away from lost workers, and keeps the queue in step with what is due.

Every process of a fleet does the first, and the leader the second. No step of it is a job: a job could stall itself.
"""

from contextlib import suppress

import anyio

from nbsweep.core.errors import JournalError
from nbsweep.core.events.fleet import JobStalled
from nbsweep.core.ports import Journal, Telemetry
from nbsweep.service.fleet.queue import SweepQueue

REAPS_EVERY_S = 15.0


async def keep_reaping(queue: SweepQueue, telemetry: Telemetry) -> None:
    """Take jobs away from lost workers until cancelled. If the journal cannot be used, the next round tries again."""
    while True:
        with suppress(JournalError):
            for stalled in await queue.reap():
                telemetry.emit(JobStalled(stalled.account, stalled.worker))
        await anyio.sleep(REAPS_EVERY_S)


async def defer_what_is_due(queue: SweepQueue, journal: Journal) -> None:
    """Defer a job for each account that has something due and no job.

    Raises:
        JournalError: the journal cannot be used.
    """
    now = await journal.now()
    await queue.defer([sweep.account for sweep in await journal.due_sweeps.open() if sweep.not_before <= now])
