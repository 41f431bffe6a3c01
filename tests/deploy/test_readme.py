"""deploy/README.md: what it says of files and versions is so."""

import re

import pytest

from deploy.support import DEPLOY, ROOT
from nbsweep import __version__

README = (DEPLOY / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", sorted(path.name for path in DEPLOY.iterdir() if path.name not in {"README.md", "compose"}))
def test_each_part_has_its_place_in_it(name: str) -> None:
    """A heading of its own, or a share in one."""
    assert re.search(rf"(?m)^## .*`{re.escape(name)}/?`", README)


def test_every_path_in_a_command_is_there() -> None:
    """Whoever copies a line must not stumble over a name."""
    named = set(re.findall(r"(?<![\w/])(?:deploy|config)/[\w./-]+", README))
    assert named
    assert [path for path in sorted(named) if not (ROOT / path).exists()] == []


def test_the_images_have_the_version_of_the_program() -> None:
    """In every command."""
    assert set(re.findall(r"nbsweep:(\d[\w.]+)", README)) == {__version__}


def test_the_alerts_are_counted() -> None:
    """As many as there are."""
    rules = (DEPLOY / "prometheus" / "nbsweep.rules.yaml").read_text(encoding="utf-8")
    assert re.findall(r"has (\d+) alerts", README) == [str(rules.count("- alert:"))]
