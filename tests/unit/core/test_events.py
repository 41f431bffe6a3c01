import inspect
import re
from collections import Counter
from datetime import timedelta
from typing import get_args

import pytest

from builders import NOON, removal
from nbsweep.core.events import http, lease, service, sweep
from nbsweep.core.events import removal as of_removals
from nbsweep.core.events.base import Event, Level
from nbsweep.core.events.removal import RemovalFinished
from nbsweep.core.events.sweep import SweepStarted
from nbsweep.core.lifecycle import State, outcome
from nbsweep.core.model import Status

EVENTS = [
    value
    for module in (http, lease, of_removals, service, sweep)
    for value in vars(module).values()
    if inspect.isclass(value) and issubclass(value, Event) and value is not Event
]


@pytest.mark.parametrize(
    ("state", "name"),
    [
        (State.DELETED, "deleted"),
        (State.FAILED, "failed"),
        (State.TIMED_OUT, "timed_out"),
        (State.SPARED, "spared"),
        (State.PLANNED, "unfinished"),
        (State.STOPPING, "unfinished"),
        (State.REQUESTED, "unfinished"),
        (State.ACCEPTED, "unfinished"),
    ],
)
def test_an_outcome_is_named_as_reports_name_it(state: State, name: str) -> None:
    """The four ends have the names of `run --format json`; what has no end is never called one."""
    assert outcome(removal(state=state)) == name
    assert RemovalFinished.of(removal(state=state)).outcome == name


def test_the_end_of_a_removal_says_everything_about_it() -> None:
    """One line: what it was, why, what came of it, how often and how long."""
    ended = removal(
        state=State.TIMED_OUT,
        status_before=Status.RUNNING,
        requested_at=NOON + timedelta(seconds=5),
        accepted_at=NOON + timedelta(seconds=6.25),
        ended_at=NOON + timedelta(minutes=30, seconds=5, milliseconds=1),
        requests=2,
        failures=1,
        request_id="req-2",
        end_reason="no end by its deadline",
    )
    event = RemovalFinished.of(ended)
    assert {field: getattr(event, field) for field in event.__struct_fields__} == {
        "outcome": "timed_out",
        "end_reason": "no end by its deadline",
        "notebook_name": "experiment-1",
        "owner": "alice",
        "workspace": "0",
        "feature": "NOTEBOOK",
        "reason": "age 200d (over 1d)",
        "status_before": "RUNNING",
        "requests": 2,
        "failures": 1,
        "capacity_gb": 50,
        "category": "EVS",
        "request_id": "req-2",
        "accepted_after_s": 1.25,
        "ended_after_s": 1800.001,
    }


def test_a_time_that_never_came_is_none() -> None:
    """A removal that was spared was neither requested nor accepted."""
    event = RemovalFinished.of(removal(state=State.SPARED, ended_at=NOON, capacity_gb=None, category=None))
    assert (event.accepted_after_s, event.ended_after_s) == (None, None)
    assert (event.capacity_gb, event.category) == (None, None)


def test_no_time_at_all_is_not_a_missing_time() -> None:
    """An answer in the same instant took no seconds, which is a figure."""
    event = RemovalFinished.of(removal(state=State.DELETED, requested_at=NOON, accepted_at=NOON, ended_at=NOON))
    assert (event.accepted_after_s, event.ended_after_s) == (0.0, 0.0)


def test_every_event_has_a_name_and_a_level_of_its_own() -> None:
    """Names are unique, read `subject.happened`, and levels are those of the log."""
    assert len(EVENTS) > 15
    assert [name for name, count in Counter(event.name for event in EVENTS).items() if count > 1] == []
    for event in EVENTS:
        assert re.fullmatch(r"[a-z]+\.[a-z_]+", event.name)
        assert event.level in get_args(Level)


def test_no_event_repeats_what_is_bound_around_it() -> None:
    """`run_id`, `target`, `notebook_id` and `policy` are bound once, except where a row is told of that nobody works on."""
    shared = {"run_id", "target", "policy", "name", "level", "event"}
    for event in EVENTS:
        assert shared.isdisjoint(event.__struct_fields__), event


def test_no_event_has_room_for_a_secret() -> None:
    """A notebook's token and url, keys and signatures have no field to be in."""
    words = re.compile(r"token|url|secret|key|signature|password|header|body", re.IGNORECASE)
    for event in EVENTS:
        assert [field for field in event.__struct_fields__ if words.search(field)] == []


def test_an_event_is_a_frozen_record() -> None:
    """What has happened does not change; every listener sees the same."""
    event = SweepStarted(dry_run=True)
    with pytest.raises(AttributeError):
        event.dry_run = False  # type: ignore[misc]
