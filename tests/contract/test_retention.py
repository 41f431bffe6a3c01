"""What the end of old records keeps to in every journal, by the port's own words; the journal for tests too."""

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from builders import NOON, ago, identity, removal, run_record
from contract.conftest import Opener
from nbsweep.core.inventory.model import SurveyRecord
from nbsweep.core.inventory.recording import Changes, Listed, Recorder
from nbsweep.core.lifecycle import Removal, State
from nbsweep.core.marks.model import ClearCause, Mark, MarkState
from nbsweep.core.model import Notebook, Scope, Status
from nbsweep.core.notices.outbox import MessageState
from nbsweep.core.ports import Journal
from nbsweep.core.retention.model import Pruned, kept_from
from nbsweep.core.runs import Outcome, RunRecord
from notice_builders import exemption, item, mark, message

BEFORE = NOON - timedelta(days=100)
OLD = BEFORE - timedelta(days=10)
MINE = identity()
SCOPE = Scope("0", "NOTEBOOK")


def run(run_id: str, started_at: datetime = OLD, **changes: object) -> RunRecord:
    """Return the record of a sweep that took an hour, and surveyed a fleet."""
    plain = run_record(
        run_id,
        started_at=started_at,
        ended_at=started_at + timedelta(hours=1),
        outcome=Outcome.FINISHED,
        fleet=9,
        project=MINE.project,
        extent=MINE.extent,
    )
    return replace(plain, **changes)


def ended(number: int, state: State = State.DELETED, run_id: str = "old", at: datetime = OLD) -> Removal:
    """Return a removal that has ended."""
    return removal(number, run_id=run_id, project=MINE.project, planned_at=at, state=state, ended_at=at)


async def write(journal: Journal, *runs: RunRecord) -> None:
    """Store sweeps."""
    for each in runs:
        await journal.open_run(each)
        await journal.close_run(each)


async def survey(journal: Journal, *shown: str) -> None:
    """Record a complete survey that shows these notebooks."""
    known = await journal.inventory.open_states(MINE)
    recorder = Recorder(known)
    for notebook_id in shown:
        recorder.see(Notebook(notebook_id, Status.STOPPED, created_at=OLD, updated_at=OLD, listed=True), SCOPE, None)
    record = SurveyRecord(MINE.project, "research", MINE.extent, NOON, complete=True, fleet=len(shown), config="c0ffee")
    await journal.inventory.record(record, Changes((Listed(recorder, shown),), known, complete=True))


async def prune(journal: Journal) -> Pruned:
    """Prune in parts until nothing is left, after it was counted; both must agree."""
    counted, pruned = await journal.retention.prunable(BEFORE), Pruned()
    while (part := await journal.retention.prune(BEFORE, 1000)).total:
        pruned = pruned + part
    assert sum(counted.values(), Pruned()) == pruned
    return pruned


def test_only_whole_months_go() -> None:
    """What is kept begins with a month, in UTC."""
    at = datetime(2026, 11, 29, 12, tzinfo=UTC)
    assert kept_from(at, timedelta(days=30)) == datetime(2026, 10, 1, tzinfo=UTC)
    assert kept_from(at, timedelta(days=730)) == datetime(2024, 11, 1, tzinfo=UTC)


async def test_an_old_sweep_goes_with_all_its_removals(opener: Opener) -> None:
    """Its entries on the audit trail stay, and so does the sweep that came after it."""
    async with opener() as journal:
        await write(journal, run("old"), run("new", NOON))
        await journal.write([ended(number) for number in range(2500)])
        await journal.write([ended(1, run_id="new", at=NOON)])
        assert await prune(journal) == Pruned(runs=1, removals=2500)
        assert [each.run_id for each in await journal.runs(10)] == ["new"]
        assert await journal.removals("old") == ()
        assert len(await journal.removals("new")) == 1
        assert len(await journal.trail.after("research", 2000, 1000)) > 500


@pytest.mark.parametrize(
    "kept",
    [
        run("old", ended_at=None, outcome=Outcome.RUNNING),
        run("old", started_at=BEFORE - timedelta(minutes=1)),
        run("old", outcome=Outcome.REFUSED),
        run("old", target="elsewhere"),
        run("old", extent="workspaces=w1"),
    ],
    ids=["is open", "ended later", "the last that was refused", "another target", "another extent"],
)
async def test_a_sweep_stays_that_is_open_or_the_last_of_its_kind(opener: Opener, kept: RunRecord) -> None:
    """The brakes compare with the last survey, and `status` tells of the last run."""
    async with opener() as journal:
        await write(journal, kept, run("new", NOON))
        assert await prune(journal) == Pruned()


@pytest.mark.parametrize("worse", [run("new", NOON, problem="torn"), run("new", NOON, fleet=0)], ids=["problem", "no survey"])
async def test_a_sweep_stays_if_the_later_ones_cannot_take_its_place(opener: Opener, worse: RunRecord) -> None:
    """The last success, and the last survey that saw a fleet, are of their own kind."""
    async with opener() as journal:
        await write(journal, run("old"), worse)
        assert await prune(journal) == Pruned()


@pytest.mark.parametrize("state", [State.PLANNED, State.REQUESTED, State.ACCEPTED])
async def test_a_sweep_stays_with_a_removal_that_has_not_ended(opener: Opener, state: State) -> None:
    """Recovery will follow it."""
    async with opener() as journal:
        await write(journal, run("old"), run("new", NOON))
        await journal.write([ended(1), replace(ended(2, state), ended_at=None)])
        assert await prune(journal) == Pruned()


async def test_a_sweep_stays_with_a_removal_that_ended_later(opener: Opener) -> None:
    """A later run has followed it to its end."""
    async with opener() as journal:
        await write(journal, run("old"), run("new", NOON))
        await journal.write([ended(1), replace(ended(2), ended_at=BEFORE)])
        assert await prune(journal) == Pruned()


@pytest.mark.parametrize("state", [State.FAILED, State.TIMED_OUT])
async def test_a_failure_stays_as_long_as_its_notebook_may_exist(opener: Opener, state: State) -> None:
    """Its cool-down counts all failures; a notebook that the inventory does not know may exist."""
    async with opener() as journal:
        await write(journal, run("old"), run("new", NOON))
        await journal.write([ended(1, state)])
        assert await prune(journal) == Pruned()
        await survey(journal, "nb1")
        assert await prune(journal) == Pruned()
        await survey(journal)
        assert await prune(journal) == Pruned(runs=1, removals=1)


async def test_a_failure_goes_when_its_notebook_was_deleted_later(opener: Opener) -> None:
    """Nothing can come of it any more."""
    async with opener() as journal:
        await write(journal, run("old"), run("new", NOON))
        await journal.write([ended(1, State.FAILED), ended(1, run_id="new", at=NOON)])
        assert await prune(journal) == Pruned(runs=1, removals=1)


def closed(number: int, **changes: object) -> Mark:
    """Return a mark that was cleared long ago."""
    plain = mark(
        number, notebook_id=f"nb{number}", marked_at=OLD, state=MarkState.CLEARED, cleared=ClearCause.USED, ended_at=OLD
    )
    return replace(plain, **changes)


async def test_a_mark_goes_with_its_items_and_then_their_message(opener: Opener) -> None:
    """If the message was sent; a message with an item that stays, stays too."""
    sent = replace(message(1), state=MessageState.SENT, created_at=OLD, ended_at=OLD)
    async with opener() as journal:
        await journal.marks.write([closed(1), closed(2, ended_at=NOON)], [item(1), item(2)])
        assert await journal.outbox.compose(replace(message(1), created_at=OLD), ["i1", "i2"])
        assert await prune(journal) == Pruned()
        assert await journal.outbox.record(replace(sent, version=1), OLD, ["i1", "i2"])
        assert await prune(journal) == Pruned(marks=1)
        assert await journal.marks.mark("m1") is None
        assert [each.item.id for each in await journal.outbox.listed("k1")] == ["i2"]


async def test_a_mark_stays_that_is_open_or_about_which_somebody_is_to_be_told(opener: Opener) -> None:
    """The grace of an open mark runs; an item that waits is sent some day."""
    async with opener() as journal:
        await journal.marks.write([mark(1, marked_at=OLD), closed(2)], [item(2)])
        assert await prune(journal) == Pruned()


async def test_what_would_go_is_counted_by_the_month_of_its_end(opener: Opener) -> None:
    """In UTC; a message counts when all its items would go with their marks, and an exemption when it was revoked."""
    june, july = datetime(2025, 6, 30, 23, 59, tzinfo=UTC), datetime(2025, 7, 1, tzinfo=UTC)
    sent = replace(message(1), state=MessageState.SENT, created_at=OLD, ended_at=july, version=1)
    async with opener() as journal:
        await write(journal, run("old", june - timedelta(hours=1)), run("older", july - timedelta(hours=1)), run("new", NOON))
        await journal.write([ended(1), ended(2), ended(3, run_id="older")])
        await journal.marks.write([closed(1, ended_at=june), closed(2, ended_at=july)], [item(1), item(2)])
        assert await journal.outbox.compose(replace(message(1), created_at=OLD), ["i1", "i2"])
        assert await journal.outbox.record(sent, OLD, ["i1", "i2"])
        await journal.exemptions.grant(exemption(1, granted_at=OLD, until=NOON))
        await journal.exemptions.revoke("e1", june, "li")
        assert await journal.retention.prunable(BEFORE) == {
            "2025-06": Pruned(runs=1, removals=2, marks=1, exemptions=1),
            "2025-07": Pruned(runs=1, removals=1, marks=1, messages=1),
        }


async def test_exemptions_that_have_ended_go_and_the_version_never_falls(opener: Opener) -> None:
    """A sweep that has read them must notice each later grant and revocation."""
    async with opener() as journal:
        for number, until in enumerate([OLD, BEFORE, ago(days=-1)], 1):
            await journal.exemptions.grant(exemption(number, granted_at=OLD, until=until))
        await journal.exemptions.revoke("e3", OLD, "li")
        version = await journal.exemptions.version()
        assert await prune(journal) == Pruned(exemptions=2)
        assert [each.id for each in await journal.exemptions.all(10)] == ["e2"]
        assert await journal.exemptions.version() == version
        await journal.exemptions.grant(exemption(4))
        assert await journal.exemptions.version() == version + 1


async def test_a_day_is_claimed_once(opener: Opener) -> None:
    """Of all processes that share the journal, one prunes, and once a day."""
    async with opener() as journal:
        assert await journal.retention.claim(NOON)
        assert not await journal.retention.claim(NOON + timedelta(hours=23))
        assert await journal.retention.claim(NOON + timedelta(hours=24))
