"""What the service reports about itself in the journal: that it is alive, and with which configuration."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from nbsweep import __version__
from nbsweep.core.control.services import ServiceRecord
from nbsweep.core.lease import Holder
from nbsweep.settings import Settings
from nbsweep.settings.fingerprint import digest_of_all


@dataclass(slots=True)
class Presence:
    """The report of one process, across reloads."""

    holder: Holder
    settings: Settings
    """The configuration that is in force."""
    in_force_since: datetime
    reload_problem: str = ""
    """Why the last reload was refused; empty if it was accepted."""
    started_at: datetime | None = None
    """When the process reported for the first time, by the clock of the reports; None until then."""

    def put_in_force(self, settings: Settings, now: datetime) -> None:
        """Record that a configuration is in force."""
        self.settings, self.in_force_since, self.reload_problem = settings, now, ""

    def unscheduled(self) -> tuple[str, ...]:
        """Return the targets without a schedule."""
        return tuple(target.name for target in self.settings.targets if not (target.schedule or self.settings.schedule))

    def record(self, now: datetime, *, stopped: bool = False, waiting: Mapping[str, int] | None = None) -> ServiceRecord:
        """Return the report as of now, with the targets that wait for their turn."""
        self.started_at = self.started_at or now
        names = tuple(target.name for target in self.settings.targets)
        return ServiceRecord(
            holder=self.holder,
            version=__version__,
            started_at=self.started_at,
            beat_at=now,
            mode=self.settings.mode,
            digest=digest_of_all(self.settings),
            in_force_since=self.in_force_since,
            targets=names,
            scheduled=tuple(name for name in names if name not in self.unscheduled()),
            reload_problem=self.reload_problem,
            stopped_at=now if stopped else None,
            waiting=waiting or {},
        )
