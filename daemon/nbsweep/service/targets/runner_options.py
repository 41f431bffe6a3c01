"""The options of target runners, and the delays after failures."""

from collections.abc import Awaitable, Callable
from datetime import datetime

from msgspec import Struct

from nbsweep.core.report import Report
from nbsweep.engine.report import Run

FIRST_WAIT_S = 30.0
LONGEST_WAIT_S = 3600.0
DOUBLINGS = 10
"""After so many, a delay is the longest one in any case."""


def wait_s(failures: int) -> float:
    """Return the delay in seconds after this number of consecutive failures."""
    return min(FIRST_WAIT_S * 2 ** min(failures - 1, DOUBLINGS), LONGEST_WAIT_S) if failures else 0.0


async def told_to_nobody(_report: Report, _run_id: str) -> None:
    """Tell nobody."""


class RunnerOptions(Struct, frozen=True):
    """Options that all target runners share."""

    dry_run: bool
    new_run: Callable[[bool], Run]
    """Builds the next run; the argument says whether it is a dry run."""
    next_run: Callable[[str], datetime | None]
    """Returns the next due time of a target."""
    on_report: Callable[[Report, str], Awaitable[None]] = told_to_nobody
    """Called with the report of each sweep that is no dry run, and with the ID of its run."""
    held_for_s: float = 20.0
    """Delay in seconds before the next attempt while another nbsweep sweeps the target."""
