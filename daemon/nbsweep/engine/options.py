"""What a sweep is told before it begins."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from fractions import Fraction

from msgspec import Struct

from nbsweep.core.brakes import MOST_FAILURES
from nbsweep.core.cool_down import USUAL_COOL_DOWN, CoolDown
from nbsweep.core.lease import Holder
from nbsweep.core.policy import Rules


class PollOptions(Struct, frozen=True):
    """How often to look at what is being deleted, and how long to trust no look."""

    interval: timedelta
    max_interval: timedelta
    grace: timedelta
    """How long reads may be stale after a DELETE."""


class LeaseOptions(Struct, frozen=True):
    """How a sweep makes sure that it is the only one."""

    holder: Holder
    """This process."""
    lasts: timedelta
    """How long a holder elsewhere may be silent before its target is taken over."""
    is_alive: Callable[[Holder], bool | None]
    """Tells whether a holder's process is there; None when that cannot be told from here. Must not wait."""


class SweepOptions(Struct, frozen=True):
    """How removals are to be carried out."""

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
    """None where nobody else can be at work."""
    max_failures: Fraction | None = MOST_FAILURES
    """The share of its removals that may fail before a sweep is stopped; None for no limit."""
    cool_down: CoolDown | None = USUAL_COOL_DOWN
    """How long to leave a notebook alone whose deletion has failed; None for no time at all."""


class SurveyFacts(Struct, frozen=True):
    """What the survey knew, and decisions need later."""

    last_active: Mapping[str, datetime]
    positions: Mapping[str, int] = {}
    """By notebook id: which row of its listing it was, from 0."""
    never_stop: frozenset[str] = frozenset()
    """Ids of those that may be deleted, but not stopped first: the saved plan that permits them saw them at rest."""
