"""What the marks of every journal keep to, by the port's own words; the journal for tests too."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from msgspec.structs import replace

from builders import NOON, ago, removal
from contract.conftest import Opener
from contract.records import any_of, examples
from nbsweep.core.audit.entries import AuditEntry
from nbsweep.core.errors import JournalError, MarksChanged
from nbsweep.core.marks import model
from nbsweep.core.marks.listing import MarkPage, MarkQuery, OwnerMarks, TargetMarkCounts
from nbsweep.core.marks.model import ClearCause, Mark, MarkState
from nbsweep.core.notices.outbox import ItemKind
from nbsweep.core.ports import Journal
from notice_builders import item, mark
from trails import whole_trail

PROJECT = mark().project
Step = Callable[[Mark], Mark]
LATER = NOON + timedelta(days=1)


def stored(written: Mark) -> Mark:
    """Return a mark as it comes back after its first write."""
    return replace(written, version=1)


def confirmed(read: Mark) -> Mark:
    """Return a mark with which a further survey agrees."""
    return model.confirm(read, LATER, read.tell)


async def entries(journal: Journal) -> list[AuditEntry]:
    """Return the entries of the trail, which must be unbroken."""
    links = await whole_trail(journal)
    return [link.entry for link in links]


async def write(journal: Journal, *marks: Mark) -> list[Mark]:
    """Write new marks, and return them as they are stored."""
    await journal.marks.write(marks)
    return [stored(each) for each in marks]


@examples
@given(written=any_of(Mark))
async def test_a_mark_comes_back_as_it_was_written(opener: Opener, written: Mark) -> None:
    """Every field survives: no value, any script, the last microsecond, any time zone; only its version has grown."""
    written = replace(written, id=str(uuid4()), project=str(uuid4()), version=0)
    async with opener() as journal:
        await journal.marks.write([written])
        assert await journal.marks.mark(written.id) == stored(written)
        assert stored(written) in await journal.marks.marks_of(written.notebook_id)
        found = await journal.marks.open_marks(written.project)
        assert found == ((stored(written),) if written.state in (MarkState.MARKED, MarkState.TOLD) else ())


async def test_the_open_marks_of_some_notebooks_are_read_alone(opener: Opener) -> None:
    """None of others, none that are cleared, and none at all where no notebook is named."""
    marks = [replace(mark(number), version=0) for number in (1, 2, 3)]
    marks[1] = replace(marks[1], state=MarkState.CLEARED)
    async with opener() as journal:
        await journal.marks.write(marks)
        found = await journal.marks.open_marks(PROJECT, ["nb1", "nb2", "nb9"])
        assert [each.notebook_id for each in found] == ["nb1"]
        assert await journal.marks.open_marks(PROJECT, []) == ()
        assert await journal.marks.open_marks("elsewhere", ["nb1"]) == ()


@examples
@given(first=any_of(Mark), later=any_of(Mark))
async def test_a_later_write_of_a_mark_takes_the_place_of_an_earlier_one(opener: Opener, first: Mark, later: Mark) -> None:
    """A mark is one row, whose every field is the latest."""
    first = replace(first, id=str(uuid4()), project=str(uuid4()), version=0, state=MarkState.MARKED)
    later = replace(later, id=first.id, project=first.project, version=1)
    async with opener() as journal:
        await journal.marks.write([first])
        await journal.marks.write([later])
        assert await journal.marks.mark(first.id) == replace(later, version=2)


async def test_texts_that_hold_a_nul_do_not_keep_a_mark_from_being_written(opener: Opener) -> None:
    """The cloud may send any name and tag; not every database takes this letter, and a sign in its place will do."""
    async with opener() as journal:
        await journal.marks.write([mark(name="a\0b", notebook_id="n\0", tags={"t\0": "\0"}, remedies=("\0",))])
        [found] = await journal.marks.open_marks(PROJECT)
        assert found.name in ("a\0b", "a\ufffdb")
        assert len(found.tags) == 1
        [entry] = await entries(journal)
        assert (entry.notebook_id, entry.name) == ("n\ufffd", "a\ufffdb")


async def test_a_mark_without_a_time_zone_is_refused(opener: Opener) -> None:
    """Nothing of the write is stored."""
    naive = datetime(2026, 3, 1)  # noqa: DTZ001  # that it is naive is the point
    async with opener() as journal:
        with pytest.raises(ValueError, match="time zone"):
            await journal.marks.write([mark(1), mark(2, told_at=naive)])
        with pytest.raises(ValueError, match="time zone"):
            await journal.marks.write([mark(1)], [item(not_before=naive)])
        assert await journal.marks.open_marks(PROJECT) == ()
        assert await entries(journal) == []


async def test_nothing_is_written_by_an_empty_write(opener: Opener) -> None:
    """It is no error either."""
    async with opener() as journal:
        await journal.marks.write([])
        assert await journal.marks.marks(10) == ()


async def test_open_marks_are_those_of_a_project_the_oldest_first(opener: Opener) -> None:
    """Marks that have ended, and those of other projects, are not among them."""
    ended = mark(3, state=MarkState.CLEARED, ended_at=NOON, cleared=ClearCause.USED)
    async with opener() as journal:
        one, two, *_ = await write(journal, mark(1), mark(2, marked_at=ago(days=1)), ended, mark(4, project="other"))
        assert await journal.marks.open_marks(PROJECT) == (two, one)


async def test_marks_are_listed_the_newest_first(opener: Opener) -> None:
    """Of all states, or of some; of all targets, or of one; up to the limit."""
    told = mark(2, state=MarkState.TOLD, told_at=NOON, target="teaching")
    async with opener() as journal:
        one, two, three = await write(journal, mark(1), told, mark(3))
        assert await journal.marks.marks(10) == (three, two, one)
        assert await journal.marks.marks(2) == (three, two)
        assert await journal.marks.marks(10, [MarkState.TOLD]) == (two,)
        assert await journal.marks.marks(10, [MarkState.TOLD, MarkState.MARKED], target="research") == (three, one)
        assert await journal.marks.marks(10, [MarkState.REMOVED]) == ()


async def test_marks_of_an_owner_are_found_by_id_and_by_name(opener: Opener) -> None:
    """Without regard to the case of ASCII letters; a sign of a pattern is only itself."""
    async with opener() as journal:
        one, two, three = await write(
            journal, mark(1), mark(2, owner_id="U2", owner_name="Zoë"), mark(3, owner_id="", owner_name="张伟")
        )
        for owner, expected in {
            "ALICE": (one,),
            "u1": (one,),
            "u2": (two,),
            "Zoë": (two,),
            "张伟": (three,),
            "al%": (),
            "": (three,),
        }.items():
            assert await journal.marks.marks(10, owner=owner) == expected


async def test_marks_of_a_notebook_are_listed_the_newest_first(opener: Opener) -> None:
    """In all projects, also those that have ended."""
    async with opener() as journal:
        ended = mark(1, state=MarkState.CLEARED, ended_at=NOON, cleared=ClearCause.USED)
        old, new, _ = await write(journal, ended, mark(2, notebook_id="nb1"), mark(3))
        assert await journal.marks.marks_of("nb1") == (new, old)
        assert await journal.marks.mark("m9") is None


# ---- versions -------------------------------------------------------------------------------------------------------------


async def test_a_mark_that_was_written_since_it_was_read_is_not_overwritten(opener: Opener) -> None:
    """The whole write is refused: other marks, items and entries too."""
    async with opener() as one, opener() as other:
        [read] = await write(one, mark(1))
        await other.marks.write([confirmed(read)])
        with pytest.raises(MarksChanged):
            await one.marks.write([mark(2), model.clear(read, LATER, ClearCause.USED)], [item(1)])
        [found] = await one.marks.open_marks(PROJECT)
        assert (found.surveys, found.version) == (2, 2)
        assert await one.outbox.waiting(LATER, 10) == ()
        assert [entry.what for entry in await entries(one)] == ["marked"]


@pytest.mark.parametrize("version", [0, 2])
async def test_a_version_that_is_not_the_stored_one_is_refused(opener: Opener, version: int) -> None:
    """Also that of a mark that is thought to be new, and one from the future."""
    async with opener() as journal:
        await write(journal, mark())
        with pytest.raises(MarksChanged):
            await journal.marks.write([mark(version=version)])
        with pytest.raises(MarksChanged):
            await journal.marks.write([mark(9, version=1)])


async def test_a_notebook_has_one_open_mark(opener: Opener) -> None:
    """A second one is refused while the first is open; in another project it is another notebook."""
    async with opener() as journal:
        [first] = await write(journal, mark(1))
        with pytest.raises(MarksChanged):
            await journal.marks.write([mark(3), mark(2, notebook_id="nb1")])
        await write(journal, mark(2, notebook_id="nb1", project="other"))
        assert await journal.marks.open_marks(PROJECT) == (first,)


@pytest.mark.parametrize("order", [1, -1])
async def test_a_cleared_mark_makes_room_for_a_new_one_in_the_same_write(opener: Opener, order: int) -> None:
    """In whichever order they stand."""
    async with opener() as journal:
        [first] = await write(journal, mark(1))
        written = [model.clear(first, LATER, ClearCause.GONE), mark(2, notebook_id="nb1")]
        await journal.marks.write(written[::order])
        assert [each.id for each in await journal.marks.open_marks(PROJECT)] == ["m2"]


async def test_a_refused_write_does_not_harm_others_at_the_same_time(opener: Opener) -> None:
    """They may share its commit."""
    async with opener() as journal:
        [read] = await write(journal, mark(1))
        await journal.marks.write([confirmed(read)])
        stale = journal.marks.write([confirmed(read)])
        others = (journal.marks.write([mark(number)]) for number in range(2, 6))
        refused, *written = await asyncio.gather(stale, *others, journal.write([removal()]), return_exceptions=True)
        assert isinstance(refused, MarksChanged)
        assert written == [None] * 5
        assert len(await journal.marks.open_marks(PROJECT)) == 5
        assert len(await entries(journal)) == 6


async def test_of_two_that_write_the_same_mark_one_wins(opener: Opener) -> None:
    """Through two journals that are open at the same time: every notebook is marked once, and confirmed once."""

    async def survey(journal: Journal) -> int:
        won = 0
        for number in range(10):
            await asyncio.sleep(0)
            try:
                await journal.marks.write([mark(number, id=str(uuid4()))])
            except MarksChanged:
                continue
            won += 1
        return won

    async with opener() as one, opener() as other:
        assert sum(await asyncio.gather(survey(one), survey(other))) == 10
        read = await one.marks.open_marks(PROJECT)
        assert len(read) == 10
        both = [journal.marks.write([confirmed(each)]) for each in read for journal in (one, other)]
        results = await asyncio.gather(*both, return_exceptions=True)
        assert sum(isinstance(result, MarksChanged) for result in results) == 10
        assert {each.surveys for each in await other.marks.open_marks(PROJECT)} == {2}
        assert len(await entries(one)) == 10


# ---- items ----------------------------------------------------------------------------------------------------------------


async def test_items_are_written_with_their_marks(opener: Opener) -> None:
    """An item that is known already stays as it is."""
    async with opener() as journal:
        [read] = await write(journal, mark(1))
        await journal.marks.write([confirmed(read)], [item(1)])
        await journal.marks.write([], [item(1, kind=ItemKind.REMIND), item(2, mark_id="m1")])
        [one, two] = await journal.outbox.waiting(LATER, 10)
        assert (one.item, two.item) == (item(1), item(2, mark_id="m1"))
        assert one.mark == replace(read, surveys=2, last_survey_at=LATER, version=2)


async def test_an_item_of_an_unknown_mark_is_refused(opener: Opener) -> None:
    """It could never be told."""
    async with opener() as journal:
        with pytest.raises(JournalError):
            await journal.marks.write([mark(1)], [item(2)])
        assert await journal.marks.open_marks(PROJECT) == ()


async def test_the_other_waiting_items_of_a_mark_are_dropped(opener: Opener) -> None:
    """Those that are written with it stay, new and known ones; so do those of other marks."""
    async with opener() as journal:
        marks = await write(journal, mark(1), mark(2))
        await journal.marks.write([], [item(1), item(2), item(3, mark_id="m1"), item(4, mark_id="m1")])
        cleared = model.clear(marks[0], LATER, ClearCause.USED)
        stay = [item(4, mark_id="m1"), item(5, mark_id="m1", kind=ItemKind.CLEARED)]
        await journal.marks.write([cleared], stay, dropped="it was used")
        assert {each.item.id for each in await journal.outbox.waiting(LATER, 10)} == {"i2", "i4", "i5"}


# ---- the trail ------------------------------------------------------------------------------------------------------------


async def test_the_steps_of_a_mark_are_on_the_trail(opener: Opener) -> None:
    """With its sentence, the proof and the deadline, and the cause; what changes nothing for the owner is not."""
    deadline = NOON + timedelta(days=7, minutes=5)
    async with opener() as journal:
        [read] = await write(journal, mark(reason="idle 21d (over 14d), token=abc"))
        steps: list[Step] = [
            confirmed,
            lambda one: model.promise(one, deadline),
            lambda one: model.tell(one, NOON + timedelta(minutes=5), "mail: 250 queued as 7", clock_verified=False),
            lambda one: model.verify_clock(one, NOON + timedelta(hours=1)),
            lambda one: model.renew_notice(one, one.tell),
            lambda one: model.tell(one, LATER, "mail: 250 queued as 8", clock_verified=True),
            lambda one: model.clear(one, LATER, ClearCause.RENEWED),
        ]
        for step in steps:
            read = replace(step(read), version=read.version)
            await journal.marks.write([read])
            read = replace(read, version=read.version + 1)
        found = await entries(journal)
        assert [(entry.what, entry.reason) for entry in found] == [
            ("marked", "idle 21d (over 14d), token=***"),
            ("told", "mail: 250 queued as 7, deadline 2026-03-08 12:05Z"),
            ("marked", "idle 21d (over 14d), token=***"),
            ("told", "mail: 250 queued as 8, deadline 2026-03-08 12:05Z"),
            ("cleared", "renewed"),
        ]
        noon_us = 1_772_366_400_000_000
        assert found[0] == (
            *(1, noon_us, "marked", "research", "", "", "nb1", "experiment-1", "alice", "idle"),
            *("idle 21d (over 14d), token=***", 0, "", "STOPPED", "0", "NOTEBOOK", 50, None, "https://modelarts.test/a"),
        )
        assert found[1].moment_us == noon_us + 5 * 60_000_000
        assert found[1][-6:] == (None, None, None, None, None, "https://modelarts.test/a")
        assert found[4].moment_us == noon_us + 86_400_000_000


async def test_the_end_of_a_mark_whose_notebook_was_deleted_is_that_of_the_removal(opener: Opener) -> None:
    """The trail has the deletion already, and not twice."""
    async with opener() as journal:
        [told] = await write(journal, mark(state=MarkState.TOLD, told_at=NOON, told_by="mail: 250"))
        await journal.marks.write([model.remove(told, LATER, "run1")])
        assert [entry.what for entry in await entries(journal)] == ["marked", "told"]
        assert await journal.trail.coverage() == ()
        assert await journal.marks.open_marks(PROJECT) == ()


async def test_marks_and_removals_share_one_chain(opener: Opener) -> None:
    """Also where they are written at the same time."""
    async with opener() as one, opener() as other:
        async with asyncio.TaskGroup() as tasks:
            for number in range(1, 21):
                tasks.create_task(one.marks.write([mark(number)]))
                tasks.create_task(other.write([removal(number)]))
        found = await entries(one)
        assert sorted(entry.what for entry in found) == ["decided"] * 20 + ["marked"] * 20
        assert [entry.sequence for entry in found] == list(range(1, 41))


async def test_thousands_of_marks_are_one_write(opener: Opener) -> None:
    """More than are laid out at once: each has its entry, in their order."""
    many = [mark(number) for number in range(1, 2_502)]
    async with opener() as journal:
        await journal.marks.write(many, [item(number) for number in range(1, 2_502)])
        read = await journal.marks.open_marks(PROJECT)
        assert read == tuple(map(stored, many))
        await journal.marks.write([confirmed(each) for each in read], dropped="too late")
        assert [entry.notebook_id for entry in await entries(journal)] == [each.notebook_id for each in many]
        assert await journal.outbox.waiting(LATER, 1) == ()


TOLD_LATER = {"state": MarkState.TOLD, "told_at": NOON, "told_by": "mail: ok", "deadline": LATER}
TOLD_BEFORE = {"state": MarkState.TOLD, "told_at": ago(days=8), "told_by": "mail: ok", "deadline": ago(days=1)}


async def _four_marks(journal: Journal) -> list[Mark]:
    """Write two marks of alice, one due and one with a deadline to come, and two of bob, one of whom cannot be told."""
    return await write(
        journal,
        mark(1, id="m1", owner_name="alice", owner_id="u1", **TOLD_LATER),
        mark(2, id="m2", owner_name="alice", owner_id="u1", **TOLD_BEFORE),
        mark(3, id="m3", owner_name="bob", owner_id="u2"),
        mark(4, id="m4", owner_name="bob", owner_id="u2", untold="no address", untold_at=NOON, target="training"),
    )


async def test_a_page_of_marks_is_in_the_order_of_owners_and_deadlines(opener: Opener) -> None:
    """The earliest deadline of an owner comes first, and a mark without a deadline last; the total counts all pages."""
    async with opener() as journal:
        one, two, three, four = await _four_marks(journal)
        assert await journal.marks.page(MarkQuery(), 3, 0) == MarkPage((two, one, three), 4)
        assert await journal.marks.page(MarkQuery(), 3, 3) == MarkPage((four,), 4)
        assert await journal.marks.page(MarkQuery(), 3, 6) == MarkPage((), 4)


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        (MarkQuery(target="training"), ["m4"]),
        (MarkQuery(owner="ALICE"), ["m2", "m1"]),
        (MarkQuery(owner="u2"), ["m3", "m4"]),
        (MarkQuery(untold=True), ["m4"]),
        (MarkQuery(states=frozenset({MarkState.TOLD}), deadline_until=NOON), ["m2"]),
        (MarkQuery(states=frozenset({MarkState.CLEARED})), []),
        (MarkQuery(states=frozenset({MarkState.MARKED}), target="research"), ["m3"]),
    ],
)
async def test_a_page_of_marks_has_those_that_match_everything(opener: Opener, query: MarkQuery, ids: list[str]) -> None:
    """By target, owner, state, failed attempts to tell, and deadline."""
    async with opener() as journal:
        await _four_marks(journal)
        found = await journal.marks.page(query, 10, 0)
        assert ([each.id for each in found.marks], found.total) == (ids, len(ids))


async def test_the_open_marks_of_each_owner_are_counted(opener: Opener) -> None:
    """The owner with the most marks comes first; marks that have ended do not count, nor a deadline that has passed."""
    async with opener() as journal:
        await _four_marks(journal)
        await write(journal, mark(5, id="m5", owner_name="bob", owner_id="u2"))
        await write(journal, mark(6, id="m6", owner_name="bob", owner_id="u2", state=MarkState.CLEARED, ended_at=NOON))
        assert await journal.marks.owners(NOON) == (
            OwnerMarks("u2", "bob", marked=3, told=0, untold=1, passed=0, next_deadline=None),
            OwnerMarks("u1", "alice", marked=0, told=2, untold=0, passed=1, next_deadline=LATER),
        )
        assert await journal.marks.owners(NOON, "training") == (
            OwnerMarks("u2", "bob", marked=1, told=0, untold=1, passed=0, next_deadline=None),
        )
        assert await journal.marks.owners(NOON, "nowhere") == ()


async def test_the_open_marks_of_each_target_are_counted(opener: Opener) -> None:
    """Marks that have ended do not count; a deadline that has passed is not the next one."""
    async with opener() as journal:
        assert await journal.marks.targets(NOON) == ()
        await _four_marks(journal)
        await write(journal, mark(6, id="m6", target="lab", state=MarkState.CLEARED, ended_at=NOON))
        counts = sorted(await journal.marks.targets(NOON), key=lambda each: each.target)
        assert counts == [TargetMarkCounts("research", 3, 1, LATER), TargetMarkCounts("training", 1)]
