"""What the inventory of every journal keeps to, by the port's own words; the one for tests too."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import DecodeError, Struct
from msgspec.structs import replace

from builders import NOON, ago
from contract.conftest import Opener
from contract.records import examples
from nbsweep.core.facts import Moment, idle_since
from nbsweep.core.identity import TargetIdentity
from nbsweep.core.inventory.facts import KnownOwner
from nbsweep.core.inventory.model import NotebookState, SurveyRecord
from nbsweep.core.inventory.recording import Changes, Listed, Recorder
from nbsweep.core.model import AT_REST, Lease, MalformedRow, Named, Notebook, Scope, Status
from nbsweep.core.ports import Journal

SCOPE = Scope("w1", "NOTEBOOK")
OTHER = Scope("w2", "NOTEBOOK")
HOUR = timedelta(hours=1)


def identity(
    project: str = "p1", workspaces: tuple[str, ...] | None = None, scope: str = "all", caller: str = ""
) -> TargetIdentity:
    """Return the identity of a target."""
    return TargetIdentity("https://cloud", project, workspaces, ("NOTEBOOK",), scope, caller)


def notebook(notebook_id: str = "nb1", status: Status = Status.STOPPED, **changes: object) -> Notebook:
    """Return a row of a listing."""
    row = Notebook(notebook_id, status, name="bert", created_at=ago(days=9), updated_at=ago(days=3), lease=Lease(enabled=False))
    return replace(row, listed=True, **changes)


async def survey(
    journal: Journal,
    shown: Sequence[Notebook | MalformedRow],
    at: datetime = NOON,
    *,
    complete: bool = True,
    mine: TargetIdentity | None = None,
) -> SurveyRecord:
    """Record a survey that shows these notebooks, and return it; the target has the name of its project."""
    mine = mine or identity()
    scope = Scope(mine.workspaces[0] if mine.workspaces else "w1", "NOTEBOOK")
    known = await journal.inventory.open_states(mine)
    recorder = Recorder(known)
    for row in shown:
        if isinstance(row, Notebook):
            recorder.see(row, scope, None)
        elif row.id is not None:
            recorder.see_unread(row.id, scope)
    record = SurveyRecord(mine.project, mine.project_id or "", mine.extent, at, complete, len(shown), "c0ffee")
    changes = Changes((Listed(recorder, tuple(row.id for row in shown if row.id is not None)),), known, complete)
    return replace(record, id=await journal.inventory.record(record, changes))


async def states(journal: Journal, notebook_id: str = "nb1") -> tuple[NotebookState, ...]:
    """Return the states of a notebook."""
    return await journal.inventory.states_of(notebook_id)


def spans(found: Sequence[NotebookState]) -> list[tuple[int, int | None]]:
    """Return from which survey to which each state lasts."""
    return [(state.first_survey, state.ended_by) for state in found]


async def test_a_state_lasts_until_a_survey_shows_another(opener: Opener) -> None:
    """A survey that shows the same again writes nothing about it."""
    async with opener() as journal:
        await survey(journal, [notebook()])
        await survey(journal, [notebook()], NOON + HOUR)
        await survey(journal, [notebook(name="gpt")], NOON + 2 * HOUR)
        first, second = await states(journal)
    assert spans([first, second]) == [(1, 3), (3, None)]
    assert (first.seen_from, first.seen_until) == (NOON, NOON + 2 * HOUR)
    assert [state.facts_at(9).notebook.name for state in (first, second)] == ["bert", "gpt"]
    assert first.facts_at(1).notebook == notebook()


async def test_only_a_complete_survey_ends_the_state_of_a_notebook_that_it_does_not_show(opener: Opener) -> None:
    """An incomplete one ends nothing, and adds what it shows."""
    async with opener() as journal:
        await survey(journal, [notebook()])
        await survey(journal, [notebook("nb2")], NOON + HOUR, complete=False)
        assert spans(await states(journal)) == [(1, None)]
        assert spans(await states(journal, "nb2")) == [(2, None)]
        await survey(journal, [notebook("nb2")], NOON + 2 * HOUR)
        assert spans(await states(journal)) == [(1, 3)]


async def test_an_id_that_was_created_again_is_another_notebook(opener: Opener) -> None:
    """The old one has ended, even if the survey is incomplete."""
    async with opener() as journal:
        await survey(journal, [notebook()])
        await survey(journal, [notebook(created_at=ago(days=1))], NOON + HOUR, complete=False)
        first, second = await states(journal)
    assert spans([first, second]) == [(1, 2), (2, None)]
    assert first.facts_at(1).notebook.created_at == ago(days=9)
    assert second.facts_at(2).notebook.created_at == ago(days=1)


async def test_a_row_that_cannot_be_read_ends_the_facts_of_its_notebook(opener: Opener) -> None:
    """The state without facts lasts until a row can be read again; another such row writes nothing."""
    unread = MalformedRow("nb1", "bert", "status HIBERNATING is not documented")
    async with opener() as journal:
        for row in (notebook(), unread, unread, notebook()):
            await survey(journal, [row])
        found = await states(journal)
        assert spans(found) == [(1, 2), (2, 4), (4, None)]
        with pytest.raises(DecodeError):
            found[1].facts_at(3)
        assert found[2].facts_at(4) == found[0].facts_at(1)


async def test_a_survey_ends_nothing_that_it_does_not_cover(opener: Opener) -> None:
    """No notebook of another workspace, project or caller."""
    own = identity(scope="own", caller="me")
    async with opener() as journal:
        await survey(journal, [notebook("nb1")], mine=identity(workspaces=("w1",)))
        await survey(journal, [notebook("nb2")], mine=identity(workspaces=("w2",)))
        await survey(journal, [notebook("nb3")], mine=identity("p2"))
        await survey(journal, [notebook("nb4")], mine=own)
        await survey(journal, [notebook("nb5")], mine=identity(scope="own", caller="them"))
        await survey(journal, [], NOON + HOUR, mine=identity(workspaces=("w1",)))
        await survey(journal, [], NOON + HOUR, mine=own)
        ends = [(await states(journal, f"nb{number}"))[0].ended_by for number in range(1, 6)]
    assert ends == [6, None, None, 7, None]


async def test_two_listings_of_a_survey_show_a_notebook_once(opener: Opener) -> None:
    """As the first of them shows it."""
    mine = identity()
    async with opener() as journal:
        await survey(journal, [notebook()])
        known = await journal.inventory.open_states(mine)
        one, two = Recorder(known), Recorder(known)
        one.see(notebook(), SCOPE, None)
        two.see(notebook(name="gpt"), OTHER, None)
        record = SurveyRecord(mine.project, "research", mine.extent, NOON, complete=True, fleet=1, config="")
        await journal.inventory.record(record, Changes((Listed(one, ("nb1",)), Listed(two, ("nb1",))), known, complete=True))
        assert spans(await states(journal)) == [(1, None)]


async def test_the_answer_about_one_notebook_replaces_its_row(opener: Opener) -> None:
    """If the answer shows what is known already, nothing has changed; if it is gone, it has no state."""
    mine = identity()
    async with opener() as journal:
        await survey(journal, [notebook()])
        known = await journal.inventory.open_states(mine)
        recorder = Recorder(known)
        for name in ("nb1", "nb2", "nb3"):
            recorder.see(notebook(name, lease=None), SCOPE, None, provisional=True)
        recorder.see(notebook(), SCOPE, None)
        recorder.see(notebook("nb2"), SCOPE, None)
        recorder.forget("nb3")
        record = SurveyRecord(mine.project, "research", mine.extent, NOON, complete=True, fleet=2, config="")
        await journal.inventory.record(record, Changes((Listed(recorder, ("nb1", "nb2")),), known, complete=True))
        assert spans(await states(journal)) == [(1, None)]
        assert (await states(journal, "nb2"))[0].facts_at(2).notebook == notebook("nb2")
        assert await states(journal, "nb3") == ()


async def test_two_processes_never_leave_two_open_states(opener: Opener) -> None:
    """Both have read the same states, as a sweep and a dry run at the same time may have."""
    mine = identity()
    async with opener() as journal:
        await survey(journal, [notebook()])
        known = await journal.inventory.open_states(mine)
        for name in ("gpt", "llama"):
            recorder = Recorder(known)
            recorder.see(notebook(name=name), SCOPE, None)
            record = SurveyRecord(mine.project, "research", mine.extent, NOON, complete=True, fleet=1, config="")
            await journal.inventory.record(record, Changes((Listed(recorder, ("nb1",)),), known, complete=True))
        assert spans(await states(journal)) == [(1, 2), (2, None)]
        await survey(journal, [notebook(name="llama")])
        assert spans(await states(journal)) == [(1, 2), (2, 4), (4, None)]


async def test_the_times_of_a_notebook_in_use_stay_in_its_state_for_an_hour(opener: Opener) -> None:
    """The state has the exact latest ones, and a new one begins when a time has moved further."""
    start = ago(minutes=5)

    def running(minutes: int) -> Notebook:
        return notebook(status=Status.RUNNING, updated_at=start + timedelta(minutes=minutes))

    async with opener() as journal:
        for number, minutes in enumerate((0, 25, 20, 60, 61)):
            await survey(journal, [running(minutes)], NOON + number * HOUR)
        first, second = await states(journal)
    assert spans([first, second]) == [(1, 5), (5, None)]
    assert first.facts_at(1).notebook == running(0)
    assert [first.facts_at(number).notebook.updated_at for number in (2, 3, 4)] == [start + HOUR] * 3
    assert second.facts_at(5).notebook == running(61)


async def test_every_date_of_a_notebook_at_rest_counts(opener: Opener) -> None:
    """Its idle time depends on it, so that a second makes another state."""
    async with opener() as journal:
        await survey(journal, [notebook()])
        await survey(journal, [notebook(updated_at=ago(days=3) + timedelta(seconds=1))])
        assert spans(await states(journal)) == [(1, 2), (2, None)]


async def test_the_fleet_as_of_a_moment_is_that_of_the_last_survey_before_it(opener: Opener) -> None:
    """Of each target the latest; one that is not complete answers, too."""
    async with opener() as journal:
        one = await survey(journal, [notebook("nb2"), notebook("nb1")])
        two = await survey(journal, [notebook("nb3")], NOON + HOUR, complete=False)
        other = await survey(journal, [notebook("nb9")], NOON + HOUR, mine=identity("p2"))
        at = journal.inventory.surveys_at
        assert await at(NOON - HOUR) == ()
        assert await at(NOON) == (one,)
        assert await at(NOON + 5 * HOUR) == (two, other)
        assert await at(NOON + 5 * HOUR, "p1") == (two,)
        assert [state.notebook_id for state in await journal.inventory.states_at(one)] == ["nb1", "nb2"]
        assert [state.notebook_id for state in await journal.inventory.states_at(two)] == ["nb1", "nb2", "nb3"]
        assert [state.notebook_id for state in await journal.inventory.states_at(other)] == ["nb9"]
        assert await journal.inventory.surveys(NOON, NOON) == (one,)
        assert await journal.inventory.surveys(NOON, NOON + HOUR, "p2") == (other,)


async def test_old_states_are_deleted_but_not_more_than_once_a_day(opener: Opener) -> None:
    """Open states stay however old they are, with the survey that showed them first."""
    async with opener() as journal:
        first = await survey(journal, [notebook("nb1"), notebook("nb2")], NOON - 10 * HOUR)
        await survey(journal, [notebook("nb1"), notebook("nb2", name="gpt")], NOON - 9 * HOUR)
        await survey(journal, [notebook("nb1"), notebook("nb2", name="gpt")], NOON - 8 * HOUR)
        last = await survey(journal, [notebook("nb1"), notebook("nb2")], NOON - HOUR)
        assert await journal.inventory.prune(NOON - 2 * HOUR, NOON) == 1
        assert spans(await states(journal)) == [(1, None)]
        assert spans(await states(journal, "nb2")) == [(2, 4), (4, None)]
        kept = await journal.inventory.surveys(NOON - 20 * HOUR, NOON)
        assert [one.id for one in kept] == [1, 2, 4]
        assert (kept[0], kept[2]) == (first, last)
        assert await journal.inventory.prune(NOON + 9 * HOUR, NOON + 23 * HOUR) == 0
        assert await journal.inventory.prune(NOON + 9 * HOUR, NOON + 24 * HOUR) == 1
        assert [one.id for one in await journal.inventory.surveys(NOON - 20 * HOUR, NOON)] == [1, 4]


async def test_some_notebooks_of_a_survey_are_read_alone(opener: Opener) -> None:
    """As that survey knew them; those that it did not show are left out."""
    async with opener() as journal:
        one = await survey(journal, [notebook("nb1"), notebook("nb2"), notebook("nb3")])
        two = await survey(journal, [notebook("nb1", name="gpt"), notebook("nb3")], NOON + HOUR)
        states = await journal.inventory.states_at(one, ["nb2", "nb1", "nb9"])
        assert [(state.notebook_id, state.facts_at(one.id).notebook.name) for state in states] == [
            ("nb1", "bert"),
            ("nb2", "bert"),
        ]
        assert [state.notebook_id for state in await journal.inventory.states_at(two, ["nb2", "nb1"])] == ["nb1"]
        assert await journal.inventory.states_at(one, []) == ()


async def test_owners_are_as_a_survey_knew_them(opener: Opener) -> None:
    """Each with the notebooks that have the same tags; a row that could not be read has no owner."""
    alice: dict[str, Any] = {"owner": Named("u1", "alice"), "tags": {"team": "vision", "bare": None}}
    apart = notebook("nb5", owner=Named("u1", "alice"), tags={"team": "speech"})
    mine = [notebook("nb1", **alice), notebook("nb2", owner=Named()), notebook("nb4", **alice), apart]
    async with opener() as journal:
        one = await survey(journal, [*mine, MalformedRow("nb3", "bert", "no status")])
        two = await survey(journal, [notebook("nb1", owner=Named("u2", "bob"))], NOON + HOUR)
        owners = await journal.inventory.owners_at(one)
        found = sorted((sorted(each.notebook_ids), each.id, each.name, each.tags) for each in owners)
        assert found == [
            (["nb1", "nb4"], "u1", "alice", {"team": "vision", "bare": None}),
            (["nb2"], "", "", {}),
            (["nb5"], "u1", "alice", {"team": "speech"}),
        ]
        assert await journal.inventory.owners_at(two) == (KnownOwner("u2", "bob", {}, ["nb1"]),)
        assert await journal.inventory.owners_at(replace(one, extent="")) == ()


async def test_thousands_of_notebooks_are_recorded(opener: Opener) -> None:
    """More than are packed together, or written in one call."""
    fleet = [notebook(f"nb{number:04}", owner=Named(f"u{number}")) for number in range(2500)]
    async with opener() as journal:
        one = await survey(journal, fleet)
        assert len(await journal.inventory.open_states(identity())) == 2500
        await survey(journal, fleet[:1200])
        found = await journal.inventory.states_at(one)
        assert [state.facts_at(1).notebook for state in found] == fleet
        assert sum(state.ended_by == 2 for state in found) == 1300


async def test_a_survey_without_a_time_zone_is_refused(opener: Opener) -> None:
    """As every moment is."""
    async with opener() as journal:
        with pytest.raises(ValueError, match="without a time zone"):
            await survey(journal, [], datetime(2026, 1, 1))  # noqa: DTZ001  # that is the point


async def test_the_states_of_a_period_come_in_parts_by_their_first_survey(opener: Opener) -> None:
    """Those that lasted at any of its surveys; neither those that had ended, nor later ones, nor those of another target."""
    async with opener() as journal:
        await survey(journal, [notebook("nb1"), notebook("nb2"), notebook("nb3")])
        await survey(journal, [notebook("nb1"), notebook("nb3", name="gpt")], NOON + HOUR)
        await survey(journal, [notebook("x1")], mine=identity("p2"))
        await survey(journal, [notebook("nb0"), notebook("nb1", name="gpt"), notebook("nb3", name="gpt")], NOON + 2 * HOUR)
        await survey(journal, [notebook("nb1", name="llama")], NOON + 3 * HOUR)
        found: list[NotebookState] = []
        while part := await journal.inventory.states_between(identity(), (2, 4), key_of(found), 2):
            assert len(part) <= 2
            found += part
        whole = await journal.inventory.states_between(identity(), (2, 4), None, 100)
    assert [(state.first_survey, state.notebook_id) for state in found] == [(1, "nb1"), (2, "nb3"), (4, "nb0"), (4, "nb1")]
    assert list(whole) == found


def key_of(found: Sequence[NotebookState]) -> tuple[int, str] | None:
    """Return where the next part of a list of states begins."""
    return (found[-1].first_survey, found[-1].notebook_id) if found else None


# ---- any sequence of surveys ------------------------------------------------------------------------------------------------


class Shown(Struct, frozen=True):
    """What a survey shows of one notebook."""

    notebook: str
    instance: int
    status: Status
    updated_min: int


SHOWN = st.builds(
    Shown,
    st.sampled_from(["a", "b"]),
    st.integers(0, 1),
    st.sampled_from([Status.STOPPED, Status.RUNNING, Status.RUNNING]),
    st.integers(0, 150),
)
SURVEYS = st.lists(
    st.tuples(
        st.integers(-30, 60).map(lambda hours: timedelta(hours=hours)),
        st.booleans(),
        st.lists(SHOWN, max_size=2, unique_by=lambda shown: shown.notebook),
    ),
    min_size=1,
    max_size=7,
)


def row_of(shown: Shown, prefix: str) -> Notebook:
    """Return the row of a notebook."""
    updated = NOON + timedelta(minutes=shown.updated_min)
    return notebook(prefix + shown.notebook, shown.status, created_at=ago(days=9 - shown.instance), updated_at=updated)


@settings(examples, max_examples=8)
@given(sequence=SURVEYS)
async def test_whatever_surveys_show_each_moment_is_answered_by_the_last_one(
    opener: Opener, sequence: list[tuple[timedelta, bool, list[Shown]]]
) -> None:
    """The clock may be set forward and back: states never overlap, none ends before it begins, and none looks idle earlier."""
    mine, at, believed = identity(str(uuid4())), NOON, dict[str, Notebook]()
    recorded: list[tuple[SurveyRecord, dict[str, Notebook]]] = []
    async with opener() as journal:
        for step, complete, shown in sequence:
            at += step
            rows = [row_of(each, str(mine.project_id)) for each in shown]
            believed = ({} if complete else believed) | {row.id: row for row in rows}
            recorded.append((await survey(journal, rows, at, complete=complete, mine=mine), believed))
        for one, expected in recorded:
            found = {state.notebook_id: state.facts_at(one.id) for state in await journal.inventory.states_at(one)}
            assert found.keys() == expected.keys()
            for key, row in expected.items():
                assert_no_earlier(found[key].notebook, row, one.at)
            answering = [each for each, _ in recorded if each.at <= one.at]
            assert await journal.inventory.surveys_at(one.at, mine.project_id) == (answering[-1],)
        for name in ("a", "b"):
            assert_apart(await states(journal, str(mine.project_id) + name))


def assert_no_earlier(found: Notebook, row: Notebook, at: datetime) -> None:
    """Check that a notebook is as the survey knew it, but for the times of one in use, which may only be later."""
    if row.status in AT_REST:
        assert found == row
    assert replace(found, updated_at=None) == replace(row, updated_at=None)
    assert found.updated_at is not None
    assert row.updated_at is not None
    assert timedelta(0) <= found.updated_at - row.updated_at <= 2 * HOUR
    known, now = idle_since(row, Moment(at)), idle_since(found, Moment(at))
    assert known is None or (now is not None and now >= known)


def assert_apart(found: Sequence[NotebookState]) -> None:
    """Check that the states of one notebook do not overlap, in surveys or in time within each."""
    for state in found:
        assert state.ended_by is None or state.first_survey < state.ended_by
        assert state.seen_until is None or state.seen_from <= state.seen_until
    for state, following in pairwise(found):
        assert state.ended_by is not None
        assert state.ended_by <= following.first_survey


# ---- what the page of a notebook asks -------------------------------------------------------------------------------------


async def test_the_latest_states_of_one_notebook_come_first(opener: Opener) -> None:
    """Of the whole id only, and no more than are asked for."""
    async with opener() as journal:
        for hour, status in enumerate((Status.STOPPED, Status.RUNNING, Status.STOPPED)):
            await survey(journal, [notebook("nb1", status), notebook("nb11")], NOON + hour * HOUR)
        states = await journal.inventory.latest_states("nb1", 2)
        assert [(state.notebook_id, state.seen_from) for state in states] == [("nb1", NOON + 2 * HOUR), ("nb1", NOON + HOUR)]
        assert len(await journal.inventory.latest_states("nb1", 9)) == 3
        assert await journal.inventory.latest_states("nb", 9) == ()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("nb1", ["nb11", "nb1"]),
        ("NB1", []),
        ("bert", ["nb11", "nb1"]),
        ("BERT-b", ["nb11"]),
        ("%", ["nb2"]),
        ("100_", []),
        ("\u8bad", ["nb3"]),
        ("owner", []),
        ("x", []),
    ],
)
async def test_notebooks_are_found_by_the_beginning_of_a_name_or_an_id(opener: Opener, text: str, found: list[str]) -> None:
    """Names in any case of ASCII letters; no character is a wildcard; those with the newest state come first."""
    async with opener() as journal:
        named = {"nb1": "Bert", "nb2": '%"n":"x"', "nb3": "\u8bad\u7ec3"}
        rows = [notebook(each, name=name, owner=Named("u1", "alice")) for each, name in named.items()]
        await survey(journal, [*rows, notebook("nb4", name=None)])
        await survey(
            journal, [*rows, notebook("nb4", name=None), notebook("nb11", name="bert-base", owner=Named("u2"))], NOON + HOUR
        )
        refs = await journal.inventory.notebooks(text, 9)
        assert [ref.id for ref in refs] == found
        assert {ref.id: (ref.target, ref.name, ref.owner) for ref in refs}.get("nb11") in (None, ("p1", "bert-base", "u2"))
        assert await journal.inventory.notebooks(text, 1) == refs[:1]


async def test_notebooks_that_are_still_there_are_found_first(opener: Opener) -> None:
    """Then those that are gone, and former names; each pair of a notebook and a name once."""
    async with opener() as journal:
        await survey(journal, [notebook("nb1", name="bert"), notebook("nb2", name="bert-2"), notebook("nb3", name="bert-3")])
        await survey(journal, [notebook("nb2", Status.RUNNING, name="bert-2"), notebook("nb3", name="other")], NOON + HOUR)
        refs = await journal.inventory.notebooks("bert", 9)
        assert [(ref.id, ref.name) for ref in refs] == [("nb2", "bert-2"), ("nb1", "bert"), ("nb3", "bert-3")]
        tagged = notebook("nb4", name="x", tags={"n": "bert"})
        await survey(journal, [tagged], NOON + 2 * HOUR)
        assert await journal.inventory.notebooks("bert", 9) != ()
        assert "nb4" not in [ref.id for ref in await journal.inventory.notebooks("bert", 9)]
