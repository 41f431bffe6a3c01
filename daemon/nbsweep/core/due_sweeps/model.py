"""A sweep that is due, and the jobs of the queue that carry due sweeps out."""

from datetime import datetime
from enum import StrEnum

from msgspec import Struct

SCHEDULE = "the schedule"
"""Who asks for the sweeps that are due by the schedule."""


class DueSweep(Struct, frozen=True):
    """A sweep of one target that is due; also one row of the journal."""

    target: str
    account: str
    """The account whose lanes the sweep needs."""
    due_at: datetime
    """The due time of the schedule, or the time of the request."""
    by: str
    """Who or what asked for it."""
    not_before: datetime
    """When a worker may begin it: later than `due_at` after a failure."""
    plan_id: str = ""
    """The approved plan that it carries out; empty for a sweep by the policies."""
    failures: int = 0
    """The number of consecutive failures."""
    problem: str = ""
    """Why the last attempt failed, or which process holds the target."""
    begun_at: datetime | None = None
    """When a worker began it; None while it waits."""
    ended_at: datetime | None = None
    """When it ended; None while it is open."""


class JobState(StrEnum):
    """The states of a job."""

    WAITING = "waiting"
    RUNNING = "running"


class Job(Struct, frozen=True):
    """A job of the queue: a sweep of what is due on one account."""

    account: str
    state: JobState
    config: str
    """The digest of the configuration that a worker must have for it."""
    since: datetime
    """When it was deferred or, if it is running, when it was taken."""
    worker: int | None = None
    """The queue's number of its worker; None if it waits, or if that worker is not on record any more."""
