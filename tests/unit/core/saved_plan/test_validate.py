from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from builders import NOON
from nbsweep.core.identity import TargetIdentity
from nbsweep.core.saved_plan.model import SavedPlan, SavedTarget
from nbsweep.core.saved_plan.validate import objections, of_another_project

LAB = TargetIdentity("https://modelarts.example", "0123", None, ("NOTEBOOK",), "all")
CONFIGURATION = {"policies": "sha256:1", "protect": "sha256:2", "brakes": "sha256:3"}


def saved(**changes: Any) -> SavedPlan:
    """Return a plan of one target, made an hour ago, that holds for a day."""
    targets = (SavedTarget("lab", LAB, 10, None, {}, ()),)
    plain = SavedPlan("p1", NOON - timedelta(hours=1), NOON + timedelta(hours=23), CONFIGURATION, targets)
    return replace(plain, **changes)


def today(**changes: Any) -> dict[str, Any]:
    """Return the circumstances under which that plan may be carried out."""
    return {"now": NOON, "configuration": CONFIGURATION, "targets": {"lab": LAB, "other": LAB}, **changes}


def found(plan: SavedPlan, now: dict[str, Any]) -> dict[str, str]:
    """Return what speaks against a plan, by its place in it."""
    return {mistake.path: mistake.problem for mistake in objections(plan, **now)}


def test_nothing_speaks_against_a_plan_of_an_hour_ago() -> None:
    """A target that the plan has nothing of is no reason."""
    assert objections(saved(), **today()) == ()


@pytest.mark.parametrize(
    ("expires_in", "is_over"), [(timedelta(microseconds=1), False), (timedelta(0), True), (-timedelta(hours=3), True)]
)
def test_a_plan_holds_until_it_expires(expires_in: timedelta, is_over: bool) -> None:  # noqa: FBT001 -- parametrized
    """And not at that very moment."""
    problems = found(saved(expires_at=NOON + expires_in), today())
    assert set(problems) == ({"expires_at"} if is_over else set())


def test_an_expired_plan_says_since_when_and_what_to_do() -> None:
    """In the words of the configuration, and of the command."""
    problem = found(saved(expires_at=NOON - timedelta(hours=3)), today())["expires_at"]
    assert "expired 3h ago" in problem
    assert "plan.valid_for" in problem
    assert "nbsweep plan --out" in problem


@pytest.mark.parametrize(("ahead", "is_wrong"), [(timedelta(minutes=5), False), (timedelta(minutes=6), True)])
def test_a_plan_of_tomorrow_is_a_clock_that_is_wrong(ahead: timedelta, is_wrong: bool) -> None:  # noqa: FBT001
    """Its validity cannot be told then; a few minutes apart are usual."""
    assert ("created_at" in found(saved(created_at=NOON + ahead), today())) == is_wrong


@pytest.mark.parametrize(
    ("now", "named"),
    [
        ({**CONFIGURATION, "brakes": "sha256:9"}, "brakes is not"),
        ({**CONFIGURATION, "brakes": "sha256:9", "policies": "sha256:8"}, "brakes, policies are not"),
        ({**CONFIGURATION, "more": "sha256:4"}, "more is not"),
        ({"policies": "sha256:1", "protect": "sha256:2"}, "brakes is not"),
    ],
)
def test_another_configuration_is_named_by_its_parts(now: dict[str, str], named: str) -> None:
    """Also a part that only one of both has."""
    problems = found(saved(), today(configuration=now))
    assert set(problems) == {"configuration"}
    assert named in problems["configuration"]


def test_a_target_that_is_not_configured_is_another_target() -> None:
    """It says which there are."""
    problems = found(saved(), today(targets={"prod": LAB, "test": LAB}))
    assert set(problems) == {"targets[0]"}
    assert "target lab is not in the configuration; the configuration has prod, test" in problems["targets[0]"]


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("endpoint", "https://elsewhere.example", "endpoint was https://modelarts.example, and is https://elsewhere.example"),
        ("project_id", "4567", "project_id was 0123, and is 4567"),
        ("project_id", None, "project_id was 0123, and is looked up by the region"),
        ("workspaces", ("0", "1"), "workspaces was all, and is 0, 1"),
        ("features", ("DEFAULT", "NOTEBOOK"), "features was NOTEBOOK, and is DEFAULT, NOTEBOOK"),
        ("scope", "own", "scope was all, and is own"),
    ],
)
def test_a_target_of_the_same_name_may_be_another(key: str, value: Any, words: str) -> None:
    """Each part of what it is counts, and is named with both values."""
    problems = found(saved(), today(targets={"lab": replace(LAB, **{key: value})}))
    assert set(problems) == {f"targets[0].identity.{key}"}
    assert words in problems[f"targets[0].identity.{key}"]


def test_a_plan_that_a_brake_refused_permits_nothing() -> None:
    """And the brake's own sentence says why."""
    refused = SavedTarget("lab", LAB, 10, "max_share: 9 of 10 would go", {}, ())
    problems = found(saved(targets=(refused,)), today())
    assert set(problems) == {"targets[0].refusal"}
    assert "max_share: 9 of 10 would go" in problems["targets[0].refusal"]


def test_a_plan_without_a_target_is_none() -> None:
    """Otherwise a run by it would look like a success."""
    assert set(found(saved(targets=()), today())) == {"targets"}


def test_all_objections_are_told_at_once() -> None:
    """Who has mended one should not find the next only then."""
    problems = found(saved(expires_at=NOON - timedelta(hours=1)), today(configuration={}, targets={"prod": LAB}))
    assert set(problems) == {"expires_at", "configuration", "targets[0]"}


def test_a_project_that_was_looked_up_is_compared_once_it_is_known() -> None:
    """A plan from before that was saved has none, and goes by what the configuration says."""
    now = TargetIdentity("https://cloud.test", "b" * 32, None, ("NOTEBOOK",), "all")
    saved = SavedTarget("lab", now, 1, None, {}, (), "https://cloud.test/v1/" + "a" * 32)
    told = of_another_project(saved, now)
    assert told is not None
    assert f"its project was https://cloud.test/v1/{'a' * 32}, and is https://cloud.test/v1/{'b' * 32}" in told.problem
    assert of_another_project(replace(saved, project=now.project), now) is None
    assert of_another_project(replace(saved, project=""), now) is None
