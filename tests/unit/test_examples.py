"""Every configuration that is shipped as an example, wherever it stands, over notebooks that somebody has used within a day."""

import re
from collections.abc import Iterator
from datetime import timedelta
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import yaml
from msgspec.structs import replace

from builders import NOON, ago, moment
from nbsweep.cli.commands.demo import demo_settings
from nbsweep.cli.starter import USUAL_RULES, Rule, Starter, starter_text
from nbsweep.cli.starter_notices import Announcing
from nbsweep.core.doubts import find_doubts
from nbsweep.core.facts import Moment
from nbsweep.core.judging.rules import Rules
from nbsweep.core.judging.verdict import Decision
from nbsweep.core.model import Image, Lease, LeaseType, Named, Notebook, Status, Volume
from nbsweep.core.policy import judge
from nbsweep.settings import Settings

ROOT = Path(__file__).parents[2]
A_DAY = timedelta(days=1)
LONG_AGO = ago(days=1000)
SECRETS = {"access_key": "a-key", "secret_key": "a-secret"}


def shipped() -> Iterator[tuple[str, Any]]:
    """Find all mappings with policies: in files of YAML, in the texts inside of them, and in the code blocks of documents."""
    for path in sorted(ROOT.glob("*/**/*.yaml")) + sorted(ROOT.glob("*.md")) + sorted(ROOT.glob("*/**/*.md")):
        parts = path.relative_to(ROOT).parts
        if parts[0] not in {"tests", "build"} and not parts[0].startswith(".") and "_build" not in parts:
            text = path.read_text(encoding="utf-8")
            texts = re.findall(r"```ya?ml\n(.*?)```", text, re.DOTALL) if path.suffix == ".md" else [text]
            for place, document in enumerate(found for block in texts for found in with_policies(block)):
                yield f"{path.relative_to(ROOT)}#{place}", document
    yield (
        "demo",
        demo_settings("http://127.0.0.1:1", Path("/nowhere")).model_dump(mode="json", by_alias=True, exclude_unset=True),
    )

    for rules in (USUAL_RULES, tuple(Rule)):
        for told in (None, Announcing("7d", "mail.example.com", "nbsweep@example.com", "example.com")):
            name = f"init {' '.join(rules)}{' --grace' if told else ''}"
            yield name, yaml.safe_load(starter_text(Starter(rules=rules, announcing=told)))


def with_policies(text: str) -> Iterator[Any]:
    """Find the mappings with policies in a text of YAML, also in the texts that it holds, as a ConfigMap does."""
    if "policies" not in text:
        return
    for document in yaml.safe_load_all(text):
        if isinstance(document, dict) and "policies" in document:
            yield document
        elif isinstance(document, dict):
            held = document.get("data")
            for value in held.values() if isinstance(held, dict) else ():
                yield from with_policies(str(value))


EXAMPLES = dict(shipped())


def rules_of(document: Any) -> Rules:
    """Make the rules of an example; what else it says is not at issue, and some of it needs an environment.

    Without their grace and holdout, policies select no less.
    """
    target = {"name": "t", "region": "cn-north-4", "credentials": SECRETS}
    chosen = {key: document[key] for key in ("policies", "protect", "groups") if key in document}
    spares = {"grace", "holdout"}
    chosen["policies"] = [{key: value for key, value in policy.items() if key not in spares} for policy in document["policies"]]
    return Settings.model_validate({"targets": [target], **chosen}).rules


def test_the_examples_are_found() -> None:
    """The README's first one, all of config/ and deploy/, and the demo."""
    assert set(EXAMPLES) >= {
        "README.md#0",
        "config/nbsweep.yaml#0",
        "config/policies/big-disks.yaml#0",
        "config/policies/codelab.yaml#0",
        "config/policies/failed-only.yaml#0",
        "config/policies/idle-only.yaml#0",
        "config/policies/training-course.yaml#0",
        "deploy/compose/nbsweep.yaml#0",
        "deploy/kubernetes/base/nbsweep.yaml#0",
        "demo",
    }


def leases() -> Iterator[Lease | None]:
    """Yield leases of every kind; one ended hours ago, and one long before the last use."""
    yield None
    for enabled, kind, hours in product([True, False], LeaseType, [1, 24 * 999, 24 * 1000 - 2, 24 * 1100]):
        yield Lease(enabled, kind, LONG_AGO, LONG_AGO, timedelta(hours=hours))


def used_within_a_day() -> Iterator[Notebook]:
    """Yield notebooks of every state, age, size, kind and lease, each used at some time of the last 24 hours."""
    plain = Notebook("nb1", Status.STOPPED, name="exp-1", owner=Named("u1", "ann"), image=Image("i1", "pytorch"))
    ages = [timedelta(0), timedelta(hours=23), timedelta(days=200), timedelta(days=1000)]
    used = [timedelta(0), timedelta(minutes=1), timedelta(minutes=2), timedelta(hours=1, minutes=1), A_DAY]
    tags: list[dict[str, str | None]] = [{}, {"course": "ml-101"}]
    kinds = list(product(["NOTEBOOK", "DEFAULT"], [5, 101, 4096], tags))
    for status, age, idle, lease in product(Status, ages, used, leases()):
        for feature, capacity_gb, tagged in kinds:
            yield replace(
                plain,
                status=status,
                created_at=NOON - max(age, idle),
                updated_at=NOON - idle,
                lease=lease,
                feature=feature,
                flavor="modelarts.vm.cpu.2u",
                workspace_id="0",
                volume=Volume("EVS", "MANAGED", capacity_gb),
                tags=tagged,
            )


FLEET = list(used_within_a_day())[::7]
"""One in seven, among which each alternative meets all others."""


@pytest.mark.parametrize("name", EXAMPLES)
def test_no_example_selects_what_was_used_within_a_day(name: str) -> None:
    """Whatever its state, its age, its size and its lease; whoever copies an example must not lose what is in use."""
    rules = rules_of(EXAMPLES[name])
    lost = [row for row in FLEET if judge(row, rules, moment()).decision is Decision.DELETE]
    assert lost == []


@pytest.mark.parametrize("name", EXAMPLES)
def test_no_example_selects_what_shows_no_sign_but_its_lease_or_the_journal(name: str) -> None:
    """A lease that was renewed or ended within a day, or a journal that saw it at work, are signs of use as well."""
    rules = rules_of(EXAMPLES[name])
    old = [replace(row, created_at=LONG_AGO, updated_at=LONG_AGO, lease=None) for row in FLEET[::11]]
    renewed = Lease(enabled=True, created_at=LONG_AGO, updated_at=NOON - A_DAY, duration=timedelta(hours=1))
    ended = Lease(enabled=True, created_at=LONG_AGO, updated_at=LONG_AGO, duration=NOON - A_DAY - LONG_AGO)
    unproven = [replace(row, updated_at=None) for row in old]
    for lease in (renewed, ended):
        rows = [replace(row, lease=lease) for row in old]
        assert [row for row in rows if judge(row, rules, moment()).decision is Decision.DELETE] == []
    remembered = Moment(NOON, {"nb1": NOON - A_DAY})
    assert [row for row in old if judge(row, rules, remembered).decision is Decision.DELETE] == []
    assert [row for row in unproven if judge(row, rules, moment()).decision is Decision.DELETE] == []


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_selects_something(name: str) -> None:
    """Notebooks that nobody has used for years go under each of them, for the test above to say anything."""
    rules = rules_of(EXAMPLES[name])
    old = [replace(row, created_at=LONG_AGO, updated_at=LONG_AGO, lease=None) for row in FLEET]
    assert any(judge(row, rules, moment()).decision is Decision.DELETE for row in old)


@pytest.mark.parametrize("name", EXAMPLES)
def test_no_example_has_a_doubtful_rule(name: str) -> None:
    """`validate` finds nothing in them but that some have no schedule, because they are for `run`."""
    document = EXAMPLES[name]
    features = {feature for target in document.get("targets", ()) for feature in target.get("features", ["NOTEBOOK"])}
    assert list(find_doubts(rules_of(document), features or {"NOTEBOOK", "DEFAULT"})) == []
