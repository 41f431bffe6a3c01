"""How the sweeps of one target went so far, and when the next one may begin: later after each failure."""

from dataclasses import dataclass
from datetime import datetime

from nbsweep.core.events.base import Event
from nbsweep.core.events.service import TargetBackedOff, TargetRestored
from nbsweep.core.ports import Ports
from nbsweep.core.report import Report
from nbsweep.core.runs import SETTLED, SUCCESSES, Outcome
from nbsweep.service.control import Phase
from nbsweep.service.targets.runner_options import wait_s


@dataclass(slots=True)
class Attempts:
    """Judges the reports of a target's sweeps."""

    target: str
    ports: Ports
    held_for_s: float
    """Delay in seconds before the next attempt while another nbsweep sweeps the target."""
    phase: Phase = Phase.STARTING
    last_success: datetime | None = None
    failures: int = 0
    problem: str = ""
    held_from: datetime | None = None
    """Since when the lease of another nbsweep has blocked a sweep of this one."""
    not_before_s: float = float("-inf")
    """When a sweep that is wanted may begin, by the monotonic clock."""
    again_s: float = float("inf")
    """When the next attempt begins without a request."""

    async def read_last_success(self) -> None:
        """Read the last success from the journal. Raises JournalError."""
        success = await self.ports.journal.last_success(self.target)
        self.last_success = success.ended_at if success else self.last_success

    async def swept_while_held(self) -> bool:
        """Return whether the process that held the lease has done the sweep already. Raises JournalError."""
        last = await self.ports.journal.last_run(self.target, SETTLED)
        if self.held_from is None or last is None or last.ended_at is None or last.ended_at < self.held_from:
            return False
        await self.read_last_success()
        return True

    def judge(self, report: Report) -> None:
        """Decide by the report of a sweep or of a recovery when the next attempt begins."""
        if report.outcome in SETTLED:
            self._done()
            # Without a plan it was a recovery, or another nbsweep has swept the target.
            if report.plan is not None and report.outcome in SUCCESSES and not report.problem:
                self.last_success = self.ports.clock.now()
        elif report.outcome is Outcome.HELD_ELSEWHERE:
            self.phase, self.problem = Phase.HELD_ELSEWHERE, str(report.error or "")
            self.held_from = self.held_from or self.ports.clock.now()
            self._try_again_in(self.held_for_s)
        elif report.outcome is Outcome.FAILED:
            self.fail(str(report.error))
        else:
            self.phase = Phase.WAITING

    def fail(self, problem: str) -> None:
        """Count a failure, and wait longer than after the one before."""
        self.failures += 1
        self.phase, self.problem = Phase.BACKING_OFF, problem
        seconds = wait_s(self.failures)
        self._try_again_in(seconds)
        self._emit(TargetBackedOff(self.failures, seconds, problem))

    def _done(self) -> None:
        if self.failures:
            self._emit(TargetRestored(self.failures))
        self.phase, self.problem, self.failures, self.held_from = Phase.WAITING, "", 0, None
        self.not_before_s, self.again_s = float("-inf"), float("inf")

    def _try_again_in(self, seconds: float) -> None:
        self.not_before_s = self.again_s = self.ports.clock.steady_s() + seconds

    def _emit(self, event: Event) -> None:
        with self.ports.telemetry.bound(target=self.target):
            self.ports.telemetry.emit(event)
