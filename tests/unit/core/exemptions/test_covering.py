"""Which notebooks an exemption covers, may cover, and does not cover."""

from datetime import timedelta
from typing import Any

import pytest

from builders import NOON, ago, exemption, notebook
from nbsweep.core.exemptions.covering import Covering, covers, find_exemption
from nbsweep.core.exemptions.model import Selector
from nbsweep.core.model import Named
from nbsweep.core.reasons.finding import Truth

COVERS, NOT, MAYBE = Truth.PASS, Truth.FAIL, Truth.UNKNOWN
CYRILLIC = "\N{CYRILLIC SMALL LETTER A}lice"
LATE = timedelta(seconds=1)


# ---- by id ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("selector", "changes", "expected"),
    [
        ({"notebook_id": "nb1"}, {}, (COVERS, "")),
        ({"notebook_id": "nb1"}, {"created_at": None}, (COVERS, "")),
        ({"notebook_id": "nb2"}, {}, (NOT, "")),
        ({"notebook_id": "NB1"}, {}, (NOT, "")),
        ({"notebook_id": "nb"}, {}, (NOT, "")),
        ({"notebook_id": "*"}, {}, (NOT, "")),
        ({"notebook_id": "nb1", "notebook_created_at": ago(days=200)}, {}, (COVERS, "")),
        ({"notebook_id": "nb1", "notebook_created_at": ago(days=201)}, {}, (NOT, "")),
        ({"notebook_id": "nb1", "notebook_created_at": ago(days=200)}, {"created_at": None}, (MAYBE, "create_at")),
        ({"notebook_id": "nb2", "notebook_created_at": ago(days=200)}, {"created_at": None}, (NOT, "")),
    ],
)
def test_a_notebook_is_exempt_by_its_whole_id_and_its_date_of_creation(
    selector: dict[str, Any], changes: dict[str, Any], expected: tuple[Truth, str]
) -> None:
    """A later notebook with the same id is another one."""
    assert covers(Selector(**selector), notebook(**changes)) == expected


# ---- by owner -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("owner", "known", "expected"),
    [
        ("alice", Named("u1", "alice"), (COVERS, "")),
        ("u1", Named("u1", "alice"), (COVERS, "")),
        ("ALICE", Named("u1", "alice"), (COVERS, "")),
        ("alice", Named("u1", "Alice"), (COVERS, "")),
        ("alice", Named(None, "alice"), (COVERS, "")),
        ("u1", Named("u1", None), (COVERS, "")),
        ("bob", Named("u1", "alice"), (NOT, "")),
        ("ali", Named("u1", "alice"), (NOT, "")),
        ("ali*", Named("u1", "alice"), (NOT, "")),
        ("ali?e", Named("u1", "alice"), (NOT, "")),
        ("[a]lice", Named("u1", "alice"), (NOT, "")),
        ("a[b]*?", Named("u1", "a[b]*?"), (COVERS, "")),
        ("alice", Named("u1", CYRILLIC), (MAYBE, "user")),
        (CYRILLIC, Named("u1", "alice"), (MAYBE, "user")),
        ("alice", Named("u1", " alice"), (MAYBE, "user")),
        ("alice", Named(), (MAYBE, "user")),
        ("alice", Named("u1", None), (MAYBE, "user")),
        ("u1", Named(None, "alice"), (MAYBE, "user")),
        ("cafe\N{COMBINING ACUTE ACCENT}", Named("u1", "caf\N{LATIN SMALL LETTER E WITH ACUTE}"), (COVERS, "")),
        ("", Named("u1", "alice"), (MAYBE, "user")),
    ],
)
def test_an_owner_is_exempt_by_id_or_name_without_regard_to_case(owner: str, known: Named, expected: tuple[Truth, str]) -> None:
    """The text is no glob; who only looks alike, or is not shown, may be meant."""
    assert covers(Selector(owner=owner), notebook(owner=known)) == expected


# ---- by name --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("glob", "name", "expected"),
    [
        ("experiment-1", "experiment-1", (COVERS, "")),
        ("EXP*", "experiment-1", (COVERS, "")),
        ("exp*", "EXPERIMENT", (COVERS, "")),
        ("exp[a-f]riment-?", "experiment-1", (COVERS, "")),
        ("experiment", "experiment-1", (NOT, "")),
        ("*-2", "experiment-1", (NOT, "")),
        ("exp-*", "exp\N{EN DASH}1", (MAYBE, "name")),
        ("*", None, (MAYBE, "name")),
        ("[abc", "experiment-1", (MAYBE, "name")),
        ("", "experiment-1", (MAYBE, "name")),
    ],
)
def test_a_name_is_a_glob_without_regard_to_case(glob: str, name: str | None, expected: tuple[Truth, str]) -> None:
    """A name that only looks alike, or is missing, may be meant; an invalid glob may mean anything."""
    assert covers(Selector(name=glob), notebook(name=name)) == expected


# ---- several --------------------------------------------------------------------------------------------------------------


def test_all_that_is_given_must_match() -> None:
    """What does not match weighs more than what is unknown."""
    both = Selector(owner="alice", name="exp*")
    assert covers(both, notebook()) == (COVERS, "")
    assert covers(both, notebook(name="model")) == (NOT, "")
    assert covers(both, notebook(owner=Named("u2", "bob"))) == (NOT, "")
    assert covers(both, notebook(owner=Named())) == (MAYBE, "user")
    assert covers(both, notebook(owner=Named(), name="model")) == (NOT, "")
    assert covers(both, notebook(name=None)) == (MAYBE, "name")


def test_a_selector_without_any_text_covers_nothing() -> None:
    """Not everything."""
    assert covers(Selector(), notebook()) == (NOT, "")
    assert covers(Selector(notebook_created_at=ago(days=200)), notebook()) == (NOT, "")


# ---- in force -------------------------------------------------------------------------------------------------------------


def test_an_exemption_holds_until_its_end_and_no_longer() -> None:
    """At its end it does not count any more."""
    given = exemption(until=NOON)
    assert find_exemption(notebook(), [given], NOON - LATE) == Covering(given)
    assert find_exemption(notebook(), [given], NOON) is None


def test_an_exemption_that_was_revoked_does_not_count() -> None:
    """Though its end is to come."""
    assert find_exemption(notebook(), [exemption(revoked_at=ago(hours=1), revoked_by="carol")], NOON) is None


def test_of_several_the_one_that_ends_last_counts() -> None:
    """So that a verdict tells how long the notebook is kept."""
    short, long = exemption(until=NOON + LATE), exemption(id="e2", owner="alice", until=NOON + 2 * LATE)
    for given in ([short, long], [long, short]):
        assert find_exemption(notebook(), given, NOON) == Covering(long)


def test_one_that_covers_counts_more_than_one_that_may() -> None:
    """Whichever ends later."""
    doubtful = exemption(id="e2", owner="bob", until=NOON + timedelta(days=90))
    row = notebook(owner=Named("u1", None))
    assert find_exemption(row, [doubtful, exemption()], NOON) == Covering(exemption())
    assert find_exemption(row, [doubtful], NOON) == Covering(doubtful, "user")
    assert find_exemption(notebook(), [doubtful], NOON) is None


@pytest.mark.parametrize(
    ("missing", "changes", "lacking"),
    [
        ("user", {"owner": Named("u1", None)}, True),
        ("user", {"owner": Named(None, "alice")}, True),
        ("user", {"owner": Named("u1", CYRILLIC)}, False),
        ("name", {"name": None}, True),
        ("name", {}, False),
        ("create_at", {"created_at": None}, True),
        ("create_at", {}, False),
        ("", {"name": None}, False),
    ],
)
def test_only_a_fact_that_is_missing_is_worth_a_question(missing: str, changes: dict[str, Any], *, lacking: bool) -> None:
    """A name that looks alike stays so, whoever is asked."""
    assert Covering(exemption(), missing).lacks_fact(notebook(**changes)) is lacking
