"""The image: linted, and the part of its build that needs no engine carried out."""

import json
import re
import shutil
from importlib.metadata import distributions
from pathlib import Path

import pytest

from deploy.support import BIN, DEPLOY, ROOT, call
from nbsweep import __version__

DOCKERFILE = DEPLOY / "Dockerfile"
INSTRUCTIONS: list[tuple[str, str]] = [
    (word, rest)
    for line in re.sub(r"\\\n\s*", " ", re.sub(r"(?m)^#.*\n", "", DOCKERFILE.read_text(encoding="utf-8"))).splitlines()
    if line
    for word, rest in [line.split(maxsplit=1)]
]
SECOND = [place for place, (word, _) in enumerate(INSTRUCTIONS) if word == "FROM"][1]
BUILD, FINAL = INSTRUCTIONS[:SECOND], INSTRUCTIONS[SECOND:]


def final(word: str) -> str:
    """Return what an instruction that is there once in the last stage says."""
    (rest,) = (rest for said, rest in FINAL if said == word)
    return rest


def allowed() -> set[str]:
    """Read which files and folders .dockerignore lets through."""
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert "*" in lines
    return {line[1:] for line in lines if line.startswith("!")}


def tried_with(folder: Path) -> Path:
    """Write a configuration whose journal is there, so that the program has to bring its migrations along."""
    text = (DEPLOY / "compose" / "nbsweep.yaml").read_text(encoding="utf-8")
    file = folder / "nbsweep.yaml"
    file.write_text(text.replace("/var/lib/nbsweep/journal.db", str(folder / "journal.db")), encoding="utf-8")
    return file


def test_the_linter_has_nothing_to_say() -> None:
    """Not even a hint of style."""
    said = call("hadolint", "--no-color", "--failure-threshold", "style", str(DOCKERFILE))
    assert (said.returncode, said.stdout) == (0, "")


def test_the_linter_would_speak(tmp_path: Path) -> None:
    """A base without a version, and a shell where a list belongs."""
    wrong = tmp_path / "Dockerfile"
    wrong.write_text("FROM python\nCMD nbsweep serve\n", encoding="utf-8")
    said = call("hadolint", "--no-color", str(wrong))
    assert said.returncode
    assert "DL3006" in said.stdout


def test_it_runs_as_somebody_by_number_and_starts_the_service() -> None:
    """Kubernetes can tell a number from root, but not a name."""
    assert final("USER") == "10001:10001"
    assert json.loads(final("ENTRYPOINT")) == ["nbsweep"]
    assert json.loads(final("CMD")) == ["serve"]


def test_nothing_but_the_journal_needs_to_be_written() -> None:
    """So that the root may be read-only; and the configuration is not looked for in a folder that can be written."""
    assert json.loads(final("VOLUME")) == ["/var/lib/nbsweep"]
    assert final("WORKDIR") == "/"
    assert "NBSWEEP_CONFIG=/etc/nbsweep/nbsweep.yaml" in final("ENV")
    assert "PYTHONDONTWRITEBYTECODE=1" in final("ENV")


def test_only_the_finished_program_reaches_the_last_stage() -> None:
    """No sources, no tools for building."""
    assert final("COPY") == "--from=build /opt/nbsweep /opt/nbsweep"
    assert not any("pip" in rest for word, rest in FINAL if word == "RUN")


def test_its_health_is_asked_for_without_a_token() -> None:
    """The check is Python that compiles, for the image has no other client."""
    python, option, code = json.loads(final("HEALTHCHECK").split("CMD", 1)[1])
    assert (python, option) == ("python", "-c")
    assert "'/healthz'" in code
    compile(code, "HEALTHCHECK", "exec")


def test_the_labels_are_those_of_oci_and_come_by_build_arguments() -> None:
    """The version is the program's own unless it is given; what a build must be told is empty without it."""
    labels = dict(re.findall(r'org\.opencontainers\.image\.([\w.]+)="([^"]*)"', final("LABEL")))
    assert len(labels) == final("LABEL").count("=")
    given = dict(rest.partition("=")[::2] for word, rest in FINAL if word == "ARG")
    assert given == {"PYTHON_IMAGE": "", "VERSION": __version__, "REVISION": "", "CREATED": "", "SOURCE": ""}
    by_argument = {name: value[2:-1] for name, value in labels.items() if value.startswith("${")}
    assert by_argument == {
        "version": "VERSION",
        "revision": "REVISION",
        "created": "CREATED",
        "source": "SOURCE",
        "base.name": "PYTHON_IMAGE",
    }
    assert set(labels) - set(by_argument) == {"title", "description"}
    readme = (DEPLOY / "README.md").read_text(encoding="utf-8")
    assert all(f"`{name}`" in readme for name in given)


def test_everything_that_is_installed_is_held_to_the_pinned_versions() -> None:
    """The tool that builds the wheel included."""
    commands = [
        part for word, rest in INSTRUCTIONS if word == "RUN" for part in rest.split("&&") if "install" in part and "pip" in part
    ]
    assert commands
    assert all("--constraint constraints.txt" in command for command in commands)


def test_the_context_holds_what_is_copied_and_nothing_else() -> None:
    """A secret that lies about in a checkout must not get into an image."""
    copied = {part for word, rest in BUILD if word == "COPY" for part in rest.split()[:-1]}
    assert copied == allowed()


def test_the_image_holds_what_a_fleet_needs_unless_it_is_built_without() -> None:
    """The same image serves `serve` and the workers."""
    assert [rest for word, rest in BUILD if word == "ARG" and rest.startswith("EXTRAS")] == ["EXTRAS=[fleet]"]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("extras", ["", "[fleet]"])
def test_the_build_makes_a_program_of_the_pinned_versions(tmp_path: Path, extras: str) -> None:
    """The commands of the first stage, as they stand, but with other folders and with the Python of the tests."""
    source, target = tmp_path / "src", tmp_path / "nbsweep"
    source.mkdir()
    for name in allowed():
        here = ROOT / name
        if here.is_dir():
            shutil.copytree(here, source / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(here, source / name)
    for command in (rest for word, rest in BUILD if word == "RUN"):
        said = call("sh", "-ec", command.replace("/opt/nbsweep", str(target)), cwd=source, PIP_NO_INPUT="1", EXTRAS=extras)
        assert said.returncode == 0, said.stderr
    program = target / "bin" / "nbsweep"
    assert f"nbsweep {__version__}" in call(program, "--version").stdout
    asked = call(program, "--config", tried_with(tmp_path), "history", cwd=tmp_path, AK="an-access-key", SK="a-secret-key")
    assert asked.returncode == 0, asked.stderr
    assert (tmp_path / "journal.db").is_file()
    pinned = {
        name.lower().replace("_", "-"): version
        for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
        for name, version in [line.split("==")]
    }
    (packages,) = target.glob("lib/python*/site-packages")
    installed = {found.name.lower().replace("_", "-"): found.version for found in distributions(path=[str(packages)])}
    assert installed.pop("nbsweep") == __version__
    assert installed.items() <= pinned.items()
    assert ("psycopg-binary" in installed) is ("procrastinate" in installed) is bool(extras)
    assert "pip" not in installed
    assert BIN not in packages.parents
