"""What live progress counts."""

import io

import pytest
from rich.console import Console

from nbsweep.cli.views.progress import LiveProgress, TargetProgress
from nbsweep.core.events.base import Event
from nbsweep.core.events.http import HttpRetried
from nbsweep.core.events.removal import (
    RecoveryFinished,
    RecoveryStarted,
    RemovalAccepted,
    RemovalFinished,
    RemovalRequested,
    RemovalUnanswered,
)
from nbsweep.core.events.sweep import PlanBuilt, SurveyPage, SweepFinished, SweepStopping


def finished(outcome: str) -> RemovalFinished:
    """End a removal."""
    return RemovalFinished(outcome, "", "nb", "ana", "0", "NOTEBOOK", "", "STOPPED", 1, 0, 50, "EVS", "", 0.1, 3.0)


def after(*events: tuple[Event, str]) -> TargetProgress:
    """Let a target's progress take events about notebooks."""
    progress = TargetProgress()
    for event, notebook_id in events:
        progress.take(event, notebook_id)
    return progress


def test_a_survey_shows_how_many_rows_it_has_read() -> None:
    """Before there is a plan there is nothing else to count."""
    progress = after((SurveyPage("0", "NOTEBOOK", 0, 50, 120), ""), (SurveyPage("0", "NOTEBOOK", 49, 50, 120), ""))
    assert progress.line(0.0) == "surveying, 100 rows"


def test_a_sweep_shows_requested_deleting_and_every_outcome() -> None:
    """Who was accepted and has no end yet is deleting."""
    progress = after(
        (PlanBuilt(10, 4, {}, None), ""),
        *[(RemovalRequested(1), name) for name in "abc"],
        *[(RemovalAccepted("r"), name) for name in "abc"],
        (finished("deleted"), "a"),
        (finished("failed"), "b"),
        (finished("spared"), "d"),
    )
    line = progress.line(1e9)
    assert line.startswith("3 requested · 1 deleting · 1 deleted · 1 failed · 1 spared")


def test_a_second_request_for_the_same_notebook_is_not_counted_again() -> None:
    """The count is of notebooks."""
    progress = after((PlanBuilt(1, 1, {}, None), ""), (RemovalRequested(1), "a"), (RemovalRequested(2), "a"))
    assert progress.requested == 1


def test_trouble_that_is_dealt_with_is_counted() -> None:
    """Whoever watches would wonder about the pauses."""
    progress = after(
        (PlanBuilt(1, 1, {}, None), ""),
        (HttpRetried("show", "GET", "/x", 1, 0.2, "500"), "a"),
        (RemovalUnanswered("lost"), "a"),
    )
    assert progress.line(0.0).endswith("1 retried · 1 answers lost")


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (RecoveryStarted(3), "recovering 3 of an earlier run"),
        (SweepStopping(2, 60.0), "stopping: finishing what was accepted"),
        (SweepFinished("refused", "", "", 1, 1, {}, {}, 0, 1.0), "refused"),
    ],
)
def test_it_says_what_is_going_on(event: Event, words: str) -> None:
    """A bar that stands still needs a reason."""
    assert after((event, "")).line(0.0) == words


def test_what_was_recovered_is_not_counted_as_this_plan() -> None:
    """The bar is that of the plan."""
    progress = after((RecoveryStarted(1), ""), (finished("deleted"), "a"), (RecoveryFinished({"deleted": 1}), ""))
    assert sum(progress.ended.values()) == 0


@pytest.mark.parametrize("width", [80, 100, 150, 300])
def test_a_narrow_terminal_shows_all_that_a_wide_one_does(width: int) -> None:
    """The counts take as many lines as they need; neither the target's name nor how far it has come gives way to them."""
    shown = io.StringIO()
    console = Console(file=shown, width=width, force_terminal=True, color_system=None)
    progress, of_target = LiveProgress(console), {"target": "training-course"}
    for event in (PlanBuilt(300, 243, {}, None), RemovalUnanswered("lost"), HttpRetried("show", "GET", "/", 1, 0.2, "500")):
        progress(event, of_target)
    progress(SweepStopping(3, 60.0), of_target)
    console.print(progress.view())
    words = [word for word in shown.getvalue().split() if "━" not in word]
    counts = "1 answers lost · 1 retried"
    assert words == f"training-course 0/243 stopping: finishing what was accepted · {counts}".split()
