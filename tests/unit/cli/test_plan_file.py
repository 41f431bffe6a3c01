"""The file of a saved plan."""

import json
import os
import stat
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import typer

from builders import NOON, candidate, plan
from nbsweep.cli.commands.plan import Saving
from nbsweep.cli.plan_file import read_plan, write_plan
from nbsweep.core.errors import ConfigurationError, NbsweepError
from nbsweep.core.saved_plan.model import SavedPlan
from nbsweep.service.plans.saved_plans import plan_to_save
from nbsweep.settings import Settings

TARGET: dict[str, Any] = {"name": "lab", "region": "cn-north-4", "project_id": "0123456789abcdef0123456789abcdef"}
SETTINGS = Settings.model_validate({"targets": [TARGET], "policies": [{"name": "old", "match": {"age_over": "1d"}}]})


def saved_plan(count: int = 2) -> SavedPlan:
    """Return a saved plan of so many notebooks."""
    items = [candidate(number) for number in range(count)]
    return plan_to_save(SETTINGS, "p1", (NOON, timedelta(hours=12)), [plan(*items, target="lab")])


def left_beside(path: Path) -> list[str]:
    """List what else is in the folder."""
    return sorted(each.name for each in path.parent.iterdir() if each != path)


def test_what_was_saved_reads_back(tmp_path: Path) -> None:
    """Under the same configuration, within its time."""
    path = tmp_path / "plan.json"
    write_plan(path, saved_plan())
    assert read_plan(path, SETTINGS, NOON + timedelta(hours=11)) == saved_plan()
    assert saved_plan().expires_at == NOON + timedelta(hours=12)


def test_it_is_for_its_owner_alone(tmp_path: Path) -> None:
    """Whatever the umask, and whatever the file that was there."""
    path = tmp_path / "plan.json"
    path.write_text("an older one, for everybody to read")
    path.chmod(0o644)
    before = os.umask(0)
    try:
        write_plan(path, saved_plan())
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert left_beside(path) == []


def test_it_is_there_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut short in the middle, the file is what it was, and nothing is left beside it."""
    path = tmp_path / "plan.json"
    path.write_text("the one of yesterday")

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("nbsweep.cli.plan_file.os.fsync", full)
    with pytest.raises(NbsweepError, match=r"could not be saved in .*plan\.json: No space left"):
        write_plan(path, saved_plan())
    assert path.read_text() == "the one of yesterday"
    assert left_beside(path) == []


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    """What it leads to is written anew."""
    (tmp_path / "real").mkdir()
    link, real = tmp_path / "plan.json", tmp_path / "real" / "plan.json"
    real.write_text("old")
    link.symlink_to(real)
    write_plan(link, saved_plan())
    assert link.is_symlink()
    assert json.loads(real.read_text())["plan_id"] == "p1"


@pytest.mark.parametrize("place", ["/dev/null", "."])
def test_what_is_no_plain_file_is_never_replaced(place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder, or a device, which the machine needs as it is."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(NbsweepError, match="not a regular file"):
        write_plan(Path(place), saved_plan())
    assert not Path("/dev/null").is_file()
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_not_there_is_told_with_what_makes_one(tmp_path: Path) -> None:
    """It is the first mistake that everybody makes."""
    with pytest.raises(
        ConfigurationError, match=r"the plan .*none\.json cannot be used:\n  there is no such file; `nbsweep plan --out"
    ):
        read_plan(tmp_path / "none.json", SETTINGS, NOON)


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    """Here a folder."""
    with pytest.raises(ConfigurationError, match="it cannot be read: Is a directory"):
        read_plan(tmp_path, SETTINGS, NOON)


def test_everything_that_speaks_against_it_is_told_at_once(tmp_path: Path) -> None:
    """Too late, and under another configuration."""
    path = tmp_path / "plan.json"
    write_plan(path, saved_plan())
    other = SETTINGS.model_copy(update={"policies": ()})
    with pytest.raises(ConfigurationError) as caught:
        read_plan(path, other, NOON + timedelta(hours=13))
    assert [mistake.path for mistake in caught.value.mistakes] == ["expires_at", "configuration"]


@pytest.mark.parametrize(
    ("out", "valid_for", "expected"),
    [
        (None, None, None),
        (Path("p"), None, Saving(Path("p"), None)),
        (Path("p"), "12h", Saving(Path("p"), timedelta(hours=12))),
    ],
)
def test_how_long_it_holds_may_be_said_or_left_to_the_configuration(
    out: Path | None, valid_for: str | None, expected: Saving | None
) -> None:
    """As a duration, in the words of the configuration."""
    assert Saving.of(out, valid_for) == expected


@pytest.mark.parametrize(
    ("out", "valid_for", "words"),
    [
        (None, "12h", "--valid-for needs --out"),
        (Path("p"), "12", "--valid-for has no unit"),
        (Path("p"), "0s", "--valid-for must be longer than nothing"),
        (Path("p"), "soon", "--valid-for must be a duration"),
    ],
)
def test_what_cannot_be_meant_is_bad_usage(out: Path | None, valid_for: str, words: str) -> None:
    """Told before anything is surveyed."""
    with pytest.raises(typer.BadParameter, match=words):
        Saving.of(out, valid_for)
