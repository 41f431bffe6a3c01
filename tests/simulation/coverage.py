"""How often each fault and event happened in one seed, counted from the history."""

from collections import Counter

from nbsweep.core.lifecycle import outcome
from simulation.world import World

TOLD = {
    "survey.torn": "seen: torn listing in a survey",
    "survey.malformed_row": "seen: row that nobody can read",
    "poll.snapshot_flawed": "seen: snapshot that proves nothing",
    "poll.failed": "seen: look that failed",
    "removal.again": "seen: second look once more",
    "removal.unanswered": "seen: DELETE in doubt",
    "lease.taken_over": "seen: lease of the dead taken over",
    "lease.lost": "seen: lease lost",
    "http.throttled": "seen: lane slowed down",
}


def count_events(world: World) -> Counter[str]:
    """Count the events of calls, notebooks and processes, and the ends of sweeps and removals."""
    found: Counter[str] = Counter(calls=len(world.history.calls), lives=world.lives, sweeps=len(world.judge.sweeps))
    found["crash"] = world.crashes
    found.update({f"network: {name}": count for name, count in world.faults.counts.items()})
    found.update({f"people: {name}": count for name, count in world.users.done.items()})
    found.update({TOLD[name]: count for name, count in world.events.items() if name in TOLD})
    found.update({f"owner: {name}": count for name, count in world.owners.done.items()})
    _of_cloud(world, found)
    for report in world.reports:
        brake = report.plan.refusal.brake if report.plan and report.plan.refusal else ""
        found[f"sweep: {report.outcome}{f' by {brake}' if brake else ''}"] += 1
        found["recovered removals"] += len(report.recovered)
    for row in world.judge.rows.values():
        found[f"removal: {outcome(row.removal)}"] += 1
    return +found


def _of_cloud(world: World, found: Counter[str]) -> None:
    history = world.history
    for order in history.orders:
        found[f"cloud: {order.kind} accepted"] += 1
        found["cloud: reads stale after it"] += any("stale" in note for note in order.call.notes)
    for states in history.states.values():
        found["cloud: DELETE_FAILED"] += sum(state.cause == "its deletion has failed" for state in states)
    found["cloud: deletion stuck"] = sum(isinstance(line, str) and line.endswith("sticks") for _, line in history.lines)
    found["cloud: DELETE refused"] = sum(call.kind == "delete" and call.status in (400, 404) for call in history.calls)
