"""Reads the status of a fleet from the journal and the queue."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from nbsweep.core.fences.model import CRON, LANES
from nbsweep.core.fleet_status.due import due_statuses
from nbsweep.core.fleet_status.judge import judge_fleet
from nbsweep.core.fleet_status.model import DueStatus, FleetInputs, FleetStatus
from nbsweep.core.pacing import LearnedRate
from nbsweep.core.ports import Journal
from nbsweep.service.fleet.queue import SweepQueue


async def read_due(journal: Journal, lasts: timedelta) -> tuple[DueStatus, ...]:
    """Return the sweeps that have not ended, those that were due first come first; `lasts` is the time of a fence.

    Raises:
        JournalError: the journal cannot be used.
    """
    due = await journal.due_sweeps.open()
    if not due:
        return ()
    fences, workers = await journal.fences.all(LANES), await journal.workers.all()
    return due_statuses(FleetInputs(await journal.now(), "", lasts, workers, None, fences, due))


@dataclass(frozen=True, slots=True)
class FleetReader:
    """Reads the status of a fleet; changes nothing."""

    journal: Journal
    config: str
    """The digest of the configuration of this process."""
    lasts: timedelta
    """How long a fence lasts without a beat."""
    queue: SweepQueue | None = None
    """None for a status without the jobs, which needs no package of a fleet."""
    learned: Callable[[str], Mapping[str, LearnedRate]] | None = None
    """Reads what lanes have left in their fence."""

    async def read(self) -> FleetStatus:
        """Return the status of the fleet.

        Raises:
            JournalError: the journal cannot be used.
        """
        fences = await self.journal.fences.all()
        accounts = tuple(fence for fence in fences if fence.name.startswith(LANES))
        learned = self.learned
        return judge_fleet(
            FleetInputs(
                now=await self.journal.now(),
                config=self.config,
                lasts=self.lasts,
                workers=await self.journal.workers.all(),
                leader=next((fence for fence in fences if fence.name == CRON), None),
                fences=accounts,
                due=await self.journal.due_sweeps.open(),
                jobs=await self.queue.jobs() if self.queue else (),
                services=await self.journal.control.services(),
                learned={each.name.removeprefix(LANES): learned(each.memory) for each in accounts} if learned else {},
            )
        )
