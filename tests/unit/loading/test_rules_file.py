"""Rules to try: some groups of a configuration that stand in for those of another one."""

from datetime import timedelta
from pathlib import Path

import pytest

from nbsweep.core.errors import ConfigurationError
from nbsweep.loading.file import load_rules
from nbsweep.settings import Settings

BASE = """\
journal: sqlite:////var/lib/nbsweep/journal.db
targets:
  - {name: research, region: cn-north-4, project_id: 0123456789abcdef0123456789abcdef,
     credentials: {access_key: "${AK}", secret_key: "${SK}"}}
policies:
  - {name: idle, match: {idle_over: 14d}}
protect:
  - {tags: {keep: "*"}}
brakes: {max_deletions: 7}
"""


def loaded(folder: Path, text: str) -> Settings:
    """Return the settings with the rules of a file."""
    (folder / "nbsweep.yaml").write_text(BASE, encoding="utf-8")
    (folder / "new.yaml").write_text(text, encoding="utf-8")
    return load_rules(folder / "new.yaml", folder / "nbsweep.yaml", {})


def mistakes(folder: Path, text: str) -> list[tuple[int | None, str]]:
    """Return the lines and places of the mistakes in a file of rules."""
    with pytest.raises(ConfigurationError) as caught:
        loaded(folder, text)
    assert caught.value.source == str(folder / "new.yaml")
    return [(mistake.line, mistake.path) for mistake in caught.value.mistakes]


def test_what_the_file_holds_stands_in_for_the_same_group(tmp_path: Path) -> None:
    """And everything else is that of the configuration, which needs no credentials here."""
    found = loaded(tmp_path, "policies:\n- {name: old, match: {age_over: 90d}}\nremoval: {cool_down: null}\n")
    assert [policy.name for policy in found.rules.policies] == ["old"]
    assert [protection.name for protection in found.rules.protections] == ["tags.keep *"]
    assert (found.brakes.max_deletions, found.removal.cool_down) == (7, None)
    assert found.targets[0].name == "research"


def test_a_policy_with_grace_may_bring_its_channel_along(tmp_path: Path) -> None:
    """Without one, nobody could be told, which `validate` calls a mistake."""
    policies = "policies:\n- {name: idle, match: {idle_over: 9d}, grace: {for: 7d}}\n"
    assert mistakes(tmp_path, policies) == [(2, "policies[0].grace")]
    channel = "channels: {mail: {kind: smtp, host: mail.example.com, from: nbsweep@example.com}}\n"
    found = loaded(tmp_path, f"{policies}{channel}owners: [{{domain: example.com}}]\n")
    grace = found.rules.policies[0].grace
    assert grace is not None
    assert grace.lasts == timedelta(days=7)


def test_a_whole_configuration_is_read_as_it_is(tmp_path: Path) -> None:
    """Nothing of the other one is in it."""
    found = loaded(tmp_path, BASE.replace("14d", "30d").replace("brakes: {max_deletions: 7}\n", ""))
    assert found.brakes.max_deletions == 100


def test_mistakes_have_their_lines_in_the_file_of_rules(tmp_path: Path) -> None:
    """Wrong values, groups that are no rules, and what is no YAML."""
    text = "brakes: {max_share: 25}\npolicies:\n- {name: idle, match: {idle_over: 14}}\nservice: {listen: null}\n"
    assert mistakes(tmp_path, text) == [
        (1, "brakes.max_share"),
        (3, "policies[0].match.idle_over"),
        (4, "service"),
    ]
    assert mistakes(tmp_path, "policies: [\n") == [(2, "")]
    assert mistakes(tmp_path, "- policies\n") == [(1, "")]
    assert mistakes(tmp_path, "policies:\n- {name: ${WHO}, match: {idle_over: 1d}}\n")[0][0] == 2


def test_a_file_that_is_not_there_is_a_mistake(tmp_path: Path) -> None:
    """Of the file of rules, and not of the configuration."""
    with pytest.raises(ConfigurationError, match="cannot be read"):
        load_rules(tmp_path / "none.yaml", tmp_path / "nbsweep.yaml", {})
