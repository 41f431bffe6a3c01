"""The invariants at the end of a sweep, and at the end of a seed."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from nbsweep.core.lifecycle import Removal, State
from nbsweep.core.report import Report
from simulation.brake_invariants import may_cool_down
from simulation.facts import AT_WORK, Facts
from simulation.history import Order
from simulation.judge import Judge, Sweep
from simulation.oracle import opinion

if TYPE_CHECKING:
    from simulation.world import World

STALE_S = 90.0
"""How long after one of our orders a listing may be stale."""


def check_sweep(world: "World", sweep: Sweep, report: Report) -> None:
    """Check a sweep that has ended."""
    judge = world.judge
    judge.check_deadlines()
    if judge.other_project:
        return
    if report.outcome == "finished":
        for (_, notebook_id), row in judge.rows.items():
            if not row.removal.ended:
                judge.record_violation(4, f"{sweep.run_id} is finished, and the removal of {notebook_id} has no end")
    limit = world.settings.service.sweep_timeout + world.settings.service.drain
    lasted_s = (sweep.ended_s or 0.0) - sweep.begun_s
    if lasted_s > limit.total_seconds() + judge.slack_s:
        judge.record_violation(4, f"{sweep.run_id} lasted {lasted_s:.0f} s, and was to stop after {limit}")
    _check_survey(world, sweep, report)


def _check_survey(world: "World", sweep: Sweep, report: Report) -> None:
    """Check that a complete survey has seen every notebook that existed throughout."""
    plan = report.plan
    if plan is None or sweep.planned_s is None:
        return
    dialect = world.scenario.manners.dialect
    if {gap.scope.workspace_id for gap in plan.refused} != set(dialect.closed):
        world.judge.record_violation(6, f"{sweep.run_id} was refused {dialect.closed}, and its plan says {plan.refused}")
    moved = _moved(world, sweep.surveyed_from_s, sweep.planned_s)
    # If the cloud ignores the workspace, and returns none of its rows, they may be hidden.
    unshown = "workspace_id" in world.scenario.manners.ignores and "rows of another workspace" in str(plan.refusal)
    if sweep.calm and plan.refusal and plan.refusal.brake == "incomplete-survey" and not (moved or unshown):
        world.judge.record_violation(6, f"nothing moved, and {sweep.run_id} did not see everything: {plan.refusal.message}")
    # Whole pages do not overlap: if one row vanishes and another appears, a row may be missed, and is kept.
    if plan.refusal or _braked(world) or (moved and dialect.offset_as != "row"):
        return
    planned = {item.notebook.id for item in plan.items} | {removal.notebook_id for removal in report.removals}
    for notebook_id in world.history.states:
        if notebook_id not in planned and _ought_to_go(world, notebook_id, sweep, sweep.surveyed_from_s, sweep.planned_s):
            world.judge.record_violation(6, f"{notebook_id} ought to go, and {sweep.run_id} has not planned it")


def _moved(world: "World", from_s: float, to_s: float) -> bool:
    """Return whether rows may have appeared in a listing, or vanished from it, between two times."""
    if world.scenario.manners.memory_s:
        return True
    return any(
        from_s <= state.since_s <= to_s and (state.facts is None or number == 0)
        for states in world.history.states.values()
        for number, state in enumerate(states)
    )


def _braked(world: "World") -> bool:
    brakes = world.settings.brakes
    limits = (brakes.max_deletions, brakes.max_share, brakes.max_per_owner, brakes.max_per_day)
    return any(one is not None for one in limits)


def _ought_to_go(world: "World", notebook_id: str, sweep: Sweep, from_s: float, to_s: float) -> bool:
    """Return whether a notebook was to be deleted throughout, by any clock, and reads showed that.

    If the listing leaves facts out, a notebook that a GET does not answer for, while faults are injected, is kept.
    """
    history, judge = world.history, world.judge
    recent = [order for order in history.orders if order.notebook_id == notebook_id and order.at_s > from_s - STALE_S]
    states = list(history.during(notebook_id, from_s, to_s))
    if recent or not states or states[0].since_s > from_s or may_cool_down(judge, notebook_id, from_s):
        return False
    manners = world.scenario.manners
    if manners.leaves_out:
        # Their workspace is never shown.
        return False
    if any(state.facts is not None and state.facts.workspace in manners.dialect.closed for state in states):
        # The workspace is closed.
        return False
    clocks = judge.clocks(from_s, to_s)
    return all(
        state.facts is not None
        and (sweep.calm or (state.facts.term is not None and manners.dated and not manners.list_leaves_out))
        and all(opinion(state.facts, world.scenario.config, moment).what != "keep" for moment in clocks)
        for state in states
    )


async def check(world: "World") -> None:
    """Compare the journal with the cloud's history at the end of a seed."""
    judge = world.judge
    stored = {
        (removal.run_id, removal.notebook_id): removal
        for sweep in judge.sweeps
        for removal in await world.store.removals(sweep.run_id)
    }
    for (run_id, notebook_id), row in judge.rows.items():
        if stored.get((run_id, notebook_id)) != row.removal:
            judge.record_violation(5, f"the journal has lost what {run_id} wrote of {notebook_id}")
        _check_row(judge, row.removal, row.written_s)
    last = world.reports[-1]
    if last.outcome not in ("finished", "refused"):
        judge.record_violation(6, f"all was calm, and the last sweep {last.outcome}: {last.error}")
    elif last.outcome == "finished":
        _check_nothing_left(world)


def _check_nothing_left(world: "World") -> None:
    """Check that after a calm sweep no notebook is left that is to be deleted, unless the journal says why."""
    sweep = world.judge.sweeps[-1]
    to_s = sweep.ended_s or sweep.begun_s
    for notebook_id in world.history.states:
        if _braked(world) or not _ought_to_go(world, notebook_id, sweep, sweep.begun_s, to_s):
            continue
        row = world.judge.rows.get((sweep.run_id, notebook_id))
        if row is None or row.removal.state not in (State.FAILED, State.TIMED_OUT):
            world.judge.record_violation(
                6, f"{notebook_id} ought to be gone by now, and the journal has no word of why it is not"
            )


def _check_row(judge: Judge, removal: Removal, written_s: float) -> None:
    """Compare one removal with the cloud's history."""
    orders = [order for order in _orders(judge, removal) if order.at_s <= written_s]
    facts = judge.history.at(removal.notebook_id, written_s)
    gone = facts is None or not facts.exists
    match removal.state:
        case State.DELETED:
            problem = _deleted(judge, removal, gone=gone)
        case State.SPARED:
            problem = _spared(judge, removal)
        case State.FAILED:
            problem = _failed(judge, removal, orders, facts, written_s)
        case State.TIMED_OUT:
            problem = _timed_out(judge, removal, written_s, gone=gone)
        case _:
            problem = f"it is {removal.state} at the end of all"
    if problem:
        judge.record_violation(5, f"{removal.run_id} {removal.notebook_id} {removal.state} ({removal.end_reason}): {problem}")


def _orders(judge: Judge, removal: Removal) -> Iterator[Order]:
    for order in judge.history.orders_of(removal.notebook_id, "delete"):
        if judge.runs.get(order.call.number) == removal.run_id:
            yield order


def _deleted(judge: Judge, removal: Removal, *, gone: bool) -> str:
    if not gone:
        return "it was there when that was written"
    # For its sender, a DELETE that was cancelled during the connect is like one whose answer was lost.
    sent = (removal.run_id, removal.notebook_id) in judge.tried
    # A process that was killed before the DELETE, or lost its journal, cannot record that no DELETE was sent.
    cut_off = any(sweep.run_id == removal.run_id and (sweep.killed or sweep.muted) for sweep in judge.sweeps)
    return "" if sent or cut_off else "no DELETE of this run was ever sent"


def _spared(judge: Judge, removal: Removal) -> str:
    """Check that a spared notebook was never deleted by this run."""
    orders = list(_orders(judge, removal))
    lost = orders and orders[-1].call.number in judge.history.lost
    if not orders or lost or judge.failed_since(removal.notebook_id, orders[-1].at_s, judge.now_s()):
        return ""
    return f"call {orders[-1].call.number} of this run deletes it"


def _failed(judge: Judge, removal: Removal, orders: list[Order], facts: Facts | None, written_s: float) -> str:
    lost = orders and orders[-1].call.number in judge.history.lost
    if not orders or lost or judge.failed_since(removal.notebook_id, orders[-1].at_s, written_s):
        return ""
    now = facts.status if facts else "gone"
    return f"call {orders[-1].call.number} was accepted and has not failed; it is {now}{' ' if now in AT_WORK else ''}".rstrip()


def _timed_out(judge: Judge, removal: Removal, written_s: float, *, gone: bool) -> str:
    if removal.deadline is None or removal.ended_at is None or removal.ended_at < removal.deadline:
        return "its deadline had not passed"
    if not gone:
        return ""
    told = [
        call
        for call in judge.history.calls
        if call.kind == "show" and call.subject == removal.notebook_id and call.status in (400, 404)
        if call.heard_s is not None and call.heard_s < written_s - 1 and "wrong-address" not in call.notes
    ]
    return f"call {told[-1].number} had proven it gone" if told else ""
