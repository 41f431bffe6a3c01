"""Runs and removals as rows, and the past of a target that is read from them."""

from datetime import datetime
from typing import Any

from sqlalchemy import Select, select

from nbsweep.adapters.journal.queries import count_deleted, count_requested, of_failing, of_last_surveys
from nbsweep.adapters.journal.records.access import Access
from nbsweep.adapters.journal.rows import Row, RowMapper
from nbsweep.adapters.journal.tables import REMOVALS, RUNS
from nbsweep.core.identity import TargetIdentity
from nbsweep.core.lifecycle import Removal
from nbsweep.core.runs import FleetBefore, History, RunRecord

RUN_MAPPER = RowMapper(RunRecord, RUNS)
REMOVAL_MAPPER = RowMapper(Removal, REMOVALS)
RUN = select(*RUN_MAPPER.columns)
REMOVAL = select(*REMOVAL_MAPPER.columns)


def run_row(run: RunRecord) -> Row:
    """Convert a run to the values of its columns, with its key once more for an update."""
    return {**RUN_MAPPER.row_of(run), "of_run": run.run_id, "of_target": run.target}


def removal_row(removal: Removal) -> Row:
    """Convert a removal to the values of its columns, with its run once more for its position."""
    return {**REMOVAL_MAPPER.row_of(removal), "of_run": removal.run_id}


async def read_history(
    access: Access, target: str, identity: TargetIdentity, requested_since: datetime, failed_since: datetime
) -> History:
    """Return the past of a target that the brakes and the cool-down need."""
    requested = await _count(access, count_requested(target, identity, requested_since))
    surveys = [run for query in of_last_surveys(RUN, target, identity) for run in await access.records(RUN_MAPPER, query)]
    before = None
    if last := max(surveys, key=lambda run: (run.started_at, run.run_id), default=None):
        before = FleetBefore(last.run_id, last.fleet, await _count(access, count_deleted(last, target, identity)))
    ends = await access.records(REMOVAL_MAPPER, of_failing(REMOVAL, target, identity, failed_since))
    return History(requested, before, ends)


async def _count(access: Access, query: Select[Any]) -> int:
    [row] = await access.rows(query)
    return int(row["count"])
