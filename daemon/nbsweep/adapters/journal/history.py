"""The questions behind `Journal.history` and the latest runs of a target; each is one query."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select

from nbsweep.adapters.journal.tables import REMOVALS, RUNS
from nbsweep.core.history import FAILURES, SURVEYED, TRIED
from nbsweep.core.lifecycle import State
from nbsweep.core.ports import RunRecord
from nbsweep.core.standing import SUCCESSES

_FAILED = REMOVALS.c.state.in_([state.value for state in FAILURES])
_TRIED = REMOVALS.c.state.in_([state.value for state in TRIED])


def count_requested(target: str, since: datetime) -> Select[Any]:
    """Count the removals with a DELETE that was about to leave since then; one that was taken back has none."""
    sent = (REMOVALS.c.requests > 0) & (REMOVALS.c.sent_at >= since)
    return select(func.count().label("count")).where(REMOVALS.c.target == target, sent)


def of_last_survey(runs: Select[Any], target: str) -> Select[Any]:
    """Find the latest run whose survey passed the brakes."""
    return _newest(runs.where(RUNS.c.target == target, RUNS.c.outcome.in_(sorted(SURVEYED)), RUNS.c.fleet > 0))


def of_last_run(runs: Select[Any], target: str, outcomes: Collection[str]) -> Select[Any]:
    """Find the latest run of a target, of those with one of these outcomes where any are given."""
    mine = runs.where(RUNS.c.target == target)
    return _newest(mine.where(RUNS.c.outcome.in_(sorted(outcomes))) if outcomes else mine)


def of_last_success(runs: Select[Any], target: str) -> Select[Any]:
    """Find the latest run of a target that has an outcome of success and no problem."""
    return _newest(runs.where(RUNS.c.target == target, RUNS.c.outcome.in_(sorted(SUCCESSES)), RUNS.c.problem == ""))


def _newest(runs: Select[Any]) -> Select[Any]:
    return runs.order_by(RUNS.c.started_at.desc(), RUNS.c.run_id.desc()).limit(1)


def count_deleted(run: RunRecord) -> Select[Any]:
    """Count what was deleted since a run's survey."""
    # A run follows what earlier ones left before it surveys, so that it sees none of that; a dry run does not.
    since = REMOVALS.c.ended_at if run.dry_run else REMOVALS.c.planned_at
    deleted = (REMOVALS.c.state == State.DELETED.value) & (since >= run.started_at)
    return select(func.count().label("count")).where(REMOVALS.c.target == run.target, deleted)


def of_failing(removals: Select[Any], target: str, since: datetime) -> Select[Any]:
    """Find the ends of every notebook of which a removal has failed since then, the newest first."""
    failing = select(REMOVALS.c.notebook_id).where(REMOVALS.c.target == target, _FAILED, REMOVALS.c.ended_at >= since)
    ends = removals.where(REMOVALS.c.target == target, _TRIED, REMOVALS.c.notebook_id.in_(failing))
    return ends.order_by(REMOVALS.c.ended_at.desc(), REMOVALS.c.run_id.desc(), REMOVALS.c.position.desc())
