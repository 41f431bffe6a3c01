"""What every cloud keeps to, by the port's own words: the one for tests, and the real client against the simulated cloud."""

from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import anyio
import anyio.lowlevel
import msgspec
import pytest
from msgspec.structs import replace

from builders import NOON
from fresh import good_for
from hand_clock import HandClock
from nbsweep.adapters.cloud.auth.signing import AccessKey
from nbsweep.adapters.cloud.client import open_client
from nbsweep.adapters.cloud.limiter import Lane, Lanes
from nbsweep.core.errors import (
    AlreadyStopped,
    Busy,
    FactsTooOld,
    Gone,
    MalformedAnswer,
    MustStopFirst,
    Rejected,
)
from nbsweep.core.freshness import Freshness
from nbsweep.core.listing.paging import Offsets, Paging
from nbsweep.core.model import MalformedRow, Notebook, Page, Scope, Status
from nbsweep.core.notices.contacts import IamUser
from nbsweep.core.pacing import Rate
from nbsweep.core.permissions import Action, ProbedCloud
from nbsweep.engine.listing.offsets import find_paging
from nbsweep.settings import TargetSettings
from nbsweep.simulator import AccessKey as SimulatedKey
from nbsweep.simulator import (
    DialectOptions,
    FleetOptions,
    NotebookChange,
    NotebookSpec,
    PeopleOptions,
    RunningSimulator,
    SimulatorOptions,
    TimingOptions,
    running_simulator,
)
from nbsweep.simulator.state.model import Person
from nbsweep.simulator.state.specs import change, create
from nbsweep.testing import FakeCloud, Pace, RecordingTelemetry

DELETION_S = 20
STOP_S = 10
UNHINDERED = Rate(100_000, 1.0)


@dataclass(frozen=True)
class Row:
    """A notebook that is to be there."""

    number: int
    """The higher, the younger; its id is `nb` and the number."""
    status: Status = Status.STOPPED
    feature: str = "NOTEBOOK"
    place: int = 0
    """In which of the two workspaces."""

    @property
    def created_at(self) -> datetime:
        """Return when it was created."""
        return NOON - timedelta(days=200) + timedelta(minutes=self.number)


@dataclass(frozen=True)
class Site:
    """A cloud, and what a test does behind its back."""

    cloud: ProbedCloud
    clock: HandClock
    workspaces: tuple[str, str]
    put: Callable[[Row], None]
    enter: Callable[[str, Status], None]
    """Let a notebook be in another state."""
    put_unreadable: Callable[[str], None]
    """Let there be a notebook whose status nobody knows."""
    count_deletes: Callable[[], int]
    """Tell how many DELETEs have arrived."""

    def scope(self, place: int = 0, feature: str = "NOTEBOOK") -> Scope:
        """Name a listing."""
        return Scope(self.workspaces[place], feature)

    async def page(self, offset: int = 0, status: str | None = None) -> Page:
        """Read a page of the default workspace."""
        return await self.cloud.page(self.scope(), offset, status)


Opener = Callable[..., AbstractAsyncContextManager[Site]]
KNOWN_USER = Person("ana.lopez").id


@pytest.fixture(params=["fake", "client"])
def site(request: pytest.FixtureRequest) -> Opener:
    """Return each implementation in turn; to be called with the notebooks that are there."""
    return _fake if request.param == "fake" else _client


FAKE_OFFSETS = {"row": Offsets.ROWS, "rounded": Offsets.WHOLE_PAGES, "page-number": Offsets.PAGE_NUMBERS}


@asynccontextmanager
async def _fake(*rows: Row, offset_as: str = "row", largest_page: int = 50) -> AsyncIterator[Site]:
    clock, workspaces = HandClock(), ("0", "w2")
    cloud = FakeCloud(clock, workspaces=workspaces, pace=Pace(DELETION_S, STOP_S))
    cloud.pages.offsets, cloud.pages.largest = FAKE_OFFSETS[offset_as], largest_page

    def put(row: Row) -> None:
        cloud.add(
            Notebook(
                f"nb{row.number}",
                row.status,
                name=f"experiment-{row.number}",
                feature=row.feature,
                workspace_id=workspaces[row.place],
                created_at=row.created_at,
            )
        )

    def put_unreadable(notebook_id: str) -> None:
        cloud.add_malformed(MalformedRow(notebook_id, notebook_id, "status HIBERNATING is unknown"), Scope("0", "NOTEBOOK"))

    def enter(notebook_id: str, status: Status) -> None:
        cloud.change(notebook_id, status=status)

    cloud.users[KNOWN_USER] = IamUser(KNOWN_USER, "ana.lopez@example.com")
    for row in rows:
        put(row)
    yield Site(cloud, clock, workspaces, put, enter, put_unreadable, lambda: len(cloud.sent("delete")))


@asynccontextmanager
async def _client(*rows: Row, offset_as: str = "row", largest_page: int = 50) -> AsyncIterator[Site]:
    clock = HandClock()
    dialect = {"offset_as": offset_as, "largest_page": largest_page}
    options = SimulatorOptions(
        fleet=FleetOptions(notebooks=0, workspaces=2),
        people=PeopleOptions(emails={"ana.lopez": "ana.lopez@example.com"}),
        timing=TimingOptions(deletion_median_s=DELETION_S, deletion_spread=0, stop_s=STOP_S),
        dialect=msgspec.convert(dialect, DialectOptions),
    )
    async with running_simulator(options, time_source=clock.seconds) as simulator:
        simulator.clock.shifts_date_header = True
        first, second = simulator.cloud.workspaces
        spare = _Spare(simulator, (first, second), clock)
        for row in rows:
            spare.put(row)
        key = SimulatedKey()
        project, url = options.access.project_id, simulator.url
        target = TargetSettings(name="simulated", endpoint=url, project_id=project, iam_endpoint=url)
        lanes = Lanes(dict.fromkeys(Lane, UNHINDERED), None, clock)
        access_key = AccessKey(key.access_key, key.secret_key)
        async with open_client(target, access_key, lanes, clock, RecordingTelemetry()) as cloud:
            yield Site(cloud, clock, (first, second), spare.put, spare.enter, spare.put_unreadable, spare.count_deletes)


@dataclass(frozen=True)
class _Spare:
    """The simulated cloud's back door."""

    simulator: RunningSimulator
    workspaces: tuple[str, str]
    clock: HandClock

    def put(self, row: Row) -> None:
        created_ms = int(row.created_at.timestamp() * 1000)
        spec = NotebookSpec(
            id=f"nb{row.number}",
            name=f"experiment-{row.number}",
            status=row.status,
            feature=row.feature,
            workspace_id=self.workspaces[row.place],
            create_at=created_ms,
        )
        create(self.simulator.cloud, spec, at_s=self.clock.seconds(), cause="test")

    def put_unreadable(self, notebook_id: str) -> None:
        spec = NotebookSpec(id=notebook_id, name=notebook_id, raw={"status": "HIBERNATING"})
        create(self.simulator.cloud, spec, at_s=self.clock.seconds(), cause="test")

    def enter(self, notebook_id: str, status: Status) -> None:
        change(self.simulator.cloud, notebook_id, NotebookChange(status=status), self.clock.seconds())

    def count_deletes(self) -> int:
        return sum(entry.kind == "delete" for entry in self.simulator.log.entries)


def ids(page: Page) -> list[str | None]:
    """List what is on a page."""
    return [row.id for row in page.rows]


def named(*numbers: int) -> list[str]:
    """List the ids of rows."""
    return [f"nb{number}" for number in numbers]


def fresh(place: Site) -> Freshness:
    """Return the freshness of facts of now."""
    return good_for(10, place.clock)


# ---- listing --------------------------------------------------------------------------------------------------------------


async def test_an_empty_listing_is_a_page(site: Opener) -> None:
    """No rows, and none in total."""
    async with site() as place:
        assert await place.page() == Page((), 0, oldest_first=True)


async def test_a_listing_comes_in_pages_of_fifty(site: Opener) -> None:
    """Each knows how many rows there are on all of them; beyond the last there are none."""
    async with site(*map(Row, range(120))) as place:
        pages = [await place.page(offset) for offset in (0, 50, 100, 120, 500)]
        assert [len(page.rows) for page in pages] == [50, 50, 20, 0, 0]
        assert {page.total for page in pages} == {120}


async def test_the_oldest_comes_first(site: Opener) -> None:
    """Whatever the order in which they became known."""
    async with site(*map(Row, (30, 10, 20, 2))) as place:
        assert ids(await place.page()) == named(2, 10, 20, 30)


async def test_a_page_may_begin_at_any_row(site: Opener) -> None:
    """So that pages can overlap: one that begins at 49 begins with the last row of the first."""
    async with site(*map(Row, range(60))) as place:
        assert ids(await place.page(49)) == named(*range(49, 60))
        assert ids(await place.page(7))[0] == "nb7"


DIALECTS = (
    ("row", Offsets.ROWS, 50),
    ("rounded", Offsets.WHOLE_PAGES, 50),
    ("page-number", Offsets.PAGE_NUMBERS, 50),
    ("row", Offsets.ROWS, 20),
    ("rounded", Offsets.WHOLE_PAGES, 20),
    ("page-number", Offsets.PAGE_NUMBERS, 7),
)


@pytest.mark.parametrize(("offset_as", "meaning", "size"), DIALECTS)
async def test_what_an_offset_means_is_found_out(site: Opener, offset_as: str, meaning: Offsets, size: int) -> None:
    """After that each page that begins with a multiple of the page size shows the rows from there on."""
    async with site(*map(Row, range(120)), offset_as=offset_as, largest_page=size) as place:
        assert place.cloud.paging() == Paging()
        found = Paging(meaning, size)
        assert await find_paging(place.cloud, place.scope(), await place.page()) == found
        assert place.cloud.paging() == found
        for number in range(3):
            shown = await place.page(number * size)
            assert ids(shown) == named(*range(number * size, min(120, (number + 1) * size)))


async def test_a_new_notebook_joins_at_the_end(site: Opener) -> None:
    """A listing that has begun is not shifted by it."""
    async with site(*map(Row, range(60))) as place:
        first = await place.page()
        place.put(Row(1000))
        second = await place.page(49)
        assert second.rows[0] == first.rows[-1]
        assert (ids(second)[-1], second.total) == ("nb1000", 61)


async def test_a_listing_shows_one_workspace_and_one_feature(site: Opener) -> None:
    """Each row is in the listing of its own scope, and in no other."""
    rows = [Row(1), Row(2, place=1), Row(3, feature="DEFAULT"), Row(4, feature="DEFAULT", place=1)]
    async with site(*rows) as place:
        shown = {
            number: ids(await place.cloud.page(place.scope(where, feature), 0))
            for number, (where, feature) in enumerate(
                [(0, "NOTEBOOK"), (1, "NOTEBOOK"), (0, "DEFAULT"), (1, "DEFAULT")], start=1
            )
        }
        assert shown == {1: ["nb1"], 2: ["nb2"], 3: ["nb3"], 4: ["nb4"]}
        [row] = (await place.cloud.page(place.scope(1, "DEFAULT"), 0)).rows
        assert isinstance(row, Notebook)
        assert (row.workspace_id, row.feature) == (place.workspaces[1], "DEFAULT")


async def test_a_listing_can_be_narrowed_to_a_status(site: Opener) -> None:
    """Rows and total are then those of that status alone."""
    async with site(Row(1), Row(2, Status.DELETING), Row(3, Status.RUNNING), Row(4, Status.DELETING)) as place:
        page = await place.page(status="DELETING")
        assert (ids(page), page.total) == (named(2, 4), 2)
        assert await place.page(status="FROZEN") == Page((), 0, oldest_first=True)


async def test_a_workspace_that_does_not_exist_has_no_listing(site: Opener) -> None:
    """It is refused, not empty: an empty listing would be a fact."""
    async with site(Row(1)) as place:
        with pytest.raises(Rejected):
            await place.cloud.page(Scope("f" * 32, "NOTEBOOK"), 0)


async def test_a_row_that_cannot_be_read_is_shown_as_such(site: Opener) -> None:
    """It has its id and counts in the total; asked for alone it is no notebook."""
    async with site(Row(1)) as place:
        place.put_unreadable("odd")
        page = await place.page()
        assert page.total == 2
        [odd] = [row for row in page.rows if isinstance(row, MalformedRow)]
        assert odd.id == "odd"
        with pytest.raises(MalformedAnswer):
            await place.cloud.show("odd")


async def test_all_workspaces_are_listed(site: Opener) -> None:
    """The default one, and the others."""
    async with site() as place:
        assert set(await place.cloud.workspaces()) == set(place.workspaces)
        assert "0" in await place.cloud.workspaces()


# ---- one notebook ---------------------------------------------------------------------------------------------------------


async def test_a_notebook_is_shown_as_the_listing_shows_it(site: Opener) -> None:
    """The same facts, by either way."""
    async with site(Row(1), Row(2)) as place:
        (_, listed) = (await place.page()).rows
        assert isinstance(listed, Notebook)
        assert await place.cloud.show("nb2") == replace(listed, listed=False)


async def test_what_does_not_exist_is_gone(site: Opener) -> None:
    """For every call about one notebook."""
    async with site(Row(1)) as place:
        with pytest.raises(Gone):
            await place.cloud.show("nb9")
        with pytest.raises(Gone):
            await place.cloud.stop("nb9", facts=fresh(place))
        with pytest.raises(Gone):
            await place.cloud.delete("nb9", facts=fresh(place))


# ---- deleting -------------------------------------------------------------------------------------------------------------


async def test_a_deletion_is_accepted_then_shown_then_done(site: Opener) -> None:
    """DELETING at once, in both ways of looking; gone twenty seconds later; and the others are as they were."""
    async with site(Row(1), Row(2)) as place:
        assert await place.cloud.delete("nb1", facts=fresh(place))
        assert (await place.cloud.show("nb1")).status is Status.DELETING
        assert ids(await place.page(status="DELETING")) == ["nb1"]
        place.clock.passed_s += DELETION_S - 1
        assert (await place.cloud.show("nb1")).status is Status.DELETING
        place.clock.passed_s += 2
        with pytest.raises(Gone):
            await place.cloud.show("nb1")
        page = await place.page()
        assert (ids(page), page.total) == (["nb2"], 1)
        assert (await place.cloud.show("nb2")).status is Status.STOPPED


@pytest.mark.parametrize(
    "status", [Status.STOPPED, Status.ERROR, Status.CREATE_FAILED, Status.START_FAILED, Status.DELETE_FAILED]
)
async def test_what_is_at_rest_can_be_deleted(site: Opener, status: Status) -> None:
    """Stopped, or failed in any way."""
    async with site(Row(1, status)) as place:
        await place.cloud.delete("nb1", facts=fresh(place))
        assert (await place.cloud.show("nb1")).status is Status.DELETING


async def test_what_runs_must_be_stopped_first(site: Opener) -> None:
    """And goes on running."""
    async with site(Row(1, Status.RUNNING)) as place:
        with pytest.raises(MustStopFirst) as caught:
            await place.cloud.delete("nb1", facts=fresh(place))
        assert (caught.value.code, caught.value.http_status) == ("ModelArts.6304", 400)
        assert (await place.cloud.show("nb1")).status is Status.RUNNING


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (Status.STARTING, "ModelArts.6306"),
        (Status.STOPPING, "ModelArts.6308"),
        (Status.SNAPSHOTTING, "ModelArts.6357"),
        (Status.CREATING, "ModelArts.6357"),
        (Status.INIT, "ModelArts.6357"),
        (Status.DELETING, "ModelArts.6357"),
    ],
)
async def test_what_the_cloud_is_at_work_on_is_busy(site: Opener, status: Status, code: str) -> None:
    """Neither a DELETE nor a stop is taken, and the code says why."""
    async with site(Row(1, status)) as place:
        with pytest.raises(Busy) as caught:
            await place.cloud.delete("nb1", facts=fresh(place))
        assert caught.value.code == code
        with pytest.raises(Busy):
            await place.cloud.stop("nb1", facts=fresh(place))


async def test_what_is_being_deleted_is_not_deleted_again(site: Opener) -> None:
    """The second DELETE is busy, and changes nothing about the first."""
    async with site(Row(1)) as place:
        await place.cloud.delete("nb1", facts=fresh(place))
        with pytest.raises(Busy):
            await place.cloud.delete("nb1", facts=fresh(place))
        place.clock.passed_s += DELETION_S + 1
        with pytest.raises(Gone):
            await place.cloud.delete("nb1", facts=fresh(place))


async def test_what_is_frozen_is_refused_for_good(site: Opener) -> None:
    """The account is in arrears."""
    async with site(Row(1, Status.FROZEN)) as place:
        with pytest.raises(Rejected) as caught:
            await place.cloud.delete("nb1", facts=fresh(place))
        assert caught.value.code == "ModelArts.6326"


async def test_a_delete_on_old_facts_is_not_sent(site: Opener) -> None:
    """Nothing arrives at the cloud, the notebook stays as it is, and nobody is told that the DELETE leaves."""
    left: list[str] = []
    async with site(Row(1)) as place:
        with pytest.raises(FactsTooOld):
            await place.cloud.delete("nb1", facts=good_for(-0.001, place.clock), leaving=lambda: left.append("nb1"))
        assert (place.count_deletes(), left) == (0, [])
        assert (await place.cloud.show("nb1")).status is Status.STOPPED


async def test_a_delete_on_fresh_facts_is_sent_once(site: Opener) -> None:
    """At the very last moment, too; who sends it is told before it arrives that it leaves."""
    arrived: list[int] = []
    async with site(Row(1)) as place:
        await place.cloud.show("nb1")  # there is a connection then: none can be opened in the time that is left
        await place.cloud.delete_turn()
        await place.cloud.delete("nb1", facts=good_for(0, place.clock), leaving=lambda: arrived.append(place.count_deletes()))
        assert (place.count_deletes(), arrived) == (1, [0])


# ---- stopping -------------------------------------------------------------------------------------------------------------


async def test_a_stop_is_shown_then_done(site: Opener) -> None:
    """STOPPING at once, STOPPED ten seconds later, and then it can be deleted."""
    async with site(Row(1, Status.RUNNING)) as place:
        await place.cloud.stop("nb1", facts=fresh(place))
        assert (await place.cloud.show("nb1")).status is Status.STOPPING
        place.clock.passed_s += STOP_S + 1
        assert (await place.cloud.show("nb1")).status is Status.STOPPED
        await place.cloud.delete("nb1", facts=fresh(place))


async def test_what_is_stopped_is_stopped_already(site: Opener) -> None:
    """That is an answer of its own."""
    async with site(Row(1)) as place:
        with pytest.raises(AlreadyStopped):
            await place.cloud.stop("nb1", facts=fresh(place))


@pytest.mark.parametrize("status", [Status.ERROR, Status.CREATE_FAILED, Status.FROZEN])
async def test_what_does_not_run_cannot_be_stopped(site: Opener, status: Status) -> None:
    """It is refused, and stays as it is."""
    async with site(Row(1, status)) as place:
        with pytest.raises(Rejected):
            await place.cloud.stop("nb1", facts=fresh(place))
        assert (await place.cloud.show("nb1")).status is status


async def test_somebody_may_start_it_meanwhile(site: Opener) -> None:
    """Every look and every DELETE meets the present state."""
    async with site(Row(1)) as place:
        place.enter("nb1", Status.RUNNING)
        assert (await place.cloud.show("nb1")).status is Status.RUNNING
        with pytest.raises(MustStopFirst):
            await place.cloud.delete("nb1", facts=fresh(place))


# ---- what works -----------------------------------------------------------------------------------------------------------


async def test_whatever_is_tried_changes_nothing(site: Opener) -> None:
    """Each action is found to be allowed, no DELETE is accepted, and every notebook is as it was."""
    async with site(Row(1), Row(2, Status.RUNNING)) as place:
        before = await place.page()
        found = {action: (await place.cloud.probe(action)).allowed for action in Action}
        assert found == dict.fromkeys(Action, True)
        assert await place.page() == before


async def test_listing_a_workspace_that_does_not_exist_says_nothing_of_the_permission(site: Opener) -> None:
    """It is refused for another reason."""
    async with site() as place:
        assert (await place.cloud.probe(Action.LIST_ALL, "f" * 32)).allowed is None
        assert (await place.cloud.probe(Action.LIST_OWN, place.workspaces[1])).allowed is True


async def test_the_address_and_the_project_can_be_asked_for(site: Opener) -> None:
    """The one tells how far the clocks are apart, the other has 32 digits."""
    async with site() as place:
        assert isinstance(await place.cloud.reach(), float)
        assert len(await place.cloud.project()) == 32


# ---- cancellation ---------------------------------------------------------------------------------------------------------


async def test_every_call_may_be_cancelled(site: Opener) -> None:
    """Given up at the first await, none hinders the next."""
    async with site(Row(1), Row(2, Status.RUNNING)) as place:
        calls: list[Callable[[], Coroutine[Any, Any, object]]] = [
            place.cloud.workspaces,
            place.page,
            lambda: place.cloud.show("nb1"),
            lambda: place.cloud.stop("nb2", facts=fresh(place)),
            place.cloud.delete_turn,
            lambda: place.cloud.delete("nb1", facts=fresh(place)),
            place.cloud.reach,
            place.cloud.project,
            *(partial(place.cloud.probe, action) for action in Action),
        ]
        for call in calls:
            async with anyio.create_task_group() as group:
                group.start_soon(call)
                await anyio.lowlevel.checkpoint()
                group.cancel_scope.cancel()
        assert (await place.page()).total == 2


# ---- the time -------------------------------------------------------------------------------------------------------------


async def test_a_user_of_iam_is_read_or_is_not_there(site: Opener) -> None:
    """With the address that IAM has."""
    async with site() as here:
        assert await here.cloud.user(KNOWN_USER) == IamUser(KNOWN_USER, "ana.lopez@example.com")
        assert await here.cloud.user("0" * 32) is None


async def test_nothing_is_known_of_the_time_before_an_answer(site: Opener) -> None:
    """And by the first answer the clocks agree."""
    async with site() as place:
        assert place.cloud.clock_skew_s() is None
        await place.page()
        assert place.cloud.clock_skew_s() == pytest.approx(0, abs=1e-5)


@pytest.mark.parametrize("set_s", [61.5, -61.5, 600, -600])
async def test_of_a_clock_that_was_set_nothing_is_known_until_the_next_answer(site: Opener, set_s: float) -> None:
    """Then it is as far off as it is, but for the part of a second that a Date leaves out."""
    async with site() as place:
        await place.page()
        place.clock.passed_s += 3600
        place.clock.set_s = set_s
        assert place.cloud.clock_skew_s() is None
        await place.page()
        skew_s = place.cloud.clock_skew_s()
        assert skew_s is not None
        assert abs(set_s) - 1 <= abs(skew_s) <= abs(set_s) + 1e-5
        assert (skew_s > 0) == (set_s > 0)
        place.clock.set_s = 0
        await place.page()
        assert place.cloud.clock_skew_s() == pytest.approx(0, abs=1e-5)


@pytest.mark.parametrize("set_s", [600, -600])
async def test_a_clock_that_was_wrong_from_the_beginning_is_seen_by_the_first_answer(site: Opener, set_s: float) -> None:
    """It need not change for that."""
    async with site() as place:
        place.clock.set_s = set_s
        await place.page()
        skew_s = place.cloud.clock_skew_s()
        assert skew_s is not None
        assert skew_s == pytest.approx(set_s, abs=1)
