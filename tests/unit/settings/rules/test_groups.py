"""Groups of owners: where they may be named, and what of them is a mistake."""

from typing import Any

import pytest
from pydantic import ValidationError

from builders import moment, notebook
from nbsweep.core.judging.verdict import Decision
from nbsweep.core.model import Named
from nbsweep.core.policy import judge
from nbsweep.settings import Settings, problems

TARGET: dict[str, Any] = {"name": "lab", "region": "cn-north-4", "project_id": "0123456789abcdef0123456789abcdef"}
POLICY: dict[str, Any] = {"name": "old", "match": {"age_over": "1d"}}
GROUPS: dict[str, Any] = {"prod-team": ["alice", "Bob", "svc-*"], "guests": "guest?"}
ESCAPE = "An owner whose own name begins with @ is written [@]name"


def settings(**groups: Any) -> Settings:
    """Return settings that differ in these groups."""
    return Settings.model_validate({"targets": [TARGET], "policies": [POLICY], "groups": GROUPS, **groups})


def mistakes(**groups: Any) -> dict[str, str]:
    """Return what is wrong, by its place."""
    with pytest.raises(ValidationError) as caught:
        settings(**groups)
    return {".".join(map(str, found.location)): found.message for found in problems(caught.value)}


def kept(made: Settings, owner: str) -> bool:
    """Return whether the notebook of an owner is kept."""
    return judge(notebook(owner=Named("u1", owner)), made.rules, moment()).decision is Decision.KEEP


def test_a_group_stands_for_each_of_its_owners() -> None:
    """By name or glob, in any case; beside owners that the rule names itself."""
    made = settings(protect=[{"owner": ["@prod-team", "zoe"]}])
    assert all(kept(made, owner) for owner in ("alice", "BOB", "svc-7", "zoe"))
    assert not any(kept(made, owner) for owner in ("carol", "prod-team", "@prod-team", "guest1"))
    assert [rule.name for rule in made.rules.protections] == ["owner zoe, @prod-team"]


@pytest.mark.parametrize(
    "match",
    [
        {"owner": "@guests"},
        {"any": [{"name": "x"}, {"owner": ["@guests"]}]},
        {"all": [{"all": [{"owner": "@guests"}]}]},
        {"not": {"owner": "@guests"}},
    ],
)
def test_a_group_may_be_named_wherever_owner_may(match: dict[str, Any]) -> None:
    """In policies and protections, at any depth."""
    policies = settings(policies=[{"name": "p", "match": match}])
    negated = "not" in match
    assert kept(policies, "guest1") is negated
    assert kept(policies, "alice") is not negated
    assert kept(settings(protect=[match]), "guest1") is not negated


def test_what_only_looks_like_an_owner_of_a_group_is_protected_too() -> None:
    """As for owners that a rule names: a Cyrillic letter does not lift a protection, nor does it fulfil a policy."""
    assert kept(settings(protect=[{"owner": "@prod-team"}]), "\u0430lice")
    assert kept(settings(policies=[{"name": "p", "match": {"owner": "@prod-team"}}]), "\u0430lice")


def test_an_unknown_group_is_a_mistake_with_what_may_be_meant() -> None:
    """Each is reported at its place, together with what else is wrong in the rules."""
    wrong = [{"owner": ["zoe", "@prod-tem"], "nmae": "x"}, {"any": [{"not": {"owner": "@x"}}]}]
    assert mistakes(protect=wrong, policies=[{"name": "p", "match": {"owner": "@guest"}}]) == {
        "policies.0.match.owner.0": f"is not a group of owners. Did you mean @guests? {ESCAPE}",
        "protect.0.owner.1": f"is not a group of owners. Did you mean @prod-team? {ESCAPE}",
        "protect.0.nmae": "is not a key that exists here. Did you mean name?",
        "protect.1.any.0.not.owner.0": f"is not a group of owners. There are: @prod-team, @guests. {ESCAPE}",
    }
    assert mistakes(groups={}, protect=[{"owner": "@x"}]) == {
        "protect.0.owner.0": f"is not a group of owners. There are no groups. {ESCAPE}"
    }


def test_an_owner_whose_name_begins_with_an_at_sign_may_still_be_named() -> None:
    """As a glob with a set of one character."""
    made = settings(protect=[{"owner": "[@]prod-team"}])
    assert kept(made, "@prod-team")
    assert not kept(made, "alice")


def test_a_group_holds_owners_and_no_groups() -> None:
    """A mistake in the groups hides no other mistakes, and brings none that are not true."""
    assert mistakes(groups={"a": ["@b"], "b": [], "c d": "x", "e": ["["]}, protect=[{"owner": "@a", "nmae": "x"}]) == {
        "groups.a.0": f"must be an owner: a group cannot hold other groups. {ESCAPE}",
        "groups.b": "must not be empty",
        "groups.c d.[key]": (
            "must be made of letters, digits, '.', '_' and '-', begin with a letter or digit, and have at most 64 of them"
        ),
        "groups.e.0": "is no glob: a '[' is not closed; write '[[]' for a bracket itself",
        "protect.0.nmae": "is not a key that exists here. Did you mean name?",
    }


def test_a_group_that_no_rule_names_is_unused() -> None:
    """Wherever in a rule it would be named."""
    assert settings().unused_groups == ("prod-team", "guests")
    used = {
        "policies": [{"name": "p", "match": {"any": [{"not": {"owner": "@guests"}}]}}],
        "protect": [{"owner": "@prod-team"}],
    }
    assert settings(**used).unused_groups == ()
    assert settings(protect=[{"owner": ["[@]guests", "@prod-team"]}]).unused_groups == ("guests",)
