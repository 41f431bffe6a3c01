"""Takes jobs away from lost workers, and keeps the queue in step with what is due.

Every process of a fleet does the first, and the leader the second. No step of it is a job: a job could stall itself.
"""

from contextlib import suppress
from datetime import timedelta

import anyio

from nbsweep.core.errors import JournalError
from nbsweep.core.events.fleet import JobStalled
from nbsweep.core.ports import Journal, Telemetry
from nbsweep.service.fleet.queue import SweepQueue

REAPS = 4
"""How often is looked for lost workers while a lease lasts."""


async def keep_reaping(queue: SweepQueue, telemetry: Telemetry, lease: timedelta) -> None:
    """Take jobs away from lost workers until cancelled. If the journal cannot be used, the next round tries again."""
    while True:
        with suppress(JournalError):
            for stalled in await queue.reap():
                telemetry.emit(JobStalled(stalled.account, stalled.worker))
        await anyio.sleep(lease.total_seconds() / REAPS)


async def defer_what_is_due(queue: SweepQueue, journal: Journal) -> None:
    """Defer a job for each account that has something due and no job.

    Raises:
        JournalError: the journal cannot be used.
    """
    now = await journal.now()
    await queue.defer([sweep.account for sweep in await journal.due_sweeps.open() if sweep.not_before <= now])
