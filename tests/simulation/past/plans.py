"""Compares the plan that a back-test makes of each recorded survey with the plan that the sweep made."""

from collections.abc import Iterator, Mapping, Sequence

from msgspec.structs import replace

from nbsweep.core.backtest import past as in_past
from nbsweep.core.backtest.deciding import NOT_COMPLETE, coverage_of, plan_at
from nbsweep.core.backtest.model import Past, RecordedSurvey
from nbsweep.core.judging.rules import Rules
from nbsweep.core.judging.verdict import Reason
from nbsweep.core.model import AT_REST, MalformedRow, Notebook
from nbsweep.core.planning.plan import Candidate, Circumstances, Plan
from nbsweep.core.runs import History
from simulation.past.scenario import PROTECTIONS
from simulation.past.truth import Glimpse, Swept
from simulation.past.world import IDENTITY, TARGET

Finding = tuple[int, str]


def check_plans(
    recorded: Sequence[RecordedSurvey], swept: Sequence[Swept], past: Past, *, right_clock: bool
) -> Iterator[Finding]:
    """Yield each difference between recorded surveys and sweeps, with the number of the invariant."""
    if len(recorded) != len(swept):
        yield 1, f"{len(recorded)} surveys are recorded, and {len(swept)} took place"
    before: Glimpse | None = None
    for survey, sweep in zip(recorded, swept, strict=False):
        yield from _check_record(survey, sweep.glimpse, before)
        yield from _check_plan(survey, sweep, past, right_clock=right_clock)
        before = sweep.glimpse


# ---- what is recorded -----------------------------------------------------------------------------------------------------


def _check_record(survey: RecordedSurvey, glimpse: Glimpse, before: Glimpse | None) -> Iterator[Finding]:
    where, known = f"sweep {glimpse.number}", survey.notebooks.keys()
    if (survey.record.at, survey.record.complete) != (glimpse.at, glimpse.complete):
        yield 2, f"{where} at {glimpse.at}, complete: {glimpse.complete}, is recorded as {survey.record}"
    if missing := glimpse.rows.keys() - known - _unreadable(glimpse):
        yield 2, f"{where} has shown {sorted(missing)}, which are not recorded"
    if glimpse.complete and (left := known - glimpse.rows.keys()):
        yield 2, f"{where} is complete and has not shown {sorted(left)}, which are recorded as still there"
    if not glimpse.complete and before is not None and before.complete:
        there = {key for key, _ in before.there & glimpse.there} & before.rows.keys() - _unreadable(before)
        if closed := there - known:
            yield 2, f"{where} is not complete, and has closed {sorted(closed)}"


def _unreadable(glimpse: Glimpse) -> set[str]:
    return {key for key, row in glimpse.rows.items() if isinstance(row, MalformedRow)}


# ---- what is planned ------------------------------------------------------------------------------------------------------


def _check_plan(survey: RecordedSurvey, sweep: Swept, past: Past, *, right_clock: bool) -> Iterator[Finding]:
    where, at = f"sweep {sweep.glimpse.number}", survey.record.at
    exemptions = in_past.in_force_at(past.exemptions, TARGET, at) if right_clock else sweep.exemptions
    plain = Rules(sweep.config.policies, PROTECTIONS)
    rules = replace(plain, coverage=coverage_of(IDENTITY), exemptions=exemptions, marks=sweep.marks)
    circumstances = _circumstances(sweep, past) if right_clock else sweep.circumstances
    plan = plan_at(survey, rules, sweep.config.brakes, circumstances)
    if not sweep.glimpse.complete:
        if not any(NOT_COMPLETE in refusal.message for refusal in plan.refusals):
            yield 2, f"{where} was not complete, and a back-test does not refuse its plan"
        return
    theirs = _comparable(sweep.plan)
    for part, ours in _comparable(plan).items():
        if ours != theirs[part]:
            yield 1, f"{where}: {part} would be {ours}, and was {theirs[part]}"


def _circumstances(sweep: Swept, past: Past) -> Circumstances:
    """Return the history of a sweep by the functions of a back-test; the fleet before is known to the journal only."""
    known, at = sweep.circumstances, sweep.glimpse.at
    failing = {each.notebook_id for each in known.history.ends}
    ends = tuple(each for each in in_past.ends_at(past.orders, at) if each.notebook_id in failing)
    newest_first = sorted(ends, key=lambda each: (each.ended_at or at, each.run_id), reverse=True)
    requested = in_past.count_requested(past.orders, at, ())
    return replace(known, history=History(requested, known.history.before, newest_first))


def _comparable(plan: Plan) -> Mapping[str, object]:
    """Return a plan as far as the inventory can know it.

    It leaves out rows of other workspaces, the problems of rows that cannot be read, the places of rows in a listing, and the
    dates of notebooks in use, which never count as idle.
    """
    return {
        "order": tuple(item.notebook.id for item in plan.items),
        "items": tuple(map(_item, plan.items)),
        "sentences": tuple(item.verdict.sentence for item in plan.items),
        "kept": {reason: count for reason, count in plan.kept.items() if reason is not Reason.ELSEWHERE},
        "refusals": plan.refusals,
        "trimmed": plan.trimmed,
        "fleet": plan.fleet,
        "malformed": len(plan.malformed),
        "time": plan.created_at,
        "cooling": plan.cooling,
        "opening": plan.opens_at,
    }


def _item(item: Candidate) -> Candidate:
    if item.notebook.status in AT_REST:
        return replace(item, position=-1)
    return replace(item, position=-1, notebook=_undated(item.notebook))


def _undated(one: Notebook) -> Notebook:
    return replace(one, updated_at=None, lease=one.lease and replace(one.lease, updated_at=None))
