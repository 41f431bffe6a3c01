"""The invariants of announced deletions, and the trace of one seed."""

from collections.abc import Iterator, Sequence

from simulation.people.world import World

INVARIANTS = {
    0: "no bug is raised",
    1: "nothing goes under a policy with grace before its owner was told of this instance, and the grace has passed since",
    2: "no deadline that somebody may have read is moved to an earlier time",
    3: "told is what the accepted letters list, and only the right people read of it",
    4: "no item is lost or sent by two messages, and what ought to go is gone once all is calm",
    5: "use, renewal, a protecting tag or an exemption before the call prevents it",
    7: "a dry run marks, tells and deletes nothing",
    8: "brakes bind marks and deletions",
    9: "nothing goes while marks or exemptions cannot be read",
    10: "a letter whose acceptance is on record is not repeated, and two relays do not send it at once",
    11: "a recipient gets one message a day in each channel, apart from urgent reminders",
    12: "nothing is sent while notices are paused",
}
"""A recreated id starts anew by 1: the letter must list this very instance."""


def trace(world: World) -> Iterator[str]:
    """Yield everything that happened in one seed, in order."""
    scenario = world.scenario
    yield from (f"epoch: {epoch}" for epoch in scenario.epochs)
    yield f"post: {scenario.post}"
    for at, line in world.truth.lines:
        yield f"{at:%m-%d %H:%M:%S}.{at.microsecond // 1000:03}  {line}"
    yield from broken(scenario.seed, world.judge.found)


def broken(seed: int, found: Sequence[tuple[int, str]]) -> Iterator[str]:
    """Yield the violations of a seed, and the command that shows them again."""
    for number, what in found:
        yield f"seed {seed} breaks invariant {number} ({INVARIANTS[number]}): {what}"
    if found:
        yield f"  again, with all that happened: make simulate OF=people SEED={seed}"
