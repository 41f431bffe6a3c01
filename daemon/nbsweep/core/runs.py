"""A sweep of one target, as the journal keeps it."""

from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct

from nbsweep.core.pacing import LaneState


class RunRecord(Struct, frozen=True):
    """A target's sweep, as the journal keeps it."""

    run_id: str
    target: str
    started_at: datetime
    started_by: str
    dry_run: bool
    ended_at: datetime | None = None
    outcome: str = "running"
    """running, finished, dry-run, declined, refused, held-elsewhere, interrupted or failed.

    `running` without a process means a crash.
    """
    problem: str = ""
    fleet: int = 0
    planned: int = 0
    kept: Mapping[str, int] | None = None
    lanes: tuple[LaneState, ...] | None = None
    """How fast the account's lanes went when it ended."""
    project: str = ""
    """The endpoint and project that were swept, see `identity`; empty where that is not on record."""
    extent: str = ""
    """What of the project was covered, likewise."""
