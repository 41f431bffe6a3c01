import asyncio
from collections.abc import Callable, Sequence

import anyio
import pytest
from msgspec.structs import replace

from builders import NOON, SCOPE, ago, fleet, notebook
from nbsweep.core.errors import (
    AnswerLost,
    CloudError,
    Forbidden,
    Gone,
    MalformedAnswer,
    Rejected,
    Unauthorized,
    WorkspaceRefused,
)
from nbsweep.core.events.sweep import (
    SurveyAsked,
    SurveyFinished,
    SurveyMalformedRow,
    SurveyPage,
    SurveyStrays,
    SurveyTorn,
    SurveyWorkspaceRefused,
)
from nbsweep.core.facts import Moment
from nbsweep.core.judging.verdict import Reason
from nbsweep.core.listing.belonging import EVERYTHING, Coverage
from nbsweep.core.listing.paging import Offsets, Paging
from nbsweep.core.model import MalformedRow, Named, Page, Scope, Status
from nbsweep.core.planning.plan import Survey
from nbsweep.engine.survey import Area, Surveyor
from nbsweep.testing import NO_FAULT, Fault, Pace
from unit.engine.world import IDENTITY, World, rules, virtual_time, world

pytestmark = virtual_time

ALL = Area("research", None, ("NOTEBOOK",))
NAMED = Area("research", ("0",), ("NOTEBOOK",))


async def surveyed(scene: World, area: Area = ALL, coverage: Coverage = EVERYTHING) -> Survey:
    """Survey an area of the world, with the engine's usual rules."""
    asked = replace(rules(), coverage=coverage)
    return await Surveyor(area, scene.ports, asked, Moment(scene.clock.now())).survey()


def offsets(scene: World) -> list[str]:
    """List the pages that were read."""
    return scene.cloud.sent("page")


def ids(survey: Survey) -> list[str]:
    """List the notebooks that may go."""
    return [candidate.notebook.id for candidate in survey.candidates]


def by_rows(scene: World) -> World:
    """Let it be known already that an offset is a row."""
    scene.cloud.found_paging(Paging(Offsets.ROWS))
    return scene


def between_pages(scene: World, *acts: Callable[[], None]) -> None:
    """Let one thing happen behind each first page that is read."""
    for act in acts:
        scene.cloud.inject("page", Fault(then=act), NO_FAULT)


# ---- a calm listing -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("count", "pages"),
    [
        (0, ["0/NOTEBOOK/0"]),
        (1, ["0/NOTEBOOK/0"]),
        (50, ["0/NOTEBOOK/0"]),
        (51, ["0/NOTEBOOK/0", "0/NOTEBOOK/49"]),
        (99, ["0/NOTEBOOK/0", "0/NOTEBOOK/49"]),
        (100, ["0/NOTEBOOK/0", "0/NOTEBOOK/49", "0/NOTEBOOK/98"]),
        (148, ["0/NOTEBOOK/0", "0/NOTEBOOK/49", "0/NOTEBOOK/98"]),
        (149, ["0/NOTEBOOK/0", "0/NOTEBOOK/49", "0/NOTEBOOK/98", "0/NOTEBOOK/147"]),
    ],
)
async def test_pages_overlap_by_one_row(count: int, pages: Sequence[str]) -> None:
    """Fifty rows, of which all but those of the first page begin with the last row of the page before."""
    scene = world(*fleet(count))
    survey = await surveyed(scene)
    assert offsets(scene) == pages
    assert (survey.fleet, survey.gaps) == (count, ())
    assert ids(survey) == [f"nb{number}" for number in range(1, count + 1)]


async def test_every_row_is_judged() -> None:
    """One may go, one is protected, one runs, one is DELETED already and is no part of the fleet."""
    scene = world(
        notebook(1),
        notebook(2, name="keep-it"),
        notebook(3, status=Status.RUNNING),
        notebook(4, status=Status.STARTING),
        notebook(5, status=Status.DELETED),
    )
    survey = await surveyed(scene)
    assert ids(survey) == ["nb1"]
    assert survey.fleet == 4
    assert survey.kept == {Reason.PROTECTED: 1, Reason.NO_POLICY: 1, Reason.IN_TRANSITION: 1}


async def test_every_workspace_and_every_feature_is_listed() -> None:
    """Two workspaces and two features are four listings."""
    rows = [
        notebook(1),
        notebook(2, feature="DEFAULT"),
        notebook(3, workspace_id="w2"),
        notebook(4, workspace_id="w2", feature="DEFAULT"),
        notebook(5, workspace_id="w3"),
    ]
    scene = world(*rows, workspaces=("0", "w2", "w3"))
    survey = await surveyed(scene, Area("research", ("0", "w2"), ("NOTEBOOK", "DEFAULT")))
    assert sorted(offsets(scene)) == ["0/DEFAULT/0", "0/NOTEBOOK/0", "w2/DEFAULT/0", "w2/NOTEBOOK/0"]
    assert sorted(ids(survey)) == ["nb1", "nb2", "nb3", "nb4"]
    assert scene.cloud.sent("workspaces") == []


async def test_all_workspaces_are_looked_up() -> None:
    """The cloud says which there are."""
    scene = world(notebook(1), notebook(2, workspace_id="w2"), workspaces=("0", "w2"))
    survey = await surveyed(scene)
    assert scene.cloud.sent("workspaces") == [""]
    assert [candidate.scope for candidate in survey.candidates] == [SCOPE, Scope("w2", "NOTEBOOK")]


async def test_no_more_than_four_listings_are_under_way_at_once() -> None:
    """Ten workspaces, a second for each page: three seconds."""
    names = [f"w{number}" for number in range(10)]
    scene = world(workspaces=names, pace=Pace(answer_s=1))
    await surveyed(scene, Area("research", tuple(names), ("NOTEBOOK",)))
    times = [call.at_s - scene.cloud.calls[0].at_s for call in scene.cloud.calls]
    assert times == [0, 0, 0, 0, 1, 1, 1, 1, 2, 2]


async def test_an_empty_fleet_is_complete() -> None:
    """There is nothing, and that is certain."""
    survey = await surveyed(world())
    assert (survey.fleet, survey.candidates, survey.gaps) == (0, (), ())


async def test_no_workspace_at_all_is_no_fleet_but_a_gap() -> None:
    """Keys that see no workspace are more likely wrong than right."""
    survey = await surveyed(world(workspaces=()))
    assert survey.gaps == ("the cloud shows no workspace at all",)


async def test_what_is_not_at_rest_is_remembered() -> None:
    """The journal learns who was seen at work, with the survey's own time, for later sweeps to measure idleness by."""
    scene = world(
        notebook(1), notebook(2, status=Status.RUNNING), notebook(3, status=Status.STARTING), notebook(4, status=Status.ERROR)
    )
    await surveyed(scene)
    assert await scene.journal.sightings.latest(IDENTITY.project) == {"nb2": NOON, "nb3": NOON}


async def test_a_survey_is_told() -> None:
    """Each page, and one line for the whole."""
    scene = world(*fleet(60))
    await surveyed(scene)
    pages = [(page.offset, page.rows, page.total) for page in scene.telemetry.of(SurveyPage)]
    assert pages == [(0, 50, 60), (49, 11, 60)]
    [finished] = scene.telemetry.of(SurveyFinished)
    assert (finished.fleet, finished.candidates, finished.complete) == (60, 60, True)


# ---- a listing that shifts ------------------------------------------------------------------------------------------------


async def test_a_notebook_that_joins_at_the_end_is_seen() -> None:
    """Created while the first page was read: the second has it, and nothing was torn."""
    scene = world(*fleet(60))
    between_pages(scene, lambda: scene.cloud.add(notebook(1000)))
    survey = await surveyed(scene)
    assert (survey.fleet, survey.gaps) == (61, ())
    assert ids(survey)[-1] == "nb1000"
    assert len(offsets(scene)) == 2


async def test_a_listing_that_is_torn_twice_is_read_a_third_time() -> None:
    """A row vanishes behind each of the first two first pages; the third reading is whole."""
    scene = by_rows(world(*fleet(60)))
    between_pages(scene, lambda: scene.cloud.vanish("nb10"), lambda: scene.cloud.vanish("nb20"))
    survey = await surveyed(scene)
    assert offsets(scene) == ["0/NOTEBOOK/0", "0/NOTEBOOK/49"] * 3
    assert (survey.fleet, survey.gaps) == (58, ())
    assert not {"nb10", "nb20"} & set(ids(survey))
    assert [event.attempt for event in scene.telemetry.of(SurveyTorn)] == [1, 2]


async def test_a_listing_that_is_torn_three_times_is_a_gap() -> None:
    """Then the survey is incomplete, and says where."""
    scene = by_rows(world(*fleet(60)))
    between_pages(scene, *[lambda number=number: scene.cloud.vanish(f"nb{number}") for number in (10, 20, 30)])
    survey = await surveyed(scene)
    assert survey.gaps == ("workspace 0, NOTEBOOK: rows shifted between two pages",)
    assert len(offsets(scene)) == 6
    assert not scene.telemetry.of(SurveyFinished)[0].complete


async def test_one_gone_and_one_new_is_seen_though_the_total_stays() -> None:
    """Without the overlap, a row would be skipped unseen: 60 before, 60 after."""
    scene = world(*fleet(60))

    def swap() -> None:
        scene.cloud.vanish("nb10")
        scene.cloud.add(notebook(1000))

    between_pages(scene, swap)
    survey = await surveyed(scene)
    assert len(scene.telemetry.of(SurveyTorn)) == 1
    assert (survey.fleet, survey.gaps) == (60, ())
    assert "nb51" in ids(survey)


async def test_a_vanished_row_behind_the_boundary_tears_nothing() -> None:
    """It goes before its page is read, and nothing before it shifts."""
    scene = world(*fleet(60))
    between_pages(scene, lambda: scene.cloud.vanish("nb55"))
    survey = await surveyed(scene)
    assert (survey.fleet, survey.gaps, len(offsets(scene))) == (59, (), 2)


async def test_the_very_row_that_should_overlap_may_vanish() -> None:
    """The last row of the first page is gone: torn, and read again."""
    scene = by_rows(world(*fleet(60)))
    between_pages(scene, lambda: scene.cloud.vanish("nb50"))
    survey = await surveyed(scene)
    assert (survey.fleet, survey.gaps, len(offsets(scene))) == (59, (), 4)


async def test_one_torn_listing_does_not_repeat_the_others() -> None:
    """Only the workspace that was torn is read again."""
    rows = [notebook(number, workspace_id="w2") for number in range(100, 160)]
    scene = by_rows(world(*fleet(3), *rows, workspaces=("0", "w2")))
    scene.cloud.inject("page", Fault(then=lambda: scene.cloud.vanish("nb105")), notebook_id="w2/NOTEBOOK/0")
    survey = await surveyed(scene)
    assert (survey.fleet, survey.gaps) == (62, ())
    assert sorted(offsets(scene)) == ["0/NOTEBOOK/0", *["w2/NOTEBOOK/0"] * 2, *["w2/NOTEBOOK/49"] * 2]


# ---- what an offset means -------------------------------------------------------------------------------------------------


async def test_an_overlap_that_holds_shows_that_an_offset_is_a_row() -> None:
    """Without a single call more."""
    scene = world(*fleet(60))
    await surveyed(scene)
    assert scene.cloud.paging() == Paging(Offsets.ROWS)
    assert len(offsets(scene)) == 2


async def test_a_listing_of_one_page_shows_nothing_of_offsets() -> None:
    """There is nothing to be found out, and no call is spent on it."""
    scene = world(*fleet(50))
    await surveyed(scene)
    assert scene.cloud.paging() == Paging()


async def test_rows_that_shift_are_not_taken_for_pages_that_are_rounded() -> None:
    """A row vanishes behind the first page: one call finds out that an offset is a row, and the listing is read again."""
    scene = world(*fleet(60))
    between_pages(scene, lambda: scene.cloud.vanish("nb10"))
    survey = await surveyed(scene)
    assert offsets(scene) == [f"0/NOTEBOOK/{offset}" for offset in (0, 49, 25, 0, 49)]
    assert (survey.fleet, survey.gaps) == (59, ())
    assert scene.cloud.paging() == Paging(Offsets.ROWS)


@pytest.mark.parametrize("meaning", [Offsets.WHOLE_PAGES, Offsets.PAGE_NUMBERS])
@pytest.mark.parametrize("size", [50, 20, 7])
async def test_whole_pages_are_read_once_it_is_known_that_they_do_not_overlap(meaning: Offsets, size: int) -> None:
    """Every row is seen once, nothing counts as torn, and the last eight pages are asked for together."""
    scene = world(*fleet(230))
    scene.cloud.pages.offsets, scene.cloud.pages.largest = meaning, size
    survey = await surveyed(scene)
    assert ids(survey) == [f"nb{number}" for number in range(1, 231)]
    assert (survey.fleet, survey.gaps) == (230, ())
    assert [candidate.position for candidate in survey.candidates] == list(range(230))
    assert scene.cloud.paging() == Paging(meaning, size)
    assert scene.telemetry.of(SurveyTorn) == []


async def test_an_offset_that_was_refused_while_its_meaning_was_found_out_refuses_no_workspace() -> None:
    """Another listing has found meanwhile that pages are whole: this one is read again, by whole pages."""
    scene = world(*fleet(3), *(notebook(number, workspace_id="w2") for number in range(100, 220)), workspaces=("0", "w2"))
    scene.cloud.pages.offsets = Offsets.WHOLE_PAGES
    refused = Rejected("the cloud refused: HTTP 400 ModelArts.0104", code="ModelArts.0104", http_status=400)
    found = Fault(refused, then=lambda: scene.cloud.found_paging(Paging(Offsets.WHOLE_PAGES)))
    scene.cloud.inject("page", found, notebook_id="w2/NOTEBOOK/49")
    survey = await surveyed(scene)
    assert (survey.fleet, survey.gaps, survey.refused) == (123, (), ())
    assert scene.telemetry.of(SurveyTorn) == []


async def test_whole_pages_whose_total_changes_are_read_again() -> None:
    """One vanishes behind the first page: a row would be skipped, and the count shows it."""
    scene = world(*fleet(120))
    scene.cloud.pages.offsets = Offsets.WHOLE_PAGES
    scene.cloud.found_paging(Paging(Offsets.WHOLE_PAGES))
    scene.cloud.inject("page", Fault(then=lambda: scene.cloud.vanish("nb10")))
    survey = await surveyed(scene)
    assert (survey.fleet, survey.gaps) == (119, ())
    assert [event.problem for event in scene.telemetry.of(SurveyTorn)] == ["the cloud counted 120 rows, and then 119"]


async def test_an_offset_that_nothing_fits_is_a_gap() -> None:
    """Behind the first page all are empty, though the cloud counts more: nothing is known, and nothing is proven."""
    scene = world(*fleet(60))
    for offset in (1, 25, 49):
        empty = [Fault(alter=lambda page: replace(page, rows=()))] * 5
        scene.cloud.inject("page", *empty, notebook_id=f"0/NOTEBOOK/{offset}")
    survey = await surveyed(scene)
    assert survey.gaps == ("workspace 0, NOTEBOOK: rows shifted between two pages",)
    assert scene.cloud.paging() == Paging()


# ---- rows that do not add up ----------------------------------------------------------------------------------------------


def doubled(page: Page) -> Page:
    """Show the second row in the place of the third as well."""
    return replace(page, rows=(*page.rows[:2], page.rows[1], *page.rows[3:]))


def miscounted(page: Page) -> Page:
    """Count one more than there are."""
    return replace(page, total=page.total + 1)


def undercounted(page: Page) -> Page:
    """Count one less than there are."""
    return replace(page, total=page.total - 1)


@pytest.mark.parametrize(
    ("spoil", "gap"),
    [
        (doubled, "nb2 came twice"),
        (miscounted, "5 rows were read, and the cloud counts 6"),
        (undercounted, "5 rows were read, and the cloud counts 4"),
        (lambda _: Page((), 5), "0 rows were read, and the cloud counts 5"),
    ],
)
async def test_rows_that_do_not_add_up_are_a_gap(spoil: Callable[[Page], Page], gap: str) -> None:
    """An id twice, or a total that is not the number of rows, three times over."""
    scene = world(*fleet(5))
    scene.cloud.inject("page", *[Fault(alter=spoil)] * 20)
    survey = await surveyed(scene)
    assert survey.gaps == (f"workspace 0, NOTEBOOK: {gap}",)


async def test_a_listing_that_adds_up_again_is_complete() -> None:
    """Twice the total was wrong, then it is right."""
    scene = world(*fleet(5))
    scene.cloud.inject("page", Fault(alter=undercounted), Fault(alter=undercounted))
    survey = await surveyed(scene)
    assert (survey.fleet, survey.gaps) == (5, ())


async def test_a_listing_that_never_ends_is_given_up() -> None:
    """A cloud that takes the offset for nothing shows the first page for ever: torn, not endless."""
    scene = world(*fleet(60))
    first = Page(tuple(fleet(50)), 60)
    scene.cloud.inject("page", *[Fault(alter=lambda _: first)] * 100)
    with anyio.fail_after(60):
        survey = await surveyed(scene)
    assert survey.gaps == ("workspace 0, NOTEBOOK: nb1 came twice",)


async def test_a_listing_that_grows_for_ever_is_given_up() -> None:
    """Each page is full of rows that nobody has seen before, and counts more that are to come: after a while it is a gap."""
    scene = world(workspaces=("0",))
    seen = [notebook(id="nb-0")]

    def growing(_: Page) -> Page:
        more = [notebook(id=f"nb-{len(seen) + number}") for number in range(49)]
        page = Page((seen[-1], *more), len(seen) + 149)
        seen.extend(more)
        return page

    scene.cloud.inject("page", *[Fault(alter=growing)] * 1000)
    with anyio.fail_after(60):
        survey = await surveyed(scene)
    assert len(survey.gaps) == 1
    assert len(offsets(scene)) < 500


async def test_a_listing_that_counts_more_than_there_can_be_is_given_up() -> None:
    """Whole pages, of which all but the first are empty: it is not read to an end that it does not have."""
    scene = world(*fleet(50))
    scene.cloud.found_paging(Paging(Offsets.WHOLE_PAGES, 50))
    scene.cloud.inject("page", *[Fault(alter=lambda page: Page(page.rows, 10**12))] * 100)
    survey = await surveyed(scene)
    assert survey.gaps == (f"workspace 0, NOTEBOOK: the cloud counts {10**12} rows, more than can be read",)
    assert len(offsets(scene)) == 3


async def test_rows_that_cannot_be_read_are_told_one_by_one_up_to_a_number() -> None:
    """The log is not flooded; how many there are is told."""
    scene = world()
    for number in range(60):
        scene.cloud.add_malformed(MalformedRow(f"odd-{number}", None, "odd"), SCOPE)
    survey = await surveyed(scene)
    assert len(survey.malformed) == 60
    assert len(scene.telemetry.of(SurveyMalformedRow)) == 50
    assert [told.malformed for told in scene.telemetry.of(SurveyFinished)] == [60]


async def test_a_listing_of_another_workspace_is_a_gap() -> None:
    """A server that does not know the parameter shows the default workspace instead (ModelArts API, section 1.1)."""
    scene = world(*fleet(2), workspaces=("0", "w2"))
    rows = Page(tuple(fleet(2)), 2)
    scene.cloud.inject("page", *[Fault(alter=lambda _: rows)] * 3, notebook_id="w2/NOTEBOOK/0")
    survey = await surveyed(scene)
    assert survey.gaps == (
        "workspace w2, NOTEBOOK: rows of another workspace came instead: it is in workspace 0, and workspace w2 was asked for",
    )


async def test_a_row_without_a_workspace_belongs_where_all_are_covered() -> None:
    """Older stacks leave the field out; nobody is asked for by id for that."""
    scene = world(notebook(workspace_id=None))
    survey = await surveyed(scene)
    assert (ids(survey), survey.gaps) == (["nb1"], ())
    assert scene.cloud.sent("show") == []


async def test_a_row_without_a_workspace_is_kept_where_workspaces_are_named() -> None:
    """The server may have ignored the parameter, and an answer about the notebook does not tell either."""
    scene = world(notebook(workspace_id=None))
    survey = await surveyed(scene, NAMED, Coverage(("0",), ("NOTEBOOK",)))
    assert (ids(survey), survey.kept, survey.gaps) == ([], {Reason.UNKNOWN_FACT: 1}, ())
    assert scene.cloud.sent("show") == ["nb1"]


async def test_a_row_whose_workspace_is_shown_by_id_belongs_where_that_says() -> None:
    """One of the workspace that was asked for, one of another: the first may go, the second is no part of the fleet."""
    scene = world(notebook(1), notebook(2))
    scene.cloud.left_out = {"workspace_id": None}
    scene.cloud.inject("show", Fault(then=lambda: scene.cloud.change("nb2", workspace_id="w2")))
    survey = await surveyed(scene, NAMED, Coverage(("0",), ("NOTEBOOK",)))
    assert (ids(survey), survey.kept, survey.fleet) == (["nb1"], {Reason.ELSEWHERE: 1}, 1)


async def test_a_row_of_another_feature_is_kept_and_counted() -> None:
    """A server that ignores the parameter shows the free CodeLab too."""
    scene = world(notebook(1))
    scene.cloud.inject("page", Fault(alter=lambda _: Page((notebook(1), notebook(2, feature="DEFAULT")), 2)))
    survey = await surveyed(scene)
    assert (ids(survey), survey.kept, survey.fleet, survey.gaps) == (["nb1"], {Reason.ELSEWHERE: 1}, 1, ())
    (told,) = scene.telemetry.of(SurveyStrays)
    assert (told.rows, told.problem) == (1, "its feature is DEFAULT, and NOTEBOOK was asked for")


async def test_a_server_that_shows_everything_for_every_listing_is_surveyed_whole() -> None:
    """Each row counts once, in the listing that was asked for it."""
    scene = world(workspaces=("0", "w2"))
    everything = Page((notebook(1), notebook(2, workspace_id="w2"), notebook(3, workspace_id="w2", feature="DEFAULT")), 3)
    scene.cloud.inject("page", *[Fault(alter=lambda _: everything)] * 4)
    survey = await surveyed(scene, Area("research", None, ("NOTEBOOK", "DEFAULT")))
    assert {candidate.notebook.id: candidate.scope for candidate in survey.candidates} == {
        "nb1": Scope("0", "NOTEBOOK"),
        "nb2": Scope("w2", "NOTEBOOK"),
        "nb3": Scope("w2", "DEFAULT"),
    }
    assert (survey.fleet, survey.kept) == (3, {})


async def test_the_callers_own_listing_that_shows_several_owners_is_a_gap() -> None:
    """An administrator may be shown everybody's there: which are the administrator's own is not known, so that none may go."""
    scene = world(notebook(1), notebook(2, owner=Named("u2", "bob")), notebook(3, owner=Named()))
    (gap,) = (await surveyed(scene, replace(ALL, scope="own"))).gaps
    assert gap.startswith("scope is own, and the listing shows notebooks of several owners (alice, bob")
    assert (await surveyed(scene)).gaps == ()


async def test_the_callers_own_listing_of_one_owner_is_complete() -> None:
    """Whether or not every row says whose it is, and by name or id."""
    scene = world(notebook(1), notebook(2, owner=Named("u1", None)), notebook(3, owner=Named()))
    assert (await surveyed(scene, replace(ALL, scope="own"))).gaps == ()


# ---- facts that a listing leaves out --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("left_out", "field"),
    [
        ({"tags": None}, "tags"),
        ({"updated_at": None}, "update_at"),
        ({"lease": None}, "lease"),
        ({"workspace_id": None}, "workspace_id"),
        ({"feature": None}, "feature"),
    ],
)
async def test_what_a_listing_leaves_out_is_asked_for_by_id(left_out: dict[str, None], field: str) -> None:
    """Only for those that may go: not for one that a name protects, one that runs, and one that was used yesterday."""
    used, running = notebook(3, updated_at=ago(days=1)), notebook(4, status=Status.RUNNING)
    tagged = notebook(5, tags={"keep": "yes"})
    scene = world(notebook(1), notebook(2, name="keep-it"), used, running, tagged)
    scene.cloud.left_out = left_out
    survey = await surveyed(scene, NAMED, Coverage(("0",), ("NOTEBOOK",)))
    assert ids(survey) == ["nb1"]
    assert {"nb2", "nb4"} & set(scene.cloud.sent("show")) == set()
    (told,) = scene.telemetry.of(SurveyAsked)
    assert field in told.left_out
    assert told.unanswered == 0


async def test_what_no_rule_asks_for_is_not_asked_for() -> None:
    """A listing without billing and user costs no call."""
    scene = world(*fleet(3))
    scene.cloud.left_out = {"billing": None, "owner": Named()}
    assert len(ids(await surveyed(scene))) == 3
    assert scene.cloud.sent("show") == []


async def test_a_text_that_only_looks_alike_is_no_missing_fact() -> None:
    """To ask once more would show the same again; a tag's value that is not shown is asked for."""
    scene = world(notebook(1, name=" keep-it"), notebook(2, tags={"KEEP": "yes"}), notebook(3, tags={"keep": None}))
    survey = await surveyed(scene)
    assert (ids(survey), survey.kept) == ([], {Reason.UNKNOWN_FACT: 3})
    assert scene.cloud.sent("show") == ["nb3"]


@pytest.mark.parametrize("error", [AnswerLost("no answer"), MalformedAnswer("no notebook"), Rejected("no")])
async def test_who_cannot_be_asked_for_is_kept(error: CloudError) -> None:
    """Missing stays unknown; the others are decided."""
    scene = world(*fleet(2))
    scene.cloud.left_out = {"tags": None}
    scene.cloud.inject("show", Fault(error), notebook_id="nb2")
    survey = await surveyed(scene)
    assert (ids(survey), survey.kept) == (["nb1"], {Reason.UNKNOWN_FACT: 1})
    assert scene.telemetry.of(SurveyAsked) == [SurveyAsked("0", "NOTEBOOK", ("tags",), 2, 1)]


async def test_who_is_gone_when_asked_for_is_no_part_of_the_fleet() -> None:
    """It was on the page, and is no more."""
    scene = world(*fleet(2))
    scene.cloud.left_out = {"tags": None}
    scene.cloud.inject("show", Fault(Gone("gone")), notebook_id="nb2")
    survey = await surveyed(scene)
    assert (ids(survey), survey.fleet, survey.kept) == (["nb1"], 1, {})


# ---- rows that cannot be read ---------------------------------------------------------------------------------------------


async def test_malformed_rows_are_kept_counted_and_told() -> None:
    """Two of them, one without so much as an id: both are part of the fleet, and neither of the candidates."""
    scene = world(*fleet(3))
    scene.cloud.add_malformed(MalformedRow("odd", "strange", "status HIBERNATING is not one that the API documents"), SCOPE)
    scene.cloud.add_malformed(MalformedRow(None, None, "it is not JSON"), SCOPE)
    survey = await surveyed(scene)
    assert (survey.fleet, survey.gaps) == (5, ())
    assert survey.kept == {Reason.MALFORMED: 2}
    assert [row.id for row in survey.malformed] == ["odd", None]
    assert [event.notebook_id for event in scene.telemetry.of(SurveyMalformedRow)] == ["odd", None]
    assert ids(survey) == ["nb1", "nb2", "nb3"]


async def test_a_page_of_nothing_but_malformed_rows_is_read_on() -> None:
    """Sixty rows without an id, then five notebooks: offsets count rows, whatever they hold."""
    scene = world(*fleet(5))
    for _ in range(60):
        scene.cloud.add_malformed(MalformedRow(None, None, "it is not JSON"), SCOPE)
    survey = await surveyed(scene)
    assert offsets(scene) == ["0/NOTEBOOK/0", "0/NOTEBOOK/49"]
    assert (survey.fleet, survey.kept, survey.gaps) == (65, {Reason.MALFORMED: 60}, ())
    assert len(ids(survey)) == 5


# ---- errors ---------------------------------------------------------------------------------------------------------------


REFUSALS = (
    WorkspaceRefused("not open to this user", code="ModelArts.0112", http_status=403),
    WorkspaceRefused("not open to this user", code="ModelArts.7002", http_status=400),
    Forbidden("not allowed", code="ModelArts.0108", http_status=403),
    Rejected("no such workspace", code="ModelArts.0102", http_status=400),
)


@pytest.mark.parametrize("error", REFUSALS, ids=lambda error: error.code)
async def test_a_workspace_that_refuses_is_a_gap_of_its_own(error: CloudError) -> None:
    """None of its notebooks counts, and the others are whole; it is told once for each listing."""
    scene = world(*fleet(3), notebook(4, workspace_id="w2"), workspaces=("0", "w2"))
    scene.cloud.inject("page", Fault(error), notebook_id="w2/NOTEBOOK/0")
    survey = await surveyed(scene)
    assert (survey.fleet, survey.gaps, ids(survey)) == (3, (), ["nb1", "nb2", "nb3"])
    assert [(gap.scope, gap.problem) for gap in survey.refused] == [(Scope("w2", "NOTEBOOK"), str(error))]
    assert [event.workspace for event in scene.telemetry.of(SurveyWorkspaceRefused)] == ["w2"]
    (finished,) = scene.telemetry.of(SurveyFinished)
    assert (finished.complete, finished.workspaces_refused) == (False, 1)


async def test_a_workspace_that_refuses_in_mid_listing_counts_for_nothing() -> None:
    """Half of it was read: none of that may go, for it cannot be told whether it was whole."""
    scene = world(*fleet(3), *(notebook(number, workspace_id="w2") for number in range(100, 220)), workspaces=("0", "w2"))
    scene.cloud.inject("page", Fault(REFUSALS[0]), notebook_id="w2/NOTEBOOK/98")
    survey = await surveyed(scene)
    assert (survey.fleet, survey.gaps, ids(survey)) == (3, (), ["nb1", "nb2", "nb3"])
    assert [gap.scope.workspace_id for gap in survey.refused] == ["w2"]


@pytest.mark.parametrize("error", REFUSALS, ids=lambda error: error.code)
async def test_where_every_workspace_refuses_the_survey_ends(error: CloudError) -> None:
    """A 403 then is what the caller is not allowed to do, whichever code it has."""
    scene = world(*fleet(3), workspaces=("0", "w2"))
    scene.cloud.inject("page", *[Fault(error)] * 2)
    with pytest.raises(Forbidden if error.http_status == 403 else Rejected):
        await surveyed(scene)


async def test_a_refusal_by_the_gateway_is_about_the_whole_project() -> None:
    """It is no workspace's gap."""
    scene = world(*fleet(3), workspaces=("0", "w2"))
    error = Forbidden("not the project's", code="APIGW.0302", http_status=403)
    scene.cloud.inject("page", Fault(error), notebook_id="w2/NOTEBOOK/0")
    with pytest.raises(ExceptionGroup):
        await surveyed(scene)


@pytest.mark.parametrize("error", [AnswerLost("no answer"), MalformedAnswer("no listing"), Unauthorized("bad key")])
async def test_a_page_that_cannot_be_read_ends_the_survey(error: CloudError) -> None:
    """Without it nothing can be said of the fleet; no other listing is left under way."""
    scene = world(*fleet(3), workspaces=("0", "w2"), pace=Pace(answer_s=1))
    scene.cloud.inject("page", Fault(error), notebook_id="w2/NOTEBOOK/0")
    with pytest.raises(ExceptionGroup) as caught:
        await surveyed(scene)
    assert caught.group_contains(type(error))
    assert len(asyncio.all_tasks()) == 1


async def test_workspaces_that_cannot_be_listed_end_the_survey() -> None:
    """Which fleet there is cannot even be asked."""
    scene = world(*fleet(3))
    scene.cloud.inject("workspaces", Fault(MalformedAnswer("no list")))
    with pytest.raises(MalformedAnswer):
        await surveyed(scene)
