from datetime import timedelta

import pytest

from builders import fleet, notebook
from nbsweep.core.errors import AnswerLost, SweepEnding, Unauthorized
from nbsweep.core.events.removal import WalkPage
from nbsweep.core.lifecycle import Removal, State
from nbsweep.core.model import Notebook
from nbsweep.core.pacing import Rate
from nbsweep.engine.options import SurveyFacts, SweepOptions
from nbsweep.testing import Fault, Pace
from unit.engine.world import World, carry_out, options, virtual_time, world

pytestmark = virtual_time


async def walk(scene: World, planned: list[Notebook], how: SweepOptions | None = None) -> dict[str, Removal]:
    """Execute the removal of these notebooks, whose rows the survey saw in this order from the first on."""
    positions = {item.id: place for place, item in enumerate(planned)}
    return await carry_out(scene, how or options(), *planned, facts=SurveyFacts({}, positions))


def looks_before_delete(scene: World) -> list[str]:
    """Return the notebooks that a GET asked for before their DELETE was sent."""
    asked: list[str] = []
    deleted: set[str] = set()
    for line in scene.story:
        what, _, notebook_id = line.partition(" ")
        deleted |= {notebook_id} if what == "delete" else set()
        asked += [notebook_id] if what == "show" and notebook_id not in deleted else []
    return asked


def pages(scene: World) -> list[int]:
    """List the offsets of the pages that the walk has read, in order."""
    return [event.offset for event in scene.telemetry.of(WalkPage)]


async def test_second_looks_are_made_by_page_from_the_last_to_the_first() -> None:
    """120 planned on three pages: three calls instead of 120, and every one is deleted."""
    planned = fleet(120)
    scene = world(*planned, pace=Pace(delete_rate=Rate(50, 1.0)))
    removals = await walk(scene, planned)
    assert pages(scene) == [100, 50, 0]
    assert looks_before_delete(scene) == []
    assert {done.state for done in removals.values()} == {State.DELETED}
    assert len(scene.cloud.accepted) == 120


async def test_whoever_was_used_again_since_the_survey_is_spared_by_the_page_too() -> None:
    """Forty of 400 show newer dates on the page: none of them is deleted, and each says why."""
    planned = fleet(400)
    scene = world(*planned, pace=Pace(delete_rate=Rate(50, 1.0)))
    used = [f"nb{number}" for number in range(5, 405, 10)]
    for notebook_id in used:
        scene.cloud.change(notebook_id, updated_at=scene.clock.now())
    removals = await walk(scene, planned)
    assert {notebook_id for notebook_id, done in removals.items() if done.state is State.SPARED} == set(used)
    assert all(removals[notebook_id].end_reason.startswith("policy idle does not match any more") for notebook_id in used)
    assert sorted(scene.cloud.accepted) == sorted(set(removals) - set(used))


async def test_what_changed_after_its_page_was_read_is_decided_on_facts_of_at_most_fresh_for() -> None:
    """One DELETE a second: a page's facts grow old while they wait, and who waits too long is asked for again."""
    planned = fleet(30)
    scene = world(*planned, pace=Pace(delete_rate=Rate(1, 1.0)))
    page_read_s = scene.clock.steady_s()
    await walk(scene, planned, options(workers=1))
    asked = looks_before_delete(scene)
    assert 15 <= len(asked) <= 25
    for call in scene.cloud.calls:
        if call.kind == "delete" and call.subject not in asked:
            assert call.at_s - page_read_s <= 10


async def test_a_single_planned_notebook_on_a_page_is_asked_for_by_id() -> None:
    """A page would be no cheaper than the question."""
    planned = [notebook(1)]
    scene = world(*planned)
    await walk(scene, planned)
    assert pages(scene) == []
    assert looks_before_delete(scene) == ["nb1"]


async def test_whom_the_walk_did_not_meet_is_asked_for_by_id() -> None:
    """Rows that vanished before them have shifted them to a page that was read already; nobody is left out."""
    planned = fleet(60)
    scene = world(*planned, pace=Pace(delete_rate=Rate(50, 1.0)))
    scene.cloud.vanish("nb3")
    removals = await walk(scene, planned)
    assert removals["nb3"].state is State.SPARED
    assert {done.state for name, done in removals.items() if name != "nb3"} == {State.DELETED}


@pytest.mark.parametrize("left_out", [{"updated_at": None}, {"tags": None}, {"lease": None}])
async def test_a_listing_that_leaves_out_what_rules_ask_for_decides_nothing(left_out: dict[str, None]) -> None:
    """All are asked for by id, and no second page is read in vain."""
    planned = fleet(120)
    scene = world(*planned, pace=Pace(delete_rate=Rate(50, 1.0)))
    scene.cloud.left_out = left_out
    await walk(scene, planned)
    assert pages(scene) == [100]
    assert len(looks_before_delete(scene)) == 120


async def test_a_page_that_cannot_be_read_costs_questions_and_no_notebook() -> None:
    """The client has tried it often enough."""
    planned = fleet(60)
    scene = world(*planned, pace=Pace(delete_rate=Rate(50, 1.0)))
    scene.cloud.inject("page", Fault(AnswerLost("no answer")))
    removals = await walk(scene, planned)
    assert {done.state for done in removals.values()} == {State.DELETED}
    assert len(looks_before_delete(scene)) == 10


async def test_an_account_that_refuses_the_walk_ends_the_sweep_and_nobody_is_left_planned() -> None:
    """The key was withdrawn between survey and walk: all are spared, and the sweep says why."""
    planned = fleet(60)
    scene = world(*planned)
    scene.cloud.inject("page", Fault(Unauthorized("the key was withdrawn")))
    with pytest.raises(SweepEnding):
        await walk(scene, planned)
    assert {done.state for done in (await scene.journaled()).values()} == {State.SPARED}
    assert scene.cloud.sent("delete") == []


async def test_the_walk_stays_just_ahead_of_the_workers() -> None:
    """Two pages are never read at once: the second is asked for a second and a half before the first is used up."""
    planned = fleet(100)
    scene = world(*planned, pace=Pace(delete_rate=Rate(10, 1.0)))
    await walk(scene, planned, options(fresh_for=timedelta(seconds=60)))
    first, second = [call.at_s for call in scene.cloud.calls if call.kind == "page" and not call.subject.endswith("DELETING")][
        :2
    ]
    assert 3.0 <= second - first <= 3.7


async def test_without_positions_everything_is_asked_for_by_id() -> None:
    """As for removals that no survey of this run has seen."""
    planned = fleet(5)
    scene = world(*planned)
    await carry_out(scene, options(), *planned)
    assert pages(scene) == []
    assert len(looks_before_delete(scene)) == 5
