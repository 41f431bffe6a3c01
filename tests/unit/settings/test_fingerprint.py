"""What of the configuration a saved plan is bound to."""

import re
from typing import Any

import pytest

from nbsweep.settings import Settings
from nbsweep.settings.fingerprint import changed_keys, configuration_digests, digest_of_all

TARGET: dict[str, Any] = {"name": "lab", "region": "cn-north-4", "project_id": "0123456789abcdef0123456789abcdef"}
POLICY: dict[str, Any] = {"name": "idle", "match": {"status": ["STOPPED"], "idle_over": "14d"}}
PLAIN: dict[str, Any] = {"targets": [TARGET], "policies": [POLICY], "protect": [{"name": "keep-*"}]}
KEYS = {"access_key": "AN-ACCESS-KEY", "secret_key": "a-secret-key"}


def settings(**groups: Any) -> Settings:
    """Make settings that differ in these groups."""
    return Settings.model_validate({**PLAIN, **groups})


def changed(**groups: Any) -> set[str]:
    """Name the parts that come out differently."""
    before, after = configuration_digests(settings()), configuration_digests(settings(**groups))
    assert before.keys() == after.keys()
    return {part for part in before if before[part] != after[part]}


@pytest.mark.parametrize(
    ("groups", "parts"),
    [
        ({"policies": [{**POLICY, "match": {"status": ["STOPPED"], "idle_over": "13d"}}]}, {"policies"}),
        ({"policies": [{**POLICY, "running": "stop"}]}, {"policies"}),
        ({"policies": [{**POLICY, "name": "other"}]}, {"policies"}),
        ({"policies": [POLICY, {"name": "more", "match": {"status": "ERROR"}}]}, {"policies"}),
        ({"policies": [{**POLICY, "match": {"not": {"status": ["STOPPED"]}, "idle_over": "14d"}}]}, {"policies"}),
        ({"protect": []}, {"protect"}),
        ({"protect": [{"name": "keep-*"}, {"tags": {"keep": "*"}}]}, {"protect"}),
        ({"protect": [{"name": "keep-*", "owner": "alice"}]}, {"protect"}),
        ({"brakes": {"max_deletions": 101}}, {"brakes"}),
        ({"brakes": {"max_share": None}}, {"brakes"}),
        ({"brakes": {"on_excess": "trim"}}, {"brakes"}),
        ({"removal": {"retries": 2}}, {"removal"}),
        ({"removal": {"fresh_for": "1m"}}, {"removal"}),
    ],
)
def test_what_decides_changes_the_digest_of_its_part(groups: dict[str, Any], parts: set[str]) -> None:
    """And of no other."""
    assert changed(**groups) == parts


@pytest.mark.parametrize(
    "groups",
    [
        {"mode": "enforce"},
        {"journal": "sqlite:////elsewhere/journal.db"},
        {"schedule": {"cron": "0 3 * * *"}},
        {"logging": {"level": "debug"}},
        {"polling": {"interval": "1s"}},
        {"plan": {"valid_for": "1h"}},
        {"service": {"drain": "1s"}},
        {"removal": {"deadline": "1h", "grace": "1s"}},
        {"targets": [{**TARGET, "credentials": KEYS, "limits": {"delete": "1/s"}}]},
        {"brakes": {"max_deletions": 100, "max_share": "25%"}},
        {"policies": [{**POLICY, "running": "skip"}]},
        {"policies": [{"match": {"idle_over": "336h", "status": "STOPPED"}, "name": "idle"}]},
    ],
)
def test_what_does_not_decide_changes_none(groups: dict[str, Any]) -> None:
    """Nor does another way of saying the same: a default that is written out, another order of keys, another unit."""
    assert changed(**groups) == set()


def test_a_group_of_owners_is_a_part_of_its_own() -> None:
    """Who is in it decides. Without groups there is no such part, as in plans from before there were any."""
    none = configuration_digests(settings())
    one, other = (configuration_digests(settings(groups={"team": owners})) for owners in (["alice"], ["alice", "bob"]))
    assert "groups" not in none
    assert one.keys() == other.keys() == {*none, "groups"}
    assert {part for part in one if one[part] != other[part]} == {"groups"}


def identity(**changes: Any) -> Any:
    """Return what a target is that differs in these keys."""
    return settings(targets=[{**TARGET, **changes}]).targets[0].identity


@pytest.mark.parametrize(
    "changes",
    [
        {"region": "cn-north-1"},
        {"endpoint": "https://elsewhere.example"},
        {"project_id": "f" * 32},
        {"project_id": None},
        {"workspaces": ["0"]},
        {"features": ["NOTEBOOK", "DEFAULT"]},
        {"scope": "own"},
    ],
)
def test_what_a_target_is_about_is_its_identity(changes: dict[str, Any]) -> None:
    """Each of these would show other notebooks."""
    assert identity(**changes) != identity()


def test_who_calls_and_how_fast_is_not() -> None:
    """Keys are renewed; and they have no place in a file that is passed around."""
    assert identity(credentials=KEYS, limits={"delete": "1/s"}) == identity()
    assert "AN-ACCESS-KEY" not in repr(identity(credentials=KEYS))


def test_the_order_of_workspaces_and_features_says_nothing() -> None:
    """They are sets."""
    assert identity(workspaces=["7", "0"], features=["NOTEBOOK", "DEFAULT"]) == identity(
        workspaces=["0", "7"], features=["DEFAULT", "NOTEBOOK"]
    )


def test_an_endpoint_that_is_written_out_is_the_regions() -> None:
    """The same address either way."""
    assert identity(endpoint="https://modelarts.cn-north-4.myhuaweicloud.com/") == identity()


@pytest.mark.parametrize(
    ("groups", "keys"),
    [
        ({}, ()),
        ({"brakes": {"max_deletions": 7}}, ("brakes.max_deletions",)),
        (
            {"policies": [{**POLICY, "match": {"idle_over": "30d"}}]},
            ("policies[idle].match.idle_over", "policies[idle].match.status"),
        ),
        ({"policies": [POLICY, {"name": "more", "match": {"status": "ERROR"}}]}, ("policies[more]",)),
        ({"targets": [{**TARGET, "limits": {"delete": "3/s"}}]}, ("targets[lab].limits.delete",)),
        (
            {"targets": [{**TARGET, "credentials": KEYS}]},
            ("targets[lab].credentials",),
        ),
        ({"protect": []}, ("protect",)),
        ({"mode": "enforce", "removal": {"retries": 2}}, ("mode", "removal.retries")),
    ],
)
def test_changed_keys_are_named_and_their_values_are_not(groups: dict[str, Any], keys: tuple[str, ...]) -> None:
    """Targets and policies by their names; both ways."""
    assert changed_keys(settings(), settings(**groups)) == keys
    assert changed_keys(settings(**groups), settings()) == keys


def test_a_secret_that_changes_is_noticed_without_being_part_of_the_digest() -> None:
    """A digest that held a secret could be used to guess it."""
    before = settings(targets=[{**TARGET, "credentials": KEYS}])
    after = settings(targets=[{**TARGET, "credentials": {**KEYS, "secret_key": "another-secret-key"}}])
    assert changed_keys(before, after) == ("targets[lab].credentials.secret_key",)
    assert digest_of_all(before) == digest_of_all(after) == digest_of_all(settings())
    assert digest_of_all(before) != digest_of_all(settings(mode="enforce"))
    assert re.fullmatch("[0-9a-f]{12}", digest_of_all(before))
