"""From when on the journal keeps what has ended, and what of it goes."""

from datetime import UTC, datetime, timedelta

from msgspec import Struct


class Pruned(Struct, frozen=True):
    """The number of records that were deleted, or would be."""

    runs: int = 0
    """Sweeps of one target each."""
    removals: int = 0
    marks: int = 0
    messages: int = 0
    exemptions: int = 0

    @property
    def total(self) -> int:
        """The number of all records."""
        return self.runs + self.removals + self.marks + self.messages + self.exemptions

    def __add__(self, other: "Pruned") -> "Pruned":
        """Return the sum of both, kind by kind."""
        return Pruned(*(getattr(self, name) + getattr(other, name) for name in self.__struct_fields__))


def kept_from(now: datetime, keep: timedelta) -> datetime:
    """Return the beginning, in UTC, of the month of the moment that is `keep` ago: only whole months go."""
    oldest = (now - keep).astimezone(UTC)
    return oldest.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
