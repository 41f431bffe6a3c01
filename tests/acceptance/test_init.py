"""`init`: the first configuration, on a terminal and off it, and the files that the package carries."""

import subprocess
import sys
import zipfile
from itertools import chain
from pathlib import Path

import pytest
import yaml

from acceptance.conftest import Simulate
from acceptance.support import ACCESS_KEY, PROJECT, SECRET_KEY, Desk, idle
from acceptance.terminal import on_a_terminal

ROOT = Path(__file__).parents[2]
FILES = {
    "--sample": "config/nbsweep.yaml",
    "--schema": "config/nbsweep.schema.json",
    "--systemd": "deploy/systemd/nbsweep.service",
    "--systemd-sweep": "deploy/systemd/nbsweep-sweep.service",
    "--systemd-timer": "deploy/systemd/nbsweep-sweep.timer",
}
KEYS = {"HUAWEICLOUD_SDK_AK": ACCESS_KEY, "HUAWEICLOUD_SDK_SK": SECRET_KEY}


def test_its_defaults_are_valid_and_a_dry_run(desk: Desk) -> None:
    """`validate` and `run --dry-run` take the file; nothing in it deletes."""
    assert desk.run("init", "--yes").code == 0
    assert desk.run("validate").code == 0
    text = desk.config.read_text(encoding="utf-8")
    assert "\nmode: dry-run\n" in text
    assert "region: " in text


def test_what_it_writes_works_with_the_cloud(desk: Desk, simulate: Simulate) -> None:
    """`check` accepts it, and `plan` selects the notebook that is idle for longer than 30 days."""
    cloud = simulate([idle("old", 31), *[idle(f"new-{number}", 29) for number in range(9)]])
    desk.environment |= KEYS
    assert desk.run("init", "--yes", "--endpoint", cloud.url, "--project-id", PROJECT).code == 0
    assert desk.run("check").code == 0
    planned = desk.run("plan", "--format", "json")
    assert [item["id"] for item in planned.document["items"]] == ["old"]


@pytest.mark.parametrize(
    ("credentials", "variables"),
    [
        ("keys", {"AK": ACCESS_KEY, "SK": SECRET_KEY}),
        ("user", {"NBSWEEP_USER": "sweeper", "NBSWEEP_PASSWORD": "simulated-password-1", "NBSWEEP_DOMAIN": "acct"}),
    ],
)
def test_credentials_are_variables_that_it_names(
    credentials: str, variables: dict[str, str], desk: Desk, simulate: Simulate
) -> None:
    """The next steps say which to export; with these, `check` accepts the file."""
    cloud = simulate([idle("old")])
    desk.environment |= {"HUAWEICLOUD_SDK_IAM_ENDPOINT": cloud.url}
    ended = desk.run("init", "--yes", "--endpoint", cloud.url, "--project-id", PROJECT, "--credentials", credentials)
    assert ended.code == 0
    assert f"export {' '.join(f'{name}=...' for name in variables)}\n" in ended.out
    assert not any(value in desk.config.read_text(encoding="utf-8") for value in variables.values())
    desk.environment |= variables
    assert desk.run("check").code == 0


def test_every_rule_can_be_chosen(desk: Desk) -> None:
    """In the order of the table, whatever the order of the options; CodeLab has to be listed then."""
    rules = ("codelab", "forgotten", "idle", "failed")
    assert desk.run("init", "--yes", *chain.from_iterable(("--rule", rule) for rule in rules)).code == 0
    text = desk.config.read_text(encoding="utf-8")
    places = [text.index(f"  - name: {rule}\n") for rule in reversed(rules)]
    assert places == sorted(places)
    assert "features: [NOTEBOOK, DEFAULT]" in text
    assert desk.run("validate").code == 0


def test_it_overwrites_nothing(desk: Desk) -> None:
    """A file, and also a link to nowhere: exit 2, and it is as it was."""
    desk.config.symlink_to("nowhere.yaml")
    ended = desk.run("init", "--yes")
    assert ended.code == 2
    assert "init overwrites nothing" in " ".join(ended.err.split())
    assert not (desk.folder / "nowhere.yaml").exists()


def test_a_mistake_in_an_option_is_told_before_anything_is_written(desk: Desk) -> None:
    """With what would be right."""
    ended = desk.run("init", "--yes", "--region", "cn-noth-4")
    assert ended.code == 2
    assert "cn-north-4" in ended.err
    assert not desk.config.exists()


def test_without_a_terminal_it_asks_for_yes(desk: Desk) -> None:
    """Exit 2, and nothing is written."""
    ended = desk.run("init")
    assert ended.code == 2
    assert "--yes" in ended.err
    assert not desk.config.exists()


def test_on_a_terminal_it_asks(desk: Desk) -> None:
    """A wrong answer is told with what may be meant, and asked again; numbers and names are both answers."""
    with on_a_terminal(desk, "init") as terminal:
        terminal.wait_for("Region [cn-north-4]: ")
        terminal.type("cn-noth-1\n")
        terminal.wait_for("Did you mean cn-north-1?")
        terminal.type("cn-north-1\n")
        terminal.wait_for("Project id")
        terminal.type(f"{PROJECT}\n")
        terminal.wait_for("Credentials [standard]: ")
        terminal.type("2\n")
        terminal.wait_for("Rules [failed idle]: ")
        terminal.type("idle, 3\n")
        terminal.wait_for("How long before a deletion are owners told")
        terminal.type("\n")
        terminal.wait_for("Next:")
        assert terminal.ended() == 0
    text = desk.config.read_text(encoding="utf-8")
    assert 'region: "cn-north-1"' in text
    assert f'project_id: "{PROJECT}"' in text
    assert '"${AK}"' in text
    assert [line for line in text.splitlines() if line.startswith("  - name: ") and '"' not in line] == [
        "  - name: idle",
        "  - name: forgotten",
    ]


def test_on_a_terminal_it_asks_how_owners_are_told(desk: Desk) -> None:
    """What follows from the domain is offered; a wrong length of time is told, and asked again."""
    with on_a_terminal(desk, "init", "--region", "cn-north-4", "--credentials", "agency", "--rule", "idle") as terminal:
        terminal.wait_for("Project id")
        terminal.type("\n")
        terminal.wait_for("How long before a deletion are owners told, such as 7d (no: delete unannounced) [no]: ")
        terminal.type("7\n")
        terminal.wait_for("has no unit")
        terminal.type("7d\n")
        terminal.wait_for("Mail domain")
        terminal.type("example.com\n")
        terminal.wait_for("Mail server [mail.example.com]: ")
        terminal.type("smtp.example.com\n")
        terminal.wait_for("Sender of the mails [nbsweep@example.com]: ")
        terminal.type("\n")
        terminal.wait_for("Next:")
        assert terminal.ended() == 0
    found = yaml.safe_load(desk.config.read_text(encoding="utf-8"))
    assert found["policies"][0]["grace"] == {"for": "7d", "remind": "2d"}
    assert found["owners"] == [{"domain": "example.com"}]
    mail = {"kind": "smtp", "host": "smtp.example.com", "from": "nbsweep@example.com", "tls": "starttls"}
    assert found["channels"] == {"mail": mail}


def test_each_policy_announces_if_a_grace_is_given(desk: Desk) -> None:
    """The file is valid, and the next steps have a test of the channel."""
    rules = chain.from_iterable(("--rule", rule) for rule in ("failed", "idle", "forgotten", "codelab"))
    told = ("--grace", "2d", "--mail-host", "localhost", "--owners-domain", "example.com", "--mail-from", "ops@example.com")
    ended = desk.run("init", "--yes", *rules, *told)
    assert ended.code == 0, ended.err
    assert "notify test mail" in ended.out
    found = yaml.safe_load(desk.config.read_text(encoding="utf-8"))
    # Two days are too short for a reminder two days before.
    assert [policy["grace"] for policy in found["policies"]] == [{"for": "2d"}] * 4
    assert (found["channels"]["mail"]["tls"], found["channels"]["mail"]["from"]) == ("none", "ops@example.com")
    assert desk.run("validate").out == f"{desk.config}: no mistakes, no doubts.\n"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--grace", "7d", "--mail-host", "mail.example.com"], "--owners-domain"),
        (["--mail-host", "mail.example.com"], "--grace"),
        (["--grace", "7", "--mail-host", "mail.example.com", "--owners-domain", "example.com"], "has no unit"),
    ],
)
def test_half_a_notice_is_a_mistake(desk: Desk, options: list[str], said: str) -> None:
    """Exit 2, and nothing is written."""
    ended = desk.run("init", "--yes", *options)
    assert ended.code == 2
    assert said in ended.err
    assert not desk.config.exists()


@pytest.mark.parametrize("key", ["\x03", "\x04"])
def test_an_interruption_between_its_questions_is_one_and_writes_nothing(desk: Desk, key: str) -> None:
    """Ctrl-C and Ctrl-D: exit 130, as with every command."""
    with on_a_terminal(desk, "init") as terminal:
        terminal.wait_for("Region [cn-north-4]: ")
        terminal.type("\n")
        terminal.wait_for("Project id")
        terminal.type(key)
        assert terminal.ended() == 130
    assert not desk.config.exists()


@pytest.mark.parametrize("option", FILES)
def test_it_prints_what_the_package_carries(option: str, desk: Desk) -> None:
    """As it is in the repository; nothing is written."""
    ended = desk.run("init", option)
    assert (ended.code, ended.out) == (0, (ROOT / FILES[option]).read_text(encoding="utf-8"))
    assert not desk.config.exists()


def test_the_wheel_carries_the_files(tmp_path: Path) -> None:
    """As files, and not as links to a repository that is not there."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        for source in FILES.values():
            content = archive.read(f"nbsweep/data/{Path(source).name}")
            assert content == (ROOT / source).read_bytes()
