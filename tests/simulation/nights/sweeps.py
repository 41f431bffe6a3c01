"""The sweeps of a night, which take their measured time and do nothing else, and the witness of who carries them out."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import anyio

from nbsweep.core.fences.port import CallFence
from nbsweep.core.report import Report
from nbsweep.core.runs import Outcome
from nbsweep.engine.report import Approve, Run
from nbsweep.engine.sweep import Sweeper
from simulation.nights.processes import Process


@dataclass(slots=True)
class AccountWork:
    """What one account takes."""

    name: str
    due_s: float
    """When it is due."""
    survey_s: float
    """What each attempt begins with."""
    left_s: float
    """What is left of the deletions; it survives a process."""
    begun_s: float | None = None
    """When the first attempt began."""
    ended_s: float | None = None


@dataclass(slots=True)
class Witness:
    """Sees who carries out what, as the cloud does."""

    work: Mapping[str, AccountWork]
    holders: dict[str, str] = field(default_factory=dict)
    """The process that works on each account now."""
    begun: list[str] = field(default_factory=list)
    """The accounts in the order of their first attempts."""
    attempts: int = 0
    found: list[str] = field(default_factory=list)
    """What must not happen."""

    def begin(self, account: str, process: Process, now_s: float) -> None:
        """Note that a process calls the API of an account."""
        if account in self.holders:
            self.found.append(f"{now_s:.0f} s: {process.name} calls {account}, and so does {self.holders[account]}")
        self.holders[account] = process.name
        self.attempts += 1
        if self.work[account].begun_s is None:
            self.work[account].begun_s = now_s
            self.begun.append(account)

    def end(self, account: str, process: Process) -> None:
        """Note that a process calls it no more."""
        if self.holders.get(account) == process.name:
            del self.holders[account]

    def check_fence(self, account: str, process: Process, fence: CallFence | None) -> None:
        """Check that a call may leave."""
        if fence is None or fence.left_s() <= 0:
            self.found.append(f"{process.name} calls {account} without its fence")


@dataclass(slots=True)
class TimedLanes:
    """The lanes of an account, of which only the fence matters."""

    fence: CallFence | None = None

    def recall(self, memory: str, age_s: float) -> bool:
        """Accept what another process had learned."""
        return memory == "" or age_s >= 0

    def remembered(self) -> str:
        """Return that nothing was learned."""
        return ""


A_MOMENT_S = 0.001
"""Less is what the arithmetic leaves."""
CALLS_EVERY_S = 30.0
"""How often is looked whether the fence is held."""


@dataclass(slots=True)
class TimedSweeper(Sweeper):
    """Takes the time of the sweep of one account, and deletes nothing."""

    lanes: TimedLanes = field(default_factory=TimedLanes)
    process: Process = field(default_factory=lambda: Process("nobody"))
    witness: Witness = field(default_factory=lambda: Witness({}))

    async def sweep(self, run: Run, approve: Approve) -> Report:  # noqa: ARG002  # as the port says
        """Wait for the time of the survey, and for what is left of the deletions, unless a shutdown begins."""
        account, clock = self.area.target, self.ports.clock
        work = self.witness.work[account]
        self.witness.begin(account, self.process, clock.steady_s())
        try:
            await anyio.sleep(work.survey_s)
            while work.left_s > A_MOMENT_S and not self.shutdown.begun.is_set():
                self.witness.check_fence(account, self.process, self.lanes.fence)
                began_s = clock.steady_s()
                try:
                    with anyio.move_on_after(min(CALLS_EVERY_S, work.left_s)):
                        await self.shutdown.begun.wait()
                finally:
                    # What was deleted stays deleted, also if the process is killed.
                    work.left_s -= min(work.left_s, clock.steady_s() - began_s)
        finally:
            self.witness.end(account, self.process)
        if work.left_s > A_MOMENT_S:
            return Report(account, Outcome.INTERRUPTED)
        work.ended_s = clock.steady_s()
        return Report(account, Outcome.FINISHED)
