"""`python -m bench.pages`, with `tests` on the path: what the pages of the service cost with 20,000 notebooks, as a table.

CPU time is that of the whole service, as milliseconds of a quiet machine: it is compared with a fixed piece of work in the
same run. The least of several starts of the service counts.
"""

import argparse
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from acceptance.large.addresses import all_addresses
from acceptance.large.costs import ROUNDS, Cost, best_of, measured, too_much
from acceptance.large.world import large_world
from bench.table import markdown_table

COLUMNS = ("page", "addresses", "first request", "later request", "size")


def rows(costs: Mapping[str, Cost], paths: Mapping[str, str]) -> list[tuple[str, ...]]:
    """Return a row for each route, with the most that any of its addresses costs; `paths` has the routes by address."""
    of_path: dict[str, list[Cost]] = {}
    for address, cost in costs.items():
        of_path.setdefault(paths[address], []).append(cost)
    return [_row(path, of_path[path]) for path in dict.fromkeys(paths.values())]


def _row(path: str, costs: list[Cost]) -> tuple[str, ...]:
    cold_ms, warm_ms = max(each.cold_ms for each in costs), max(each.warm_ms for each in costs)
    size = max(each.size for each in costs) / 1000
    return f"`{path}`", str(len(costs)), f"{cold_ms:.0f} ms", f"{warm_ms:.0f} ms", f"{size:,.0f} kB"


def main() -> int:
    """Measure, write the table to stdout, and return 1 if anything is too much."""
    parser = argparse.ArgumentParser(prog="python -m bench.pages", description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS, metavar="N", help="how often the service is started")
    rounds: int = parser.parse_args().rounds
    with tempfile.TemporaryDirectory(prefix="nbsweep-bench-") as folder, large_world(Path(folder)) as world:
        found = best_of([measured(world, number / rounds) for number in range(rounds)])
        paths = all_addresses({**world.parts, "result": "RESULT"})
    sys.stdout.write(markdown_table(COLUMNS, rows(found, paths), range(1, len(COLUMNS))) + "\n")
    excess = too_much(found)
    sys.stdout.writelines(f"{path}: {each}\n" for path, each in excess.items())
    return int(bool(excess))


if __name__ == "__main__":
    sys.exit(main())
