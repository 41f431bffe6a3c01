"""`python -m simulation.nights`, with `tests` on the path: nights of a fleet, held against a formula."""

import argparse
import sys
from collections.abc import Iterator

from simulation.nights.night import Night, Played
from simulation.nights.play import play

NIGHTS = {
    "equal accounts": Night(1_000, workers=8, at_once=8),
    "unequal accounts": Night(1_000, workers=8, at_once=8, spread=0.5),
    "a crash every 10 minutes": Night(1_000, workers=8, at_once=8, spread=0.5, late_share=0.3, crash_every_s=600.0),
}
HEAD = ("night", "workers", "accounts", "crashes", "attempts", "formula, h", "night, h", "found")


def main() -> int:
    """Play each night with each seed, write a table in Markdown, and give 1 if something was found."""
    options = _parser().parse_args()
    found = 0
    print(line(HEAD), line(["---"] * len(HEAD)), sep="\n", flush=True)  # noqa: T201 -- the output of the command
    first, seeds = (options.first, options.seeds) if options.seed is None else (options.seed, 1)
    for name, played in _played(first, seeds):
        print(line(cells(name, played)), flush=True)  # noqa: T201 -- likewise
        for problem in played.witness.found:
            found += 1
            print(f"  {problem}", flush=True)  # noqa: T201 -- likewise
    return int(found > 0)


def _played(first: int, seeds: int) -> Iterator[tuple[str, Played]]:
    for seed in range(first, first + seeds):
        for name, night in NIGHTS.items():
            yield f"{name}, seed {seed}", play(night, seed)


def cells(name: str, played: Played) -> list[str]:
    """Return what the table says of a night."""
    night = played.night
    formula = f"{played.least_s / 3600:.2f} to {played.most_s / 3600:.2f}"
    return [
        name,
        f"{night.workers} x {night.at_once}",
        f"{night.accounts:,}",
        f"{played.crashes}",
        f"{played.witness.attempts:,}",
        formula,
        f"{played.makespan_s / 3600:.2f}",
        f"{len(played.witness.found)}",
    ]


def line(found: list[str] | tuple[str, ...]) -> str:
    """Write a line of a table."""
    return "| " + " | ".join(found) + " |"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m simulation.nights", description=__doc__)
    parser.add_argument("--seed", type=int, metavar="N", help="this seed alone")
    parser.add_argument("--seeds", type=int, default=1, metavar="N", help="how many of each night (1)")
    parser.add_argument("--first", type=int, default=0, metavar="N", help="the first of them (0)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
