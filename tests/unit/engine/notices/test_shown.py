"""What sweeps and the relay tell of marks and messages: in plans, reports and events."""

from datetime import datetime, timedelta

from msgspec.structs import replace

from builders import NOON, fleet, notebook
from nbsweep.core.control.requests import Pause
from nbsweep.core.events.marks import MarksMade
from nbsweep.core.events.outbox import OutboxCounted
from nbsweep.core.marks.shown import MarksWritten, MarkTotals
from nbsweep.core.model import Status
from nbsweep.core.notices.channel import Acceptance, Receipt
from nbsweep.core.planning.brakes import Brakes
from nbsweep.core.planning.plan import MarkOutlook, Plan
from nbsweep.core.report import Report
from unit.engine.notices.town import WEEK, town
from unit.engine.world import virtual_time

DUE = datetime.fromisoformat("2026-03-08T12:00:00+00:00")


def plan_of(report: Report) -> Plan:
    """Return the plan of a report."""
    assert report.plan is not None
    return report.plan


@virtual_time
async def test_a_plan_says_what_is_marked_what_was_told_and_when_it_is_due() -> None:
    """Before the first sweep, after it, and after its owner was told."""
    place = town(notebook())
    first = plan_of(await place.sweep(dry_run=True))
    assert [candidate.notebook.id for candidate in first.to_mark] == ["nb1"]
    assert first.marks == MarkOutlook({"idle": WEEK})
    await place.sweep()
    marked = plan_of(await place.sweep(dry_run=True))
    assert (marked.to_mark, marked.marks.totals) == ((), MarkTotals(marked=1))
    await place.relay().round()
    assert plan_of(await place.sweep(dry_run=True)).marks.totals == MarkTotals(told=1, next_due=DUE)
    await place.pass_time(days=8)
    due = plan_of(await place.sweep(dry_run=True))
    assert (len(due.items), due.marks.totals) == (1, MarkTotals(due=1))


@virtual_time
async def test_a_plan_says_what_it_clears_and_what_it_leaves_to_a_later_sweep() -> None:
    """One notebook was started since; of three others one is marked in each sweep."""
    place = town(*fleet(4))
    place.how = replace(place.how, max_new_marks=1)
    await place.sweep()
    place.scene.cloud.change("nb1", status=Status.RUNNING)
    seen = plan_of(await place.sweep(dry_run=True))
    assert (seen.marks.to_clear, len(seen.to_mark), seen.marks.waiting) == (1, 1, 2)
    assert seen.marks.totals == MarkTotals()


@virtual_time
async def test_a_plan_names_the_brake_that_refuses_marks() -> None:
    """It is not refused itself."""
    place = town(*fleet(4), brakes=Brakes(max_deletions=3, max_share=None))
    seen = plan_of(await place.sweep(dry_run=True))
    assert ([each.brake for each in seen.marks.refusals], seen.marks.waiting, seen.refusal) == (["max_deletions"], 4, None)


@virtual_time
async def test_a_report_counts_the_marks_that_were_made_and_cleared() -> None:
    """A dry run leaves them as they are."""
    place = town(*fleet(2))
    assert (await place.sweep(dry_run=True)).marks is None
    assert (await place.sweep()).marks == MarksWritten(made=2)
    place.scene.cloud.change("nb1", status=Status.RUNNING)
    assert (await place.sweep()).marks == MarksWritten(cleared=1)


@virtual_time
async def test_each_survey_tells_how_many_marks_are_in_each_state() -> None:
    """Marked, and then told; a dry run tells nothing."""
    place = town(*fleet(3))
    await place.sweep()
    await place.relay().round()
    await place.sweep()
    await place.pass_time(days=8)
    await place.sweep(dry_run=True)
    counted = [(each.open, each.told, each.due, each.untold) for each in place.scene.telemetry.of(MarksMade)]
    assert counted == [(3, 0, 0, 0), (3, 3, 0, 0)]


@virtual_time
async def test_the_relay_tells_what_is_unsent_and_for_how_long() -> None:
    """After a refusal that passes: one message, two hours old; while sending is paused it says so."""
    place = town(notebook())
    place.mail.answer = lambda _: Receipt(Acceptance.LATER, "451 try again")
    relay = place.relay()
    await relay.count()
    await place.sweep()
    await relay.round()
    await place.pass_time(hours=2)
    await relay.count()
    await place.scene.journal.outbox.pause(Pause("", NOON))
    await relay.count()
    empty, waiting, paused = place.scene.telemetry.of(OutboxCounted)
    assert (empty.pending, empty.oldest_s, empty.paused) == ({}, {}, False)
    assert waiting.pending == {"mail": 1}
    assert timedelta(hours=2) <= timedelta(seconds=waiting.oldest_s["mail"]) < timedelta(hours=2, minutes=1)
    assert (paused.pending, paused.paused) == ({"mail": 1}, True)
