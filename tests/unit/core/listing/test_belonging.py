"""Each row is held against what was asked for."""

import pytest
from msgspec.structs import replace

from builders import moment, notebook, over, policy, protection, removal, rules, tag, text
from nbsweep.core.judging.rules import Rules
from nbsweep.core.judging.verdict import Decision, Reason
from nbsweep.core.listing.belonging import EVERYTHING, Coverage, differs_from, find_stray
from nbsweep.core.model import Notebook, Scope, Status
from nbsweep.core.policy import judge, may_go
from nbsweep.core.reasons.english import describe
from nbsweep.core.second_look import decide_again

LAB = Coverage(("0", "lab"), ("NOTEBOOK",))
COVERED = replace(rules(), coverage=LAB)


@pytest.mark.parametrize(
    ("changes", "unshown"),
    [
        ({}, None),
        ({"workspace_id": "lab"}, None),
        ({"workspace_id": "scratch"}, False),
        ({"feature": "DEFAULT"}, False),
        ({"workspace_id": None}, True),
        ({"feature": None}, True),
        ({"workspace_id": None, "feature": "DEFAULT"}, False),
    ],
)
def test_a_notebook_belongs_only_where_it_is_shown_to(changes: dict[str, str | None], *, unshown: bool | None) -> None:
    """What differs, and what is not shown; of both, what differs is said."""
    stray = find_stray(notebook(**changes), LAB)
    assert (stray.unshown if stray else None) is unshown


@pytest.mark.parametrize(
    "changes", [{"workspace_id": None}, {"feature": None}, {"workspace_id": "anywhere", "feature": "DEFAULT"}]
)
def test_where_all_are_covered_nothing_has_to_be_shown(changes: dict[str, str | None]) -> None:
    """Whatever the row leaves out."""
    assert find_stray(notebook(**changes), EVERYTHING) is None


def words(row: Notebook, scope: Scope) -> str | None:
    """Return how a row differs from its listing, in English."""
    difference = differs_from(row, scope)
    return describe(difference) if difference else None


def test_a_row_is_held_against_the_listing_that_it_came_in() -> None:
    """By what it shows; what it does not show is no difference."""
    scope = Scope("0", "NOTEBOOK")
    assert differs_from(notebook(), scope) == differs_from(notebook(workspace_id=None, feature=None), scope) is None
    assert words(notebook(workspace_id="lab"), scope) == "it is in workspace lab, and workspace 0 was asked for"
    assert words(notebook(feature="DEFAULT"), scope) == "its feature is DEFAULT, and NOTEBOOK was asked for"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"workspace_id": "scratch"}, Reason.ELSEWHERE),
        ({"workspace_id": "scratch", "status": Status.RUNNING}, Reason.ELSEWHERE),
        ({"feature": "DEFAULT"}, Reason.ELSEWHERE),
        ({"workspace_id": None}, Reason.UNKNOWN_FACT),
        ({"feature": None}, Reason.UNKNOWN_FACT),
        ({"feature": None, "status": Status.RUNNING}, Reason.RUNNING),
    ],
)
def test_what_is_not_the_targets_is_kept_whatever_the_policies_say(changes: dict[str, str | None], reason: Reason) -> None:
    """With the reason that tells: elsewhere, or not shown."""
    assert judge(notebook(), COVERED, moment()).decision is Decision.DELETE
    verdict = judge(notebook(**changes), COVERED, moment())
    assert (verdict.decision, verdict.reason) == (Decision.KEEP, reason)


@pytest.mark.parametrize(
    "changes", [{"workspace_id": "lab"}, {"workspace_id": None}, {"feature": "DEFAULT"}, {"feature": None}]
)
def test_a_second_look_holds_it_against_what_was_planned(changes: dict[str, str | None]) -> None:
    """Also against the workspace that it was found in, although the target covers another one too."""
    seen = notebook(**changes)
    verdict = decide_again(removal(), seen, (), COVERED, moment())
    assert (verdict.decision, verdict.reason) == (Decision.KEEP, Reason.ELSEWHERE)


@pytest.mark.parametrize(
    ("row", "asked", "hangs"),
    [
        (notebook(tags=None), rules(protect=(protection(tag("keep", "*")),)), True),
        (
            notebook(tags=None, name="prod-1"),
            rules(protect=(protection(tag("keep", "*")), protection(text("name", "prod-*")))),
            False,
        ),
        (notebook(tags=None, status=Status.STARTING), rules(policy(tag("old", "*"))), False),
        (notebook(tags=None, status=Status.RUNNING), rules(policy(tag("old", "*"))), False),
        (notebook(tags=None), rules(policy(tag("old", "*"), over("age", days=9000))), False),
        (notebook(tags=None), rules(policy(tag("old", "*"))), True),
        (notebook(tags=None, workspace_id="scratch"), replace(rules(policy(tag("old", "*"))), coverage=LAB), False),
        (notebook(workspace_id=None), COVERED, True),
    ],
)
def test_it_is_known_whose_verdict_hangs_on_what_is_missing(row: Notebook, asked: Rules, *, hangs: bool) -> None:
    """Nobody has to be asked about whom something else keeps already."""
    assert may_go(row, asked, moment()) is hangs
