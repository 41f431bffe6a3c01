"""Nights of a fleet in virtual time, held against the formula of docs/explanation/scale.md, and bugs that they find."""

from dataclasses import replace
from datetime import timedelta

import pytest

from nbsweep.core.fences.model import CRON, Fence
from nbsweep.core.lease import Holder
from nbsweep.testing.records.fences import InMemoryFences
from simulation.nights.job_queue import JobTable, ProcessQueue, StoredJob
from simulation.nights.night import Night
from simulation.nights.play import play
from simulation.nights.processes import Process

QUIET = Night(40, workers=2, at_once=4, notebooks=1000)
BUSY = Night(120, workers=3, at_once=4, notebooks=1000, spread=0.5, late_share=0.3, late_s=600.0, crash_every_s=150.0)
ROOMY = Night(6, workers=2, at_once=4, notebooks=1000)
"""There are more slots than accounts."""


def test_equal_accounts_take_as_many_rounds_as_the_formula_says() -> None:
    """40 accounts of 252 s each in eight slots are five rounds; what the fleet itself adds is less than one in a hundred."""
    played = play(QUIET, 1)
    assert played.witness.found == []
    assert played.witness.attempts == 40
    assert 5 * 252 <= played.makespan_s <= 5 * 252 * 1.01


@pytest.mark.parametrize("seed", range(4))
def test_nothing_is_lost_and_nobody_waits_out_of_turn_while_processes_crash(seed: int) -> None:
    """No account has two processes at a time, each is swept to its end, in the order of due times, within the formula."""
    played = play(BUSY, seed)
    assert played.witness.found == []
    assert played.crashes > 0
    assert played.witness.attempts > 120, "no crash has interrupted a sweep"


class HastyQueue(ProcessQueue):
    """Takes jobs away from workers that are alive."""

    def __init__(self, table: JobTable, process: Process, lease_s: float) -> None:
        """Count a worker as lost almost at once; leases and heartbeats are as long as ever."""
        super().__init__(table, process, lease_s)
        self.lost_after_s = 1.0


class NewestFirstQueue(ProcessQueue):
    """Has accounts wait that were due earlier."""

    def next_free(self) -> StoredJob | None:
        """Return the job that was deferred last."""
        waiting = [job for job in self._table.jobs.values() if job.worker is None]
        return waiting[-1] if waiting else None


class ForgetfulQueue(ProcessQueue):
    """Leaves the jobs of lost workers."""

    async def reap(self) -> tuple[str, ...]:
        """Do nothing."""
        return ()


class OpenFences(InMemoryFences):
    """Gives the fence of an account to whoever asks for it."""

    async def take(self, name: str, holder: Holder, lasts: timedelta) -> Fence:
        """Take a fence, also from a process that holds it."""
        return await super().take(name, holder, lasts if name == CRON else timedelta(0))


def test_a_queue_that_takes_jobs_from_live_workers_is_fenced() -> None:
    """The second worker waits for the fence of the account until the first one has ended."""
    played = play(ROOMY, 1, make_queue=HastyQueue)
    assert not [problem for problem in played.witness.found if "calls" in problem]


def test_without_fences_the_same_queue_is_found_out() -> None:
    """Two workers call the API of one account."""
    played = play(ROOMY, 1, make_queue=HastyQueue, make_fences=OpenFences)
    assert [problem for problem in played.witness.found if "and so does" in problem]


def test_a_queue_that_takes_the_newest_job_first_is_found_out() -> None:
    """Accounts that were due ten minutes later begin before others."""
    played = play(BUSY, 1, make_queue=NewestFirstQueue)
    assert [problem for problem in played.witness.found if "began after" in problem]


def test_a_fleet_that_leaves_the_jobs_of_lost_workers_is_found_out() -> None:
    """Some accounts are never swept to their ends."""
    played = play(replace(QUIET, crash_every_s=150.0), 1, make_queue=ForgetfulQueue)
    assert [problem for problem in played.witness.found if "are open at the end" in problem]
