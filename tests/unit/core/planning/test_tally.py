from itertools import permutations, product
from typing import Any

import pytest

from builders import NEVER_TOUCHED, NOON, SCOPE, ago, moment, notebook, over, policy, protection, rules, tag, text
from nbsweep.core.judging.rules import Rules, Running
from nbsweep.core.judging.verdict import Reason
from nbsweep.core.model import MalformedRow, Notebook, Scope, Status
from nbsweep.core.planning.plan import Survey
from nbsweep.core.planning.tally import Tally, join_tallies

OTHER = Scope("1", "NOTEBOOK")
RULES = rules(
    policy(over("age", days=100), text("feature", "*"), name="old"),
    protect=(protection(tag("keep", "*"), name="keep-tag"),),
)

GOES: dict[str, Any] = {}
PROTECTED = {"tags": {"keep": "yes"}}
YOUNG = {"created_at": ago(days=5)}
UNKNOWN = {"created_at": None}
RUNNING = {"status": Status.RUNNING}
DELETED = {"status": Status.DELETED}


def tally(*rows: Notebook | MalformedRow, scope: Scope = SCOPE, asked: Rules = RULES) -> Tally:
    """Add up a listing of these rows."""
    added = Tally()
    for row in rows:
        added.add(row, scope, asked, moment())
    return added


def joined(*tallies: Tally, gaps: tuple[str, ...] = ()) -> Survey:
    """Make a survey of these listings."""
    return join_tallies("research", NOON, tallies, gaps)


def row(number: int, kind: dict[str, Any]) -> Notebook:
    """Return one row of a kind."""
    return notebook(id=f"nb{number}", **kind)


def ids(survey: Survey) -> list[str]:
    """List what may go."""
    return [candidate.notebook.id for candidate in survey.candidates]


def test_every_row_is_counted_under_its_reason() -> None:
    """Candidates and kept ones add up to the fleet; a row that says it is deleted is no part of it."""
    kinds = [GOES, GOES, PROTECTED, YOUNG, YOUNG, YOUNG, UNKNOWN, RUNNING, DELETED, {"status": Status.STARTING}]
    survey = joined(tally(*(row(number, kind) for number, kind in enumerate(kinds))))
    assert ids(survey) == ["nb0", "nb1"]
    expected = {
        Reason.PROTECTED: 1,
        Reason.NO_POLICY: 3,
        Reason.UNKNOWN_FACT: 1,
        Reason.RUNNING: 1,
        Reason.IN_TRANSITION: 1,
    }
    assert {reason: count for reason, count in survey.kept.items() if reason is not Reason.ALREADY_DELETED} == expected
    assert survey.fleet == 9
    assert (survey.target, survey.taken_at, survey.gaps) == ("research", NOON, ())


def test_a_candidate_knows_where_and_why_and_since_when() -> None:
    """The second look needs the scope, the plan the idle time, the record the verdict."""
    there = {"workspace_id": OTHER.workspace_id, "feature": OTHER.feature}
    (found,) = tally(notebook(lease=None, **there), scope=OTHER).candidates
    assert found.scope == OTHER
    assert found.verdict.rule == "old"
    assert found.idle_since == ago(days=100)


def test_an_overlapping_row_counts_once() -> None:
    """Pages overlap by one row, and a listing may show a row again; the first sight counts."""
    again = tally(row(1, GOES), row(1, GOES), row(1, PROTECTED), row(2, YOUNG), row(2, YOUNG))
    survey = joined(again)
    assert (again.rows, survey.fleet, ids(survey)) == (2, 2, ["nb1"])
    assert dict(survey.kept) == {Reason.NO_POLICY: 1}


def test_rows_are_told_apart_by_id_and_not_by_name() -> None:
    """Names are not unique."""
    assert tally(row(1, GOES), row(2, GOES)).rows == 2


def test_malformed_rows_are_kept_and_counted() -> None:
    """What cannot be read cannot be judged, and is still a notebook."""
    bad, nameless = MalformedRow("nb9", "x", "status: unknown"), MalformedRow(None, None, "id: missing")
    added = tally(bad, nameless, nameless, row(1, GOES))
    survey = joined(added)
    assert (added.rows, survey.fleet, ids(survey)) == (4, 4, ["nb1"])
    assert dict(survey.kept) == {Reason.MALFORMED: 3}
    assert survey.malformed == (bad, nameless, nameless)


def test_a_malformed_row_counts_once() -> None:
    """The overlap of two pages may well be a malformed row."""
    bad = MalformedRow("nb9", "x", "status: unknown")
    survey = joined(tally(bad, bad))
    assert (survey.fleet, survey.malformed) == (1, (bad,))
    assert dict(survey.kept) == {Reason.MALFORMED: 1}


@pytest.mark.parametrize("kind", [GOES, PROTECTED, YOUNG, UNKNOWN, RUNNING], ids=lambda kind: str(kind) or "goes")
def test_a_notebook_that_two_listings_show_counts_once(kind: dict[str, Any]) -> None:
    """In the fleet, among the candidates and among the kept: a brake on a share of the fleet rests on it."""
    once = joined(tally(row(1, kind), row(2, GOES)))
    twice = joined(tally(row(1, kind), row(2, GOES)), tally(row(1, kind), scope=OTHER), tally(row(2, GOES), scope=OTHER))
    assert (twice.fleet, ids(twice)) == (2, ids(once))
    assert dict(twice.kept) == dict(once.kept)
    assert sum(twice.kept.values()) + len(twice.candidates) == 2


def test_a_deleted_row_that_two_listings_show_takes_nothing_from_the_fleet() -> None:
    """It counts for nothing, and certainly not for less."""
    assert joined(tally(row(1, DELETED)), tally(row(1, DELETED), scope=OTHER)).fleet == 0
    assert joined(tally(row(1, DELETED), row(2, YOUNG)), tally(row(1, DELETED), scope=OTHER)).fleet == 1


def test_a_malformed_row_that_two_listings_show_counts_once() -> None:
    """It has an id, so it can be told apart; and it is reported once."""
    bad = MalformedRow("nb9", "x", "status: unknown")
    survey = joined(tally(bad), tally(bad, scope=OTHER))
    assert (survey.fleet, dict(survey.kept)) == (1, {Reason.MALFORMED: 1})
    assert survey.malformed == (bad,)


def test_candidates_and_kept_always_add_up_to_the_fleet() -> None:
    """Whichever way two listings show the same two notebooks, each is counted exactly once."""
    kinds = [GOES, PROTECTED, UNKNOWN, RUNNING]
    for first, second, third in product(kinds, repeat=3):
        for listings in permutations([tally(row(1, first), row(2, third)), tally(row(1, second), scope=OTHER)]):
            survey = joined(*listings)
            assert survey.fleet == 2
            assert sum(survey.kept.values()) + len(survey.candidates) == 2


def test_nameless_rows_of_two_listings_are_all_counted() -> None:
    """They cannot be told apart, so each may be another notebook."""
    nameless = MalformedRow(None, None, "id: missing")
    survey = joined(tally(nameless), tally(nameless, nameless, scope=OTHER))
    assert (survey.fleet, dict(survey.kept)) == (3, {Reason.MALFORMED: 3})


def test_gaps_stay_with_the_survey() -> None:
    """Whoever plans must know what was not seen."""
    assert joined(tally(row(1, GOES)), gaps=("workspace 7 was torn",)).gaps == ("workspace 7 was torn",)
    assert joined().fleet == 0


@pytest.mark.parametrize("status", Status)
def test_what_is_not_at_rest_is_remembered(status: Status) -> None:
    """The journal is told of everything that runs or moves, whatever a policy says of it."""
    added = tally(row(1, {"status": status}), asked=rules(policy(running=Running.STOP)))
    assert added.active == (["nb1"] if status is Status.RUNNING or status in NEVER_TOUCHED else [])


@pytest.mark.parametrize("status", [Status.RUNNING, Status.FROZEN])
def test_a_later_policy_that_keeps_it_does_not_hide_what_a_row_leaves_out(status: Status) -> None:
    """The first policy would delete it once the missing fact is known, and it would win: it is asked for by id."""
    first = policy(over("lease_expired", days=30), name="forgotten", running=Running.STOP)
    if status is Status.FROZEN:
        first = policy(text("status", "FROZEN"), over("lease_expired", days=30), name="frozen")
    asked = rules(first, policy(text("name", "*"), name="trials"))
    added = tally(row(1, {"status": status, "lease": None, "listed": True}), asked=asked)
    assert list(added.undecided) == ["nb1"]


def test_tallies_share_nothing() -> None:
    """Elsewhere a result list on the class was shared by all actions; here each listing starts at nothing."""
    full = tally(row(1, GOES), row(2, PROTECTED), MalformedRow(None, None, "id: missing"), row(3, RUNNING))
    fresh = Tally()
    assert full.rows == 4
    assert (fresh.rows, fresh.candidates, fresh.malformed, fresh.active) == (0, [], [], [])
    assert joined(fresh).kept == {}
