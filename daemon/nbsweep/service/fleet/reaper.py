"""Takes jobs away from lost workers, and keeps the queue in step with what is due.

Every process of a fleet does the first, and the leader the second. No step of it is a job: a job could stall itself.
"""

from collections.abc import Collection
from contextlib import suppress
from datetime import timedelta

import anyio

from nbsweep.core.errors import JournalError
from nbsweep.core.events.fleet import JobStalled
from nbsweep.core.ports import Journal, Telemetry
from nbsweep.service.fleet.queue import SweepQueue

REAPS = 4
"""How often is looked for lost workers while a lease lasts."""
FORGOTTEN_AFTER = timedelta(days=1)
"""A sweep that no configuration has a target for is kept for so long: processes are reloaded one after the other."""


async def keep_reaping(queue: SweepQueue, telemetry: Telemetry, lease: timedelta) -> None:
    """Take jobs away from lost workers until cancelled. If the journal cannot be used, the next round tries again."""
    while True:
        with suppress(JournalError):
            for account in await queue.reap():
                telemetry.emit(JobStalled(account))
        await anyio.sleep(lease.total_seconds() / REAPS)


async def defer_what_is_due(queue: SweepQueue, journal: Journal, targets: Collection[str]) -> None:
    """Defer a job for each account that has something due on these targets and no job.

    A sweep of another target waits for a process that has it; without one it is ended after a day. A worker would find nothing
    to do for it, again and again, and a target that comes back would be swept because of a request that everybody forgot.

    Raises:
        JournalError: the journal cannot be used.
    """
    now, sweeps = await journal.now(), await journal.due_sweeps.open()
    for sweep in sweeps:
        if sweep.target not in targets and now - sweep.not_before > FORGOTTEN_AFTER:
            await journal.due_sweeps.end(sweep, now)
    await queue.defer([sweep.account for sweep in sweeps if sweep.target in targets and sweep.not_before <= now])
