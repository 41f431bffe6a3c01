"""What every journal keeps to, by the port's own words; the one for tests too."""

import asyncio
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from builders import NOON, identity, removal, run_record, service_record, target_lease
from contract.conftest import Opener
from contract.records import any_of, examples, moments, numbers, texts
from nbsweep.core.control.requests import Pause, Resumption, SweepRequest
from nbsweep.core.errors import JournalError
from nbsweep.core.identity import TargetIdentity
from nbsweep.core.lease import Holder, TargetLease
from nbsweep.core.lifecycle import ENDS, Removal, State
from nbsweep.core.lookup import NotebookRef
from nbsweep.core.ports import Journal
from nbsweep.core.reasons.statement import Statement
from nbsweep.core.runs import FleetBefore, History, Outcome, RunCounts, RunRecord
from notice_builders import mark

Record = TypeVar("Record", Removal, RunRecord)

LATER = NOON + timedelta(seconds=20)
RESEARCH = identity()
ELSEWHERE = identity(project_id="b" * 32)
PART = identity(workspaces=("0", "w1"))


def of(identity: TargetIdentity, row: Record) -> Record:
    """Let it be on record that a row is about what a target covers."""
    known = {"project": identity.project, "extent": identity.extent}
    return replace(row, **{name: value for name, value in known.items() if name in row.__struct_fields__})


@examples
@given(written=any_of(Removal))
async def test_a_removal_comes_back_as_it_was_written(opener: Opener, written: Removal) -> None:
    """Every field survives: no value, any script, the last microsecond, any time zone."""
    written = replace(written, run_id=str(uuid4()))
    async with opener() as journal:
        await journal.write([written])
        assert await journal.removals(written.run_id) == (written,)
        assert written in await journal.removals_of(written.notebook_id)


@examples
@given(first=any_of(Removal), later=any_of(Removal))
async def test_a_later_write_takes_the_place_of_an_earlier_one(opener: Opener, first: Removal, later: Removal) -> None:
    """A removal is one row, whose every field is the latest."""
    first = replace(first, run_id=str(uuid4()))
    later = replace(later, run_id=first.run_id, target=first.target, notebook_id=first.notebook_id)
    async with opener() as journal:
        await journal.write([first])
        await journal.write([later])
        assert await journal.removals(first.run_id) == (later,)


async def test_a_text_that_holds_a_nul_does_not_keep_a_removal_from_being_written(opener: Opener) -> None:
    """The cloud may send any name; not every database takes this letter, and a sign in its place will do."""
    async with opener() as journal:
        await journal.write([removal(name="a\0b")])
        (found,) = await journal.removals("run1")
        assert found.name in ("a\0b", "a\ufffdb")


async def test_the_later_of_two_in_one_write_stays(opener: Opener) -> None:
    """A write is in order, as two writes would be."""
    earlier, later = removal(), removal(state=State.REQUESTED, requests=1)
    async with opener() as journal:
        await journal.write([earlier, later])
        assert await journal.removals("run1") == (later,)


async def test_the_same_notebook_in_another_run_or_target_is_another_removal(opener: Opener) -> None:
    """Run, target and notebook together say which removal it is."""
    several = [removal(), removal(run_id="run2"), removal(target="teaching")]
    async with opener() as journal:
        await journal.write(several)
        assert set(await journal.removals_of("nb1")) == set(several)


async def test_runs_are_found_by_the_beginning_of_their_ids(opener: Opener) -> None:
    """The newest first, each once, whatever its targets; a letter that SQL takes for any letter is only itself."""
    async with opener() as journal:
        for number, (run_id, target) in enumerate([("2026a", "one"), ("2026a", "two"), ("2026b", "one"), ("2025", "one")]):
            await journal.open_run(run_record(run_id=run_id, target=target, started_at=NOON + timedelta(seconds=number)))
        assert await journal.run_ids("2026", 10) == ("2026b", "2026a")
        assert await journal.run_ids("2026", 1) == ("2026b",)
        assert await journal.run_ids("202_", 10) == ()
        assert await journal.run_ids("2026A", 10) == ()


async def test_notebooks_are_found_by_name_or_the_beginning_of_an_id(opener: Opener) -> None:
    """Names without regard to case; each once, the latest planned first."""
    first = removal(notebook_id="abc1", name="Train", target="research")
    again = removal(notebook_id="abc1", name="Train", target="research", run_id="run2", planned_at=LATER)
    other = removal(notebook_id="abc2", name="eval", target="research", planned_at=NOON + timedelta(seconds=1))
    async with opener() as journal:
        await journal.write([first, again, other])
        known = (NotebookRef("research", "abc1", "Train", "alice"), NotebookRef("research", "abc2", "eval", "alice"))
        assert await journal.notebooks("abc", 10) == known
        assert await journal.notebooks("abc", 1) == known[:1]
        assert await journal.notebooks("tRAIN", 10) == known[:1]
        assert await journal.notebooks("abc2", 10) == known[1:]
        assert await journal.notebooks("ABC", 10) == ()
        assert await journal.notebooks("a%", 10) == ()


async def test_notebooks_with_a_mark_are_found_as_those_with_a_removal(opener: Opener) -> None:
    """Each once, the newest first; without a name of its owner, by the owner's id."""
    names = {"abc3": "alice", "abc4": ""}
    marks = [
        mark(number, notebook_id=key, name="eval", owner_name=owner) for number, (key, owner) in enumerate(names.items(), 1)
    ]
    async with opener() as journal:
        await journal.write([removal(notebook_id="abc3", name="eval", planned_at=NOON - timedelta(days=1))])
        await journal.marks.write([*marks, mark(3, owner_name="", owner_id="", notebook_id="x")])
        known = (NotebookRef("research", "abc4", "eval", "u1"), NotebookRef("research", "abc3", "eval", "alice"))
        assert await journal.notebooks("EVAL", 10) == known
        assert await journal.notebooks("abc", 1) == known[:1]
        assert await journal.notebooks("x", 10) == (NotebookRef("research", "x", "experiment-3", "unknown"),)


async def test_writing_nothing_is_allowed(opener: Opener) -> None:
    """An empty list of removals is stored as what it is."""
    async with opener() as journal:
        await journal.write([])
        await journal.sightings.note("research", [], NOON)
        assert await journal.removals("run1") == ()
        assert await journal.sightings.latest("research") == {}


async def test_a_write_is_stored_whole_or_not_at_all(opener: Opener) -> None:
    """One removal that cannot be stored keeps the others of its write out."""
    async with opener() as journal:
        broken = removal(2, deadline=datetime(2026, 1, 1))  # noqa: DTZ001  # that it is naive is the point
        with pytest.raises(ValueError, match="time zone"):
            await journal.write([removal(1), broken, removal(3)])
        assert await journal.removals("run1") == ()


async def test_removals_come_in_planned_order(opener: Opener) -> None:
    """The order is that of the first write, whatever is written later; new ones follow."""
    planned = [removal(number) for number in (3, 1, 2)]
    async with opener() as journal:
        await journal.write(planned)
        await journal.write([replace(planned[2], state=State.REQUESTED)])
        await journal.write([removal(0), replace(planned[0], state=State.SPARED)])
        assert [row.notebook_id for row in await journal.removals("run1")] == ["nb3", "nb1", "nb2", "nb0"]


async def test_removals_of_a_run_are_found_by_their_notebooks(opener: Opener) -> None:
    """In the order of the plan, beside the states; those of other runs are not among them."""
    async with opener() as journal:
        await journal.write([removal(3), removal(1), replace(removal(2), state=State.SPARED), removal(1, run_id="run2")])
        found = await journal.removals("run1", notebook_ids=["nb2", "nb9", "nb1"])
        assert [row.notebook_id for row in found] == ["nb1", "nb2"]
        found = await journal.removals("run1", states=[State.SPARED], notebook_ids=["nb1", "nb2"])
        assert [row.notebook_id for row in found] == ["nb2"]


async def test_removals_of_a_notebook_come_newest_first(opener: Opener) -> None:
    """Over all runs and targets, by when they were planned."""
    days = [removal(run_id=f"run{day}", planned_at=NOON + timedelta(days=day)) for day in (2, 1, 3)]
    async with opener() as journal:
        await journal.write([*days, removal(9)])
        assert [row.run_id for row in await journal.removals_of("nb1")] == ["run3", "run2", "run1"]


async def test_the_newest_removal_of_each_of_some_notebooks_is_found(opener: Opener) -> None:
    """By when it was planned, then by its run; a notebook without a removal is not there."""
    one = [removal(run_id=f"run{day}", planned_at=NOON + timedelta(days=day)) for day in (2, 1, 3)]
    two = [removal(2, run_id="run7"), removal(2, run_id="run8")]
    async with opener() as journal:
        await journal.write([*one, *two, removal(9)])
        assert await journal.latest_removals(["nb1", "nb2", "nb3"]) == {"nb1": one[2], "nb2": two[1]}
        assert await journal.latest_removals([]) == {}


@pytest.mark.parametrize("state", State)
async def test_unfinished_is_what_has_no_end(opener: Opener, state: State) -> None:
    """Each of the four ends takes a removal off the list, no other state does."""
    written = removal(state=state)
    async with opener() as journal:
        await journal.write([written])
        assert await journal.unfinished("research") == (() if state in ENDS else (written,))


async def test_unfinished_comes_from_every_run_of_the_target_oldest_first(opener: Opener) -> None:
    """What an earlier run left is followed first; those planned together keep their order."""
    young = removal(1, run_id="run3", planned_at=NOON + timedelta(days=1))
    old = [removal(number) for number in (9, 8)]
    async with opener() as journal:
        await journal.write([young])
        await journal.write([*old, removal(7, run_id="run2", target="teaching")])
        assert await journal.unfinished("research") == (*old, young)


@examples
@given(record=any_of(RunRecord))
async def test_a_run_comes_back_as_it_was_opened(opener: Opener, record: RunRecord) -> None:
    """Every field survives, with the counts by reason."""
    record = replace(record, run_id=str(uuid4()))
    async with opener() as journal:
        await journal.open_run(record)
        assert await journal.run(record.run_id) == (record,)


async def test_closing_a_run_replaces_its_record(opener: Opener) -> None:
    """Only the record of that run and target."""
    others = [run_record(target="teaching"), run_record("run2")]
    closed = replace(
        run_record(),
        ended_at=NOON + timedelta(hours=1),
        outcome=Outcome.REFUSED,
        problem="9 notebooks would go",
        fleet=9,
        planned=9,
        kept={"young": 6},
        statements=(Statement("max-deletions", {"count": 9, "allowed": 5}, text="9 notebooks would go"),),
    )
    async with opener() as journal:
        for record in (run_record(), *others):
            await journal.open_run(record)
        await journal.close_run(closed)
        assert set(map(repr, await journal.runs(10))) == set(map(repr, [closed, *others]))


async def test_open_runs_are_those_of_the_target_that_have_no_end(opener: Opener) -> None:
    """The oldest first: what crashed long ago comes before what crashed just now."""
    young = run_record("run3", started_at=NOON + timedelta(days=1))
    old = run_record()
    async with opener() as journal:
        for record in (young, run_record("run2", target="teaching"), old, run_record("run0")):
            await journal.open_run(record)
        await journal.close_run(replace(run_record("run0"), ended_at=NOON + timedelta(hours=1), outcome=Outcome.FINISHED))
        assert await journal.open_runs("research") == (old, young)


async def test_a_run_of_a_target_is_opened_once(opener: Opener) -> None:
    """The second is refused, and changes nothing."""
    async with opener() as journal:
        await journal.open_run(run_record())
        with pytest.raises(JournalError):
            await journal.open_run(run_record(started_by="somebody else"))
        assert await journal.run("run1") == (run_record(),)


async def test_a_run_that_was_never_opened_cannot_be_closed(opener: Opener) -> None:
    """It is refused, and makes no record."""
    async with opener() as journal:
        with pytest.raises(JournalError):
            await journal.close_run(run_record())
        assert await journal.run("run1") == ()


async def test_runs_come_newest_first_up_to_the_limit(opener: Opener) -> None:
    """By when they started."""
    async with opener() as journal:
        for day in (2, 4, 1, 3):
            await journal.open_run(run_record(f"run{day}", started_at=NOON + timedelta(days=day)))
        assert [record.run_id for record in await journal.runs(3)] == ["run4", "run3", "run2"]


async def test_a_run_shows_each_of_its_targets(opener: Opener) -> None:
    """A record for each, in the order in which they started; none of other runs."""
    async with opener() as journal:
        await journal.open_run(run_record(target="teaching", started_at=NOON + timedelta(seconds=1)))
        await journal.open_run(run_record())
        await journal.open_run(run_record("run2"))
        assert [record.target for record in await journal.run("run1")] == ["research", "teaching"]
        assert await journal.run("run9") == ()


async def test_a_record_is_the_journals_own(opener: Opener) -> None:
    """What its writer, or a reader, does to the counts afterwards does not reach the journal."""
    counts = {"young": 1}
    async with opener() as journal:
        await journal.open_run(run_record(kept=counts))
        counts["young"] = 2
        (read,) = await journal.run("run1")
        assert read.kept == {"young": 1}
        read.kept["young"] = 3  # type: ignore[index]  # what nobody should do, and what must not matter
        assert (await journal.run("run1"))[0].kept == {"young": 1}


async def test_only_the_latest_sighting_is_kept(opener: Opener) -> None:
    """An older one that arrives late changes nothing."""
    async with opener() as journal:
        for hours in (1, 3, 2):
            await journal.sightings.note("research", ["nb1"], NOON + timedelta(hours=hours))
        assert await journal.sightings.latest("research") == {"nb1": NOON + timedelta(hours=3)}


async def test_sightings_belong_to_their_target(opener: Opener) -> None:
    """The same id on another target is another notebook; any iterable does, and an id may come twice."""
    async with opener() as journal:
        await journal.sightings.note("research", (name for name in ("nb1", "nb2", "nb1")), NOON)
        await journal.sightings.note("teaching", ["nb1"], NOON + timedelta(hours=1))
        assert await journal.sightings.latest("research") == {"nb1": NOON, "nb2": NOON}
        assert await journal.sightings.latest("teaching") == {"nb1": NOON + timedelta(hours=1)}
        assert await journal.sightings.latest("unknown") == {}
        assert await journal.sightings.latest("research", ["nb2", "nb9"]) == {"nb2": NOON}
        assert await journal.sightings.latest("research", []) == {}


async def test_a_sighting_without_a_time_zone_is_refused(opener: Opener) -> None:
    """Nobody could say when it was."""
    async with opener() as journal:
        with pytest.raises(ValueError, match="time zone"):
            await journal.sightings.note("research", ["nb1"], datetime(2026, 1, 1))  # noqa: DTZ001  # that is the point


async def test_many_writers_at_once_lose_nothing(opener: Opener) -> None:
    """Each of them finds its own removal stored when its write has returned."""

    async def writer(number: int) -> None:
        mine = removal(number, run_id=f"run{number}")
        for state in (State.PLANNED, State.REQUESTED, State.ACCEPTED):
            now = replace(mine, state=state)
            await journal.write([now])
            assert await journal.removals(mine.run_id) == (now,)

    async with opener() as journal, asyncio.TaskGroup() as tasks:
        for number in range(40):
            tasks.create_task(writer(number))


async def test_writes_of_one_removal_keep_their_order(opener: Opener) -> None:
    """Whichever was asked for last is what stays, though all of them wait together."""
    async with opener() as journal:
        async with asyncio.TaskGroup() as tasks:
            for requests in range(50):
                tasks.create_task(journal.write([removal(requests=requests)]))
        assert [row.requests for row in await journal.removals("run1")] == [49]


async def test_everything_is_there_when_the_journal_is_opened_again(opener: Opener) -> None:
    """Runs, removals with their order, and sightings."""
    planned = [removal(number) for number in (2, 1)]
    async with opener() as journal:
        await journal.open_run(run_record())
        await journal.write(planned)
        await journal.sightings.note("research", ["nb5"], NOON)
    async with opener() as journal:
        await journal.write([removal(0)])
        assert await journal.run("run1") == (run_record(),)
        assert [row.notebook_id for row in await journal.removals("run1")] == ["nb2", "nb1", "nb0"]
        assert await journal.sightings.latest("research") == {"nb5": NOON}


# ---- leases ---------------------------------------------------------------------------------------------------------------


@examples
@given(
    holder=st.builds(Holder, texts, texts, texts, numbers, numbers),
    started_by=texts,
    taken_at=moments,
    beat_at=moments,
)
async def test_a_lease_comes_back_as_it_was_taken(
    opener: Opener, holder: Holder, started_by: str, taken_at: datetime, beat_at: datetime
) -> None:
    """Every field survives."""
    taken = TargetLease(str(uuid4()), holder, started_by, taken_at, beat_at)
    async with opener() as journal:
        assert await journal.leases.take(taken, None) == taken
        assert await journal.leases.find(taken.target) == taken


async def test_nobody_holds_what_was_never_taken(opener: Opener) -> None:
    """Each target has a lease of its own."""
    async with opener() as journal:
        await journal.leases.take(target_lease(), None)
        assert await journal.leases.find("teaching") is None
        assert await journal.leases.take(target_lease("b", target="teaching"), None) == target_lease("b", target="teaching")
        assert await journal.leases.find("research") == target_lease()


async def test_the_time_of_leases_never_depends_on_the_process_that_asks(opener: Opener) -> None:
    """A file takes the machine's; a server has its own, whatever the machine's says."""
    async with opener() as journal:
        one, other = await journal.leases.now(NOON), await journal.leases.now(NOON + timedelta(hours=5))
    assert (one, other) == (NOON, NOON + timedelta(hours=5)) or timedelta(0) <= other - one < timedelta(minutes=1)


async def test_a_lease_that_nobody_was_seen_to_hold_goes_to_the_first(opener: Opener) -> None:
    """The second is told who has it."""
    async with opener() as journal:
        await journal.leases.take(target_lease(), None)
        assert await journal.leases.take(target_lease("b"), None) == target_lease()


async def test_a_lease_is_taken_over_from_whom_it_was_seen_with(opener: Opener) -> None:
    """It is as the new holder gives it, with nothing left of the old one."""
    mine = target_lease("b", beat_at=LATER)
    async with opener() as journal:
        await journal.leases.take(target_lease(), None)
        assert await journal.leases.take(mine, target_lease()) == mine
        assert await journal.leases.find("research") == mine


async def test_a_holder_with_a_heartbeat_meanwhile_keeps_the_lease(opener: Opener) -> None:
    """What the decision rested on does not hold any more."""
    async with opener() as journal:
        await journal.leases.take(target_lease(), None)
        await journal.leases.take(target_lease(beat_at=LATER), target_lease())
        assert await journal.leases.take(target_lease("b"), target_lease()) == target_lease(beat_at=LATER)


async def test_a_lease_that_was_given_back_meanwhile_is_not_taken_over(opener: Opener) -> None:
    """Nobody holds it then; whoever wants it looks again."""
    async with opener() as journal:
        assert await journal.leases.take(target_lease("b"), target_lease()) is None
        assert await journal.leases.find("research") is None


async def test_a_holder_who_was_taken_over_beats_in_vain(opener: Opener) -> None:
    """He is told who has it now."""
    async with opener() as journal:
        await journal.leases.take(target_lease(), None)
        await journal.leases.take(target_lease("b"), target_lease())
        assert await journal.leases.take(target_lease(beat_at=LATER), target_lease()) == target_lease("b")


async def test_a_beat_may_follow_one_that_was_written_unnoticed(opener: Opener) -> None:
    """The holder was cancelled while writing, and knows only the heartbeat before."""
    last = target_lease(beat_at=LATER + timedelta(seconds=20))
    async with opener() as journal:
        await journal.leases.take(target_lease(), None)
        await journal.leases.take(target_lease(beat_at=LATER), target_lease())
        assert await journal.leases.take(last, target_lease()) == last


async def test_a_lease_is_given_back_by_its_holder_alone(opener: Opener) -> None:
    """Whoever lost it gives back nothing; whoever has it does, whenever its last beat was."""
    async with opener() as journal:
        await journal.leases.take(target_lease(), None)
        await journal.leases.release(target_lease("b"))
        assert await journal.leases.find("research") == target_lease()
        await journal.leases.release(target_lease(beat_at=LATER))
        assert await journal.leases.find("research") is None


@pytest.mark.parametrize("seen", [None, target_lease("old")], ids=["free", "silent"])
async def test_of_many_who_want_a_lease_at_once_one_gets_it(opener: Opener, seen: TargetLease | None) -> None:
    """Through two journals that are open at the same time; all of them are told the same."""
    async with opener() as one, opener() as other:
        if seen:
            await one.leases.take(seen, None)
        tries = [journal.leases.take(target_lease(f"{number}"), seen) for number in range(10) for journal in (one, other)]
        told = await asyncio.gather(*tries)
        held = await one.leases.find("research")
        assert held is not None
        assert held.holder.owner in {f"{number}" for number in range(10)}
        assert set(told) == {held}


async def test_a_lease_survives_its_holder(opener: Opener) -> None:
    """Whoever opens the journal after a crash finds who had it."""
    async with opener() as journal:
        await journal.leases.take(target_lease(), None)
    async with opener() as journal:
        assert await journal.leases.find("research") == target_lease()


async def test_a_lease_without_a_time_zone_is_refused(opener: Opener) -> None:
    """Nobody could say how long ago its last beat was."""
    async with opener() as journal:
        with pytest.raises(ValueError, match="time zone"):
            await journal.leases.take(target_lease(beat_at=datetime(2026, 1, 1)), None)  # noqa: DTZ001  # that is the point
        assert await journal.leases.find("research") is None


# ---- the past -------------------------------------------------------------------------------------------------------------


def sent(row: Removal, at: datetime, **changes: Any) -> Removal:
    """Let its DELETE have been about to leave then."""
    return replace(row, **{"state": State.REQUESTED, "requested_at": at, "sent_at": at, "requests": 1, **changes})


def ended(row: Removal, state: State, at: datetime, **changes: Any) -> Removal:
    """Let it have ended then."""
    return replace(row, **{"state": state, "ended_at": at, **changes})


async def known(journal: Journal, since: datetime = NOON, target: str = "research") -> History:
    """Ask for the past, for both since the same moment."""
    return await journal.history(target, RESEARCH, since, since)


async def test_a_target_without_a_past_has_none(opener: Opener) -> None:
    """Nothing requested, no fleet, no failures."""
    async with opener() as journal:
        assert await known(journal) == History(0, None, ())


async def test_every_delete_that_was_about_to_leave_counts_whatever_became_of_it(opener: Opener) -> None:
    """From the asked moment on, that moment included, over all runs of the target and of no other."""
    rows = [
        sent(removal(1), NOON),
        ended(sent(removal(2), LATER), State.FAILED, LATER),
        ended(sent(removal(3, run_id="run2"), LATER), State.DELETED, LATER),
        ended(sent(removal(4, run_id="run2"), LATER), State.SPARED, LATER),
        ended(sent(removal(5, run_id="run2"), LATER), State.TIMED_OUT, LATER),
        sent(removal(6), NOON - timedelta(microseconds=1)),
        sent(removal(7, target="other"), LATER),
        removal(8),
    ]
    async with opener() as journal:
        await journal.write(rows)
        assert (await known(journal)).requested == 5


async def test_what_was_taken_back_or_only_stopped_does_not_count(opener: Opener) -> None:
    """A stop is no DELETE; one that was ordered long before its DELETE counts from the DELETE on."""
    stopping = sent(removal(1), LATER, state=State.STOPPING, requests=0)
    taken_back = removal(2)
    stopped_first = sent(removal(3), NOON - timedelta(minutes=20), sent_at=LATER)
    sent_again = sent(removal(4), NOON - timedelta(minutes=20), sent_at=LATER, requests=2)
    async with opener() as journal:
        await journal.write([stopping, sent(taken_back, LATER), stopped_first, sent_again])
        await journal.write([taken_back])
        assert (await known(journal)).requested == 2


async def test_orders_are_stops_and_deletes_that_were_about_to_leave(opener: Opener) -> None:
    """From the asked moment on, the oldest first, with any end; not those that were taken back, or never ordered."""
    stopping = sent(removal(1), LATER, state=State.STOPPING, requests=0)
    deleted = ended(sent(removal(2, run_id="run2"), NOON), State.DELETED, LATER)
    early = sent(removal(3), NOON - timedelta(microseconds=1), sent_at=LATER)
    taken_back = removal(4)
    async with opener() as journal:
        await journal.write([stopping, deleted, early, sent(taken_back, LATER), sent(removal(5, target="other"), LATER)])
        await journal.write([taken_back])
        assert await journal.orders_since("research", RESEARCH, NOON) == (deleted, stopping)


async def close(journal: Journal, run: RunRecord, outcome: str, fleet: int) -> RunRecord:
    """Let a run have been, and have ended so."""
    record = replace(run, ended_at=LATER, outcome=Outcome(outcome), fleet=fleet)
    await journal.open_run(run)
    await journal.close_run(record)
    return record


@pytest.mark.parametrize("outcome", ["finished", "dry-run", "declined", "interrupted"])
async def test_the_fleet_before_is_that_of_the_latest_run_that_passed_the_brakes(opener: Opener, outcome: str) -> None:
    """Not one that was refused, failed, goes on, has seen nothing, or is another target's."""
    async with opener() as journal:
        await close(journal, run_record(), "finished", 10)
        await close(journal, run_record("run2", started_at=LATER), outcome, 90)
        for number, (other, fleet) in enumerate([("refused", 40), ("failed", 30), ("held-elsewhere", 20), ("finished", 0)]):
            await close(journal, run_record(f"s{number}", started_at=LATER + timedelta(hours=1)), other, fleet)
        await close(journal, run_record("t1", target="other", started_at=LATER + timedelta(hours=1)), "finished", 5)
        await journal.open_run(run_record("u1", started_at=LATER + timedelta(hours=2)))
        assert (await known(journal)).before == FleetBefore("run2", 90, 0)


async def test_what_was_deleted_since_that_survey_is_told(opener: Opener) -> None:
    """What the run planned itself, and later ones; not what it followed to its end before it surveyed."""
    async with opener() as journal:
        await close(journal, run_record("run2"), "finished", 90)
        await journal.write(
            [
                ended(removal(1, planned_at=NOON - timedelta(hours=1)), State.DELETED, LATER),
                ended(removal(2, run_id="run2", planned_at=NOON), State.DELETED, LATER),
                ended(removal(3, run_id="run3", planned_at=LATER), State.DELETED, LATER),
                ended(removal(4, run_id="run3", planned_at=LATER), State.FAILED, LATER),
                ended(removal(5, run_id="run3", target="other", planned_at=LATER), State.DELETED, LATER),
                sent(removal(6, run_id="run3", planned_at=LATER), LATER),
            ]
        )
        assert (await known(journal)).before == FleetBefore("run2", 90, 2)


async def test_a_dry_run_has_seen_what_an_earlier_run_had_under_way(opener: Opener) -> None:
    """It follows nothing before it surveys, so that what ended since then had been counted by it."""
    dry = replace(run_record("run2"), dry_run=True)
    async with opener() as journal:
        await close(journal, dry, "dry-run", 90)
        earlier = removal(1, planned_at=NOON - timedelta(hours=1))
        before = removal(2, planned_at=NOON - timedelta(hours=1))
        await journal.write([ended(earlier, State.DELETED, LATER), ended(before, State.DELETED, NOON - timedelta(minutes=1))])
        assert (await known(journal)).before == FleetBefore("run2", 90, 1)


async def test_the_ends_are_told_of_who_has_failed_since_then(opener: Opener) -> None:
    """All its earlier ends too, the newest first; what was spared is no such end, and who failed longer ago is left out."""
    day = timedelta(days=1)
    first = ended(removal(1), State.FAILED, NOON - 9 * day)
    second = ended(removal(1, run_id="run2"), State.DELETED, NOON - 8 * day)
    third = ended(removal(1, run_id="run3"), State.TIMED_OUT, NOON)
    others = [
        ended(removal(1, run_id="run4"), State.SPARED, LATER),
        ended(removal(2), State.FAILED, NOON - timedelta(microseconds=1)),
        ended(removal(3), State.DELETED, LATER),
        ended(removal(1, target="other"), State.FAILED, LATER),
        sent(removal(4), LATER),
    ]
    async with opener() as journal:
        await journal.write([second, *others, third, first])
        assert (await known(journal)).ends == (third, second, first)


# ---- the latest run of a target, and its pause ----------------------------------------------------------------------------


async def test_the_last_run_of_a_target_is_found_however_often_others_were_swept(opener: Opener) -> None:
    """Two hundred later sweeps of another target stand between; outcomes narrow it, and a problem is no success."""
    async with opener() as journal:
        assert (await journal.last_run("research"), await journal.last_success("research")) == (None, None)
        good = await close(journal, run_record(), "finished", 10)
        failed = await close(journal, run_record("run2", started_at=LATER), "failed", 0)
        last = run_record("run3", started_at=LATER + timedelta(hours=1))
        await journal.open_run(last)
        blemished = run_record("run0", target="other")
        await journal.open_run(blemished)
        await journal.close_run(replace(blemished, outcome=Outcome.FINISHED, ended_at=LATER, problem="not everything was seen"))
        busy_runs = [run_record(f"s{n:03d}", target="busy", started_at=LATER + timedelta(hours=2)) for n in range(200)]
        await asyncio.gather(*map(journal.open_run, busy_runs))
        assert await journal.last_run("research") == last
        assert await journal.last_run("research", {Outcome.FINISHED, Outcome.FAILED}) == failed
        assert await journal.last_success("research") == good
        assert await journal.last_success("other") is None
        busy = await journal.last_run("busy")
        assert busy is not None
        assert busy.run_id == "s199"


async def test_the_last_runs_of_several_targets_are_those_of_each(opener: Opener) -> None:
    """Of two that began at the same time, the one with the later ID; targets without such a run are left out."""
    async with opener() as journal:
        assert await journal.last_runs(["research"]) == {}
        good = await close(journal, run_record(), "finished", 10)
        shared = await close(journal, run_record(target="lab"), "finished", 3)
        last, tied = run_record("run3", started_at=LATER), run_record("run2", started_at=LATER)
        for run in (last, tied, run_record("run4", target='O\'Brien "lab"', started_at=NOON)):
            await journal.open_run(run)
        found = await journal.last_runs(["research", 'O\'Brien "lab"', "lab", "nowhere"])
        assert {name: run.run_id for name, run in found.items()} == {
            "research": "run3",
            "lab": "run1",
            'O\'Brien "lab"': "run4",
        }
        assert found["research"] == last
        assert await journal.last_runs(["research", "lab"], {Outcome.FINISHED}) == {"research": good, "lab": shared}
        assert await journal.last_runs([]) == {}


async def test_a_pause_outlives_the_process_and_is_each_targets_own(opener: Opener) -> None:
    """It has a giver, a reason and an end; a later one replaces it; what is not paused can be resumed all the same."""
    first, second = Pause("research", NOON, "alice"), Pause("research", LATER, "bob", "moving house", LATER + timedelta(days=1))
    async with opener() as journal:
        assert await journal.control.pause_of("research") is None
        await journal.control.pause(first)
        assert await journal.control.pause_of("research") == first
        await journal.control.pause(second)
        await journal.control.pause(Pause("lab", NOON))
    async with opener() as journal:
        assert await journal.control.pause_of("research") == second
        assert await journal.control.pause_of("other") is None
        assert await journal.control.pauses() == (Pause("lab", NOON), second)
        await journal.control.resume(Resumption("other", NOON, "carol"))
        await journal.control.resume(Resumption("research", NOON, "carol"))
    async with opener() as journal:
        assert await journal.control.pauses() == (Pause("lab", NOON),)


async def test_a_request_for_a_sweep_stays_until_it_is_taken(opener: Opener) -> None:
    """There is one for each target, the latest; taking one does not take a later one."""
    early, late = SweepRequest("research", NOON, "alice"), SweepRequest("research", LATER, "bob")
    async with opener() as journal:
        await journal.control.request_sweep(early)
        await journal.control.request_sweep(SweepRequest("lab", NOON, "alice"))
        await journal.control.request_sweep(late)
    async with opener() as journal:
        assert await journal.control.sweep_requests() == (SweepRequest("lab", NOON, "alice"), late)
        await journal.control.withdraw_request(early)
        assert await journal.control.sweep_requests() == (SweepRequest("lab", NOON, "alice"), late)
        await journal.control.answer_request(late, "busy")
        assert await journal.control.sweep_requests() == (SweepRequest("lab", NOON, "alice"),)


async def test_a_request_has_the_answer_of_the_service_that_took_it(opener: Opener) -> None:
    """Of two services, one that accepts it has the last word; an answer to an earlier request is none to a later one."""
    early, late = SweepRequest("research", NOON, "alice"), SweepRequest("research", LATER, "alice")
    async with opener() as journal:
        await journal.control.request_sweep(early)
        assert await journal.control.answer_to(early) is None
        await journal.control.answer_request(early, "busy")
        assert await journal.control.answer_to(early) == "busy"
        await journal.control.answer_request(early, "accepted")
        await journal.control.answer_request(early, "busy")
    async with opener() as journal:
        assert await journal.control.answer_to(early) == "accepted"
        await journal.control.request_sweep(late)
        assert await journal.control.answer_to(late) is None
        await journal.control.answer_request(late, "paused")
        assert await journal.control.answer_to(late) == "paused"
        assert await journal.control.answer_to(early) is None


async def test_what_a_service_reports_of_itself_is_kept_until_it_is_old(opener: Opener) -> None:
    """The latest report of each process, the one that was started first comes first."""
    first = service_record("a", started_at=NOON, beat_at=NOON)
    second = service_record("b", started_at=LATER, beat_at=LATER)
    async with opener() as journal:
        await journal.control.beat(second)
        await journal.control.beat(first)
        assert await journal.control.services() == (first, second)
        beaten = replace(first, beat_at=LATER, reload_problem="no", stopped_at=LATER)
        await journal.control.beat(beaten)
    async with opener() as journal:
        assert await journal.control.services() == (beaten, second)
        await journal.control.forget_services(LATER)
        assert await journal.control.services() == (beaten, second)
        await journal.control.forget_services(LATER + timedelta(microseconds=1))
        assert await journal.control.services() == ()


# ---- whose the past is ----------------------------------------------------------------------------------------------------


async def test_the_past_of_another_project_is_none_of_a_targets_though_the_name_is_the_same(opener: Opener) -> None:
    """Neither its DELETEs of the day, nor its fleet, nor how its removals failed."""
    failed = ended(sent(removal(1), LATER), State.FAILED, LATER)
    async with opener() as journal:
        await close(journal, of(ELSEWHERE, run_record()), "finished", 90)
        await journal.write([of(ELSEWHERE, failed)])
        assert await known(journal) == History(0, None, ())


async def test_the_past_of_a_project_is_its_own_under_whatever_name(opener: Opener) -> None:
    """A target that was renamed keeps its brakes and its cool-down."""
    failed = of(RESEARCH, ended(sent(removal(1), LATER), State.FAILED, LATER))
    deleted = of(RESEARCH, ended(sent(removal(2, planned_at=LATER), LATER), State.DELETED, LATER))
    async with opener() as journal:
        await close(journal, of(RESEARCH, run_record()), "finished", 90)
        await journal.write([failed, deleted])
        assert await known(journal, target="renamed") == History(2, FleetBefore("run1", 90, 1), (failed,))


async def test_a_fleet_is_compared_with_one_of_the_same_extent_only(opener: Opener) -> None:
    """Half of the workspaces hold fewer notebooks, and nothing has fallen."""
    async with opener() as journal:
        await close(journal, of(PART, run_record()), "finished", 30)
        await close(journal, of(RESEARCH, run_record("run2", started_at=LATER)), "finished", 90)
        history = await journal.history("research", PART, NOON, NOON)
        assert history.before == FleetBefore("run1", 30, 0)


async def test_what_another_target_of_the_project_deletes_in_its_own_workspaces_does_not_count(opener: Opener) -> None:
    """What has a target's own name counts, though it does not cover the workspace any more."""
    elsewhere = replace(of(RESEARCH, sent(removal(1, target="teaching"), LATER)), workspace_id="w9")
    covered = replace(of(RESEARCH, sent(removal(2, target="teaching"), LATER)), workspace_id="w1")
    named = replace(of(RESEARCH, sent(removal(3), LATER)), workspace_id="w9")
    async with opener() as journal:
        await journal.write([elsewhere, covered, named])
        assert (await journal.history("research", PART, NOON, NOON)).requested == 2
        assert set(await journal.orders_since("research", PART, NOON)) == {covered, named}


async def test_what_was_seen_in_one_project_says_nothing_of_another(opener: Opener) -> None:
    """Where the project is not on record it counts everywhere: it only ever keeps a notebook."""
    async with opener() as journal:
        await journal.sightings.note(RESEARCH.project, ["nb1", "nb2"], NOON)
        await journal.sightings.note(ELSEWHERE.project, ["nb1"], LATER)
        await journal.sightings.note("", ["nb2", "nb3"], LATER)
        assert await journal.sightings.latest(RESEARCH.project) == {"nb1": NOON, "nb2": LATER, "nb3": LATER}


async def test_what_has_no_end_is_told_of_all_targets_or_of_one_name(opener: Opener) -> None:
    """Of whatever project; who follows it is not for the journal to say."""
    mine, other = of(RESEARCH, removal()), of(ELSEWHERE, removal(2, target="teaching", planned_at=LATER))
    async with opener() as journal:
        await journal.write([other, mine])
        assert await journal.unfinished() == (mine, other)
        assert await journal.unfinished("teaching") == (other,)


async def test_sweeps_without_an_end_are_told_of_all_targets_or_of_one_name(opener: Opener) -> None:
    """Likewise."""
    mine, other = of(RESEARCH, run_record()), of(ELSEWHERE, run_record("run2", target="teaching", started_at=LATER))
    async with opener() as journal:
        await journal.open_run(other)
        await journal.open_run(mine)
        assert await journal.open_runs() == (mine, other)
        assert await journal.open_runs("teaching") == (other,)


async def test_all_leases_are_told_with_what_they_are_about(opener: Opener) -> None:
    """By target; of one that an older nbsweep has taken the project is not on record."""
    one = replace(target_lease(), project=RESEARCH.project, extent=RESEARCH.extent)
    async with opener() as journal:
        assert await journal.leases.all() == ()
        for each in (target_lease(target="teaching"), one):
            await journal.leases.take(each, None)
        assert await journal.leases.all() == (one, target_lease(target="teaching"))


async def test_the_removals_of_a_run_in_some_states(opener: Opener) -> None:
    """In the order of the plan, in pages; without states, all."""
    states = (State.DELETED, State.FAILED, State.REQUESTED, State.FAILED)
    rows = [replace(removal(number), state=state) for number, state in enumerate(states, 1)]
    async with opener() as journal:
        await journal.write(rows)
        failed = [State.FAILED, State.TIMED_OUT]
        assert await journal.removals("run1", states=failed) == (rows[1], rows[3])
        assert await journal.removals("run1", 1, 1, failed) == (rows[3],)
        assert await journal.removals("run1", states=()) == tuple(rows)


async def test_the_removals_of_a_run_come_in_pages(opener: Opener) -> None:
    """In the planned order, from any place; and what has no end up to a limit."""
    rows = tuple(removal(number) for number in range(5))
    async with opener() as journal:
        await journal.write(rows)
        assert await journal.removals("run1", 2) == rows[:2]
        assert await journal.removals("run1", 2, 2) == rows[2:4]
        assert await journal.removals("run1", 9, 4) == rows[4:]
        assert await journal.removals("run1", 9, 5) == ()
        assert await journal.removals("run1", offset=3) == rows[3:]
        assert len(await journal.unfinished("research", 3)) == 3


async def test_the_ends_of_several_runs_are_counted_by_target(opener: Opener) -> None:
    """Open removals are unfinished; only deleted disks are reclaimed, and a disk of unknown size counts as nothing."""
    rows = (
        removal(1, state=State.DELETED, capacity_gb=50),
        removal(2, state=State.DELETED, capacity_gb=None),
        removal(3, state=State.DELETED, capacity_gb=7),
        removal(4, state=State.FAILED, capacity_gb=100),
        removal(5, state=State.TIMED_OUT),
        removal(6, state=State.ACCEPTED),
        removal(7, state=State.REQUESTED),
        removal(8, target="teaching", state=State.SPARED),
        removal(9, run_id="run2", state=State.SPARED),
        removal(10, run_id="run3", state=State.DELETED),
    )
    async with opener() as journal:
        await journal.write(rows)
        assert await journal.run_counts(["run2", "run1", "none", *map(str, range(2_000))]) == (
            RunCounts("run1", "research", {"deleted": 3, "failed": 1, "timed_out": 1, "unfinished": 2}, 57),
            RunCounts("run1", "teaching", {"spared": 1}, 0),
            RunCounts("run2", "research", {"spared": 1}, 0),
        )
        assert await journal.run_counts([]) == ()


async def test_the_note_of_a_due_time_outlives_the_process(opener: Opener) -> None:
    """The latest one, of each target."""
    async with opener() as journal:
        assert await journal.control.noted_due("research") is None
        await journal.control.note_due("research", LATER)
        await journal.control.note_due("research", NOON)
    async with opener() as journal:
        assert (await journal.control.noted_due("research"), await journal.control.noted_due("other")) == (NOON, None)
