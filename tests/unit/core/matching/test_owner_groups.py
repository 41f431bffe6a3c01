import pytest

from builders import moment, notebook
from nbsweep.core.explain.requirements import Requirement, requirement_of
from nbsweep.core.matching.conditions import AllOf, TextIs
from nbsweep.core.matching.globs import Glob
from nbsweep.core.matching.owner_groups import OwnerGroup
from nbsweep.core.model import Named
from nbsweep.core.reasons.finding import Truth


def group(name: str, *owners: str) -> OwnerGroup:
    """Return a group."""
    return OwnerGroup(name, tuple(Glob(owner, ignore_case=True) for owner in owners))


def owner_is(*owners: str, groups: tuple[OwnerGroup, ...]) -> TextIs:
    """Return a condition on owners and groups."""
    own = [Glob(owner, ignore_case=True) for owner in owners]
    return TextIs("owner", (*own, *(owner for each in groups for owner in each.owners)), groups=groups)


@pytest.mark.parametrize(
    ("owners", "text"),
    [
        (["alice"], "@team (alice)"),
        (["alice", "bob", "svc-*"], "@team (alice, bob, svc-*)"),
        (["alice", "bob", "svc-*", "dan", "eve"], "@team (alice, bob, svc-*, 2 more)"),
    ],
)
def test_a_group_is_described_by_its_first_owners(owners: list[str], text: str) -> None:
    """A group of two hundred must fit into a line."""
    assert str(group("team", *owners)) == text


def test_a_finding_names_the_group_and_its_first_owners() -> None:
    """Its sentence, which stands in tables, names the group only."""
    condition = owner_is("zoe", groups=(group("team", "alice", "bob"), group("guests", "guest?")))
    row = notebook(owner=Named(None, "alice"))
    finding = condition.check(row, moment())
    assert (finding.truth, finding.fact) == (Truth.PASS, "alice")
    assert finding.threshold == "zoe or @team (alice, bob) or @guests (guest?)"
    assert str(finding) == "owner alice (zoe or @team or @guests)"


def test_an_owner_that_the_rule_names_itself_is_named_alone() -> None:
    """As without groups."""
    finding = owner_is("zoe", groups=(group("team", "alice"),)).check(notebook(owner=Named(None, "zoe")), moment())
    assert str(finding) == "owner zoe"


def test_what_is_needed_names_the_group() -> None:
    """In the words of `explain`."""
    condition, row = owner_is(groups=(group("team", "alice", "bob"),)), notebook(owner=Named("u1", "carol"))
    match = AllOf((condition,))
    need = requirement_of(match, match.check(row, moment()), Truth.PASS, row, moment())
    assert isinstance(need, Requirement)
    assert need.words == "owner would have to be @team (alice, bob)"


def test_the_text_of_a_glob_is_that_of_its_own_rule() -> None:
    """Two globs that match the same texts are equal, and may be written differently."""
    for text in ("Ann", "ann"):
        finding = owner_is(text, groups=()).check(notebook(owner=Named(None, "x")), moment())
        assert finding.threshold == text
