"""Events to log lines."""

import json
from collections.abc import Mapping
from typing import Any, ClassVar

import anyio
import anyio.lowlevel
import pytest

from nbsweep.adapters.telemetry import SECRETS, Log, Telemetry, mask_secrets
from nbsweep.core.events.base import Event, Level
from nbsweep.core.events.http import HttpRetried
from nbsweep.core.events.removal import RemovalRequested
from nbsweep.core.events.sweep import SurveyMalformedRow, SurveyPage, SweepStarted


def telemetry(level: str = "debug", *, console: bool = False) -> tuple[Telemetry, list[str]]:
    """Log into a list of lines."""
    lines: list[str] = []
    return Telemetry(Log(lines.append, level, console)), lines


def test_an_event_becomes_one_json_line_with_its_fields() -> None:
    """What it is and when comes first, for people who read over it."""
    log, lines = telemetry()
    with log.bound(run_id="r1", target="research"):
        log.emit(SweepStarted(dry_run=True))
    (line,) = lines
    assert line.endswith("}\n")
    values = json.loads(line)
    assert list(values) == ["timestamp", "level", "event", "run_id", "target", "dry_run", "overrides"]
    assert (values["level"], values["event"], values["run_id"], values["dry_run"]) == ("info", "sweep.started", "r1", True)
    assert values["timestamp"].endswith("Z")


def test_what_is_less_important_than_the_level_is_not_written() -> None:
    """A page is for debugging only."""
    log, lines = telemetry("info")
    log.emit(SurveyPage("0", "NOTEBOOK", 0, 50, 50))
    log.emit(HttpRetried("show", "GET", "/x", 1, 0.2, "500"))
    assert [json.loads(line)["event"] for line in lines] == ["http.retried"]


class Unreadable(Event, frozen=True):
    """An event whose field nobody may read."""

    name: ClassVar[str] = "unreadable"
    level: ClassVar[Level] = "debug"
    field: int = 0

    def __getattribute__(self, name: str) -> Any:
        assert name != "field"
        return object.__getattribute__(self, name)


def test_an_event_below_the_level_is_not_even_read() -> None:
    """There are several for each call, and not even their fields are read."""
    telemetry("info")[0].emit(Unreadable())
    with pytest.raises(AssertionError):
        telemetry("debug")[0].emit(Unreadable())


async def test_context_stays_with_its_own_task() -> None:
    """Two notebooks side by side never get each other's id."""
    log, lines = telemetry()

    async def remove(notebook_id: str) -> None:
        with log.bound(notebook_id=notebook_id):
            await anyio.lowlevel.checkpoint()
            log.emit(RemovalRequested(1))

    async with anyio.create_task_group() as group:
        for number in range(5):
            group.start_soon(remove, f"nb{number}")
    log.emit(RemovalRequested(1))
    assert sorted(json.loads(line).get("notebook_id", "none") for line in lines) == ["nb0", "nb1", "nb2", "nb3", "nb4", "none"]


def test_listeners_hear_everything_with_its_context_whatever_the_level() -> None:
    """Progress counts pages that nobody logs."""
    heard: list[tuple[str, Mapping[str, Any]]] = []

    def listen(event: Event, context: Mapping[str, Any]) -> None:
        heard.append((event.name, dict(context)))

    log = Telemetry(Log(lambda _: None, "error", console=False), (listen,))
    with log.bound(target="research"):
        log.emit(SurveyPage("0", "NOTEBOOK", 0, 50, 50))
    assert heard == [("survey.page", {"target": "research"})]


@pytest.mark.parametrize("name", sorted(SECRETS))
def test_a_field_that_is_a_secret_by_its_name_is_masked(name: str) -> None:
    """Should one ever get into an event, it does not get out."""
    assert mask_secrets(None, "info", {name: "abc", "lane": "show"}) == {name: "***", "lane": "show"}


def test_on_a_terminal_lines_are_for_people() -> None:
    """Columns, not JSON; and no colours unless they are asked for."""
    log, lines = telemetry(console=True)
    log.emit(SweepStarted(dry_run=True))
    assert "sweep.started" in lines[0]
    assert "dry_run=True" in lines[0]
    assert "\x1b" not in lines[0]


def test_names_cannot_act_on_the_terminal_of_whoever_watches() -> None:
    """Other people give the names that get into the log."""
    log, lines = telemetry(console=True)
    log.emit(SurveyMalformedRow("nb1", "x\x1b[31m\x9b2J", "odd"))
    assert not {"\x1b", "\x9b"} & set(lines[0])
