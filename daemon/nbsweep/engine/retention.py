"""Deletes old records of the journal after a sweep, once a day."""

from datetime import timedelta

from nbsweep.core.errors import JournalError
from nbsweep.core.events.sweep import JournalNotPruned, JournalPruned
from nbsweep.core.planning.brakes import judge_skew
from nbsweep.core.ports import Ports
from nbsweep.core.retention.model import Pruned, kept_from
from nbsweep.engine.shutdown import Shutdown

SOME = 5000
"""Records between two looks at whether to stop."""
MOST_S = 60.0
"""The time in which a sweep begins to delete more; the rest is left for the next day."""


async def prune_journal(keep: timedelta, ports: Ports, shutdown: Shutdown) -> None:
    """Delete what ended longer ago than `keep`, if a day has passed since it was done last.

    A clock that nobody has compared with the cloud's deletes nothing. Errors are told, and change nothing about the sweep.
    """
    now, skew_s = ports.clock.now(), ports.cloud.clock_skew_s()
    if skew_s is None or judge_skew(skew_s):
        return
    before, pruned, began_s = kept_from(now, keep), Pruned(), ports.clock.steady_s()
    try:
        if not await ports.journal.retention.claim(now):
            return
        while not shutdown.begun.is_set() and ports.clock.steady_s() - began_s < MOST_S:
            part = await ports.journal.retention.prune(before, SOME)
            pruned += part
            if not part.total:
                break
    except JournalError as error:
        ports.telemetry.emit(JournalNotPruned(str(error)))
    if pruned.total:
        ports.telemetry.emit(
            JournalPruned(before, pruned.runs, pruned.removals, pruned.marks, pruned.messages, pruned.exemptions)
        )
