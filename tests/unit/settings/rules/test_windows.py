"""`windows` of the configuration and of a policy."""

from datetime import UTC, datetime
from typing import Any

import pytest
import yaml

from nbsweep.core.errors import ConfigurationError
from nbsweep.core.windows.window import is_open
from nbsweep.loading.file import read_settings
from nbsweep.settings import Settings
from nbsweep.settings.rules.windows import read_days

OFFICE = {"days": "mon-fri", "hours": "09:00-17:00", "timezone": "Asia/Shanghai"}
MONDAY_NOON, SATURDAY = datetime(2026, 11, 2, 4, tzinfo=UTC), datetime(2026, 11, 7, 4, tzinfo=UTC)


def read(windows: Any, of_policy: Any = None, **keys: Any) -> Settings:
    """Read a configuration with these windows."""
    policy = {"name": "idle", "match": {"status": "STOPPED", "idle_over": "14d"}, "windows": of_policy}
    target = {"name": "research", "region": "cn-north-4", "credentials": {"access_key": "x", "secret_key": "y"}}
    document = {"targets": [target], "policies": [policy], "windows": windows, **keys}
    return read_settings("nbsweep.yaml", yaml.safe_dump(document), {})


def opens(settings: Settings, moment: datetime) -> bool:
    """Return whether DELETEs of the policy may leave."""
    return is_open(settings.rules.policies[0].windows, moment)


def test_windows_bind_every_policy_that_has_none_of_its_own() -> None:
    """An empty list of its own sets them aside."""
    assert (opens(read([OFFICE]), MONDAY_NOON), opens(read([OFFICE]), SATURDAY)) == (True, False)
    assert opens(read([OFFICE], []), SATURDAY)
    assert opens(read([], [{"days": "sat", "hours": "00:00-24:00"}]), SATURDAY)
    assert opens(read([]), SATURDAY)


def test_the_time_zone_is_that_of_the_calendar_unless_it_is_said() -> None:
    """Nine to five in Shanghai."""
    plain = {"days": "mon-fri", "hours": "09:00-17:00"}
    assert not opens(read([plain]), MONDAY_NOON)
    assert opens(read([plain], calendar={"timezone": "Asia/Shanghai"}), MONDAY_NOON)


@pytest.mark.parametrize(
    ("text", "days"), [("mon-fri", {0, 1, 2, 3, 4}), ("sat", {5}), ("fri-mon", {4, 5, 6, 0}), ("mon-sun", set(range(7)))]
)
def test_days_are_named_alone_or_as_a_range(text: str, days: set[int]) -> None:
    """A range may pass the end of the week."""
    assert read_days(text) == days


@pytest.mark.parametrize(
    ("window", "place", "words"),
    [
        ({"days": "monday", "hours": "09:00-17:00"}, "windows[0].days", "such as mon-fri"),
        ({"days": "mon-fri", "hours": "9-17"}, "windows[0].hours", "must be hours such as"),
        ({"days": "mon-fri", "hours": "09:00-09:00"}, "windows[0].hours", "for a whole day"),
        ({"days": "mon-fri", "hours": 540}, "windows[0].hours", "in quotes"),
        ({"days": "mon-fri"}, "windows[0].hours", ""),
        ({**OFFICE, "timezone": "Shanghai"}, "windows[0].timezone", "time zone database"),
        ({**OFFICE, "holidays": "skip"}, "windows", "set calendar.country"),
    ],
)
def test_what_is_wrong_is_told(window: dict[str, Any], place: str, words: str) -> None:
    """With the key, and what is right."""
    with pytest.raises(ConfigurationError) as caught:
        read([window])
    [mistake] = caught.value.mistakes
    assert mistake.path == place
    assert words in mistake.problem
