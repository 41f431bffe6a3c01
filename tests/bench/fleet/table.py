"""The figures of fleets as Markdown."""

from collections.abc import Mapping, Sequence

from bench.fleet.run import FleetRun
from bench.fleet.units import Cost


def runs_table(runs: Sequence[FleetRun]) -> str:
    """Write a column for each run, beside the first one."""
    first = runs[0]
    lines = {
        "workers x accounts at once": [f"{run.shape.workers} x {run.shape.at_once}" for run in runs],
        "accounts x notebooks": [f"{run.shape.accounts} x {run.shape.notebooks}" for run in runs],
        "makespan, first call to last notebook gone": [f"{run.makespan_s:.1f} s" for run in runs],
        "speed-up": [f"{first.makespan_s / run.makespan_s:.2f}" for run in runs],
        "makespan / the least that the limits allow": [f"{run.makespan_s / run.shape.floor_s:.2f}" for run in runs],
        "median time of an account": [f"{run.sweep_s[len(run.sweep_s) // 2]:.1f} s" for run in runs],
        "notebooks deleted exactly once": ["no: " + run.problem if run.problem else "all" for run in runs],
        "calls (throttled)": [f"{run.calls.total():,} ({run.throttled})" for run in runs],
        "CPU of all workers": [f"{run.workers.cpu_s:.1f} s" for run in runs],
        "CPU of `serve`": [f"{run.serve.cpu_s:.1f} s" for run in runs],
        "CPU of PostgreSQL": [f"{run.database.cpu_s:.1f} s" for run in runs],
        "CPU of the start of a worker": [f"{run.workers.start_cpu_s / run.shape.workers:.2f} s" for run in runs],
        "commits": [f"{run.database.commits:,}" for run in runs],
        "polls of the queue": [f"{run.database.polls:,}" for run in runs],
        "jobs": [f"{run.database.jobs:,}" for run in runs],
        "connections at most": [f"{run.connections}" for run in runs],
        "memory of a worker, of `serve`": [f"{run.workers.peak_mb:.0f} MB, {run.serve.peak_mb:.0f} MB" for run in runs],
    }
    return markdown(["", *(_workers(run.shape.workers) for run in runs)], [[name, *cells] for name, cells in lines.items()])


def costs_table(costs: Mapping[str, Cost]) -> str:
    """Write a line for each unit cost."""
    head = ["", "per sweep of an account", "per notebook"]
    return markdown(head, [[name, *cost.cells()] for name, cost in costs.items()])


def figures_table(head: Sequence[str], figures: Mapping[str, Sequence[float]]) -> str:
    """Write a line for each name."""
    return markdown(head, [[name, *(f"{figure:,.2f}" for figure in found)] for name, found in figures.items()])


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Write a table whose first column is words."""
    rule = ["---", *["---:"] * (len(head) - 1)]
    return "\n".join("| " + " | ".join(row) + " |" for row in (head, rule, *rows))


def _workers(number: int) -> str:
    return "1 worker" if number == 1 else f"{number} workers"
