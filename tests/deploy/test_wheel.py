"""The wheel: built, and installed with each of the tools that the README names, where nothing of nbsweep was before."""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from zipfile import ZipFile

import pytest

from deploy.support import ROOT, call
from nbsweep import __version__

CONSTRAINTS = ROOT / "constraints.txt"
Install = Callable[[Path, Path], Path]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel from the repository."""
    return build(ROOT, tmp_path_factory.mktemp("dist"))


def build(source: Path, folder: Path) -> Path:
    """Build the wheel of a folder or of a source distribution."""
    said = call("python", "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", folder, source)
    assert said.returncode == 0, said.stderr
    (file,) = folder.glob("*.whl")
    return file


def finish(home: Path, *command: str | Path) -> None:
    """Run a tool with an empty home folder, and expect that it succeeds."""
    elsewhere = {name: str(home / name.lower()) for name in os.environ if name.startswith(("XDG_", "PIPX_", "UV_TOOL_"))}
    said = call(*command, cwd=home, **{**elsewhere, "HOME": str(home)})
    assert said.returncode == 0, said.stdout + said.stderr


def with_pip(wheel: Path, home: Path) -> Path:
    """Install into a new virtual environment."""
    finish(home, sys.executable, "-m", "venv", home / "venv")
    finish(home, home / "venv/bin/python", "-m", "pip", "install", "--no-compile", "--constraint", CONSTRAINTS, wheel)
    return home / "venv/bin/nbsweep"


def with_pipx(wheel: Path, home: Path) -> Path:
    """Install as pipx does where there is no uv."""
    finish(
        home, "pipx", "install", "--backend", "pip", "--python", sys.executable, f"--pip-args=--constraint={CONSTRAINTS}", wheel
    )
    return home / ".local/bin/nbsweep"


def with_uv(wheel: Path, home: Path) -> Path:
    """Install as a tool."""
    finish(home, "uv", "tool", "install", "--python", sys.executable, "--constraints", CONSTRAINTS, wheel)
    return home / ".local/bin/nbsweep"


@pytest.mark.timeout(300)
@pytest.mark.parametrize("install", [with_pip, with_pipx, with_uv])
def test_the_program_works_wherever_the_wheel_is_installed(tmp_path: Path, wheel: Path, install: Install) -> None:
    """Its version, the schema, and a whole sweep of a simulated cloud, far from the repository."""
    program = install(wheel, tmp_path)

    def ask(*options: str) -> str:
        said = call(program, *options, cwd=tmp_path, HOME=str(tmp_path), PATH=os.defpath)
        assert said.returncode == 0, said.stdout + said.stderr
        return said.stdout

    assert ask("--version").startswith(f"nbsweep {__version__}")
    assert json.loads(ask("schema")) == json.loads((ROOT / "config" / "nbsweep.schema.json").read_text(encoding="utf-8"))
    assert "deleted" in ask("demo", "--notebooks", "20")


def test_the_wheel_holds_the_package_and_its_metadata_only(wheel: Path) -> None:
    """No tests, no folder beside the package; the manual page and the completions are where their readers look."""
    data = f"nbsweep-{__version__}.data"
    with ZipFile(wheel) as archive:
        names = archive.namelist()
    assert {name.split("/")[0] for name in names} == {"nbsweep", f"nbsweep-{__version__}.dist-info", data}
    assert {name.removeprefix(f"{data}/data/") for name in names if name.startswith(data)} == {
        "share/bash-completion/completions/nbsweep",
        "share/fish/vendor_completions.d/nbsweep.fish",
        "share/man/man1/nbsweep.1",
        "share/zsh/site-functions/_nbsweep",
    }


def test_the_bill_of_materials_is_where_pep_770_says(wheel: Path) -> None:
    """And is listed in RECORD, like every file."""
    name = f"nbsweep-{__version__}.dist-info/sboms/nbsweep.cdx.json"
    with ZipFile(wheel) as archive:
        assert archive.read(name) == (ROOT / "daemon" / "nbsweep.cdx.json").read_bytes()
        assert f"{name},sha256=" in archive.read(f"nbsweep-{__version__}.dist-info/RECORD").decode()


def test_the_source_distribution_makes_the_same_wheel(tmp_path: Path, wheel: Path) -> None:
    """File by file: what the package links to and the bill of materials are in it."""
    packed = call("python", "-m", "hatchling", "build", "--target", "sdist", "--directory", tmp_path)
    assert packed.returncode == 0, packed.stderr
    (source,) = tmp_path.glob("*.tar.gz")
    assert digests(build(source, tmp_path)) == digests(wheel)


def digests(wheel: Path) -> dict[str, int]:
    """Return the checksum of each file."""
    with ZipFile(wheel) as archive:
        return {entry.filename: entry.CRC for entry in archive.infolist()}
