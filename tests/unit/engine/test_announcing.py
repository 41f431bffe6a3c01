"""Sweeps that make, confirm, clear and end marks: what is in the journal afterwards, and what was deleted."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from fractions import Fraction
from typing import Any

import pytest
from msgspec.structs import replace

from builders import NOON, ago, announcing, exemption, fleet, notebook, over, policy, text, told_mark
from builders import mark as plain_mark
from nbsweep.core.errors import JournalError, MarksChanged, WorkspaceRefused
from nbsweep.core.events.marks import MarkCleared, MarkMade, MarksMade, MarksRefused
from nbsweep.core.judging.rules import Policy, Running
from nbsweep.core.marks.grace import Grace
from nbsweep.core.marks.model import ClearCause, Mark, MarkState, note_untold, tell
from nbsweep.core.model import Notebook, Status
from nbsweep.core.notices.outbox import Item, ItemKind
from nbsweep.core.planning.brakes import Brakes, OnExcess
from nbsweep.core.planning.plan import Candidate, Plan
from nbsweep.core.reasons.language import Language
from nbsweep.core.reasons.render import render_action
from nbsweep.core.report import Report
from nbsweep.core.runs import Outcome
from nbsweep.core.saved_plan.build import saved_target
from nbsweep.core.selection import Selection
from nbsweep.engine.report import Run
from nbsweep.engine.saved_plan import PlanConstraint
from nbsweep.engine.survey import Area
from nbsweep.engine.sweep import Sweeper
from nbsweep.testing import Call, Fault
from unit.engine.world import AREA, IDENTITY, World, approve, options, virtual_time, world

pytestmark = virtual_time

FREE = Brakes(None, None, None, max_fleet_drop=None)
WEEK = announcing(over("age", days=1))
TWICE = announcing(grace=Grace(timedelta(days=7), surveys=2))
ENFORCE, DRY_RUN = Run("run1", "cron", dry_run=False), Run("run1", "cron", dry_run=True)
SECOND = timedelta(seconds=1)


def of_project(one: Mark) -> Mark:
    """Return a mark of the world's project that is not in the journal yet."""
    return replace(one, project=IDENTITY.project, version=0)


def mark(number: int = 1, /, **changes: Any) -> Mark:
    """Return a mark that nobody was told of."""
    return of_project(plain_mark(number, **changes))


def due_mark(number: int = 1, /, **changes: Any) -> Mark:
    """Return a mark whose grace has passed."""
    return of_project(told_mark(number, **changes))


async def marked(*marks: Mark, rows: Sequence[Notebook] | None = None) -> World:
    """Return a world with these marks, and with their notebooks or with others."""
    scene = world(*(fleet(len(marks)) if rows is None else rows))
    await scene.journal.marks.write(marks)
    return scene


def sweeper(scene: World, *policies: Policy, brakes: Brakes = FREE, area: Area = AREA, **how: Any) -> Sweeper:
    """Return the sweeper of a target, by default with `WEEK`."""
    return Sweeper(area, scene.ports, options(*(policies or (WEEK,)), **how), brakes, scene.shutdown)


async def sweep(scene: World, *policies: Policy, run: Run = ENFORCE, **more: Any) -> Report:
    """Sweep once."""
    report = await sweeper(scene, *policies, **more).sweep(run, approve)
    scene.check_story()
    return report


async def marks_of(scene: World) -> dict[str, Mark]:
    """Return the latest mark of each notebook."""
    return {one.notebook_id: one for one in reversed(await scene.journal.marks.marks(100))}


async def causes(scene: World) -> dict[str, ClearCause | None]:
    """Return why marks were cleared."""
    return {key: one.cleared for key, one in (await marks_of(scene)).items() if not one.open}


async def items(scene: World) -> list[tuple[str, ItemKind]]:
    """Return what waits to be told, by notebook."""
    found = await scene.journal.outbox.waiting(NOON + timedelta(days=900), 100)
    return sorted((each.mark.notebook_id, each.item.kind) for each in found)


def deleted(scene: World) -> list[str]:
    """Return the notebooks for which a DELETE was sent."""
    return scene.cloud.sent("delete")


async def pass_time(**time: float) -> None:
    """Let virtual time pass until the next sweep."""
    await asyncio.sleep(timedelta(**time).total_seconds())


def again(number: int) -> Run:
    """Return a later run."""
    return replace(ENFORCE, run_id=f"run{number}")


# ---- what a sweep writes --------------------------------------------------------------------------------------------------


async def test_a_sweep_marks_and_the_second_one_announces() -> None:
    """With `surveys: 2`; each step is an event, and the new mark knows how the notebook is kept."""
    scene = world(notebook())
    assert (await sweep(scene, TWICE)).outcome is Outcome.FINISHED
    (made,) = (await marks_of(scene)).values()
    assert (made.state, made.surveys, made.project, made.target) == (MarkState.MARKED, 1, IDENTITY.project, "research")
    assert made.reason == "policy old: age 200d (over 1d)"
    words = [render_action(each, Language.ENGLISH) for each in made.remedies]
    assert words == [
        "give it the tag keep, with any value",
        "rename it so that its name fits keep-*, as keep-experiment-1 does",
    ]
    assert await items(scene) == []
    await pass_time(hours=1)
    await sweep(scene, TWICE, run=again(2))
    assert (await marks_of(scene))["nb1"].surveys == 2
    assert await items(scene) == [("nb1", ItemKind.ANNOUNCE)]
    assert [event.notebook_id for event in scene.telemetry.of(MarkMade)] == ["nb1"]
    assert [(event.new, event.open) for event in scene.telemetry.of(MarksMade)] == [(1, 1), (0, 1)]
    assert deleted(scene) == []


async def test_what_is_due_goes_and_its_mark_ends_with_it() -> None:
    """In the same sweep; who was told gets a summary, and no reminder."""
    scene = await marked(due_mark(1), due_mark(2, deadline=NOON + SECOND))
    reminder = Item("r", ItemKind.REMIND, "mark1", "owner", NOON + timedelta(days=1))
    await scene.journal.marks.write([], [reminder])
    await sweep(scene)
    assert deleted(scene) == ["nb1"]
    ended = (await marks_of(scene))["nb1"]
    assert (ended.state, ended.run_id) == (MarkState.REMOVED, "run1")
    assert (await marks_of(scene))["nb2"].state is MarkState.TOLD
    assert await items(scene) == [("nb1", ItemKind.DELETED)]


async def test_a_cleared_mark_tells_who_was_told_and_drops_what_waits() -> None:
    """Nobody else hears of it."""
    scene = await marked(due_mark(1), mark(2), rows=[notebook(number, status=Status.RUNNING) for number in (1, 2)])
    waiting = [Item(f"i{number}", ItemKind.ANNOUNCE, f"mark{number}", "owner", NOON) for number in (1, 2)]
    await scene.journal.marks.write([], waiting)
    await sweep(scene)
    assert await causes(scene) == {"nb1": ClearCause.USED, "nb2": ClearCause.USED}
    assert await items(scene) == [("nb1", ItemKind.CLEARED)]
    assert [(event.notebook_id, event.told) for event in scene.telemetry.of(MarkCleared)] == [("nb1", True), ("nb2", False)]
    assert [(event.new, event.cleared, event.open) for event in scene.telemetry.of(MarksMade)] == [(0, 2, 0)]


async def test_brakes_bind_when_marking_and_say_so() -> None:
    """Refused as a whole, or the longest idle first; a limit leaves the others for later."""
    rows = [notebook(number, updated_at=ago(days=30 + number), lease=None) for number in (1, 2, 3, 4)]
    refused = world(*rows)
    await sweep(refused, brakes=Brakes(max_deletions=3, max_share=None))
    assert await marks_of(refused) == {}
    assert [event.brake for event in refused.telemetry.of(MarksRefused)] == ["max_deletions"]
    assert [(event.new, event.waiting) for event in refused.telemetry.of(MarksMade)] == [(0, 4)]
    trimmed = world(*rows)
    await sweep(trimmed, brakes=Brakes(3, None, on_excess=OnExcess.TRIM), max_new_marks=2)
    assert (await marks_of(trimmed)).keys() == {"nb4", "nb3"}


async def test_brakes_bind_again_when_deleting() -> None:
    """Marks were made by many sweeps, or under other brakes; their grace passes on one day."""
    scene = await marked(*(due_mark(number) for number in (1, 2, 3)))
    report = await sweep(scene, brakes=Brakes(max_deletions=2, max_share=None))
    assert (report.outcome, deleted(scene)) == (Outcome.REFUSED, [])
    assert all(one.state is MarkState.TOLD for one in (await marks_of(scene)).values())


# ---- sweeps that may not write --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("brakes", [FREE, Brakes(max_deletions=0, max_share=None)])
async def test_a_dry_run_writes_nothing(brakes: Brakes) -> None:
    """Also if a brake refuses its plan: no mark is made, cleared or confirmed, and nobody is told."""
    rows = [notebook(1), notebook(2, status=Status.RUNNING), notebook(3), notebook(4)]
    before = [due_mark(1), due_mark(2), mark(3)]
    scene = await marked(*before, rows=rows)
    stored = await marks_of(scene)
    await sweep(scene, run=DRY_RUN, brakes=brakes)
    assert await marks_of(scene) == stored
    assert await items(scene) == []
    assert scene.telemetry.of(MarkCleared) == []


async def test_a_plan_that_a_person_declines_marks_nothing() -> None:
    """They were asked, though nothing would be deleted yet."""
    scene = world(notebook())
    asked: list[Candidate] = []

    async def decline(plan: Plan, _spared: object) -> bool:
        asked.extend(plan.to_mark)
        return False

    report = await sweeper(scene).sweep(ENFORCE, decline)
    assert (report.outcome, len(asked), await marks_of(scene)) == (Outcome.DECLINED, 1, {})


async def test_a_refused_plan_clears_what_it_sees_and_does_no_more() -> None:
    """The clock is an hour ahead: what was used was used, and what is missing may be there."""
    rows = [notebook(1), notebook(2, status=Status.RUNNING), notebook(5)]
    scene = await marked(mark(1, surveys=5), due_mark(2), due_mark(3), rows=rows)
    scene.clock.jump(3600)
    report = await sweep(scene)
    assert report.outcome is Outcome.REFUSED
    after = await marks_of(scene)
    assert after.keys() == {"nb1", "nb2", "nb3"}
    assert await causes(scene) == {"nb2": ClearCause.USED}
    assert (after["nb1"].surveys, await items(scene)) == (5, [("nb2", ItemKind.CLEARED)])


async def test_a_fleet_that_has_fallen_ends_no_marks() -> None:
    """Most notebooks are hidden, as by a permission that was lost."""
    scene = await marked(*(mark(number) for number in range(1, 13)))
    await sweep(scene, run=replace(DRY_RUN, run_id="run0"))
    for number in range(2, 13):
        scene.cloud.vanish(f"nb{number}")
    await pass_time(minutes=1)
    report = await sweep(scene, brakes=replace(FREE, max_fleet_drop=Fraction(1, 2)))
    assert (report.outcome, await causes(scene)) == (Outcome.REFUSED, {})


async def test_a_workspace_that_cannot_be_listed_ends_no_marks() -> None:
    """Its notebooks are not seen, and the others are not marked."""
    scene = world(notebook(1), notebook(2, workspace_id="ws1"), workspaces=("0", "ws1"))
    await scene.journal.marks.write([mark(2, workspace_id="ws1")])
    refusal = WorkspaceRefused("not open to this user", code="ModelArts.0112", http_status=403)
    scene.cloud.inject("page", Fault(refusal), notebook_id="ws1/NOTEBOOK/0")
    await sweep(scene)
    assert await causes(scene) == {}
    assert (await marks_of(scene)).keys() == {"nb2"}


@pytest.mark.parametrize("broken", ["marks", "exemptions"])
@pytest.mark.parametrize("plain", [WEEK, policy(over("age", days=1))])
async def test_what_cannot_be_read_deletes_nothing(broken: str, plain: Policy, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither what is due, nor what no policy announces."""
    scene = await marked(due_mark())

    async def fail(*_: Any) -> Any:
        raise JournalError("the journal is locked")

    part, read = (scene.journal.marks, "open_marks") if broken == "marks" else (scene.journal.exemptions, "in_force")
    monkeypatch.setattr(part, read, fail)
    report = await sweep(scene, plain)
    assert (report.outcome, deleted(scene)) == (Outcome.FAILED, [])


async def test_marks_that_cannot_be_written_stop_the_sweep(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is deleted."""
    scene = await marked(due_mark(1), rows=fleet(2))

    async def fail(*_: Any, **__: Any) -> None:
        raise JournalError("the disk is full")

    monkeypatch.setattr(scene.journal.marks, "write", fail)
    report = await sweep(scene)
    assert (report.outcome, deleted(scene)) == (Outcome.FAILED, [])


# ---- other processes ------------------------------------------------------------------------------------------------------


def between(scene: World, monkeypatch: pytest.MonkeyPatch, act: Callable[[], Awaitable[object]], *, write: int = 1) -> None:
    """Let another process act right before the survey's `write`-th write of marks."""
    plain, writes = scene.journal.marks.write, 0

    async def raced(marks: Sequence[Mark], items: Sequence[Item] = (), dropped: str = "") -> None:
        nonlocal writes
        writes += 1
        if writes == write:
            monkeypatch.setattr(scene.journal.marks, "write", plain)
            await act()
        await plain(marks, items, dropped)

    monkeypatch.setattr(scene.journal.marks, "write", raced)


async def test_a_relay_that_tells_an_owner_meanwhile_is_not_undone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The survey reads the marks again; what it confirms counts once, and each event comes once."""
    rows = [notebook(1), notebook(2), notebook(3, status=Status.RUNNING), notebook(4)]
    scene = await marked(mark(1, surveys=5), mark(2), due_mark(3), rows=rows)

    async def relay() -> None:
        one = await scene.journal.marks.mark("mark1")
        assert one is not None
        told = replace(tell(one, NOON, "mail", clock_verified=True), deadline=NOON + timedelta(days=7))
        await scene.journal.marks.write([told])

    # The first write ends marks, and the second one confirms them.
    between(scene, monkeypatch, relay, write=2)
    await sweep(scene, TWICE)
    after = await marks_of(scene)
    assert (after["nb1"].state, after["nb1"].surveys, after["nb1"].told_at) == (MarkState.TOLD, 5, NOON)
    assert (after["nb2"].surveys, after["nb4"].surveys) == (2, 1)
    assert await items(scene) == [("nb2", ItemKind.ANNOUNCE), ("nb3", ItemKind.CLEARED)]
    assert [event.notebook_id for event in scene.telemetry.of(MarkMade)] == ["nb4"]
    assert [event.notebook_id for event in scene.telemetry.of(MarkCleared)] == ["nb3"]
    assert [(event.new, event.cleared, event.open) for event in scene.telemetry.of(MarksMade)] == [(1, 1, 3)]


async def test_a_mark_that_another_process_makes_meanwhile_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """The survey did not look for its row, so that its notebook is not gone."""
    scene = await marked(mark(1), rows=[notebook(1), notebook(2, name="keep-me")])

    async def other() -> None:
        one = await scene.journal.marks.mark("mark1")
        assert one is not None
        await scene.journal.marks.write([note_untold(one, "no address", NOON), mark(2)])

    between(scene, monkeypatch, other)
    await sweep(scene)
    after = await marks_of(scene)
    assert (after["nb2"].state, after["nb1"].untold, after["nb1"].surveys) == (MarkState.MARKED, "no address", 2)


async def test_a_clearing_that_comes_between_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another target of the project has seen it in use; nothing is confirmed, and nothing is told twice."""
    scene = await marked(mark(1, surveys=5))

    async def other() -> None:
        one = await scene.journal.marks.mark("mark1")
        assert one is not None
        await scene.journal.marks.write([replace(one, state=MarkState.CLEARED, cleared=ClearCause.USED, ended_at=NOON)])

    between(scene, monkeypatch, other)
    await sweep(scene, TWICE)
    (latest, first) = await scene.journal.marks.marks_of("nb1")
    assert (first.cleared, latest.state, latest.surveys) == (ClearCause.USED, MarkState.MARKED, 1)
    assert await items(scene) == []


async def test_marks_that_change_all_the_time_stop_the_sweep(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is deleted; five attempts are enough."""
    scene, attempts = await marked(due_mark(1), rows=fleet(2)), []

    async def never(*marks: Any, **_: Any) -> None:
        attempts.append(marks)
        raise MarksChanged("another process")

    monkeypatch.setattr(scene.journal.marks, "write", never)
    report = await sweep(scene)
    assert (report.outcome, len(attempts), deleted(scene)) == (Outcome.FAILED, 5, [])


async def test_a_removal_whose_mark_was_written_meanwhile_is_told_by_the_next_sweep(monkeypatch: pytest.MonkeyPatch) -> None:
    """A relay has sent a reminder while the notebook was deleted."""
    scene = await marked(due_mark())

    async def relay() -> None:
        one = await scene.journal.marks.mark("mark1")
        assert one is not None
        await scene.journal.marks.write([replace(one, untold="")])

    between(scene, monkeypatch, relay)
    await sweep(scene)
    assert ((await marks_of(scene))["nb1"].state, deleted(scene)) == (MarkState.TOLD, ["nb1"])
    await pass_time(hours=1)
    await sweep(scene, run=again(2))
    ended = (await marks_of(scene))["nb1"]
    assert (ended.state, ended.run_id, await items(scene)) == (MarkState.REMOVED, "run1", [("nb1", ItemKind.DELETED)])


# ---- between the survey and the DELETE --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        {"status": Status.RUNNING},
        {"updated_at": NOON},
        {"name": "keep-it"},
        {"tags": {"keep": "yes"}},
        {"created_at": ago(days=2)},
    ],
)
async def test_who_comes_back_right_before_the_call_keeps_the_notebook(change: dict[str, Any]) -> None:
    """The second look sees it, though the grace has passed."""
    scene = await marked(due_mark())

    def use(call: Call) -> None:
        if call.kind == "show":
            scene.cloud.change("nb1", **change)

    scene.cloud.on_call = use
    report = await sweep(scene)
    assert (deleted(scene), dict(report.counts)) == ([], {"spared": 1})


# ---- what a listing leaves out ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("left_out", [{"created_at": None}, {"updated_at": None}, {"lease": None}])
async def test_what_a_listing_leaves_out_is_asked_for_before_a_mark_and_before_a_deletion(left_out: dict[str, None]) -> None:
    """One call for each notebook, and the mark has the facts of its answer."""
    by_name = announcing(text("name", "exp*"))
    scene = await marked(due_mark(1), rows=fleet(2))
    scene.cloud.left_out = left_out
    await sweep(scene, by_name)
    assert deleted(scene) == ["nb1"]
    made = (await marks_of(scene))["nb2"]
    assert (made.notebook_created_at, made.updated_at) == (notebook(2).created_at, notebook(2).updated_at)
    assert made.lease_updated_at == ago(days=100)


async def test_a_use_that_only_the_answer_shows_clears() -> None:
    """The listing leaves out the date."""
    scene = await marked(due_mark(), rows=[notebook(updated_at=ago(days=2))])
    scene.cloud.left_out = {"updated_at": None}
    await sweep(scene)
    assert (deleted(scene), await causes(scene)) == ([], {"nb1": ClearCause.USED})


# ---- own orders -----------------------------------------------------------------------------------------------------------


async def test_a_deletion_that_fails_is_tried_again_without_a_new_notice() -> None:
    """By the same sweep, and by the next one: our own failure is no sign of use."""
    selects = announcing(text("status", "STOPPED", "DELETE_FAILED"))
    scene = await marked(due_mark())
    scene.cloud.inject("delete", Fault(ends_in=Status.DELETE_FAILED), Fault(ends_in=Status.DELETE_FAILED))
    report = await sweep(scene, selects, cool_down=None)
    assert (deleted(scene), dict(report.counts)) == (["nb1", "nb1"], {"failed": 1})
    assert (await marks_of(scene))["nb1"].state is MarkState.TOLD
    await pass_time(hours=1)
    await sweep(scene, selects, run=again(2), cool_down=None)
    assert deleted(scene) == ["nb1"] * 3
    assert ((await marks_of(scene))["nb1"].state, await items(scene)) == (MarkState.REMOVED, [("nb1", ItemKind.DELETED)])


async def test_a_deletion_that_is_tried_again_still_needs_its_mark() -> None:
    """Somebody renews the lease after the first failure."""
    scene = await marked(due_mark())
    scene.cloud.inject("delete", Fault(ends_in=Status.DELETE_FAILED))
    shown = notebook().lease
    assert shown is not None
    scene.cloud.at(21, lambda: scene.cloud.change("nb1", lease=replace(shown, updated_at=NOON + SECOND)))
    await sweep(scene)
    assert deleted(scene) == ["nb1"]


async def test_what_runs_is_stopped_and_deleted_when_it_is_due() -> None:
    """Our own stop is no sign of use; before the deadline it is not stopped either."""
    stops = announcing(running=Running.STOP)
    rows = [notebook(number, status=Status.RUNNING) for number in (1, 2)]
    scene = await marked(
        due_mark(1, status=Status.RUNNING), due_mark(2, status=Status.RUNNING, deadline=NOON + timedelta(days=1)), rows=rows
    )
    await sweep(scene, stops)
    assert (scene.cloud.sent("stop"), deleted(scene)) == (["nb1"], ["nb1"])
    assert {key: one.state for key, one in (await marks_of(scene)).items()} == {
        "nb1": MarkState.REMOVED,
        "nb2": MarkState.TOLD,
    }


# ---- edited policies ------------------------------------------------------------------------------------------------------


async def test_a_grace_that_is_removed_waits_for_the_deadline_that_was_told() -> None:
    """Then it deletes, and the owner gets the summary; at no time they read that it will not be deleted."""
    plain = policy(over("age", days=1))
    scene = await marked(due_mark(deadline=NOON + timedelta(days=3)))
    await sweep(scene, plain)
    assert (deleted(scene), await items(scene)) == ([], [])
    await pass_time(days=3)
    await sweep(scene, plain, run=again(2))
    assert (deleted(scene), await items(scene)) == (["nb1"], [("nb1", ItemKind.DELETED)])
    assert (await marks_of(scene))["nb1"].state is MarkState.REMOVED


async def test_an_edited_policy_tells_anew_and_keeps_the_later_deadline() -> None:
    """The first sweep clears, without a word, and the second one marks with the deadline that the owner has."""
    promised = NOON + timedelta(days=60)
    edited = announcing(over("age", days=2), digest="d2")
    scene = await marked(due_mark(deadline=promised))
    await sweep(scene, edited)
    assert (await causes(scene), await items(scene)) == ({"nb1": ClearCause.POLICY_CHANGED}, [])
    await pass_time(hours=1)
    await sweep(scene, edited, run=again(2))
    made = (await marks_of(scene))["nb1"]
    assert (made.state, made.policy_digest, made.deadline) == (MarkState.MARKED, "d2", promised)
    assert await items(scene) == [("nb1", ItemKind.ANNOUNCE)]


async def test_who_used_it_since_does_not_get_an_earlier_deadline() -> None:
    """They may have read the first one, and not that the deletion was called off."""
    promised = NOON + timedelta(days=60)
    scene = await marked(due_mark(deadline=promised, state=MarkState.CLEARED, cleared=ClearCause.USED, ended_at=NOON))
    await sweep(scene)
    made = (await marks_of(scene))["nb1"]
    assert (made.state, made.deadline) == (MarkState.MARKED, promised)


# ---- a part of the rules, and saved plans -----------------------------------------------------------------------------------


async def test_a_command_for_other_policies_leaves_marks_alone() -> None:
    """It marks nothing, deletes nothing and clears nothing of them; what is gone is gone."""
    other = announcing(text("name", "other-*"), name="other")
    scene = await marked(due_mark(1), mark(2, surveys=5), due_mark(4), rows=fleet(3))
    how = sweeper(scene, WEEK, other)
    how.options = replace(how.options, rules=replace(how.options.rules, selection=Selection(("other",))))
    await how.sweep(ENFORCE, approve)
    assert deleted(scene) == []
    assert await causes(scene) == {"nb4": ClearCause.GONE}
    assert (await marks_of(scene)).keys() == {"nb1", "nb2", "nb4"}
    assert (await marks_of(scene))["nb2"].surveys == 5


async def test_a_saved_plan_deletes_what_is_due_and_marks_nothing() -> None:
    """A plan permits deletions, and no announcements; what was used since is spared."""
    scene = await marked(due_mark(1), due_mark(2), rows=fleet(3))
    plan = await sweeper(scene).plan()
    permit = PlanConstraint("p.json", "p1", NOON + timedelta(days=1), saved_target(plan, IDENTITY))
    assert len(permit.ids) == 2
    scene.cloud.change("nb2", status=Status.RUNNING)
    held = sweeper(scene)
    held.permit = permit
    report = await held.sweep(ENFORCE, approve)
    assert (deleted(scene), dict(report.counts)) == (["nb1"], {"deleted": 1, "spared": 1})
    assert (await marks_of(scene)).keys() == {"nb1", "nb2"}
    assert await causes(scene) == {"nb1": None, "nb2": ClearCause.USED}


# ---- two targets of one project ---------------------------------------------------------------------------------------------


async def test_two_targets_of_a_project_end_only_the_marks_of_their_own_workspaces() -> None:
    """Both surveys are complete, and neither shows the notebooks of the other."""
    scene = world(notebook(1), notebook(2, workspace_id="ws1"), workspaces=("0", "ws1"))
    areas = [Area("one", ("0",), ("NOTEBOOK",)), Area("two", ("ws1",), ("NOTEBOOK",))]
    for number, area in enumerate(areas, 1):
        await sweep(scene, area=area, run=again(number))
    await pass_time(hours=1)
    for number, area in enumerate(areas, 3):
        await sweep(scene, area=area, run=again(number))
    found = await marks_of(scene)
    assert {key: (one.target, one.surveys) for key, one in found.items()} == {"nb1": ("one", 2), "nb2": ("two", 2)}


# ---- exemptions -----------------------------------------------------------------------------------------------------------


async def test_an_exemption_clears_the_mark_and_after_its_end_everything_begins_anew() -> None:
    """The owner hears that it stays, and then of a new deadline."""
    scene = await marked(due_mark())
    await scene.journal.exemptions.grant(exemption(until=NOON + timedelta(days=1)))
    await sweep(scene)
    assert (deleted(scene), await causes(scene)) == ([], {"nb1": ClearCause.EXEMPT})
    assert await items(scene) == [("nb1", ItemKind.CLEARED)]
    await pass_time(days=1)
    await sweep(scene, run=again(2))
    assert ((await marks_of(scene))["nb1"].state, deleted(scene)) == (MarkState.MARKED, [])


@pytest.mark.parametrize(("target", "kept"), [("", True), ("research", True), ("other", False)])
async def test_an_exemption_may_be_for_one_target(target: str, *, kept: bool) -> None:
    """That of another target keeps nothing here."""
    scene = await marked(due_mark())
    await scene.journal.exemptions.grant(exemption(owner="ALICE", target=target))
    await sweep(scene)
    assert (deleted(scene) == []) is kept
