"""The record that a worker writes about itself to the journal."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from msgspec import Struct

from nbsweep.core.lease import Holder

BEAT_EVERY = timedelta(seconds=10)
SILENT_AFTER = timedelta(seconds=60)
"""A worker without a beat for so long counts as lost."""
FORGOTTEN_AFTER = timedelta(days=1)


class WorkerRecord(Struct, frozen=True):
    """A worker's record of itself; all times are those of the journal's database."""

    holder: Holder
    """The process of the worker."""
    version: str
    started_at: datetime
    beat_at: datetime
    config: str
    """The digest of its configuration; it takes jobs of this one only."""
    can_sweep: int
    """The number of accounts of its configuration that it sweeps."""
    accounts_at_once: int
    accounts: tuple[str, ...] = ()
    """The accounts of the jobs that it carries out; it may wait for the fence of one."""
    refused: Mapping[str, int] = {}
    """The number of jobs that wait for another configuration, by its digest."""
    draining: bool = False
    """Whether it takes no more jobs."""
    stopped_at: datetime | None = None

    def is_lost(self, now: datetime) -> bool:
        """Return whether it has sent no beat for too long, without having stopped."""
        return self.stopped_at is None and now - self.beat_at >= SILENT_AFTER

    def is_present(self, now: datetime) -> bool:
        """Return whether its process runs, as far as its beats say."""
        return self.stopped_at is None and not self.is_lost(now)

    def __str__(self) -> str:
        """Describe the process."""
        return f"the worker on host {self.holder.host} (process {self.holder.pid})"
