"""Plays a night in virtual time."""

from contextlib import closing
from math import isfinite
from random import Random

import anyio

from nbsweep.testing import FakeClock, FakeCloud
from nbsweep.testing.loop import VirtualLoop
from nbsweep.testing.records.fences import InMemoryFences
from simulation.nights.fleet import Fleet
from simulation.nights.job_queue import ProcessQueue
from simulation.nights.night import LEADS_AFTER_S, Night, Played, is_unfair, works_of
from simulation.nights.sweeps import Witness

LOOKS_EVERY_S = 5.0
FIRST_CRASH_S = 60.0
"""No process crashes before all that is due first is recorded; the due times of a real `serve` outlive it in the journal."""
HOPELESS = 1.5
"""A night that takes so many times as long as it may is given up."""


def play(
    night: Night,
    seed: int,
    make_queue: type[ProcessQueue] = ProcessQueue,
    make_fences: type[InMemoryFences] = InMemoryFences,
) -> Played:
    """Play a night; the same seed gives the same night. Tests plant bugs in the queue and in the fences."""
    with closing(VirtualLoop()) as loop:
        return loop.run_until_complete(_play(night, Random(seed), make_queue, make_fences))


async def _play(night: Night, random: Random, make_queue: type[ProcessQueue], make_fences: type[InMemoryFences]) -> Played:
    works = works_of(night, random)
    durations = [work.survey_s + work.left_s for work in works.values()]
    played = Played(night, Witness(works), sum(durations), max(durations))
    clock = FakeClock()
    fleet = Fleet(night, played.witness, random, clock, FakeCloud(clock, ()), make_queue=make_queue)
    fleet.journal.fences = make_fences()
    async with anyio.create_task_group() as group:
        fleet.start(group)
        group.start_soon(_let_crash, fleet)
        await anyio.sleep(LEADS_AFTER_S)
        fleet.due(name for name, work in works.items() if work.due_s == LEADS_AFTER_S)
        group.start_soon(_let_be_due_later, fleet)
        while (left := await fleet.left()) and clock.steady_s() < HOPELESS * (played.most_s + night.late_s):
            played.crashes = fleet.crashes
            await anyio.sleep(LOOKS_EVERY_S)
        group.cancel_scope.cancel()
    played.left = left
    played.makespan_s = max((work.ended_s or clock.steady_s()) for work in works.values()) - LEADS_AFTER_S
    return judged(played)


async def _let_crash(fleet: Fleet) -> None:
    await anyio.sleep(FIRST_CRASH_S)
    while isfinite(fleet.night.crash_every_s):
        await anyio.sleep(fleet.random.expovariate(1 / fleet.night.crash_every_s))
        fleet.crash_one()


async def _let_be_due_later(fleet: Fleet) -> None:
    await anyio.sleep(fleet.night.late_s)
    late = {name for name, work in fleet.witness.work.items() if work.due_s > LEADS_AFTER_S}
    # A due time that no process has recorded, because the leader crashed, is made up for by the next one. That takes due times
    # in the journal, which these fleets do not have.
    while late := late - fleet.recorded:
        fleet.due(sorted(late))
        await anyio.sleep(LOOKS_EVERY_S)


def judged(played: Played) -> Played:
    """Add what must not happen to what the witness has found."""
    found, works = played.witness.found, [played.witness.work[name] for name in played.witness.begun]
    if played.left:
        found.append(f"{played.left} sweeps, jobs and accounts are open at the end")
    last = works[0]
    for work in works[1:]:
        # In the order of their beginnings, nobody may come after somebody who was due much later.
        if is_unfair(work, last):
            found.append(
                f"{work.name} was due at {work.due_s:.0f} s, and began after {last.name}, which was due at {last.due_s:.0f} s"
            )
        last = max(last, work, key=lambda one: one.due_s)
    if not played.least_s * 0.999 <= played.makespan_s <= played.most_s:
        span = f"{played.least_s:.0f} to {played.most_s:.0f} s"
        found.append(f"the night took {played.makespan_s:.0f} s, by the formula {span}")
    return played
