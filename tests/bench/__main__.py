"""`python -m bench`, with `tests` on the path: nbsweep beside the textbook, in one table, and the targets held against it."""

import argparse
import signal
import sys
from dataclasses import replace

from rich.console import Console

from bench.cold_start import cold_start
from bench.programs import NBSWEEP, THE_TEXTBOOK
from bench.runs import Result, measured
from bench.scenarios import SCENARIOS, Scenario
from bench.table import console, markdown, show
from bench.targets import checks

COLD = "cold"
NAMES = (*(scenario.name for scenario in SCENARIOS), COLD)
PATIENCE_S = 900.0


def main() -> int:
    """Measure what is asked for, show it, and give the exit code: 1 when a target is not met."""
    wanted = _parser().parse_args()
    # As an exception it ends the processes that are under way, too.
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
    chosen = set(wanted.only or NAMES)
    progress = Console(stderr=True, highlight=False)
    results: list[Result] = []
    for scenario in (_sized(one, wanted) for one in SCENARIOS if one.name in chosen):
        against = scenario.against_textbook and not wanted.without_textbook
        for program in (NBSWEEP, *((THE_TEXTBOOK,) if against else ())):
            progress.print(
                f"{scenario.name}: {program.name}, {scenario.notebooks:,} notebooks ({scenario.title})", soft_wrap=True
            )
            results.append(measured(scenario, program, wanted.patience))
    cold = cold_start() if COLD in chosen else None
    ours = {result.scenario.name: result for result in results if result.program == NBSWEEP.name}
    others = {result.scenario.name: result for result in results if result.program == THE_TEXTBOOK.name}
    found = checks(ours, others, cold)
    if wanted.markdown:
        sys.stdout.write(markdown(results, found) + "\n")
    else:
        show(console(), results, found)
    return int(any(check.met is False for check in found) and not wanted.report_only)


def _sized(scenario: Scenario, wanted: argparse.Namespace) -> Scenario:
    """Change sizes where that is asked for, for a quick look; the targets are for the sizes as they are."""
    notebooks = wanted.notebooks or scenario.notebooks
    used_again = min(scenario.used_again, notebooks // 10)
    deletion_s = scenario.deletion_s if wanted.deletions is None else wanted.deletions
    return replace(scenario, notebooks=notebooks, used_again=used_again, deletion_s=deletion_s)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--only", action="append", choices=NAMES, help="this scenario; may be given several times")
    parser.add_argument("--notebooks", type=int, metavar="N", help="instead of each scenario's own number")
    parser.add_argument("--deletions", type=float, metavar="SECONDS", help="median of the deletions' time, likewise")
    parser.add_argument("--without-textbook", action="store_true", help="run nbsweep alone")
    parser.add_argument("--patience", type=float, default=PATIENCE_S, metavar="SECONDS", help="most time for one run")
    parser.add_argument("--markdown", action="store_true", help="write the tables as Markdown")
    parser.add_argument("--report-only", action="store_true", help="exit with 0 even if a target is not met")
    return parser


if __name__ == "__main__":
    sys.exit(main())
