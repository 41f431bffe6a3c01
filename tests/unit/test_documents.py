"""The documents are part of the contract: the tables match the code, and every link resolves."""

import re
import runpy
from pathlib import Path

import pytest
import typer

from nbsweep.adapters.metrics.instruments import Instruments
from nbsweep.cli.exits import Exit
from nbsweep.cli.main import app
from nbsweep.cli.options.simulation import simulator
from nbsweep.core.events import exemptions, fence, fleet, http, lease, marks, outbox, removal, service, sweep
from nbsweep.core.events.base import Event
from nbsweep.core.marks.model import ClearCause, MarkState
from nbsweep.service.web.api.operations import OPERATIONS
from nbsweep.simulator import SimulatorOptions

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "docs" / "reference"
IGNORED = {".venv", ".venv-keystone", ".git", "node_modules", "build", "_build"}
DOCUMENTS = sorted(path for path in ROOT.rglob("*.md") if not IGNORED.intersection(path.relative_to(ROOT).parts))
JOURNEY = [
    "engine/survey.py",
    "core/policy.py",
    "core/matching/conditions.py",
    "core/facts.py",
    "core/planning/plan.py",
    "core/planning/brakes.py",
    "engine/sweep.py",
    "engine/removing/executor.py",
    "engine/removing/prefetch.py",
    "core/second_look.py",
    "core/lifecycle.py",
    "engine/removing/poller.py",
]
MODULES = (exemptions, fence, fleet, http, lease, marks, outbox, removal, service, sweep)
EVENTS = [
    kind
    for module in MODULES
    for kind in vars(module).values()
    if isinstance(kind, type) and issubclass(kind, Event) and kind is not Event
]


def rows(page: str, first_column: str) -> dict[str, str]:
    """Read the table rows of a reference page whose first cell matches, by the text of that cell."""
    lines = [line for line in (REFERENCE / page).read_text(encoding="utf-8").splitlines() if re.match(first_column, line)]
    return {line.split("|")[1].strip(" `"): line for line in lines}


@pytest.mark.parametrize("kind", EVENTS, ids=lambda kind: kind.name)
def test_every_event_is_listed_with_its_level_and_its_fields(kind: type[Event]) -> None:
    """The level and the fields in the table are those of the event."""
    row = rows("log-events.md", r"\| `[a-z]+\.[a-z_]+`")[kind.name]
    _, _, level, _, listed, _ = (cell.strip() for cell in row.split("|"))
    assert level == kind.level
    assert re.findall(r"`([a-z_]+)`", listed) == list(kind.__struct_fields__)


def test_no_event_is_listed_that_does_not_exist() -> None:
    """A renamed event leaves no row behind; the command line logs two more, outside the events."""
    assert set(rows("log-events.md", r"\| `[a-z]+\.[a-z_]+`")) == {kind.name for kind in EVENTS} | {
        "command.failed",
        "result.lost",
    }


def test_every_command_is_listed() -> None:
    """The table of commands is complete."""
    commands = set(typer.main.get_group(app).commands)
    listed = {cell.split()[0].strip("`") for cell in rows("cli.md", r"\| `[a-z]+(`| )")}
    assert listed == commands


def test_every_exit_code_is_listed() -> None:
    """The table of exit codes is complete."""
    assert {int(code) for code in rows("exit-codes.md", r"\| \d+ \|")} == {int(code) for code in Exit}


def test_every_state_and_every_cause_of_a_mark_is_listed() -> None:
    """In `docs/reference/marks.md`; DUE is the state of a told mark whose deadline has passed."""
    assert rows("marks.md", r"\| `[A-Z]+` ").keys() == {*MarkState, "DUE"}
    assert list(rows("marks.md", r"\| `[a-z]+[a-z-]*` ")) == list(ClearCause)


def test_every_metric_is_listed_with_its_type_and_its_labels() -> None:
    """An alert that is written from the table finds its series."""
    listed = {}
    for name, row in rows("metrics.md", r"\| `nbsweep_[a-z_]+`").items():
        _, _, kind, labels, meaning, _ = (cell.strip() for cell in row.split("|"))
        assert meaning
        listed[name] = (kind, tuple(re.findall(r"`([a-z_]+)`", labels)))
    assert listed == {metric.name: (metric.kind, metric.labels) for metric in Instruments().declared}


def test_every_route_is_listed() -> None:
    """The table of routes is complete; queries in it are examples."""
    lines = [
        line
        for line in (REFERENCE / "http-api.md").read_text(encoding="utf-8").splitlines()
        if re.match(r"\| `(GET|POST) ", line)
    ]
    listed = {route.split("?")[0] for line in lines for route in re.findall(r"`((?:GET|POST) [^`]+)`", line.split("|")[1])}
    assert listed == {f"{operation.method} {operation.path}" for operation in OPERATIONS}


def test_the_readme_is_short() -> None:
    """At most 8 KB."""
    assert (ROOT / "README.md").stat().st_size <= 8192


def anchors(path: Path) -> set[str]:
    """Return the anchors of the headings of a page, as the code host builds them."""
    headings = re.findall(r"(?m)^#+ (.+)$", re.sub(r"(?s)```.*?```", "", path.read_text(encoding="utf-8")))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_relative_link_resolves(path: Path) -> None:
    """A link names a file or a folder that exists, and a heading of it."""
    text = re.sub(r"(?s)```.*?```", "", path.read_text(encoding="utf-8"))
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        file = (path.parent / name).resolve() if name else path
        if not file.exists() or (anchor and file.suffix == ".md" and anchor not in anchors(file)):
            broken.append(target)
    assert broken == []


@pytest.mark.parametrize(
    "path", [path for path in DOCUMENTS if path.name != "CHANGELOG.md"], ids=lambda path: str(path.relative_to(ROOT))
)
def test_no_document_names_a_file_that_does_not_exist(path: Path) -> None:
    """Paths in code, of the folders of the repository, exist."""
    named = set(re.findall(r"`((?:daemon|tests|docs|deploy|config)/[\w./-]+)`", path.read_text(encoding="utf-8")))
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []


def test_the_architecture_links_the_twelve_files_in_order() -> None:
    """A reader who follows the story of a notebook finds every file of it."""
    text = (ROOT / "docs" / "explanation" / "architecture.md").read_text(encoding="utf-8")
    linked = re.findall(r"(?m)^\d+\. \[[^\]]+\]\(\.\./\.\./daemon/nbsweep/([^)]+)\)", text)
    assert linked == JOURNEY


def test_the_page_of_configuration_keys_is_what_the_settings_generate() -> None:
    """`make schema` writes it."""
    page = runpy.run_path(str(ROOT / "docs" / "configuration_page.py"))["page"]
    assert (REFERENCE / "configuration-keys.md").read_text(encoding="utf-8") == page()


def test_the_page_of_simulator_options_is_what_the_options_generate() -> None:
    """`make schema` writes it."""
    page = runpy.run_path(str(ROOT / "docs" / "simulator_page.py"))["page"]
    assert (REFERENCE / "simulator.md").read_text(encoding="utf-8") == page()


def test_the_manual_page_is_what_the_help_generates() -> None:
    """`make schema` writes it."""
    names = runpy.run_path(str(ROOT / "docs" / "man_page.py"))
    assert names["PAGE"].read_text(encoding="utf-8") == names["page"]()


def test_the_help_of_the_simulator_names_every_option() -> None:
    """In the groups and the order of the JSON document."""
    text = " ".join((simulator.__doc__ or "").split("\b")[1].split())
    defaults = SimulatorOptions()
    groups = {key: getattr(defaults, key).__struct_fields__ for key in defaults.__struct_fields__ if key != "seed"}
    assert text == " ".join(["seed", *(f"{key}: {', '.join(keys)}" for key, keys in groups.items())])


def test_every_page_is_in_the_index() -> None:
    """A page without a link from the index is not found."""
    index = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    pages = {str(path.relative_to(ROOT / "docs")) for path in DOCUMENTS if path.is_relative_to(ROOT / "docs")} - {"index.md"}
    assert {page for page in pages if f"]({page})" not in index} == set()
