"""A target's due times across processes, by the journal: what was missed while no service was there."""

from datetime import datetime, timedelta

from msgspec import Struct

from nbsweep.core.ports import Clock, Journal
from nbsweep.core.schedule.misfires import SHOWN, SWEPT, missed_due
from nbsweep.settings.schedule import ScheduleSettings


class DueTimes(Struct, frozen=True):
    """The due times of one target; both methods raise JournalError."""

    target: str
    schedule: ScheduleSettings
    journal: Journal
    clock: Clock

    async def missed(self, *, dry_run: bool) -> datetime | None:
        """Find the last due time without a run since; a dry run has taken care of it only where all sweeps are dry."""
        last = await self.journal.last_run(self.target, SHOWN if dry_run else SWEPT)
        noted = await self.journal.noted_due(self.target)
        return missed_due(self.schedule.timetable, self.clock.now(), noted, last.started_at if last else None)

    def may_begin_late(self, due: datetime) -> bool:
        """Tell whether a sweep that was due then may still begin."""
        late: timedelta = self.clock.now() - due
        return late <= self.schedule.misfire_grace

    async def note(self) -> None:
        """Note when it is due next, for a process that begins after that."""
        following = self.schedule.timetable.after(self.clock.now())
        if following is not None:
            await self.journal.note_due(self.target, following)
