"""What a sweep is told before it begins, and how it is asked to end early."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import anyio

from nbsweep.core.model import Notebook
from nbsweep.core.policy import Rules


@dataclass(frozen=True, slots=True)
class Patience:
    """How often to look at what is being deleted, and how long to trust no look."""

    interval: timedelta
    max_interval: timedelta
    grace: timedelta
    """How long reads may be stale after a DELETE."""


@dataclass(frozen=True, slots=True)
class Orders:
    """How removals are to be carried out."""

    rules: Rules
    workers: int
    deadline: timedelta
    retries: int
    fresh_for: timedelta
    patience: Patience
    drain: timedelta


@dataclass(frozen=True, slots=True)
class Facts:
    """What the survey knew, for decisions that have to be compared with it."""

    planned: Mapping[str, Notebook]
    last_active: Mapping[str, datetime]


@dataclass(frozen=True, slots=True)
class Shutdown:
    """How a sweep is asked to end early: stop, drain, cancel. The events are set from outside."""

    begun: anyio.Event = field(default_factory=anyio.Event)
    """Take no more, and finish what is accepted, up to a limit."""
    hurried: anyio.Event = field(default_factory=anyio.Event)
    """Do not wait for the limit."""
