import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta

import anyio
import pytest
from msgspec.structs import replace

from builders import NOON, fleet, notebook, removal
from nbsweep.core import lifecycle
from nbsweep.core.errors import AnswerLost, MalformedAnswer, Unauthorized
from nbsweep.core.events.removal import PollFailed, PollTick, SnapshotFlawed
from nbsweep.core.lifecycle import Removal, State, Step
from nbsweep.core.model import Notebook, Page, Status
from nbsweep.engine.removing.poller import Poller
from nbsweep.testing import NO_FAULT, Fault, Pace
from unit.engine.world import FOR_EVER_S, POLLING, World, virtual_time, world

pytestmark = virtual_time


@dataclass
class Told:
    """What a poller has reported."""

    steps: list[tuple[str, Step]] = field(default_factory=list)

    async def report(self, gone: Removal, step: Step, _seen: Notebook | None) -> None:
        """Take a report."""
        self.steps.append((gone.notebook_id, step))


def accepted(number: int = 1, state: State = State.ACCEPTED) -> Removal:
    """Return a removal whose DELETE was accepted just now."""
    requested = lifecycle.request(removal(number), NOON, timedelta(minutes=30))
    return lifecycle.accept(requested, NOON) if state is State.ACCEPTED else requested


def poller(scene: World, told: Told, *removals: Removal) -> Poller:
    """Return a poller that follows these."""
    made = Poller(scene.ports, POLLING, told.report)
    for one in removals:
        made.follow(one)
    return made


def deleting(count: int) -> World:
    """Return a world with so many notebooks that are being deleted."""
    return world(*fleet(count, status=Status.DELETING))


@asynccontextmanager
async def at_work(busy: Poller) -> AsyncIterator[None]:
    """Let a poller run."""
    async with anyio.create_task_group() as group:
        group.start_soon(busy.run)
        yield
        group.cancel_scope.cancel()


# ---- one tick -------------------------------------------------------------------------------------------------------------


async def test_one_listing_serves_many() -> None:
    """Forty deletions under way: one call, for one page of what is DELETING."""
    scene, told = deleting(40), Told()
    ended = await poller(scene, told, *map(accepted, range(1, 41))).tick()
    assert [(call.kind, call.subject) for call in scene.cloud.calls] == [("page", "0/NOTEBOOK/0/DELETING")]
    assert (ended, told.steps) == (0, [])


async def test_a_page_of_the_whole_listing_proves_what_the_page_of_deleting_hints_at() -> None:
    """Two of five are gone: the second page shows the whole listing without them, and nobody is asked for."""
    scene, told = deleting(5), Told()
    following = poller(scene, told, *map(accepted, range(1, 6)))
    scene.cloud.vanish("nb2")
    scene.cloud.vanish("nb4")
    await asyncio.sleep(5)
    assert await following.tick() == 2
    assert scene.cloud.sent("page") == ["0/NOTEBOOK/0/DELETING", "0/NOTEBOOK/0"]
    assert scene.cloud.sent("show") == []
    assert sorted(told.steps) == [("nb2", Step.GONE), ("nb4", Step.GONE)]
    assert set(following.following) == {"nb1", "nb3", "nb5"}


async def test_few_that_are_missing_from_a_large_listing_are_asked_for() -> None:
    """One of forty is gone, and three hundred other notebooks are there: one question costs less than seven pages."""
    others = [notebook(number) for number in range(100, 400)]
    scene, told = world(*fleet(40, status=Status.DELETING), *others), Told()
    following = poller(scene, told, *map(accepted, range(1, 41)))
    scene.cloud.vanish("nb7")
    await asyncio.sleep(5)
    assert await following.tick() == 1
    assert (scene.cloud.sent("page"), scene.cloud.sent("show")) == (["0/NOTEBOOK/0/DELETING"], ["nb7"])
    assert told.steps == [("nb7", Step.GONE)]


async def test_many_that_are_missing_are_proven_gone_by_one_snapshot() -> None:
    """A hundred of two hundred are gone: a page of DELETING, and three of the listing that is left."""
    scene, told = deleting(200), Told()
    following = poller(scene, told, *map(accepted, range(1, 201)))
    for number in range(1, 201, 2):
        scene.cloud.vanish(f"nb{number}")
    await asyncio.sleep(60)
    assert await following.tick() == 100
    assert scene.cloud.sent("page") == ["0/NOTEBOOK/0/DELETING", *(f"0/NOTEBOOK/{offset}" for offset in (0, 45, 90))]
    assert scene.cloud.sent("show") == []
    assert {step for _, step in told.steps} == {Step.GONE}


async def test_a_snapshot_does_not_overrule_the_page_of_the_same_tick() -> None:
    """The listing hides what is DELETING, and the page of DELETING shows it: nobody of the sixty is called gone."""
    scene, told = deleting(60), Told()
    scene.cloud.unlisted = frozenset({Status.DELETING})
    following = poller(scene, told, *map(accepted, range(1, 61)))
    scene.cloud.change("nb7", status=Status.DELETE_FAILED)
    scene.cloud.vanish("nb8")
    await asyncio.sleep(60)
    await following.tick()
    await following.tick()
    assert sorted(told.steps) == [("nb7", Step.FAILED), ("nb8", Step.GONE)]
    assert len(following.following) == 58


async def test_absence_proves_nothing_where_no_listing_has_shown_what_is_deleting() -> None:
    """Neither the filter nor the listing shows DELETING: each of forty is asked for by id, and two are really gone."""
    scene, told = deleting(40), Told()
    scene.cloud.unlisted = frozenset({Status.DELETING})
    scene.cloud.inject("page", Fault(alter=lambda _: Page((), 0, oldest_first=True)))
    following = poller(scene, told, *map(accepted, range(1, 41)))
    scene.cloud.vanish("nb3")
    scene.cloud.vanish("nb4")
    await asyncio.sleep(60)
    assert await following.tick() == 2
    assert sorted(told.steps) == [("nb3", Step.GONE), ("nb4", Step.GONE)]
    assert len(scene.cloud.sent("show")) == 40


async def test_without_a_sorted_listing_the_missing_are_asked_for() -> None:
    """The cloud sorts nothing: that is learned once, and from then on questions are the only proof."""
    scene, told = deleting(200), Told()
    following = poller(scene, told, *map(accepted, range(1, 201)))
    scene.cloud.inject("page", *[Fault(alter=lambda page: replace(page, oldest_first=False))] * 20)
    for number in range(1, 101):
        scene.cloud.vanish(f"nb{number}")
    await asyncio.sleep(60)
    assert await following.tick() == 100
    assert scene.cloud.sent("page")[:2] == ["0/NOTEBOOK/0/DELETING", "0/NOTEBOOK/0"]
    assert [flawed.flaw for flawed in scene.telemetry.of(SnapshotFlawed)] == ["the cloud does not sort it"]
    assert len(scene.cloud.sent("show")) == 100
    scene.cloud.vanish("nb150")
    await asyncio.sleep(60)
    assert await following.tick() == 1
    assert [page for page in scene.cloud.sent("page")[3:] if "DELETING" not in page] == []


async def test_looking_waits_while_deletes_are_leaving() -> None:
    """After two hundred DELETEs a look may cost four calls: one of five has to wait until no more of them leave."""
    scene, told = deleting(200), Told()
    following = poller(scene, told, *map(accepted, range(1, 201)))
    for number in range(1, 6):
        scene.cloud.vanish(f"nb{number}")
    await asyncio.sleep(5)
    assert await following.tick() == 0
    assert scene.cloud.sent("page") == ["0/NOTEBOOK/0/DELETING"]
    await asyncio.sleep(5)
    assert await following.tick() == 5


async def test_deletions_of_others_hide_an_end_for_no_longer_than_the_longest_interval() -> None:
    """One of sixty has ended, and others delete three: the number says nothing, so after 30 s all is read."""
    strangers = [notebook(number, status=Status.DELETING) for number in range(500, 503)]
    scene, told = world(*fleet(60, status=Status.DELETING), *strangers), Told()
    following = poller(scene, told, *map(accepted, range(1, 61)))
    scene.cloud.vanish("nb5")
    await asyncio.sleep(20)
    assert await following.tick() == 0
    await asyncio.sleep(31)
    assert await following.tick() == 1


async def test_who_is_out_of_time_is_asked_for_by_id() -> None:
    """A page shows sixty at work; the one whose deadline has passed gets a look of its own, and its end."""
    scene, told = deleting(60), Told()
    late = replace(accepted(60), deadline=NOON + timedelta(seconds=1))
    following = poller(scene, told, *map(accepted, range(1, 60)), late)
    await asyncio.sleep(5)
    assert await following.tick() == 1
    assert (scene.cloud.sent("show"), told.steps) == (["nb60"], [("nb60", Step.TIMED_OUT)])


async def test_a_single_one_is_asked_for_without_a_listing() -> None:
    """A page would cost no less."""
    scene, told = deleting(1), Told()
    await poller(scene, told, accepted()).tick()
    assert [(call.kind, call.subject) for call in scene.cloud.calls] == [("show", "nb1")]


async def test_absence_from_a_page_is_no_proof() -> None:
    """The page of DELETING comes back empty though everything is still there: the listing shows it, and none has ended."""
    scene, told = deleting(3), Told()
    scene.cloud.inject("page", Fault(alter=lambda _: Page((), 0)))
    following = poller(scene, told, *map(accepted, (1, 2, 3)))
    await asyncio.sleep(5)
    assert await following.tick() == 0
    assert (scene.cloud.sent("page"), told.steps) == (["0/NOTEBOOK/0/DELETING", "0/NOTEBOOK/0"], [])


async def test_a_row_that_is_not_deleting_counts_for_nothing_on_a_page_of_what_is() -> None:
    """A cloud that ignores the filter shows others too; the whole listing is what shows their state."""
    scene, told = world(*fleet(2, status=Status.DELETE_FAILED)), Told()
    rows = Page(tuple(fleet(2, status=Status.DELETE_FAILED)), 2)
    scene.cloud.inject("page", Fault(alter=lambda _: rows))
    later = replace(accepted(1), saw_deleting=True), replace(accepted(2), saw_deleting=True)
    following = poller(scene, told, *later)
    await asyncio.sleep(5)
    assert await following.tick() == 2
    assert sorted(told.steps) == [("nb1", Step.FAILED), ("nb2", Step.FAILED)]


async def test_a_scope_is_listed_for_itself() -> None:
    """Two in one workspace are listed, the single one of another is asked for."""
    rows = [notebook(number, status=Status.DELETING) for number in (1, 2)]
    scene = world(*rows, notebook(3, status=Status.DELETING, workspace_id="w2"), workspaces=("0", "w2"))
    told = Told()
    await poller(scene, told, accepted(1), accepted(2), replace(accepted(3), workspace_id="w2")).tick()
    assert scene.cloud.sent("page") == ["0/NOTEBOOK/0/DELETING"]
    assert scene.cloud.sent("show") == ["nb3"]


async def test_few_among_many_deletions_of_others_are_asked_for() -> None:
    """Three are followed behind 400 deletions of other people: questions cost less than nine pages."""
    others = [notebook(number, status=Status.DELETING) for number in range(1, 401)]
    mine = [notebook(number, status=Status.DELETING) for number in (401, 402, 403)]
    scene, told = world(*others, *mine), Told()
    following = poller(scene, told, *map(accepted, (401, 402, 403)))
    await asyncio.sleep(10)
    await following.tick()
    assert scene.cloud.sent("page")[0] == "0/NOTEBOOK/0/DELETING"
    assert len(scene.cloud.sent("page")) <= 2
    assert sorted(scene.cloud.sent("show")) == ["nb401", "nb402", "nb403"]


async def test_stops_are_asked_for_one_by_one() -> None:
    """A listing of what is DELETING would not show them."""
    scene, told = world(*fleet(3, status=Status.STOPPING)), Told()
    stopping = [lifecycle.stop(removal(number), NOON, timedelta(minutes=30)) for number in (1, 2, 3)]
    assert await poller(scene, told, *stopping).tick() == 0
    assert (scene.cloud.sent("page"), scene.cloud.sent("show")) == ([], ["nb1", "nb2", "nb3"])


async def test_a_row_on_the_page_is_a_sight_of_deleting() -> None:
    """From then on DELETE_FAILED is believed at once."""
    scene, told = deleting(2), Told()
    following = poller(scene, told, accepted(1), accepted(2))
    await following.tick()
    assert all(one.saw_deleting for one in following.following.values())


async def test_an_unanswered_delete_is_asked_for_by_id() -> None:
    """A DELETE whose answer was lost shows as DELETING: it has arrived."""
    scene, told = deleting(3), Told()
    await poller(scene, told, accepted(1, State.REQUESTED), accepted(2), accepted(3)).tick()
    assert (scene.cloud.sent("show"), told.steps) == (["nb1"], [("nb1", Step.CONFIRMED)])


@pytest.mark.parametrize("error", [AnswerLost("no answer"), MalformedAnswer("no listing")])
async def test_a_listing_that_fails_is_made_up_for_by_questions(error: Exception) -> None:
    """The tick is told to have failed, and goes on."""
    scene, told = deleting(2), Told()
    scene.cloud.inject("page", Fault(error))
    await poller(scene, told, accepted(1), accepted(2)).tick()
    assert scene.cloud.sent("show") == ["nb1", "nb2"]
    assert [event.problem for event in scene.telemetry.of(PollFailed)] == [str(error)]


async def test_an_account_that_refuses_the_listing_ends_the_poller() -> None:
    """Nothing can be seen there any more."""
    scene, told = deleting(2), Told()
    scene.cloud.inject("page", Fault(Unauthorized("bad key")))
    with pytest.raises(Unauthorized):
        await poller(scene, told, accepted(1), accepted(2)).tick()


# ---- many ticks -----------------------------------------------------------------------------------------------------------


async def test_the_interval_grows_to_its_most_while_nothing_ends() -> None:
    """5, then half as much again each time, up to 30: looks at 5, 12.5, 23.75, 40.625, 65.9375, 95.9375 s."""
    scene, told = deleting(1), Told()
    async with at_work(poller(scene, told, accepted())):
        await asyncio.sleep(100)
    began_s = scene.clock.steady_s() - 100
    assert [call.at_s - began_s for call in scene.cloud.calls] == pytest.approx(
        [5, 12.5, 23.75, 40.625, 65.9375, 95.9375], abs=1e-3
    )


async def test_the_interval_falls_back_when_something_ends() -> None:
    """One of two is gone at the third look, at 23.75 s; the other may end at any moment, so looks stay quick."""
    scene, told = deleting(2), Told()
    scene.cloud.at(scene.clock.steady_s() + 20, lambda: scene.cloud.vanish("nb1"))
    async with at_work(poller(scene, told, accepted(1), accepted(2))):
        await asyncio.sleep(30)
    assert [event.next_s for event in scene.telemetry.of(PollTick)] == [7.5, 11.25, 5, 5]
    assert [event.ended for event in scene.telemetry.of(PollTick)] == [0, 0, 1, 0]


async def test_with_nothing_to_follow_nothing_is_asked() -> None:
    """An idle poller makes no calls; a new removal is looked at five seconds after it came."""
    scene, told = deleting(1), Told()
    idle = poller(scene, told)
    async with at_work(idle):
        await asyncio.sleep(1000)
        assert scene.cloud.calls == []
        idle.follow(accepted())
        await asyncio.sleep(5.5)
    assert scene.cloud.sent("show") == ["nb1"]


async def test_a_failing_tick_does_not_end_it() -> None:
    """Two looks fail, the third shows the end."""
    scene, told = world(), Told()
    scene.cloud.inject("show", Fault(AnswerLost("no answer")), Fault(MalformedAnswer("no notebook")), NO_FAULT)
    with anyio.move_on_after(FOR_EVER_S):
        async with at_work(poller(scene, told, accepted())):
            await asyncio.sleep(60)
    assert told.steps == [("nb1", Step.GONE)]
    assert len(scene.telemetry.of(PollFailed)) == 2


async def test_a_look_that_took_long_is_no_younger_than_its_beginning() -> None:
    """It was begun while reads could be stale, and answered after that: the failure that it shows may be one of before."""
    scene, told = world(notebook(status=Status.ERROR), pace=Pace(answer_s=2)), Told()
    busy = poller(scene, told, accepted())
    await asyncio.sleep(POLLING.grace.total_seconds() - 1)
    assert await busy.tick() == 0
    assert await busy.tick() == 1
    assert told.steps == [("nb1", Step.FAILED)]


async def test_a_clock_that_is_set_forward_makes_no_read_less_stale() -> None:
    """An hour is skipped right after the DELETE: a failure of before counts for nothing until the grace has really ended."""
    scene, told = world(notebook(status=Status.ERROR)), Told()
    busy = poller(scene, told, replace(accepted(), deadline=None))
    scene.clock.jump(3600)
    await asyncio.sleep(POLLING.grace.total_seconds() - 1)
    assert await busy.tick() == 0
    await asyncio.sleep(1)
    assert await busy.tick() == 1
    assert told.steps == [("nb1", Step.FAILED)]
