"""The records of the inventory: surveys, and the states of notebooks between them.

A state begins with one survey and ends with another. Both are numbers of surveys and no times, because a clock may be set back;
the numbers of surveys always grow.
"""

from contextlib import suppress
from datetime import datetime

from msgspec import DecodeError, Struct

from nbsweep.core.identity import TargetIdentity, identity_on_record
from nbsweep.core.inventory.facts import KnownFacts, decode
from nbsweep.core.model import moment_of


class SurveyRecord(Struct, frozen=True):
    """One survey of a target."""

    project: str
    target: str
    extent: str
    """What the target covers, see `identity`."""
    at: datetime
    complete: bool
    """Whether every notebook was shown: no gap, no refused workspace, and no row without an id."""
    fleet: int
    config: str
    """A digest of the configuration."""
    id: int = 0
    """The number of the survey; the journal sets it, and it is larger than that of each earlier survey."""

    @property
    def identity(self) -> TargetIdentity | None:
        """The target's identity; None if it is not on record."""
        return identity_on_record(self.project, self.extent)


class OpenState(Struct, frozen=True, gc=False, array_like=True):
    """What a survey needs to know of the state in which an earlier survey showed a notebook; its JSON is a list."""

    survey: int
    """The survey that showed the state first."""
    digest: int
    updated_us: int | None = None
    """As that survey showed it, like the next field; for a notebook in use only."""
    lease_updated_us: int | None = None
    latest_updated_us: int | None = None
    """As the latest survey showed it; None if it has not moved."""
    latest_lease_updated_us: int | None = None


class Opened(Struct, frozen=True, gc=False):
    """A new state of a notebook."""

    notebook_id: str
    workspace_id: str
    """The workspace and the feature of the listing, like the next field."""
    feature: str
    created_us: int | None
    digest: int
    updated_us: int | None
    lease_updated_us: int | None
    facts: bytes


class Moved(Struct, frozen=True, gc=False):
    """The latest times of a notebook in use whose state has not changed."""

    notebook_id: str
    survey: int
    """The survey that showed the state first."""
    updated_us: int | None
    lease_updated_us: int | None


class Closed(Struct, frozen=True, gc=False):
    """The end of a state."""

    notebook_id: str
    survey: int
    """The survey that showed the state first."""


class NotebookState(Struct, frozen=True):
    """A stored state of a notebook, from the survey that showed it first to the one that showed it no more."""

    notebook_id: str
    target: str
    workspace_id: str
    feature: str
    first_survey: int
    seen_from: datetime
    ended_by: int | None
    """The survey that showed another state, or the notebook no more; None while the state lasts."""
    seen_until: datetime | None
    updated_us: int | None
    lease_updated_us: int | None
    latest_updated_us: int | None
    latest_lease_updated_us: int | None
    facts: str

    def facts_at(self, survey: int) -> KnownFacts:
        """Return the facts as a survey knew them.

        The times of a notebook in use are exact at the survey that showed the state first. For later surveys they are the
        latest ones of this state, so that a notebook never looks idle for longer than that survey knew.

        Raises:
            msgspec.DecodeError: the facts cannot be read.
        """
        first = (self.updated_us, self.lease_updated_us)
        latest = (self.latest_updated_us, self.latest_lease_updated_us)
        times = first if survey <= self.first_survey else tuple(_later(*pair) for pair in zip(first, latest, strict=True))
        updated, lease = (None if each is None else moment_of(each) for each in times)
        return decode(self.notebook_id, self.facts.encode(), (updated, lease))

    def known_at(self, survey: int) -> KnownFacts | None:
        """Return the facts as a survey knew them; None if they cannot be read, by this version or at all."""
        with suppress(DecodeError, OverflowError):
            return self.facts_at(survey)
        return None

    def lasts_at(self, survey: int) -> bool:
        """Return whether a survey found the notebook in this state, or did not show it."""
        return self.first_survey <= survey and (self.ended_by is None or survey < self.ended_by)


def _later(first: int | None, latest: int | None) -> int | None:
    return first if latest is None else latest
