"""`grace`, `marks`, `exemptions` and `calendar` in the configuration: what is taken, and what is a mistake."""

from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from nbsweep.core.marks.grace import Grace, UnlessTold
from nbsweep.settings import Settings, problems

TARGET: dict[str, Any] = {"name": "lab", "region": "cn-north-4", "project_id": "0123456789abcdef0123456789abcdef"}
TOLD: dict[str, Any] = {
    "owners": [{"domain": "example.com"}],
    "channels": {
        "mail": {"kind": "smtp", "host": "mail.example.com", "from": "nbsweep@example.com"},
        "ops": {"kind": "dingtalk", "url_file": "/run/secrets/ops"},
    },
}
DAY = timedelta(days=1)


def settings(grace: Any = None, match: Any = None, **more: Any) -> Settings:
    """Return settings with one policy of this grace; None leaves the key out."""
    policy = {"name": "idle", "match": match or {"name": "x"}, **({} if grace is None else {"grace": grace})}
    return Settings.model_validate({"targets": [TARGET], "policies": [policy], **TOLD, **more})


def mistakes(*arguments: Any, **more: Any) -> dict[str, str]:
    """Return what is wrong, by its place."""
    with pytest.raises(ValidationError) as caught:
        settings(*arguments, **more)
    return {".".join(map(str, problem.location)): problem.message for problem in problems(caught.value)}


def grace_of(*arguments: Any, **more: Any) -> Grace | None:
    """Return the grace of the policy, as the core gets it."""
    return settings(*arguments, **more).rules.policies[0].grace


def digest(match: Any, **more: Any) -> str:
    """Return the digest of a policy."""
    return settings(more.pop("grace", None), match, **more).rules.policies[0].digest


# ---- grace ----------------------------------------------------------------------------------------------------------------


def test_a_grace_needs_only_its_length() -> None:
    """Two surveys must agree, the owner is told, and keeps the notebook otherwise."""
    assert grace_of({"for": "7d"}) == Grace(7 * DAY, None, 2, ("owner",), UnlessTold.KEEP)


def test_a_grace_has_everything_that_the_manual_shows() -> None:
    """As in the documents, with an additional channel."""
    given = {"for": "7d", "remind": "2d", "surveys": 3, "tell": ["owner", "ops"], "unless_told": "proceed"}
    assert grace_of(given) == Grace(7 * DAY, 2 * DAY, 3, ("owner", "ops"), UnlessTold.PROCEED)


def test_one_place_needs_no_list() -> None:
    """`tell: ops`."""
    found = grace_of({"for": "7d", "tell": "ops"})
    assert found is not None
    assert found.tell == ("ops",)


def test_a_policy_announces_nothing_unless_it_says_so() -> None:
    """Without the key."""
    assert grace_of() is None


def test_a_grace_that_is_null_is_a_mistake() -> None:
    """Whoever writes the key means to announce; in silence, null would delete unannounced."""
    with pytest.raises(ValidationError) as caught:
        Settings.model_validate({"targets": [TARGET], "policies": [{"name": "p", "match": {"name": "x"}, "grace": None}]})
    [problem] = problems(caught.value)
    assert (problem.location, problem.given) == (("policies", 0, "grace"), None)
    assert problem.message == "must not be null: write a grace, such as {for: 7d}, or remove the key to delete unannounced"


@pytest.mark.parametrize(
    ("grace", "place", "words"),
    [
        ({}, "policies.0.grace.for", "must be given"),
        ({"for": "0d"}, "policies.0.grace.for", "must be longer than nothing"),
        ({"for": 7}, "policies.0.grace.for", "has no unit"),
        ({"for": "7d", "remind": "7d"}, "policies.0.grace.remind", "must be shorter than for, which is 7d"),
        ({"for": "7d", "remind": "8d"}, "policies.0.grace.remind", "must be shorter than for, which is 7d"),
        ({"for": "7d", "surveys": 0}, "policies.0.grace.surveys", "1"),
        ({"for": "7d", "tell": []}, "policies.0.grace.tell", "must not be empty"),
        ({"for": "7d", "tell": ["owner", "ops", "owner"]}, "policies.0.grace.tell", "names owner twice"),
        ({"for": "7d", "unless_told": "delete"}, "policies.0.grace.unless_told", "keep"),
        ({"for": "7d", "then": "delete"}, "policies.0.grace.then", "is not a key that exists here"),
    ],
)
def test_a_wrong_grace_is_a_mistake(grace: dict[str, Any], place: str, words: str) -> None:
    """At its place, in words."""
    found = mistakes(grace)
    assert place in found, found
    assert words in found[place]


# ---- marks ----------------------------------------------------------------------------------------------------------------


def test_the_least_grace_binds_all_policies() -> None:
    """A shorter one, and none at all; a longer one stays."""
    least = {"marks": {"min_grace": "3d"}}
    assert grace_of({"for": "1d", "surveys": 1}, **least) == Grace(3 * DAY, surveys=1)
    assert grace_of({"for": "7d"}, **least) == Grace(7 * DAY)
    assert grace_of(**least) == Grace(3 * DAY)
    assert grace_of(marks={"min_grace": "0d"}) is None


@pytest.mark.parametrize("wrong", [-1, "5", 2.5, None])
def test_a_limit_on_new_marks_is_a_whole_number(wrong: Any) -> None:
    """There is no way to switch it off."""
    assert "marks.max_new_per_sweep" in mistakes(marks={"max_new_per_sweep": wrong})
    assert settings(marks={"max_new_per_sweep": 0}).marks.max_new_per_sweep == 0
    assert settings().marks.max_new_per_sweep == 50


# ---- exemptions and the calendar ------------------------------------------------------------------------------------------


def test_exemptions_end_within_ninety_days_unless_it_is_said() -> None:
    """Owners may give themselves a month, or nothing."""
    assert (settings().exemptions.longest, settings().exemptions.owners_may) == (90 * DAY, 30 * DAY)
    given = settings(exemptions={"longest": "365d", "owners_may": "0s"}).exemptions
    assert (given.longest, given.owners_may) == (365 * DAY, timedelta(0))


@pytest.mark.parametrize(
    ("given", "place", "words"),
    [
        ({"longest": "10d"}, "exemptions.owners_may", "must not be more than longest, which is 10d"),
        ({"longest": "10d", "owners_may": "11d"}, "exemptions.owners_may", "must not be more than longest, which is 10d"),
        ({"longest": "0d"}, "exemptions.longest", "must be longer than nothing"),
    ],
)
def test_owners_may_no_more_than_anybody(given: dict[str, Any], place: str, words: str) -> None:
    """A mistake is told, and nothing is cut in silence; also if only the longest was made shorter."""
    found = mistakes(exemptions=given)
    assert place in found, found
    assert words in found[place]


def test_the_calendar_has_a_zone() -> None:
    """UTC unless it is said; one that nobody knows is a mistake."""
    assert settings().calendar.zone.key == "UTC"
    assert settings(calendar={"timezone": "Asia/Shanghai"}).calendar.zone.key == "Asia/Shanghai"
    assert "calendar.timezone" in mistakes(calendar={"timezone": "Mars/Olympus"})


# ---- the digest of a policy -----------------------------------------------------------------------------------------------


def test_the_digest_changes_with_what_a_policy_matches() -> None:
    """A mark of other conditions, or of a group that has other members, does not count."""
    plain = digest({"name": "a*"})
    different = {
        digest({"name": "b*"}),
        digest({"name": "a*", "idle_over": "1d"}),
        digest({"all": [{"name": "a*"}]}),
        digest({"owner": "@team"}, groups={"team": ["alice"]}),
        digest({"owner": "@team"}, groups={"team": ["alice", "bob"]}),
        plain,
    }
    assert len(different) == 6


def test_an_edit_of_who_is_told_instead_starts_anew() -> None:
    """A mark that was told to nobody must not stay due when that does not count any more."""
    digests = {digest({"name": "a*"}, grace={"for": "7d", "unless_told": told}) for told in ("keep", "proceed")}
    assert digests == {digest({"name": "a*"}), digest({"name": "a*"}, grace={"for": "1d", "unless_told": "proceed"})}
    assert len(digests) == 2


def test_the_digest_is_the_same_if_the_policy_says_the_same() -> None:
    """Whatever its name, its lists, its defaults, other groups, and how long the grace is."""
    plain = digest({"name": "a*"})
    assert digest({"name": ["a*"]}) == plain
    assert digest({"name": "a*"}, groups={"team": ["alice"]}) == plain
    assert digest({"name": "a*"}, grace={"for": "7d"}) == digest({"name": "a*"}, grace={"for": "9d", "surveys": 5})
