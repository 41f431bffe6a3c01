"""Invariants 7 and 8: the brakes and the cool-down hold, checked from what the cloud accepted."""

from collections import Counter
from operator import itemgetter
from typing import TYPE_CHECKING

from nbsweep.core.lifecycle import State
from simulation.history import Call, Order

if TYPE_CHECKING:
    from simulation.judge import Judge, Row, Sweep

MOST_SKEW_MS = 63_000
"""A minute, and the error of a date in whole seconds."""


def check_brakes(judge: "Judge", sweep: "Sweep") -> None:
    """Check that a sweep changes no more notebooks than its brakes allow, in all and of one owner."""
    brakes = judge.settings.brakes
    if sweep.most is not None and len(sweep.touched) > sweep.most:
        judge.record_violation(7, f"{sweep.run_id} touches {len(sweep.touched)} notebooks, and its brakes allow {sweep.most}")
    if brakes.max_per_owner is not None:
        states = [judge.history.states[notebook_id][-1].facts for notebook_id in sweep.touched]
        # Nobody owns what the owner has deleted just before.
        owner, count = max(Counter(one.owner for one in states if one).items(), key=itemgetter(1), default=("", 0))
        if count > brakes.max_per_owner:
            judge.record_violation(
                7, f"{sweep.run_id} touches {count} notebooks of {owner}, and {brakes.max_per_owner} are allowed"
            )


def check_clock(judge: "Judge", sweep: "Sweep", call: Call) -> None:
    """Check that nothing is deleted while the clock is more than a minute off throughout the sweep."""
    ahead_ms = (judge.walls[-1][1] if judge.walls else 0.0) - judge.slept_ms
    steady = all(at_s <= sweep.surveyed_from_s for at_s, _ in judge.walls)
    if judge.scenario.habits.undated and not sweep.calm:
        judge.record_violation(7, f"a {call.kind} of {call.subject} leaves, and no answer has said what time it is")
    if steady and abs(ahead_ms) > MOST_SKEW_MS:
        judge.record_violation(7, f"a {call.kind} of {call.subject} leaves, and the clock is {ahead_ms / 1000:.0f} s off")


def check_day(judge: "Judge") -> None:
    """Check the limit of a day over all sweeps of one journal; no seed lasts for a day."""
    most = judge.settings.brakes.max_per_day
    orders = (order for order in judge.history.orders[judge.remembered_from :] if order.kind == "delete")
    taken = {(judge.runs.get(order.call.number), order.notebook_id) for order in orders}
    if most is not None and len(taken) > most:
        judge.record_violation(7, f"{len(taken)} DELETEs are accepted in a day, and {most} are allowed")


def check_cooled_down(judge: "Judge", order: Order) -> None:
    """Check that no sweep deletes a notebook that is cooling down after a failed deletion."""
    cool_down, run_id = judge.settings.removal.cool_down, judge.runs.get(order.call.number)
    earlier = judge.history.orders_of(order.notebook_id, "delete")[:-1]
    if cool_down is None or not earlier or judge.runs.get(earlier[-1].call.number) == run_id:
        return
    for row in failures_of(judge, order.notebook_id):
        took_part = row.removal.run_id == judge.runs.get(earlier[-1].call.number) and row.removal.accepted_at is not None
        if took_part and order.at_s - row.written_s + _set_by_s(judge) < cool_down.first.total_seconds():
            judge.record_violation(
                8, f"a DELETE of {order.notebook_id} is accepted, which failed in {row.removal.run_id} just before"
            )


def may_cool_down(judge: "Judge", notebook_id: str, at_s: float) -> bool:
    """Return whether a notebook may be cooling down; the exact end depends on the journal."""
    cool_down = judge.settings.removal.cool_down
    if cool_down is None:
        return False
    longest_s = cool_down.longest.total_seconds() + _set_by_s(judge)
    return any(at_s - row.written_s <= longest_s for row in failures_of(judge, notebook_id))


def failures_of(judge: "Judge", notebook_id: str) -> list["Row"]:
    """Return the failed removals of one notebook in all runs."""
    rows = (row for (_, subject), row in judge.rows.items() if subject == notebook_id)
    return [row for row in rows if row.removal.state in (State.FAILED, State.TIMED_OUT)]


def _set_by_s(judge: "Judge") -> float:
    """Return the sum of all changes of nbsweep's wall clock, by setting or by suspension."""
    return sum(abs(seconds) for _, seconds in (*judge.scenario.jumps, *judge.scenario.habits.sleeps))
