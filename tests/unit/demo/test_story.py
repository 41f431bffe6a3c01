"""The past of the served demo: what it holds, that it is the same each time, and that a journal takes all of it."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import anyio.to_thread
import pytest
from msgspec.structs import replace

from nbsweep.adapters.journal import Timeouts, open_journal
from nbsweep.core.exemptions.model import Exemption
from nbsweep.core.lifecycle import Removal, State
from nbsweep.core.marks.model import Mark, MarkState
from nbsweep.core.runs import Outcome, RunRecord
from nbsweep.demo.configuration import NOWHERE, UNKNOWN_OWNERS, Files, demo_settings
from nbsweep.demo.recording import repeat_all
from nbsweep.demo.story import DAYS, Past, play
from nbsweep.service.trail_verifier import TrailVerifier
from nbsweep.settings import Settings
from trails import whole_trail

TODAY = datetime(2026, 11, 29, tzinfo=UTC)
A_WEEK = timedelta(days=7)
SEED = 7
FEW_DAYS = 20


def settings() -> Settings:
    """Return the configuration, with addresses at which nothing is."""
    return demo_settings(NOWHERE, Files(Path("/nowhere")), "f" * 32)


@pytest.fixture(scope="module")
def past() -> Past:
    """Play the whole story once."""
    return play(SEED, TODAY, settings())


def written(past: Past, kind: type[Any]) -> Iterator[Any]:
    """Yield the records of a kind in the order in which they were written."""
    for write in past.writes:
        for argument in (*write.arguments, *write.named.values()):
            for record in argument if isinstance(argument, tuple) else (argument,):
                if isinstance(record, kind):
                    yield record


def test_the_same_day_and_seed_give_the_same_past() -> None:
    """Every write and every notebook is the same, and another seed gives others."""
    first, second, other = (play(seed, TODAY, settings(), FEW_DAYS) for seed in (SEED, SEED, SEED + 1))
    assert first.writes == second.writes
    assert first.notebooks == second.notebooks
    assert [each.id for each in other.notebooks] != [each.id for each in first.notebooks]


def test_each_target_is_swept_on_each_day(past: Past) -> None:
    """First dry runs, then sweeps; a brake refuses some, and one day fails."""
    runs = {(run.target, run.run_id): run for run in written(past, RunRecord)}.values()
    assert Counter(run.target for run in runs) == {"research": DAYS, "teaching": DAYS}
    outcomes = Counter(run.outcome for run in runs)
    assert outcomes[Outcome.DRY_RUN] == 2 * 4
    assert outcomes[Outcome.FAILED] == 2
    assert outcomes[Outcome.REFUSED] >= 1
    assert min(run.started_at for run in runs) == TODAY - timedelta(days=DAYS, hours=-19)
    assert max(run.ended_at or run.started_at for run in runs) < TODAY


def test_removals_end_in_every_way(past: Past) -> None:
    """Most are deleted, each in its own time; some fail or time out."""
    removals = {(one.run_id, one.notebook_id): one for one in written(past, Removal)}.values()
    ends = Counter(one.state for one in removals)
    assert ends.keys() >= {State.DELETED, State.FAILED, State.TIMED_OUT}
    assert ends[State.DELETED] > 60
    took = {
        one.ended_at - one.accepted_at for one in removals if one.state is State.DELETED and one.ended_at and one.accepted_at
    }
    assert len(took) > 20


def test_marks_are_told_untold_due_and_cleared(past: Past) -> None:
    """Open marks of each kind are left at the end, and earlier ones were cleared or ended with the notebook."""
    marks = {mark.id: mark for mark in written(past, Mark)}.values()
    still = [mark for mark in marks if mark.open]
    assert any(mark.state is MarkState.TOLD for mark in still)
    assert sum(bool(mark.deadline and mark.deadline < TODAY) for mark in still) > 3
    assert {mark.owner_name for mark in still if mark.untold} >= set(UNKNOWN_OWNERS)
    assert {mark.state for mark in marks} >= {MarkState.REMOVED, MarkState.CLEARED}
    assert {mark.cleared for mark in marks} >= {"used", "exempt"}


def test_an_exemption_ends_within_a_week(past: Past) -> None:
    """There are exemptions in force, one of which ends soon, and some that have ended."""
    exemptions: list[Exemption] = list(written(past, Exemption))
    assert any(TODAY < one.until < TODAY + A_WEEK for one in exemptions)
    assert any(one.until < TODAY for one in exemptions)
    assert {one.granted_as for one in exemptions} == {"administrator", "owner"}


async def test_a_journal_takes_the_past(tmp_path: Path) -> None:
    """The last states are in the journal, its audit trail has a valid chain, and no removal is without its entries."""
    past = await anyio.to_thread.run_sync(play, SEED, TODAY, settings(), FEW_DAYS)
    async with open_journal(f"sqlite:///{tmp_path}/journal.db", Timeouts(commit_every_s=0.0)) as journal:
        await repeat_all(past.writes, journal)
        links = await whole_trail(journal)
        verified = await TrailVerifier(journal.trail).verify()
        runs = await journal.runs(1000)
        marks = await journal.marks.marks(1000)
    assert verified.is_unbroken
    assert sum(each.head.sequence for each in verified.chains) == len(links) > 100
    assert verified.coverage == ()
    assert len(runs) == 2 * FEW_DAYS
    assert {mark.id: mark for mark in marks} == {mark.id: mark for mark in last_marks(past)}


def last_marks(past: Past) -> list[Mark]:
    """Return each mark as it was written last, with the version that the journal gives it."""
    last = {mark.id: mark for mark in written(past, Mark)}
    return [replace(mark, version=mark.version + 1) for mark in last.values()]
