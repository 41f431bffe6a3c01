"""Policies that somebody pasted: what they replace, where their mistakes are, and that text of strangers does no harm."""

from datetime import timedelta
from pathlib import Path

import pytest

from nbsweep.core.errors import ConfigurationError, Mistake
from nbsweep.loading.file import read_settings
from nbsweep.loading.pasted import LARGEST_BYTES, read_pasted
from nbsweep.settings import Settings

CURRENT = """\
targets:
  - {name: research, region: cn-north-4, project_id: 0123456789abcdef0123456789abcdef,
     credentials: {access_key: "${AK}", secret_key: "${SK}"}}
groups: {team: [alice, bob]}
policies:
  - {name: idle, match: {idle_over: 14d}}
protect:
  - {tags: {keep: "*"}}
brakes: {max_deletions: 7}
"""
KEYS = {"AK": "access", "SK": "the-secret-key"}
SECRET = "what-nobody-may-read"  # it is made up


def current(text: str = CURRENT) -> Settings:
    """Return the configuration in force."""
    return read_settings("nbsweep.yaml", text, KEYS)


def mistakes(text: str) -> list[Mistake]:
    """Return what is wrong with a text."""
    with pytest.raises(ConfigurationError) as caught:
        read_pasted(text, current())
    return list(caught.value.mistakes)


def places(text: str) -> list[tuple[int | None, int | None, str]]:
    """Return the line, the column and the path of each mistake."""
    return [(each.line, each.column, each.path) for each in mistakes(text)]


def test_what_the_text_holds_stands_in_for_the_same_group() -> None:
    """The rest is as in force, groups of owners included."""
    read = read_pasted(
        "policies:\n  - {name: mine, match: {owner: '@team', age_over: 5d}}\nbrakes: {max_share: null}\n", current()
    )
    assert [policy.name for policy in read.rules.policies] == ["mine"]
    assert [rule.name for rule in read.rules.protections] == ["tags.keep *"]
    assert (read.brakes.max_deletions, read.brakes.max_share) == (100, None)
    assert [policy.name for policy in current().rules.policies] == ["idle"]


def test_a_grace_needs_no_channel_to_be_tried() -> None:
    """Nothing is sent; business days count by the pasted calendar."""
    read = read_pasted("policies: [{name: a, match: {idle_over: 5d}, grace: {for: 7d}}]", current())
    [policy] = read.rules.policies
    assert policy.grace is not None
    assert policy.grace.lasts == timedelta(days=7)
    assert places("policies: [{name: a, match: {idle_over: 5d}, grace: {for: 5bd}}]") == [(1, 54, "policies[0].grace.for")]
    days = "policies: [{name: a, match: {idle_over: 5d}, grace: {for: 5bd}}]\ncalendar: {country: CN, timezone: Asia/Shanghai}"
    assert read_pasted(days, current()).counts_business_days


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("policies:\n  - name: a\n    match: {idle_over: soon}\n", [(3, 13, "policies[0].match.idle_over")]),
        ("policies:\n  - name: a\n    mach: {}\n", [(2, 5, "policies[0].match"), (3, 5, "policies[0].mach")]),
        ("policies: [{name: a, match: {owner: '@nobody'}}]", [(1, 30, "policies[0].match.owner")]),
        ("policies:\n - [\n", [(3, 1, "")]),
        ("policies: null", [(1, 1, "policies")]),
        ("  # nothing\n", [(None, None, "")]),
        ("- a\n", [(1, None, "")]),
        ("policies: &a [*a]", [(1, None, "")]),
    ],
)
def test_a_mistake_has_its_line_and_column(text: str, found: list[tuple[int | None, int | None, str]]) -> None:
    """Counted from 1, in the text as it was pasted."""
    assert places(text) == found


@pytest.mark.parametrize(
    "text",
    [
        "channels: {ops: {kind: dingtalk, url_file: FILE}}",
        "owners: [{file: FILE}]",
        "journal: sqlite:///FILE",
        "targets: []",
        "messages: {templates: FILE}",
        "service: {api_token_file: FILE}",
        "logging: {level: debug}",
    ],
)
def test_other_groups_are_refused(tmp_path: Path, text: str) -> None:
    """And the files that they name are not read, nor told."""
    file = tmp_path / "secret"
    file.write_text(SECRET)
    [found] = mistakes(text.replace("FILE", str(file)))
    assert found.path == text.partition(":")[0]
    assert "may hold only policies, protect, brakes, calendar, windows" in found.problem
    assert SECRET not in str(found)


def test_the_calendar_names_no_file(tmp_path: Path) -> None:
    """Not even to say whether there is one."""
    file = tmp_path / "days.yaml"
    file.write_text("closed: [not a date]")
    for path in (file, tmp_path / "nowhere"):
        [found] = mistakes(f"calendar: {{file: {path}}}\npolicies: [{{name: a, match: {{idle_over: 5d}}}}]")
        assert (found.line, found.column, found.path) == (1, 12, "calendar.file")
        assert "no file is read" in found.problem


@pytest.mark.parametrize("value", ["${SECRET}", "${SECRET:-x}", "a${SECRET}b", "${NOT_SET}", "${"])
def test_no_variable_is_put_in(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    """The environment belongs to the service; the mistake does not say whether the variable is set."""
    monkeypatch.setenv("SECRET", SECRET)
    [found] = mistakes(f"policies:\n  - name: a\n    match: {{name: {value!r}}}\n")
    assert (found.line, found.column) == (3, 19)
    assert "variables are not put into pasted text" in found.problem
    assert SECRET not in str(found)


def test_escaped_signs_are_text() -> None:
    """$${ stands for the signs."""
    read = read_pasted("policies: [{name: 'x$${y}', match: {idle_over: 5d}}]", current())
    assert read.rules.policies[0].name == "x${y}"


BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{new}: &{new} [{','.join(['*' + old] * 9)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    "text",
    [
        BOMB,
        f"policies: {'[' * 5000}",
        f"policies: {'{a: ' * 5000}",
        "- " * 5000,
        "policies: !!python/object/apply:os.system [id]",
        "policies: !!python/name:os.system",
        "policies: !evil {}",
        "<<: {policies: []}",
        "policies: &a {b: *a}",
        "policies: \x00",
        "\ud800",
        "? [a]\n: b",
        "%YAML 9.9\n---\npolicies: []",
        "policies: []\n---\npolicies: []",
        "x" * (LARGEST_BYTES + 1),
        "policies: " + "9" * 5000,
        "policies: 2026-99-99",
    ],
)
def test_hostile_text_is_a_mistake(text: str) -> None:
    """Bombs of aliases, deep nesting, tags, loops, control characters: each ends with an error for people."""
    assert mistakes(text)


def test_secrets_of_the_configuration_stay_away() -> None:
    """What goes to the process of a back-test has the rules, and no credentials."""
    from nbsweep.settings.pasted import without_secrets  # noqa: PLC0415

    kept = without_secrets(current())
    assert kept.rules == current().rules
    assert KEYS["SK"] not in repr(kept.model_dump())
    assert kept.targets == ()
