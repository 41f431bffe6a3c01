"""What the brakes and the cool-down must not let happen, judged from what the cloud accepted."""

from collections import Counter
from typing import TYPE_CHECKING

from nbsweep.core.lifecycle import State
from simulation.history import Call, Order

if TYPE_CHECKING:
    from simulation.judge import Judge, Row, Sweep

MOST_SKEW_MS = 63_000
"""A minute is allowed, and a date in whole seconds cannot be told more exactly than this."""


def check_brakes(judge: "Judge", sweep: "Sweep") -> None:
    """Let a sweep touch no more notebooks than its brakes allow, of all and of one owner."""
    brakes = judge.settings.brakes
    if sweep.most is not None and len(sweep.touched) > sweep.most:
        judge.record_violation(7, f"{sweep.run_id} touches {len(sweep.touched)} notebooks, and its brakes allow {sweep.most}")
    if brakes.max_per_owner is not None:
        states = [judge.history.states[notebook_id][-1].facts for notebook_id in sweep.touched]
        owner, count = Counter(one.owner for one in states if one).most_common(1)[0]
        if count > brakes.max_per_owner:
            judge.record_violation(
                7, f"{sweep.run_id} touches {count} notebooks of {owner}, and {brakes.max_per_owner} are allowed"
            )


def check_clock(judge: "Judge", sweep: "Sweep", call: Call) -> None:
    """Let nothing be deleted by a clock that was more than a minute off all through the sweep."""
    ahead_ms = (judge.walls[-1][1] if judge.walls else 0.0) - judge.slept_ms
    steady = all(at_s <= sweep.surveyed_from_s for at_s, _ in judge.walls)
    if judge.scenario.habits.undated and not sweep.calm:
        judge.record_violation(7, f"a {call.kind} of {call.subject} leaves, and no answer has said what time it is")
    if steady and abs(ahead_ms) > MOST_SKEW_MS:
        judge.record_violation(7, f"a {call.kind} of {call.subject} leaves, and the clock is {ahead_ms / 1000:.0f} s off")


def check_day(judge: "Judge") -> None:
    """Let no more be deleted in a day than may be, by all sweeps of one journal together; no seed lasts for a day."""
    most = judge.settings.brakes.max_per_day
    orders = (order for order in judge.history.orders[judge.remembered_from :] if order.kind == "delete")
    taken = {(judge.runs.get(order.call.number), order.notebook_id) for order in orders}
    if most is not None and len(taken) > most:
        judge.record_violation(7, f"{len(taken)} DELETEs are accepted in a day, and {most} are allowed")


def check_cooled_down(judge: "Judge", order: Order) -> None:
    """Let no sweep begin to delete what the cloud failed to delete for an earlier one, until it has cooled down."""
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
    """Tell whether an earlier failure may be a reason to leave a notebook alone; how long, only the journal knows."""
    cool_down = judge.settings.removal.cool_down
    if cool_down is None:
        return False
    longest_s = cool_down.longest.total_seconds() + _set_by_s(judge)
    return any(at_s - row.written_s <= longest_s for row in failures_of(judge, notebook_id))


def failures_of(judge: "Judge", notebook_id: str) -> list["Row"]:
    """List the removals of one notebook that have failed, of all runs."""
    rows = (row for (_, subject), row in judge.rows.items() if subject == notebook_id)
    return [row for row in rows if row.removal.state in (State.FAILED, State.TIMED_OUT)]


def _set_by_s(judge: "Judge") -> float:
    """Tell how far the wall clock of nbsweep was ever set, or went on while the machine slept, all in all."""
    return sum(abs(seconds) for _, seconds in (*judge.scenario.jumps, *judge.scenario.habits.sleeps))
