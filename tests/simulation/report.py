"""The output of the simulation: the trace of one seed, and the table of many."""

from collections import Counter
from collections.abc import Iterator, Sequence

from simulation.run import Outcome
from simulation.world import World

INVARIANTS = {
    0: "no bug is raised",
    1: "nothing is deleted that ought to be kept, on facts no older than fresh_for",
    2: "no second DELETE but after a DELETE_FAILED, and within retries",
    3: "no window holds more calls than the lanes, and every 429, allow",
    4: "every removal ends by its deadline, every sweep by its limit",
    5: "the journal says what the cloud did, and says it before",
    6: "after any crash the same end: what ought to go is gone, or the record says why not",
    7: "no brake is exceeded",
    8: "what failed to be deleted is left alone until it has cooled down",
    9: "no outcome is told of another project's notebook",
}


def replay(seed: int) -> str:
    """Return the command that runs a seed again."""
    return f"make simulate SEED={seed}"


def trace(world: World) -> Iterator[str]:
    """Yield everything that happened in one seed, in order."""
    scenario = world.scenario
    yield f"seed {scenario.seed}: {scenario.config}"
    yield f"cloud: {scenario.manners}"
    yield f"network: {scenario.network}"
    lines = [(at_s, 1, str(line)) for at_s, line in world.history.lines]
    lines += [(call.begun_s, 0, str(call)) for call in world.history.calls]
    for at_s, _, line in sorted(lines, key=lambda one: one[:2]):
        yield f"{at_s:10.3f}  {line}"
    yield from broken(world.scenario.seed, world.judge.found)


def broken(seed: int, found: Sequence[tuple[int, str]]) -> Iterator[str]:
    """Yield the violations of a seed, and the command that shows them again."""
    for number, what in found:
        yield f"seed {seed} breaks invariant {number} ({INVARIANTS[number]}): {what}"
    if found:
        yield f"  again, with all that happened: {replay(seed)}"


def table(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """Yield how often each event happened: in all, and in how many of the seeds."""
    total: Counter[str] = Counter()
    seeds: Counter[str] = Counter()
    for one in outcomes:
        total.update(one.counts)
        seeds.update(one.counts.keys())
    yield f"{'':36}{'times':>10}{'in seeds':>10}"
    for name in sorted(total):
        yield f"{name:36}{total[name]:>10}{100 * seeds[name] / len(outcomes):>9.1f}%"


def summary(outcomes: Sequence[Outcome], lasted_s: float) -> str:
    """Return the summary in one line."""
    count, cpu_s = len(outcomes), sum(one.cpu_s for one in outcomes)
    bad = sum(bool(one.found) for one in outcomes)
    virtual_h = sum(one.virtual_s for one in outcomes) / 3600
    return (
        f"{count} seeds, {bad} broken; {lasted_s:.0f} s, {count / lasted_s:.1f} seeds/s, "
        f"{1000 * cpu_s / count:.0f} ms of CPU each, {virtual_h:.0f} h of virtual time"
    )
