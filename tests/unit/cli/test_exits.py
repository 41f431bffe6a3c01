"""Exit codes, as docs/reference/exit-codes.md lists them."""

import pytest
from msgspec.structs import replace

from builders import refused_by, removal, survey
from nbsweep.cli.exits import Exit, exit_of_error, exit_of_plan, exit_of_report, worst
from nbsweep.core.errors import (
    AnswerLost,
    ConfigurationError,
    Forbidden,
    HeldElsewhere,
    JournalError,
    Mistake,
    NbsweepError,
    Unauthorized,
    Unreachable,
    WrongAddress,
)
from nbsweep.core.lifecycle import State
from nbsweep.core.model import MalformedRow, Scope
from nbsweep.core.planning.brakes import Brakes
from nbsweep.core.planning.plan import WorkspaceGap, build_plan
from nbsweep.core.report import Report
from nbsweep.core.runs import Outcome


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigurationError("f.yaml", (Mistake("a", 1, "wrong"),)), 2),
        (Unauthorized("no"), 5),
        (Forbidden("no"), 5),
        (Unreachable("no"), 1),
        (WrongAddress("no"), 1),
        (AnswerLost("no"), 1),
        (JournalError("no"), 1),
        (HeldElsewhere("no"), 4),
    ],
)
def test_an_error_has_the_exit_code_of_its_kind(error: NbsweepError, code: int) -> None:
    """2 is for what the operator wrote, 5 for what he may, 1 for what the world did."""
    assert exit_of_error(error) == code


@pytest.mark.parametrize(
    ("outcome", "code"),
    [(Outcome.FINISHED, 0), (Outcome.DRY_RUN, 0), (Outcome.DECLINED, 6), (Outcome.REFUSED, 4), (Outcome.INTERRUPTED, 130)],
)
def test_a_sweep_has_the_exit_code_of_its_outcome(outcome: Outcome, code: int) -> None:
    """Somebody else's cron reads nothing but this."""
    assert exit_of_report(Report("research", outcome)) == code


@pytest.mark.parametrize(("state", "code"), [(State.DELETED, 0), (State.SPARED, 0), (State.FAILED, 3), (State.TIMED_OUT, 3)])
def test_a_removal_that_failed_shows_in_the_exit_code(state: State, code: int) -> None:
    """So does one that an earlier run had left, and this one brought to a bad end."""
    ended = removal(state=state)
    assert exit_of_report(Report("research", Outcome.FINISHED, removals=(ended,))) == code
    assert exit_of_report(Report("research", Outcome.FINISHED, recovered=(ended,))) == code


def test_a_workspace_that_could_not_be_listed_shows_in_the_exit_code() -> None:
    """Of a sweep, and of a plan that no brake refused."""
    gap = WorkspaceGap(Scope("w2", "NOTEBOOK"), "HTTP 403 ModelArts.0112")
    plan = build_plan(replace(survey(fleet=3), refused=(gap,)), Brakes())
    assert exit_of_report(Report("research", Outcome.FINISHED, plan)) == Exit.SOME_FAILED
    assert exit_of_report(Report("research", Outcome.REFUSED, plan)) == Exit.REFUSED
    assert exit_of_plan(plan) == Exit.SOME_FAILED
    assert exit_of_plan(replace(plan, refusals=(refused_by("max_share", "no"),))) == Exit.REFUSED
    assert "1 workspace could not be listed: workspace w2" in Report("research", Outcome.FINISHED, plan).problem


@pytest.mark.parametrize(("malformed", "code"), [(0, 0), (1, 0), (2, 3), (4, 3)])
def test_a_fleet_that_cannot_be_read_is_no_success(malformed: int, code: int) -> None:
    """Half of it is enough; a row or two are kept, and told."""
    rows = tuple(MalformedRow(f"odd-{number}", None, "status is not one of the API's") for number in range(malformed))
    plan = build_plan(replace(survey(fleet=4), malformed=rows), Brakes())
    report = Report("research", Outcome.FINISHED, plan)
    assert (exit_of_report(report), exit_of_plan(plan)) == (code, code)
    words = f"{malformed} of 4 notebooks cannot be read, and are kept: status is not one of the API's"
    assert report.problem == (words if code else "")


def test_what_ended_a_sweep_goes_before_what_failed_in_it() -> None:
    """A key that stopped being accepted explains everything that failed after it."""
    failed = removal(state=State.FAILED)
    assert exit_of_report(Report("research", Outcome.FAILED, removals=(failed,), error=Unauthorized("no"))) == Exit.NOT_ALLOWED


@pytest.mark.parametrize(
    ("codes", "expected"),
    [([], 0), ([0, 3], 3), ([3, 4], 4), ([4, 1], 1), ([1, 5], 5), ([5, 130, 0], 130), ([0, 0], 0)],
)
def test_of_several_targets_the_gravest_counts(codes: list[int], expected: int) -> None:
    """One good target must not hide another's trouble."""
    assert worst(Exit(code) for code in codes) == expected
