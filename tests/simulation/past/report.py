"""The invariants of a simulated past, and the trace of one seed."""

from collections.abc import Iterator, Sequence

from simulation.past.run import Played

INVARIANTS = {
    0: "no bug is raised",
    1: "a back-test plans of a complete survey what the sweep planned",
    2: "an incomplete survey closes nothing, and nothing is planned on it",
    3: "each label is what truly became of the notebook",
    4: "a back-test of dry runs deletes what sweeps would have deleted",
    5: "a clock that is set, and states of other versions, add no deletion",
}


def trace(played: Played) -> Iterator[str]:
    """Yield everything that happened in one seed, in order."""
    scenario = played.scenario
    yield f"{scenario.kind}; {scenario.config}; zones {scenario.zones}; horizon {scenario.horizon}"
    for number, world in enumerate(played.worlds, start=1):
        for at, line in world.truth.lines:
            yield f"{number}: {at:%Y-%m-%d %H:%M:%S}  {line}"
    yield from broken(scenario.seed, played.judge.found)


def broken(seed: int, found: Sequence[tuple[int, str]]) -> Iterator[str]:
    """Yield the violations of a seed, and the command that shows them again."""
    for number, what in found[:20]:
        yield f"seed {seed} breaks invariant {number} ({INVARIANTS[number]}): {what}"
    if found:
        yield f"  again, with all that happened: make simulate OF=past SEED={seed}"
