"""What needs attention about marks and messages."""

from collections.abc import Sequence
from datetime import timedelta
from fractions import Fraction
from typing import Any

import pytest
from msgspec.structs import replace

from builders import NOON, ago, mark, run_record, told_mark
from nbsweep.core.control.requests import Pause
from nbsweep.core.holdout.model import Holdout
from nbsweep.core.judging.shown_marks import mark_rules
from nbsweep.core.marks.grace import Grace
from nbsweep.core.marks.model import Mark
from nbsweep.core.marks.shown import MarkTotals
from nbsweep.core.notices.health import OutboxHealth, TargetMarks, UntoldOwner, judge_marks, judge_outbox
from nbsweep.core.notices.outbox import Message, MessageKind, MessageState, OutboxCount, WaitingItems
from nbsweep.core.planning.brakes import Brakes, OnExcess
from nbsweep.core.runs import Outcome, RunRecord

WEEK = mark_rules({"old": Grace(timedelta(days=7))}, {"old": Holdout(Fraction(1, 10), timedelta(days=30))}, {})
"""A grace of a week, and a holdout that takes nb1 of the notebooks from nb1 to nb4."""


def of(*marks: Mark, last: RunRecord | None = None) -> TargetMarks:
    """Judge these marks."""
    return judge_marks(marks, WEEK, last, NOON)


def failed(hours_ago: float) -> Message:
    """Return a message that failed so long ago."""
    ended = ago(hours=hours_ago)
    return Message(
        f"key{hours_ago}", MessageKind.OWNER, "owner:u1", "mail", ended, "day", ended, MessageState.FAILED, ended_at=ended
    )


def outbox(counts: Sequence[OutboxCount] = (), messages: Sequence[Message] = (), pause: Pause | None = None) -> OutboxHealth:
    """Judge this outbox."""
    return judge_outbox(counts, messages, pause, NOON)


def test_the_open_marks_are_counted_by_state_and_the_next_deadline_is_found() -> None:
    """Two of the marked could not be told, one of them is tried again; the due one does not count for the next deadline."""
    soon, later = (told_mark(number, told_at=ago(days=1), deadline=NOON + timedelta(days=number)) for number in (6, 9))
    retried = mark(3, untold="451 busy", retried=True)
    found = of(mark(1), mark(2, untold="no address is known"), retried, later, soon, told_mark(4))
    assert found.totals == MarkTotals(marked=3, told=2, due=1, untold=2, next_due=NOON + timedelta(days=6), retried=1)
    assert found.totals.open == 6


def test_owners_who_cannot_be_told_are_listed_with_their_notebooks_and_the_reason() -> None:
    """The one with the most notebooks first; a reason that needs an action counts before one that may pass."""
    bob = {"owner_id": "u2", "owner_name": "bob", "untold": "550 no such user"}
    alice = mark(1, untold="451 busy", untold_at=ago(hours=1), retried=True)
    again = mark(5, **bob | {"untold": "451 busy"}, untold_at=ago(hours=2), retried=True)
    marks = (alice, again, mark(2, **bob, untold_at=ago(hours=5)), mark(3, **bob, untold_at=ago(hours=4)), mark(4))
    assert of(*marks).untold == (
        UntoldOwner("bob", 3, "550 no such user", ago(hours=5)),
        UntoldOwner("alice", 1, "451 busy", ago(hours=1), retried=True),
    )


@pytest.mark.parametrize(("hours", "problem"), [(24, False), (25, True)])
def test_owners_who_cannot_be_told_for_more_than_a_day_are_a_problem(hours: float, problem: bool) -> None:  # noqa: FBT001
    """Until then the directory or the channel may be mended. It counts from the first attempt, not from the mark, days ago."""
    problems = of(mark(untold="no address is known", untold_at=ago(hours=hours))).problems(NOON)
    assert problems == (
        ["1 owner of 1 marked notebook could not be told for more than 1d: `nbsweep marks --untold` shows why"]
        if problem
        else []
    )


@pytest.mark.parametrize(
    ("last", "problems"),
    [
        ({"outcome": Outcome.FINISHED, "kept": {"no-policy": 3}}, []),
        ({"outcome": Outcome.REFUSED}, ["1 announced notebook is due, and a brake refused the last sweep, run1"]),
        (
            {"outcome": Outcome.FINISHED, "kept": {"over-brake": 3}},
            ["1 announced notebook is due, and brakes cut 3 notebooks from the plan of the last sweep, run1"],
        ),
    ],
)
def test_due_notebooks_that_a_brake_holds_back_are_a_problem(last: dict[str, Any], problems: list[str]) -> None:
    """Their owners expect that they go; without a due notebook, no deadline was broken, and the holdout keeps nb1."""
    assert of(told_mark(2), last=run_record(**last)).problems(NOON) == problems
    assert of(told_mark(1), last=run_record(**last)).problems(NOON) == []
    assert of(mark(), last=run_record(**last)).problems(NOON) == []


BACKLOG = run_record(
    started_at=ago(hours=2), ended_at=ago(hours=1), outcome=Outcome.FINISHED, fleet=40, kept={"unannounced": 9}
)


@pytest.mark.parametrize(
    ("brakes", "last", "words"),
    [
        (Brakes(max_deletions=9, max_share=None), BACKLOG, "10 notebooks would go, and brakes.max_deletions allows 9"),
        (Brakes(max_deletions=10, max_share=None), BACKLOG, ""),
        (Brakes(max_deletions=None, max_share=Fraction(1, 5)), BACKLOG, "10 of 40 notebooks would go, and brakes.max_share"),
        (Brakes(max_deletions=9, max_share=None, on_excess=OnExcess.TRIM), BACKLOG, ""),
        (Brakes(max_deletions=9, max_share=None), replace(BACKLOG, kept={"no-policy": 30}), ""),
        (Brakes(max_deletions=9, max_share=None), replace(BACKLOG, started_at=ago(days=11)), ""),
    ],
)
def test_a_backlog_that_a_brake_refuses_to_announce_is_a_problem(brakes: Brakes, last: RunRecord, words: str) -> None:
    """Nine notebooks wait, and one is marked already, by an earlier sweep; if the last sweep has made a mark, none refused."""
    problems = judge_marks([mark()], WEEK, last, NOON, brakes).problems(NOON)
    assert bool(problems) == bool(words)
    for problem in problems:
        assert problem.startswith(f"9 notebooks wait to be announced, and are not: {words}")
        assert "with brakes.on_excess: trim, the longest idle are announced first" in problem


def test_a_message_that_waits_for_more_than_an_hour_is_a_problem() -> None:
    """The oldest of all channels counts."""
    counts = (OutboxCount("mail", 2, ago(minutes=61)), OutboxCount("ops", 1, ago(minutes=1)))
    found = outbox(counts)
    assert (found.pending, found.oldest_at) == (3, ago(minutes=61))
    assert found.problems(NOON) == ["the oldest of 3 unsent messages waits for 1h 1m"]
    assert outbox(counts[1:]).problems(NOON) == []


def test_a_pause_of_sending_is_no_problem_and_nor_is_what_waits_for_its_end() -> None:
    """Somebody wished it; a pause that has ended by itself is none."""
    waiting = [OutboxCount("mail", 1, ago(days=1))]
    assert outbox(waiting, pause=Pause("", ago(days=2))).problems(NOON) == []
    ended = outbox(waiting, pause=Pause("", ago(days=2), until=ago(hours=1)))
    assert ended.pause is None
    assert ended.problems(NOON) == ["the oldest of 1 unsent messages waits for 1d"]


def test_a_pause_of_more_than_a_day_is_a_problem_if_somebody_waits_to_be_told() -> None:
    """It counts from the later of both: from the pause, and from when the first item or message waits."""
    pause = Pause("", ago(days=3))

    def problems(counts: Sequence[OutboxCount] = (), **waiting: float) -> list[str]:
        items = WaitingItems(2, ago(**waiting)) if waiting else WaitingItems()
        return judge_outbox(counts, (), pause, NOON, items).problems(NOON)

    assert problems() == problems(hours=24) == []
    assert problems(hours=25) == [
        (
            "sending is paused, and 0 messages wait in the outbox, and 2 items that no message lists yet, since 2026-02-28 "
            "11:00Z: `nbsweep notify resume` sends them; until then nobody is told of new marks"
        )
    ]
    assert problems([OutboxCount("mail", 1, ago(hours=25))])
    pause = Pause("", ago(hours=24))
    assert problems(days=3) == []


def test_items_that_wait_without_a_pause_are_no_problem_of_the_outbox() -> None:
    """An owner who cannot be found is one of the marks."""
    assert judge_outbox((), (), None, NOON, WaitingItems(2, ago(days=9))).problems(NOON) == []


def test_messages_that_failed_within_a_week_are_a_problem() -> None:
    """Nobody has sent the older one again in the meantime, and nobody will."""
    found = outbox(messages=[failed(1), failed(24 * 7)])
    assert len(found.failed) == 1
    assert found.problems(NOON) == [
        "1 message has failed within 7d: `nbsweep outbox --failed` shows why, and `nbsweep outbox retry` sends it again"
    ]
