"""The README is part of the contract: what it lists is what there is."""

import re
from pathlib import Path

import pytest
import typer

from nbsweep.adapters.metrics.instruments import Instruments
from nbsweep.cli.exits import Exit
from nbsweep.cli.main import app
from nbsweep.core.events import http, lease, removal, service, sweep
from nbsweep.core.events.base import Event
from nbsweep.service.web.operations import OPERATIONS

README = Path(__file__).parents[2] / "README.md"
MODULES = (http, lease, removal, service, sweep)
EVENTS = [
    kind
    for module in MODULES
    for kind in vars(module).values()
    if isinstance(kind, type) and issubclass(kind, Event) and kind is not Event
]


def rows(first_column: str) -> dict[str, str]:
    """Read the README's table rows whose first cell is code, by that cell's text."""
    lines = [line for line in README.read_text(encoding="utf-8").splitlines() if re.match(first_column, line)]
    return {line.split("|")[1].strip(" `"): line for line in lines}


@pytest.mark.parametrize("kind", EVENTS, ids=lambda kind: kind.name)
def test_every_event_is_listed_with_its_level_and_its_fields(kind: type[Event]) -> None:
    """Whoever searches the log must find there what the README names, and nothing that it does not."""
    row = rows(r"\| `[a-z]+\.[a-z_]+`")[kind.name]
    _, _, level, _, listed, _ = (cell.strip() for cell in row.split("|"))
    assert level == kind.level
    assert re.findall(r"`([a-z_]+)`", listed) == list(kind.__struct_fields__)


def test_no_event_is_listed_that_does_not_exist() -> None:
    """An event that was renamed must not stay behind in the README; two are told by the command line, outside the events."""
    assert set(rows(r"\| `[a-z]+\.[a-z_]+`")) == {kind.name for kind in EVENTS} | {"command.failed", "result.lost"}


def test_every_command_is_listed() -> None:
    """The table of commands is the whole of them."""
    commands = set(typer.main.get_group(app).commands)
    listed = {cell.split()[0] for cell in rows(r"\| `[a-z]+(`| )")}
    assert listed == commands


def test_every_exit_code_is_listed() -> None:
    """So is that of exit codes."""
    assert {int(code) for code in rows(r"\| \d+ \|")} == {int(code) for code in Exit}


def test_every_metric_is_listed_with_its_type_and_its_labels() -> None:
    """Whoever writes an alert from the README must find that there is such a series."""
    told = {}
    for name, row in rows(r"\| `nbsweep_[a-z_]+`").items():
        _, _, kind, labels, meaning, _ = (cell.strip() for cell in row.split("|"))
        assert meaning
        told[name] = (kind, tuple(re.findall(r"`([a-z_]+)`", labels)))
    assert told == {metric.name: (metric.kind, metric.labels) for metric in Instruments().declared}


def test_every_route_is_listed() -> None:
    """And none that does not exist; a query is given as an example."""
    lines = [line for line in README.read_text(encoding="utf-8").splitlines() if re.match(r"\| `(GET|POST) ", line)]
    told = {route.split("?")[0] for line in lines for route in re.findall(r"`((?:GET|POST) [^`]+)`", line.split("|")[1])}
    assert told == {f"{operation.method} {operation.path}" for operation in OPERATIONS}
