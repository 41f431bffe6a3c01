"""Sweeps record the fleet; what only looks records nothing."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from builders import NOON, ago, fleet, notebook
from nbsweep.core.errors import JournalError, WorkspaceRefused
from nbsweep.core.events.sweep import InventoryRecorded
from nbsweep.core.inventory.model import SurveyRecord
from nbsweep.core.inventory.recording import Changes
from nbsweep.core.model import MalformedRow, Status
from nbsweep.core.runs import Outcome
from nbsweep.documents.past.inventory import state_document
from nbsweep.engine.options import InventoryOptions
from nbsweep.engine.report import Run
from nbsweep.engine.sweep import Sweeper
from nbsweep.testing import Fault
from unit.engine.test_sweep import NO_BRAKES, Approver
from unit.engine.world import AREA, IDENTITY, World, options, virtual_time, world

pytestmark = virtual_time

DRY_RUN = Run("run1", "cron", dry_run=True)
KEEP = InventoryOptions(timedelta(days=400), "c0ffee")


def sweeper(scene: World, inventory: InventoryOptions | None = KEEP) -> Sweeper:
    """Return the sweeper of the world's one target."""
    return Sweeper(AREA, scene.ports, options(inventory=inventory), NO_BRAKES, scene.shutdown)


async def surveys(scene: World) -> tuple[SurveyRecord, ...]:
    """Return all recorded surveys."""
    return await scene.journal.inventory.surveys(NOON - timedelta(days=1), NOON + timedelta(days=1))


async def test_a_dry_run_records_what_its_survey_showed() -> None:
    """It is a survey, too; notebooks in use are recorded as well as idle ones."""
    scene = world(*fleet(2), notebook(3, status=Status.RUNNING))
    report = await sweeper(scene).sweep(DRY_RUN, Approver())
    assert report.outcome is Outcome.DRY_RUN
    [survey] = await surveys(scene)
    expected = SurveyRecord(IDENTITY.project, "research", IDENTITY.extent, NOON, complete=True, fleet=3, config="c0ffee", id=1)
    assert survey == expected
    found = await scene.journal.inventory.states_at(survey)
    assert [(state.notebook_id, state.facts_at(1).notebook.status) for state in found] == [
        ("nb1", Status.STOPPED),
        ("nb2", Status.STOPPED),
        ("nb3", Status.RUNNING),
    ]
    assert scene.telemetry.of(InventoryRecorded) == [InventoryRecorded(1, complete=True, pruned=0)]


async def test_a_notebook_at_rest_is_recorded_with_when_it_was_seen_in_use() -> None:
    """The cloud forgets that; a replay needs it as the survey knew it."""
    scene = world(*fleet(1))
    await scene.journal.sightings.note(IDENTITY.project, ["nb1"], ago(days=3))
    await sweeper(scene).sweep(DRY_RUN, Approver())
    [state] = await scene.journal.inventory.states_of("nb1")
    assert state.facts_at(1).last_active == ago(days=3)


async def test_what_only_looks_records_nothing() -> None:
    """`plan`, `list` and `explain`; nor does a sweep without an inventory."""
    scene = world(*fleet(2))
    await sweeper(scene).plan()
    await sweeper(scene).survey_rows()
    await sweeper(scene).plan_rows()
    await sweeper(scene, None).sweep(DRY_RUN, Approver())
    assert await surveys(scene) == ()


async def test_a_survey_that_is_not_complete_ends_no_state() -> None:
    """A refused workspace may hold what the survey did not show."""
    scene = world(*fleet(2), workspaces=("0", "1"))
    await sweeper(scene).sweep(DRY_RUN, Approver())
    refusal = WorkspaceRefused("not open to this user", code="ModelArts.0112", http_status=403)
    scene.cloud.inject("page", Fault(error=refusal))
    await sweeper(scene).sweep(Run("run2", "cron", dry_run=True), Approver())
    assert [survey.complete for survey in await surveys(scene)] == [True, False]
    [state] = await scene.journal.inventory.states_of("nb1")
    assert state.ended_by is None


async def test_a_notebook_whose_row_cannot_be_read_is_recorded_without_facts() -> None:
    """What was known of it may be outdated: a replay keeps it, as the sweep did, until a row can be read again."""
    scene, row = world(*fleet(2)), MalformedRow("nb1", "experiment-1", "status HIBERNATING is not documented")
    await sweeper(scene).sweep(DRY_RUN, Approver())
    unread = Fault(alter=lambda page: replace(page, rows=(row, *page.rows[1:])))
    for number in (2, 3):
        scene.cloud.inject("page", unread)
        await sweeper(scene).sweep(Run(f"run{number}", "cron", dry_run=True), Approver())
    await sweeper(scene).sweep(Run("run4", "cron", dry_run=True), Approver())
    states = await scene.journal.inventory.states_of("nb1")
    assert [(state.first_survey, state.ended_by) for state in states] == [(1, 2), (2, 4), (4, None)]
    assert [state_document(state).status for state in states] == [Status.STOPPED, None, Status.STOPPED]
    assert all(survey.complete for survey in await surveys(scene))


async def test_a_sweep_fails_if_its_survey_cannot_be_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The journal cannot be written: nothing is deleted either."""
    scene = world(*fleet(2))

    async def fail(_survey: SurveyRecord, _changes: Changes) -> int:
        raise JournalError("The disk is full.")

    monkeypatch.setattr(scene.journal.inventory, "record", fail)
    report = await sweeper(scene).sweep(Run("run1", "cron", dry_run=False), Approver())
    assert report.outcome is Outcome.FAILED
    assert {call.kind for call in scene.cloud.calls} == {"workspaces", "page"}
