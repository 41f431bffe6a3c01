"""A night of a fleet as values, what it came to, and the formula for its length in docs/explanation/scale.md."""

import math
from dataclasses import dataclass
from random import Random

from simulation.nights.sweeps import AccountWork, Witness

RESTARTS_AFTER_S = 20.0
"""How long whatever looks after processes takes to start one again, its start included."""
LEASE_S = 60.0
TAKE_OVER_S = LEASE_S
"""The longest time from a crash until another worker may call the account."""
LEADS_AFTER_S = 10.0
"""The first accounts are due then: a process leads by that time."""
SLACK_S = 20.0
"""How much later a job may be deferred than its sweep was recorded, and taken than it was deferred."""


@dataclass(frozen=True, slots=True)
class Night:
    """A night, as values."""

    accounts: int
    workers: int
    at_once: int
    notebooks: int = 5_000
    """Of an account, in the mean."""
    spread: float = 0.0
    """The sigma of the lognormal distribution of the accounts' notebooks."""
    delete_per_s: float = 5.0
    survey_s: float = 22.0
    """The time of a survey of so many notebooks."""
    tail_s: float = 30.0
    """From the last DELETE to the end of the sweep."""
    late_share: float = 0.0
    """The share of the accounts that are due later."""
    late_s: float = 1800.0
    """How much later."""
    crash_every_s: float = math.inf
    """The mean time from the crash of one process to that of the next."""

    @property
    def slots(self) -> int:
        """Return how many accounts the workers sweep at the same time."""
        return self.workers * self.at_once


@dataclass(slots=True)
class Played:
    """What a night came to."""

    night: Night
    witness: Witness
    total_s: float
    """The time of all sweeps, one after the other."""
    longest_s: float
    makespan_s: float = 0.0
    crashes: int = 0
    left: int = 0
    """The number of sweeps, jobs and accounts that are still open."""

    @property
    def least_s(self) -> float:
        """Return the least makespan by the formula: all slots are busy until the end."""
        return self.total_s / self.night.slots

    @property
    def most_s(self) -> float:
        """Return the greatest makespan by the formula: the longest sweep begins last, and each crash costs its slots some time.

        A crashed worker's slots are empty until it is back; the slots that take over its accounts wait for their fences and
        survey again.
        """
        night = self.night
        lost_s = RESTARTS_AFTER_S + TAKE_OVER_S + night.survey_s
        crashes_s = self.crashes * night.at_once * lost_s / night.slots + (TAKE_OVER_S + lost_s if self.crashes else 0)
        return self.least_s + self.longest_s + crashes_s


def works_of(night: Night, random: Random) -> dict[str, AccountWork]:
    """Return what the accounts take, by name; the mean number of notebooks is that of the night."""
    sizes = [random.lognormvariate(-(night.spread**2) / 2, night.spread) for _ in range(night.accounts)]
    scale = night.accounts / sum(sizes)
    works = {}
    for number, size in enumerate(sizes):
        late_s = night.late_s if number >= night.accounts * (1 - night.late_share) else 0.0
        deletions_s = night.notebooks * size * scale / night.delete_per_s + night.tail_s
        name = f"account-{number:05d}"
        works[name] = AccountWork(name, LEADS_AFTER_S + late_s, night.survey_s, deletions_s)
    return works


def is_unfair(earlier: AccountWork, later: AccountWork) -> bool:
    """Return whether an account that was due later was begun first, although the other one waited."""
    if earlier.begun_s is None or later.begun_s is None or earlier.due_s + SLACK_S >= later.due_s:
        return False
    return later.begun_s + SLACK_S < earlier.begun_s
