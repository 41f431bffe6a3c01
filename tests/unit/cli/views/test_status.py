"""`status` on one screen, and when a schedule is due."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest
from msgspec.structs import replace

from builders import NOON, ago, due_sweep, exemption, fence, mark, removal, run_record, target_lease, told_mark, worker_record
from nbsweep.cli.views.status import status_view
from nbsweep.core.control.requests import Pause
from nbsweep.core.fleet_status.judge import judge_fleet
from nbsweep.core.fleet_status.model import DueState, DueStatus, FleetInputs
from nbsweep.core.holdout.model import Holdout
from nbsweep.core.judging.shown_marks import MarkRules, mark_rules
from nbsweep.core.marks.grace import Grace
from nbsweep.core.notices.health import OutboxHealth
from nbsweep.core.notices.outbox import OutboxCount, WaitingItems
from nbsweep.core.pacing import LaneState
from nbsweep.core.runs import Outcome, RunRecord
from nbsweep.core.status import StatusInputs, TargetStatus, judge_status
from nbsweep.settings import ScheduleSettings
from rendering import rendered

FINISHED = run_record(started_at=ago(hours=3), started_by="ops", ended_at=ago(hours=2), outcome=Outcome.FINISHED, fleet=9)
FAILED = run_record("run2", started_at=ago(hours=1), ended_at=ago(minutes=50), outcome=Outcome.FAILED, problem="no")


def shown(*statuses: TargetStatus, due: dict[str, datetime] | None = None) -> list[str]:
    """Return the lines of a status."""
    return rendered(status_view(statuses, OutboxHealth(), due or {}, NOON)).splitlines()


def status(records: list[RunRecord], target: str = "research", **more: Any) -> TargetStatus:
    """Judge a target by what the journal knows."""
    return judge_status(target, StatusInputs(records, **more), NOON, timedelta(seconds=60))


def test_the_first_line_says_whether_all_is_well() -> None:
    """Where it is not, who is to be looked at."""
    well = status([FINISHED])
    unwell = status([], target="lab")
    assert shown(well)[0] == "All is well."
    assert shown(well, unwell)[0] == "Not all is well: see lab."
    assert shown(well)[1:] == [
        "research: last sweep finished 2026-03-01 10:00:00Z, 2h ago, by ops (run1), 0 of 9 notebooks planned"
    ]


def test_a_target_with_a_problem_says_which_and_when_it_was_well_last() -> None:
    """Then what is open, and what the gateway limits."""
    lanes = (LaneState("delete", 5.0, 2.0, "2/s"),)
    late = [removal(notebook_id=f"nb{number}", name=f"late-{number}", deadline=ago(minutes=1)) for number in range(7)]
    failed = replace(FAILED, lanes=lanes)
    text = "\n".join(shown(status([failed, FINISHED], unfinished=late)))
    assert "last success 2026-03-01 10:00:00Z, 2h ago" in text
    assert "the last sweep, run2, failed: no" in text
    assert "7 removals have no end yet" in text
    assert "late-0 (PLANNED)" in text
    assert "and 2 more" in text
    assert "The gateway limits delete to 2/s: the last rate was 2/s." in text


def test_who_sweeps_now_is_told() -> None:
    """By host, process and user."""
    lease = target_lease("a", taken_at=ago(minutes=3), beat_at=ago(seconds=3))
    text = "\n".join(shown(status([FINISHED], lease=lease)))
    assert "being swept now by process 7 on host host-a, started by li, since 2026-03-01 11:57:00Z" in text


def test_the_next_sweep_is_told_in_the_schedules_own_time_zone() -> None:
    """Three o'clock in Shanghai is seven in the evening before, by UTC."""
    schedule = ScheduleSettings(cron="0 3 * * *", timezone="Asia/Shanghai", jitter=timedelta(minutes=5))
    due = schedule.timetable.after(NOON)
    assert due == datetime(2026, 3, 1, 19, tzinfo=UTC)
    last = shown(status([FINISHED]), due={"research": due.astimezone(schedule.timetable.zone)})[-1]
    assert "next sweep at 2026-03-02 03:00 CST, in 7h" in last


def test_the_marks_of_a_target_are_counted_and_owners_who_cannot_be_told_are_named() -> None:
    """The first three owners, and how many more there are."""
    untold = [mark(number, owner_id=f"u{number}", owner_name=f"owner-{number}", untold="no address") for number in range(1, 6)]
    due = told_mark(7)
    soon = told_mark(8, told_at=ago(days=1), deadline=NOON + timedelta(days=6))
    lines = shown(status([FINISHED], marks=[*untold, due, soon], mark_rules=MarkRules({"old": Grace(timedelta(days=7))})))
    assert lines[0] == "Not all is well: see research."
    assert lines[2:] == [
        "  5 owners of 5 marked notebooks could not be told for more than 1d: `nbsweep marks --untold` shows why",
        "  marks: 5 not told yet (5 cannot be told), 1 told, 1 due; the next becomes due 2026-03-07 12:00Z, in 6d",
        "  not told: owner-1 (1 notebook): no address",
        "  not told: owner-2 (1 notebook): no address",
        "  not told: owner-3 (1 notebook): no address",
        "  ... and 2 more: `nbsweep marks --untold` shows all",
    ]


def test_marks_that_a_holdout_or_an_exemption_keeps_are_counted_apart_from_those_that_are_due() -> None:
    """Their deadline has passed as well, and no sweep deletes them. The share is nb1."""
    holdouts = {"old": Holdout(Fraction(1, 10), timedelta(days=30))}
    known = mark_rules({"old": Grace(timedelta(days=7))}, holdouts, {}, [exemption(notebook_id="nb3")])
    lines = shown(status([FINISHED], marks=[told_mark(number) for number in (1, 2, 3, 4)], mark_rules=known))
    assert lines[2] == "  marks: 2 due, 1 held out, 1 exempt"


def test_the_outbox_is_shown_once_after_all_targets() -> None:
    """It belongs to the journal; its problems are named in the first line."""
    outbox = OutboxHealth((OutboxCount("mail", 2, ago(hours=3)),))
    lines = rendered(status_view([status([FINISHED])], outbox, {}, NOON)).splitlines()
    assert lines[0] == "Not all is well: see messages."
    assert lines[2:] == [
        "messages: 2 unsent (2 by mail), the oldest for 3h",
        "  the oldest of 2 unsent messages waits for 3h",
    ]
    paused = replace(outbox, pause=Pause("", ago(hours=4), "li", "the mail server moves"))
    lines = rendered(status_view([status([FINISHED])], paused, {}, NOON)).splitlines()
    assert lines[0] == "All is well."
    assert lines[-1] == "  sending is paused by li since 2026-03-01 08:00Z: the mail server moves"
    waiting = OutboxHealth(waiting=WaitingItems(3, ago(hours=5)))
    lines = rendered(status_view([status([FINISHED])], waiting, {}, NOON)).splitlines()
    assert lines[2:] == ["messages: 0 unsent", "  3 items that no message lists yet, the oldest for 5h"]


def test_a_target_whose_sweep_waits_for_a_worker_says_so() -> None:
    """Since when, who asked for it, and when it is tried again after a failure."""
    assert "  a sweep, due since 2026-03-01 11:50Z by li, waits for a worker" in shown(
        status([FINISHED], due=DueStatus(due_sweep(by="li"), DueState.WAITING))
    )
    failed = DueStatus(due_sweep(failures=2, problem="it is away", not_before=ago(minutes=-4)), DueState.PUT_OFF)
    assert (
        "  a sweep, due since 2026-03-01 11:50Z by the schedule, failed 2 times in a row, and a worker tries it again at "
        "2026-03-01 12:04Z: it is away"
    ) in shown(status([FINISHED], due=failed))


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (DueState.WORKER_SILENT, "was begun by a worker that reports nothing: if it has died, another worker goes on"),
        (DueState.WAITING, "waits for a worker"),
    ],
)
def test_a_target_whose_worker_may_have_died_is_not_called_swept(state: DueState, words: str) -> None:
    """The lease of the target may be in force still."""
    lost = DueStatus(due_sweep(begun_at=ago(minutes=3)), state)
    lines = shown(status([FINISHED], due=lost, lease=target_lease(beat_at=ago(seconds=50))))
    assert f"  a sweep, due since 2026-03-01 11:50Z by the schedule, {words}" in lines
    assert "being swept" not in "\n".join(lines)


def test_a_fleet_has_a_line_of_its_own_and_its_problems() -> None:
    """The first line names it; without a fleet there is no such line."""
    inputs = FleetInputs(NOON, "c1", timedelta(seconds=60), (worker_record(),), fence())
    text = rendered(status_view([status([FINISHED])], OutboxHealth(), {}, NOON, judge_fleet(inputs))).splitlines()
    assert text[0] == "All is well."
    assert text[-1] == "fleet: workers: 1 running; leader: process 7 on host host-a; `nbsweep fleet` shows more"
    unwell = judge_fleet(replace(inputs, workers=()))
    text = rendered(status_view([status([FINISHED])], OutboxHealth(), {}, NOON, unwell)).splitlines()
    assert text[0] == "Not all is well: see the fleet."
    assert text[-1].startswith("  no worker is running")
    assert "fleet:" not in "\n".join(shown(status([FINISHED])))
