"""The queries of `Journal.history`, of the latest runs of a target, and of what people type."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select, true, tuple_, union_all

from nbsweep.adapters.journal.dialects import among, each_of
from nbsweep.adapters.journal.notices.tables import MARKS
from nbsweep.adapters.journal.sql.beginnings import begins_with
from nbsweep.adapters.journal.tables import REMOVALS, RUNS
from nbsweep.core.identity import UNKNOWN, TargetIdentity
from nbsweep.core.lifecycle import ENDS, State
from nbsweep.core.runs import FAILURES, SUCCESSES, SURVEYED, TRIED, Outcome, RunRecord

_FAILED = REMOVALS.c.state.in_([state.value for state in FAILURES])
_TRIED = REMOVALS.c.state.in_([state.value for state in TRIED])
_OTHERS = RUNS.alias()
_OF_NOTEBOOK = ("target", "notebook_id", "name")
_NOT_ON_RECORD = REMOVALS.c.project == UNKNOWN


def count_requested(target: str, identity: TargetIdentity, since: datetime) -> Select[Any]:
    """Count the removals whose DELETE was sent, or about to be sent, since a time; withdrawn DELETEs do not count."""
    sent = (REMOVALS.c.requests > 0) & (REMOVALS.c.sent_at >= since)
    return select(func.count().label("count")).where(_of_target(target, identity), sent)


def of_unfinished(removals: Select[Any], target: str | None) -> Select[Any]:
    """Find the removals that have not ended, the oldest first; with `target`, those under that name."""
    # Not "in the other states": a state that this version does not know must be found, and is then refused.
    open_end = REMOVALS.c.state.not_in([state.value for state in ENDS])
    named = true() if target is None else REMOVALS.c.target == target
    found = removals.where(REMOVALS.c.ended_at.is_(None), open_end, named)
    return found.order_by(REMOVALS.c.planned_at, REMOVALS.c.run_id, REMOVALS.c.position)


def of_latest(removals: Select[Any], notebook_ids: Collection[str]) -> Select[Any]:
    """Find the newest removal of each of these notebooks."""
    newest = (REMOVALS.c.planned_at.desc(), REMOVALS.c.run_id.desc(), REMOVALS.c.position.desc())
    place = func.row_number().over(partition_by=REMOVALS.c.notebook_id, order_by=newest).label("place")
    key = (REMOVALS.c.run_id, REMOVALS.c.target, REMOVALS.c.notebook_id)
    placed = select(*key, place).where(REMOVALS.c.notebook_id.in_(sorted(notebook_ids))).subquery()
    first = select(*(placed.c[column.name] for column in key)).where(placed.c.place == 1)
    return removals.where(tuple_(*key).in_(first))


def of_orders(removals: Select[Any], target: str, identity: TargetIdentity, since: datetime) -> Select[Any]:
    """Find the removals with an order since a time, the oldest first."""
    ordered = removals.where(_of_target(target, identity), REMOVALS.c.requested_at >= since)
    return ordered.order_by(REMOVALS.c.requested_at, REMOVALS.c.run_id, REMOVALS.c.position)


def _of_target(target: str, identity: TargetIdentity) -> ColumnElement[bool]:
    """Return the condition that a removal is covered by a target, or was made under its name."""
    named = REMOVALS.c.target == target
    mine = (REMOVALS.c.project == identity.project) & (named | _covered(identity)) | (_NOT_ON_RECORD & named)
    return _of_project(identity) & mine


def _of_project(identity: TargetIdentity) -> ColumnElement[bool]:
    """Return a condition that all removals of a target fulfil; without it, no database would use an index for the others."""
    return REMOVALS.c.project.in_([identity.project, UNKNOWN])


def of_last_surveys(runs: Select[Any], target: str, identity: TargetIdentity) -> tuple[Select[Any], Select[Any]]:
    """Find the latest run of the same coverage whose survey passed the brakes, and the latest one without a recorded coverage.

    They are two queries, because no index gives both in the order of time. As subqueries of one, each would have a copy of
    all columns, in reference cycles that stay until the next garbage collection.
    """
    same = (RUNS.c.project == identity.project) & (RUNS.c.extent == identity.extent)
    older = (RUNS.c.project == UNKNOWN) & (RUNS.c.target == target)
    passed = runs.where(RUNS.c.outcome.in_(sorted(SURVEYED)), RUNS.c.fleet > 0)
    return _newest(passed.where(same)), _newest(passed.where(older))


def of_last_run(runs: Select[Any], target: str, outcomes: Collection[Outcome]) -> Select[Any]:
    """Find the latest run of a target, with one of these outcomes if any are given."""
    mine = runs.where(RUNS.c.target == target)
    return _newest(mine.where(RUNS.c.outcome.in_(sorted(outcomes))) if outcomes else mine)


def of_last_runs(dialect: str, runs: Select[Any], targets: Collection[str], outcomes: Collection[Outcome]) -> Select[Any]:
    """Find the latest run of each target, with one of these outcomes if any are given."""
    target = each_of(dialect, targets)
    mine = select(_OTHERS.c.run_id).where(_OTHERS.c.target == target, among(_OTHERS.c.outcome, outcomes or None))
    newest = mine.order_by(_OTHERS.c.started_at.desc(), _OTHERS.c.run_id.desc()).limit(1).scalar_subquery()
    return runs.where(tuple_(RUNS.c.run_id, RUNS.c.target).in_(select(newest, target)))


def of_last_success(runs: Select[Any], target: str) -> Select[Any]:
    """Find the latest run of a target with a successful outcome and no problem."""
    return _newest(runs.where(RUNS.c.target == target, RUNS.c.outcome.in_(sorted(SUCCESSES)), RUNS.c.problem == ""))


def _newest(runs: Select[Any]) -> Select[Any]:
    return runs.order_by(RUNS.c.started_at.desc(), RUNS.c.run_id.desc()).limit(1)


def count_deleted(run: RunRecord, target: str, identity: TargetIdentity) -> Select[Any]:
    """Count the removals that were deleted since a run's survey."""
    # A run recovers earlier removals before its survey, so that it does not see them; a dry run does not recover.
    since = true() if run.dry_run else REMOVALS.c.planned_at >= run.started_at
    mine = (REMOVALS.c.project == identity.project) & _covered(identity) | (_NOT_ON_RECORD & (REMOVALS.c.target == target))
    # What was planned later has ended later; if a clock was set back, too few are counted, which only brakes.
    deleted = (REMOVALS.c.state == State.DELETED.value) & (REMOVALS.c.ended_at >= run.started_at) & since
    return select(func.count().label("count")).where(_of_project(identity), mine, deleted)


def of_failing(removals: Select[Any], target: str, identity: TargetIdentity, since: datetime) -> Select[Any]:
    """Find the ended removals of each notebook of the project with a failed removal since a time, the newest first."""
    mine = (REMOVALS.c.project == identity.project) | (_NOT_ON_RECORD & (REMOVALS.c.target == target))
    failing = select(REMOVALS.c.notebook_id).where(_of_project(identity), mine, _FAILED, REMOVALS.c.ended_at >= since)
    ends = removals.where(mine, _TRIED, REMOVALS.c.notebook_id.in_(failing))
    return ends.order_by(REMOVALS.c.ended_at.desc(), REMOVALS.c.run_id.desc(), REMOVALS.c.position.desc())


def ends_of(run_ids: Sequence[str]) -> Select[Any]:
    """Count the removals of runs, and their disks, by target and state."""
    group = (REMOVALS.c.run_id, REMOVALS.c.target, REMOVALS.c.state)
    size_gb = func.coalesce(func.sum(REMOVALS.c.capacity_gb), 0)
    return select(*group, func.count().label("count"), size_gb.label("size_gb")).where(group[0].in_(run_ids)).group_by(*group)


def _covered(identity: TargetIdentity) -> ColumnElement[bool]:
    workspaces = true() if identity.workspaces is None else REMOVALS.c.workspace_id.in_(identity.workspaces)
    return workspaces & REMOVALS.c.feature.in_(identity.features)


def ids_of_runs(dialect: str, beginning: str, limit: int) -> Select[Any]:
    """Find the ids of runs that begin with a text, the newest first."""
    begins = begins_with(dialect, RUNS.c.run_id, beginning)
    newest = func.max(RUNS.c.started_at).desc()
    return select(RUNS.c.run_id).where(begins).group_by(RUNS.c.run_id).order_by(newest, RUNS.c.run_id.desc()).limit(limit)


def notebooks_like(dialect: str, text: str, limit: int) -> Select[Any]:
    """Find the notebooks with this name, or whose id begins with this text, the latest planned or marked first."""
    owner = func.coalesce(func.nullif(MARKS.c.owner_name, ""), func.nullif(MARKS.c.owner_id, ""), "unknown")
    removals = select(*(REMOVALS.c[name] for name in _OF_NOTEBOOK), REMOVALS.c.owner, REMOVALS.c.planned_at.label("moment"))
    marks = select(*(MARKS.c[name] for name in _OF_NOTEBOOK), owner.label("owner"), MARKS.c.marked_at.label("moment"))
    # Each condition has an index of its own. What is found twice is the same notebook.
    known = union_all(
        *(
            rows.where(condition)
            for rows, table in ((removals, REMOVALS), (marks, MARKS))
            for condition in (
                func.lower(table.c.name) == func.lower(text),
                begins_with(dialect, table.c.notebook_id, text),
            )
        )
    ).subquery()
    columns = [known.c[name] for name in (*_OF_NOTEBOOK, "owner")]
    newest = func.max(known.c.moment).desc()
    return select(*columns).group_by(*columns).order_by(newest, *columns).limit(limit)
