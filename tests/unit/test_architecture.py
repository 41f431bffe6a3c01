"""The page Architecture names what is in the code: folders, files, classes and functions."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "daemon" / "nbsweep"
PAGE = (ROOT / "docs" / "explanation" / "architecture.md").read_text(encoding="utf-8")
STORY = PAGE[PAGE.index("## The story of one notebook") : PAGE.index("## Other readers")]
LINKED = sorted(set(re.findall(r"\.\./\.\./daemon/nbsweep/([\w/]+\.py)", STORY)))
FUNCTION = re.compile(r"`(?:\w+\.)?(?!py`)([a-z_]+)`")
METHOD = re.compile(r"`([A-Z]\w+)\.(\w+)`")
KEYS = {"fresh_for", "grace", "max_per_owner", "status", "surveys"}
"""Keys of the configuration in the story."""


def folders(package: Path) -> list[str]:
    """Return the names of the packages in a package."""
    return sorted(path.parent.name for path in package.glob("*/__init__.py"))


@pytest.mark.parametrize("folder", [*folders(PACKAGE), *folders(PACKAGE / "core")])
def test_the_architecture_says_what_each_folder_is_for(folder: str) -> None:
    """Those of the program, and those of the core."""
    rows = "\n".join(line.split("|")[1] for line in PAGE.splitlines() if line.startswith("|"))
    assert f"`{folder}`" in rows


@pytest.mark.parametrize(("kind", "name"), sorted(set(METHOD.findall(STORY))))
def test_a_method_of_the_story_is_in_a_linked_file(kind: str, name: str) -> None:
    """A reader finds the class and its method in one of the files that the story opens."""
    sources = [(PACKAGE / path).read_text(encoding="utf-8") for path in LINKED]
    classes = [text for text in sources if re.search(rf"(?m)^class {kind}\b", text)]
    assert any(re.search(rf"(?m)^    (async )?def {name}\b", text) for text in classes)


@pytest.mark.parametrize("name", sorted(set(FUNCTION.findall(STORY)) - {name for _, name in METHOD.findall(STORY)} - KEYS))
def test_a_function_of_the_story_is_in_a_linked_file(name: str) -> None:
    """Commands are named there, too; each has a file of its name."""
    sources = [(PACKAGE / path).read_text(encoding="utf-8") for path in LINKED]
    command = PACKAGE / "cli" / "commands" / f"{name}.py"
    assert command.exists() or any(re.search(rf"(?m)^(async )?def {name}\b", text) for text in sources)
