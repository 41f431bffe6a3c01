"""The options of a sweep, and the survey's facts that its decisions need."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from fractions import Fraction

from msgspec import Struct

from nbsweep.core.judging.rules import Rules
from nbsweep.core.lease import Holder
from nbsweep.core.planning.brakes import MOST_FAILURES
from nbsweep.core.planning.cool_down import USUAL_COOL_DOWN, CoolDown
from nbsweep.core.planning.marking import MOST_NEW


class PollOptions(Struct, frozen=True):
    """How often notebooks under deletion are read, and how long reads may be stale."""

    interval: timedelta
    max_interval: timedelta
    grace: timedelta
    """How long reads may be stale after a DELETE."""


class LeaseOptions(Struct, frozen=True):
    """How a sweep keeps other sweeps off its target."""

    holder: Holder
    """This process."""
    lasts: timedelta
    """How long another holder may send no beat before its lease is taken over."""
    is_alive: Callable[[Holder], bool | None]
    """Returns whether a holder's process runs; None if this machine cannot know. Must not wait."""


class InventoryOptions(Struct, frozen=True):
    """How surveys are recorded."""

    keep: timedelta
    """How long the states of notebooks are kept after they have ended."""
    config: str
    """A digest of the configuration."""


class SweepOptions(Struct, frozen=True):
    """How a sweep carries out its removals."""

    rules: Rules
    workers: int
    deadline: timedelta
    retries: int
    fresh_for: timedelta
    polling: PollOptions
    drain: timedelta
    time_limit: timedelta = timedelta(hours=12)
    """How long a sweep may take before it is asked to stop."""
    lease: LeaseOptions | None = None
    """None if no other process can sweep."""
    max_failures: Fraction | None = MOST_FAILURES
    """The share of its removals that may fail before a sweep is stopped; None for no limit."""
    cool_down: CoolDown | None = USUAL_COOL_DOWN
    """How long a notebook is left alone after its deletion failed; None for no cool-down."""
    max_new_marks: int = MOST_NEW
    """How many notebooks one sweep may mark."""
    inventory: InventoryOptions | None = None
    """How the surveys of sweeps are recorded; None if they are not."""
    keep: timedelta | None = None
    """How long the journal keeps what has ended; None for good."""
    exemptions_version: int | None = None
    """The version of the exemptions in `rules`; None if there are none to look at."""


class SurveyFacts(Struct, frozen=True):
    """Facts of the survey that later decisions need."""

    last_active: Mapping[str, datetime]
    positions: Mapping[str, int] = {}
    """The row of each notebook in its listing, from 0, by notebook id."""
    never_stop: frozenset[str] = frozenset()
    """Ids of notebooks that may be deleted, but not stopped first: the saved plan saw them at rest."""
