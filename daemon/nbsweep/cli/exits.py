"""The exit codes of commands; part of the contract."""

from collections.abc import Iterable
from enum import IntEnum

from nbsweep.core.errors import (
    ConfigurationError,
    Forbidden,
    HeldElsewhere,
    NbsweepError,
    SweepTimedOut,
    TargetIsPaused,
    Unauthorized,
    UsageError,
)
from nbsweep.core.lifecycle import State
from nbsweep.core.planning.plan import Plan
from nbsweep.core.report import Report
from nbsweep.core.runs import Outcome


class Exit(IntEnum):
    """The exit codes of commands; docs/reference/exit-codes.md lists them."""

    DONE = 0
    UNEXPECTED = 1
    USAGE = 2
    SOME_FAILED = 3
    REFUSED = 4
    NOT_ALLOWED = 5
    DECLINED = 6
    SOMETHING_TO_DELETE = 10
    TOO_MUCH_REGRET = 11
    INTERRUPTED = 130


GRAVEST_FIRST = (Exit.INTERRUPTED, Exit.USAGE, Exit.NOT_ALLOWED, Exit.UNEXPECTED, Exit.REFUSED, Exit.SOME_FAILED, Exit.DECLINED)


def exit_of_error(error: NbsweepError) -> Exit:
    """Return the exit code of an error that ended a command or a sweep."""
    if isinstance(error, ConfigurationError | UsageError):
        return Exit.USAGE
    if isinstance(error, SweepTimedOut):
        return Exit.SOME_FAILED
    if isinstance(error, HeldElsewhere | TargetIsPaused):
        return Exit.REFUSED
    return Exit.NOT_ALLOWED if isinstance(error, Unauthorized | Forbidden) else Exit.UNEXPECTED


def exit_of_plan(plan: Plan) -> Exit:
    """Return the exit code of the plan of one target."""
    if plan.refusal:
        return Exit.REFUSED
    return Exit.SOME_FAILED if plan.unseen else Exit.DONE


def exit_of_report(report: Report) -> Exit:
    """Return the exit code of the sweep of one target."""
    if report.error is not None:
        return exit_of_error(report.error)
    if report.outcome is Outcome.INTERRUPTED:
        return Exit.INTERRUPTED
    if report.outcome is Outcome.REFUSED:
        return Exit.REFUSED
    if report.plan and report.plan.unseen:
        return Exit.SOME_FAILED
    failed = any(removal.state in (State.FAILED, State.TIMED_OUT) for removal in (*report.removals, *report.recovered))
    if failed:
        return Exit.SOME_FAILED
    return Exit.DECLINED if report.outcome is Outcome.DECLINED else Exit.DONE


def worst(exits: Iterable[Exit]) -> Exit:
    """Return the most serious of several exit codes."""
    found = set(exits)
    return next((code for code in GRAVEST_FIRST if code in found), Exit.DONE)
