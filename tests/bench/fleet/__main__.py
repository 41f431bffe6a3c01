"""`python -m bench.fleet`, with `tests` on the path: the same accounts swept by one worker and by several, in one table.

Runs a PostgreSQL server of its own, whose programs `make test-postgresql` installs, and one simulated cloud for each account.
"""

import argparse
import asyncio
import signal
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from bench.fleet.run import FleetRun, run_fleet
from bench.fleet.shape import Shape
from bench.fleet.table import costs_table, figures_table, runs_table
from bench.fleet.units import UNIT_SHAPES, idle_costs, queue_costs, unit_costs
from postgresql.conftest import Server, running_server

LEAST_SPEED_UP = 7.0
"""The target for eight workers; for fewer, the same share of their number."""


def main() -> int:
    """Measure, write the table in Markdown, and give 1 if a notebook was not deleted exactly once, or a target is missed."""
    options = _parser().parse_args()
    # As an exception it ends the processes that are under way, too.
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
    if options.units:
        return _measure_units()
    shape = Shape(options.accounts, options.notebooks, options.workers[0], options.at_once)
    with running_server(durable=True) as server:
        runs = list(_measured((replace(shape, workers=workers) for workers in options.workers), server))
    _write(runs_table(runs))
    return int(any(run.problem for run in runs) or not all(is_met(runs[0], run) for run in runs[1:]))


def is_met(alone: FleetRun, run: FleetRun) -> bool:
    """Return whether a run is as much faster than the first one as it should be."""
    share = run.shape.workers / alone.shape.workers / 8
    return alone.makespan_s / run.makespan_s >= LEAST_SPEED_UP * share


def _measure_units() -> int:
    with running_server(durable=True) as server:
        runs = list(_measured(UNIT_SHAPES, server))
        _write(runs_table(runs))
        _write(costs_table(unit_costs(*runs)))
        _write(figures_table(["per account without work", "`serve`", "worker"], idle_costs(server)))
        head = ["ms", "time", "CPU of the process", "CPU of PostgreSQL"]
        _write(figures_table(head, asyncio.run(queue_costs(server))))
    return int(any(run.problem for run in runs))


def _measured(shapes: Iterable[Shape], server: Server) -> Iterable[FleetRun]:
    for shape in shapes:
        sys.stderr.write(f"{shape.accounts} accounts with {shape.notebooks} notebooks each, {shape.workers} workers\n")
        with tempfile.TemporaryDirectory(prefix="nbsweep-bench-") as name:
            run = run_fleet(shape, server, Path(name))
        sys.stderr.write(f"  {run.makespan_s:.1f} s {run.problem}\n")
        yield run


def _write(text: str) -> None:
    sys.stdout.write(text + "\n\n")
    sys.stdout.flush()


def _workers(text: str) -> Sequence[int]:
    return [int(number) for number in text.split(",")]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.fleet", description=__doc__)
    parser.add_argument("--accounts", type=int, default=64)
    parser.add_argument("--notebooks", type=int, default=12, help="of each account")
    parser.add_argument("--workers", type=_workers, default=[1, 8], metavar="N,M", help="the numbers of workers to compare")
    parser.add_argument("--at-once", type=int, default=4, help="accounts that a worker sweeps at the same time")
    parser.add_argument("--units", action="store_true", help="measure what an account, a notebook and a second cost instead")
    return parser


if __name__ == "__main__":
    sys.exit(main())
