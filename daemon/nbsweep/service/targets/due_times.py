"""Keeps the due times of a target in the journal, so that a later process knows which sweeps were missed."""

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
        """Return the last due time without a later run. A dry run counts only if all sweeps are dry runs."""
        last = await self.journal.last_run(self.target, SHOWN if dry_run else SWEPT)
        noted = await self.journal.control.noted_due(self.target)
        return missed_due(self.schedule.timetable, self.clock.now(), noted, last.started_at if last else None)

    def latest(self) -> datetime | None:
        """Return the last due time up to now."""
        return self.schedule.timetable.at_or_before(self.clock.now())

    def may_begin_late(self, due: datetime) -> bool:
        """Return whether a sweep that was due at this time may still begin."""
        late: timedelta = self.clock.now() - due
        return late <= self.schedule.misfire_grace

    async def note(self) -> None:
        """Record the next due time for later processes."""
        following = self.schedule.timetable.after(self.clock.now())
        if following is not None:
            await self.journal.control.note_due(self.target, following)
