"""The policies for IAM: exactly what the program calls, and not one action more."""

import json
from pathlib import Path
from typing import Any

import pytest

from deploy.support import DEPLOY

IAM = DEPLOY / "iam"
READING_AND_DELETING = {
    "modelarts:notebook:list",
    "modelarts:notebook:get",
    "modelarts:notebook:delete",
    "modelarts:workspace:list",
}
# Identity policies know no action for listing everybody's notebooks, and only the one name for stopping.
EVERYBODYS = {"modelarts:notebook:listAllNotebooks"}
STOPPING = {"modelarts:notebook:stop"}
STOPPING_AS_OF_OLD = {"modelarts:notebook:action"}
# Of a global service, so that no policy has it beside the others.
OWNERS = {"iam:users:getUser"}
# Of another service, and perhaps of another project.
TOPICS = {"smn:topic:publish"}

EXPECTED = {
    "without-stop/role-v1.1.json": READING_AND_DELETING | EVERYBODYS,
    "without-stop/identity-v5.0.json": READING_AND_DELETING,
    "with-stop/role-v1.1.json": READING_AND_DELETING | EVERYBODYS | STOPPING | STOPPING_AS_OF_OLD,
    "with-stop/identity-v5.0.json": READING_AND_DELETING | STOPPING,
    "owners/role-v1.1.json": OWNERS,
    "owners/identity-v5.0.json": OWNERS,
    "smn/role-v1.1.json": TOPICS,
    "smn/identity-v5.0.json": TOPICS,
}


def policy(name: str) -> dict[str, Any]:
    """Read a policy."""
    read: dict[str, Any] = json.loads((IAM / name).read_text(encoding="utf-8"))
    return read


def test_there_is_each_kind_of_policy_with_and_without_stop() -> None:
    """And one for the addresses of owners, and for topics; nothing else that might be taken for one."""
    assert {path.relative_to(IAM).as_posix() for path in IAM.rglob("*") if path.is_file()} == set(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_a_policy_allows_exactly_what_is_needed(name: str) -> None:
    """No wildcard, no action twice, none that the program does not call."""
    statements = policy(name)["Statement"]
    actions = [action for statement in statements for action in statement["Action"]]
    assert sorted(actions) == sorted(EXPECTED[name])
    assert {statement["Effect"] for statement in statements} == {"Allow"}


@pytest.mark.parametrize("name", EXPECTED)
def test_a_policy_says_which_model_it_is_of(name: str) -> None:
    """Identity policies must name their resources; what the others hold for is said where they are granted."""
    version = "5.0" if Path(name).stem.startswith("identity") else "1.1"
    assert policy(name)["Version"] == version
    resources = [statement.get("Resource") for statement in policy(name)["Statement"]]
    assert set(map(str, resources)) == {"['*']" if version == "5.0" else "None"}
