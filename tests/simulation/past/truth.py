"""What truly happened in a year, in true time: what owners did to each instance, and what each survey was shown."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from nbsweep.core.exemptions.model import Exemption
from nbsweep.core.model import MalformedRow, Notebook
from nbsweep.core.planning.plan import Circumstances, Plan
from simulation.past.scenario import Config

Instance = tuple[str, datetime | None]
"""An id and a date of creation."""


@dataclass(frozen=True, slots=True)
class Glimpse:
    """What one recorded survey was shown, by the cloud's own record."""

    number: int
    """The number of the sweep, from 0."""
    at: datetime
    """By the clock of nbsweep's machine, like every time that nbsweep records."""
    true_at: datetime
    complete: bool
    rows: Mapping[str, Notebook | MalformedRow]
    there: frozenset[Instance]
    """The instances that exist, whether they are shown or not."""


@dataclass(frozen=True, slots=True)
class Swept:
    """What one sweep planned, and what it knew besides the cloud."""

    glimpse: Glimpse
    plan: Plan
    config: Config
    marks: Mapping[str, object]
    exemptions: tuple[Exemption, ...]
    circumstances: Circumstances


@dataclass(slots=True)
class Truth:
    """The record of one year."""

    used: dict[Instance, list[datetime]] = field(default_factory=dict)
    """When owners started, stopped or edited an instance, so that its date of change moved."""
    renewed: dict[Instance, list[datetime]] = field(default_factory=dict)
    ordered: dict[str, list[datetime]] = field(default_factory=dict)
    """When nbsweep sent an order for a notebook."""
    deleted: list[tuple[int, Instance]] = field(default_factory=list)
    """The instances of which the cloud accepted a DELETE, and the number of the sweep."""
    grants: list[tuple[datetime, Instance | None, str]] = field(default_factory=list)
    """When an exemption was granted, and for which instance, or else for which owner."""
    swept: list[Swept] = field(default_factory=list)
    """Sweeps whose survey was recorded, in their order."""
    lines: list[tuple[datetime, str]] = field(default_factory=list)
    """The trace."""

    def note(self, now: datetime, line: str) -> None:
        """Add a line to the trace."""
        self.lines.append((now, line))

    @property
    def glimpses(self) -> Iterator[Glimpse]:
        """What the surveys were shown, in their order."""
        return (each.glimpse for each in self.swept)


def instance_of(one: Notebook) -> Instance:
    """Return what identifies a notebook."""
    return one.id, one.created_at
