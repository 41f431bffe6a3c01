"""The state of a sweep so far, and the record and the events of its end."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import anyio
from msgspec.structs import replace

from nbsweep.core.errors import FenceLost, HeldElsewhere, JournalError, NbsweepError
from nbsweep.core.events.http import LanesState
from nbsweep.core.events.sweep import AuditHead, SweepFailure, SweepFinished
from nbsweep.core.lifecycle import Removal
from nbsweep.core.marks.shown import MarksWritten
from nbsweep.core.planning.plan import Plan
from nbsweep.core.ports import Ports
from nbsweep.core.report import Report
from nbsweep.core.runs import Outcome, RunRecord
from nbsweep.core.saved_plan.model import Spared
from nbsweep.engine.report import ended_record, leading_error


@dataclass(slots=True)
class SweepState:
    """The state of a sweep so far; the report is built from it once, at the end."""

    outcome: Outcome = Outcome.INTERRUPTED
    plan: Plan | None = None
    spared: tuple[Spared, ...] = ()
    recovered: tuple[Removal, ...] = ()
    removals: tuple[Removal, ...] = ()
    marks: MarksWritten | None = None
    """What was done to marks; None if they were left as they are."""
    error: NbsweepError | None = None

    def fail(self, error: NbsweepError) -> None:
        """Record the error that ended the sweep."""
        self.outcome = Outcome.HELD_ELSEWHERE if isinstance(error, HeldElsewhere | FenceLost) else Outcome.FAILED
        self.error = error

    @contextmanager
    def noting_failure(self) -> Iterator[None]:
        """Record an expected error of the work inside, and go on after it; a bug is raised."""
        try:
            yield
        except (NbsweepError, ExceptionGroup) as error:
            self.fail(leading_error(error))

    def report(self, target: str, duration_s: float) -> Report:
        """Build the report of a sweep with this duration."""
        return Report(
            target=target,
            outcome=self.outcome,
            plan=self.plan,
            spared=self.spared,
            removals=self.removals,
            recovered=self.recovered,
            marks=self.marks,
            error=self.error,
            duration_s=round(duration_s, 3),
        )


async def close(record: RunRecord, state: SweepState, started_s: float, ports: Ports, patience_s: float) -> Report:
    """Write the end of a sweep to the journal, emit its events, and return its report.

    If the journal fails here, or takes longer than `patience_s`, the sweep has failed.
    """
    report = state.report(record.target, ports.clock.steady_s() - started_s)
    ended = ended_record(record, report, ports)
    try:
        with anyio.fail_after(patience_s, shield=True):
            await ports.journal.close_run(ended)
            if not record.dry_run:
                head = await ports.journal.trail.head(record.target)
                if head is not None:
                    ports.telemetry.emit(AuditHead(head.sequence, head.digest))
    except TimeoutError:
        late = JournalError(f"the end of the run could not be written within {patience_s:g} s")
        report = replace(report, outcome=Outcome.FAILED, error=report.error or late)
    except NbsweepError as error:
        report = replace(report, outcome=Outcome.FAILED, error=report.error or error)
    _emit_end(ended, report, ports)
    return report


def _emit_end(ended: RunRecord, report: Report, ports: Ports) -> None:
    """Emit the events of the end, with one event for each cause of failed removals."""
    emit = ports.telemetry.emit
    for cause in report.causes:
        emit(SweepFailure.of(cause))
    emit(LanesState({lane.lane: lane.figures for lane in ended.lanes or ()}))
    emit(
        SweepFinished(
            report.outcome,
            report.problem,
            type(report.error).__name__ if report.error else "",
            ended.fleet,
            ended.planned,
            dict(report.counts),
            ended.kept or {},
            report.reclaimed_gb,
            report.duration_s,
        )
    )
