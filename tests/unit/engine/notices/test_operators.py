"""What operators are told: once for each cause, and again only if the trouble was over in between."""

from datetime import timedelta

from msgspec.structs import replace

import notice_builders
from builders import NOON, notebook
from nbsweep.core.errors import NbsweepError, Unauthorized
from nbsweep.core.marks.model import ClearCause, Mark, clear
from nbsweep.core.notices.channel import Acceptance, Receipt
from nbsweep.core.notices.contacts import NoContact
from nbsweep.core.notices.operators import OperatorEvent
from nbsweep.core.planning.brakes import Brakes
from nbsweep.core.report import Report
from nbsweep.core.runs import Outcome, RunRecord
from nbsweep.engine.notices.operators import OperatorNotices
from nbsweep.testing.people import ScriptedChannel
from unit.engine.notices.town import FREE, Town, town
from unit.engine.world import virtual_time

OPS = "channel:ops"
EVERYTHING = {event: [OPS] for event in OperatorEvent}


def place_with_operators(brakes: Brakes = FREE) -> Town:
    """Return a town with a group of operators beside the mail."""
    place = town(notebook(1), notebook(2), brakes=brakes)
    place.channels.append(ScriptedChannel("ops", addressed=False))
    return place


def untold_mark(number: int) -> Mark:
    """Return the mark of an owner of its own, whom nobody can tell."""
    return notice_builders.mark(number, owner_id=f"u{number}", owner_name=f"owner-{number}", untold="nobody knows them")


async def told_after(place: Town, report: Report) -> list[str]:
    """Tell the operators of a report, and return all texts that have reached them."""
    scene = place.scene
    await OperatorNotices(scene.journal, scene.clock, EVERYTHING).tell_of_sweep(report, f"run{place.runs}")
    await place.relay().round()
    return [letter.text for letter in place.channels[1].letters]


@virtual_time
async def test_a_refused_sweep_is_told_once() -> None:
    """Three refused sweeps with the same brake: one message."""
    place = place_with_operators(Brakes(max_deletions=0, max_fleet_drop=None))
    place.how = replace(place.how, rules=replace(place.how.rules, policies=(replace(place.how.rules.policies[0], grace=None),)))
    for _ in range(2):
        await told_after(place, await place.sweep())
    [text] = await told_after(place, await place.sweep())
    assert text.startswith("sweep.refused research: 2 notebooks would go")


@virtual_time
async def test_a_trouble_that_comes_back_is_told_again() -> None:
    """A success in between makes it a new trouble."""
    place = place_with_operators()
    failed = Report("research", Outcome.FAILED, error=NbsweepError("out of luck"))
    await told_after(place, failed)
    assert len(await told_after(place, failed)) == 1
    success = RunRecord("good", "research", NOON, "test", dry_run=False)
    await place.scene.journal.open_run(success)
    await place.scene.journal.close_run(replace(success, ended_at=NOON, outcome=Outcome.FINISHED))
    assert len(await told_after(place, failed)) == 2


@virtual_time
async def test_refused_credentials_have_an_event_of_their_own() -> None:
    """And no second message as a failed sweep."""
    place = place_with_operators()
    [text] = await told_after(place, Report("research", Outcome.FAILED, error=Unauthorized("the key is not known")))
    assert text == "authentication.failed research: the key is not known"


@virtual_time
async def test_owners_who_cannot_be_told_are_told_to_operators_once() -> None:
    """Again only when it concerns other owners."""
    place = place_with_operators()
    place.owners.otherwise = NoContact("nobody knows alice")
    report = await place.sweep()
    await place.relay().round()
    await told_after(place, report)
    [text] = await told_after(place, report)
    assert text.startswith("marks.untold research: 1 owner of marked notebooks could not be told")


@virtual_time
async def test_operators_are_told_again_only_of_an_owner_of_whom_they_have_not_heard() -> None:
    """Two owners, then one of them, then one more."""
    place, marks = place_with_operators(), {number: untold_mark(number) for number in (1, 2, 3)}
    swept = Report("research", Outcome.FINISHED)
    await place.scene.journal.marks.write([marks[1], marks[2]])
    assert len(await told_after(place, swept)) == 1
    await place.scene.journal.marks.write([clear(replace(marks[2], version=1), NOON, ClearCause.USED)])
    assert len(await told_after(place, swept)) == 1
    await place.scene.journal.marks.write([marks[3]])
    _, second = await told_after(place, swept)
    assert second.startswith("marks.untold research: 2 owners")


@virtual_time
async def test_operators_are_not_told_of_an_owner_whose_message_is_sent_again_soon() -> None:
    """A mailbox that is busy for hours is a trouble."""
    place = place_with_operators()
    place.mail.answer = lambda _: Receipt(Acceptance.LATER, "451 busy")
    report = await place.sweep()
    await place.relay().round()
    assert {(each.untold, each.retried) for each in (await place.marks()).values()} == {("mail: 451 busy", True)}
    assert await told_after(place, report) == []
    await place.pass_time(hours=7)
    [text] = await told_after(place, report)
    assert text.startswith("marks.untold research: 1 owner")


@virtual_time
async def test_a_dry_run_and_a_good_sweep_tell_nothing() -> None:
    """Nothing to tell."""
    place = place_with_operators()
    await place.pass_time(hours=1)
    assert not await told_after(place, await place.sweep())
    assert timedelta(hours=1) <= place.scene.clock.now() - NOON
