"""`calendar`, and graces that count its business days."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from nbsweep.core.calendar.describe import describe_years
from nbsweep.core.calendar.length import BusinessDays
from nbsweep.core.errors import ConfigurationError
from nbsweep.loading.file import read_settings
from nbsweep.settings import Settings
from nbsweep.settings.people.calendar import CalendarSettings


def document(grace: dict[str, Any], calendar: dict[str, Any]) -> str:
    """Return a configuration with a policy of this grace."""
    return yaml.safe_dump(
        {
            "targets": [{"name": "research", "region": "cn-north-4", "credentials": {"access_key": "x", "secret_key": "y"}}],
            "policies": [{"name": "idle", "match": {"status": "STOPPED", "idle_over": "14d"}, "grace": grace}],
            "channels": {"mail": {"kind": "smtp", "host": "localhost", "tls": "none", "from": "nbsweep@example.com"}},
            "owners": [{"domain": "example.com"}],
            "calendar": calendar,
        }
    )


def read(grace: dict[str, Any], **calendar: Any) -> Settings:
    """Read a configuration."""
    return read_settings("nbsweep.yaml", document(grace, calendar), {})


def mistakes(grace: dict[str, Any], **calendar: Any) -> dict[str, str]:
    """Return the mistakes in a configuration, by their places."""
    with pytest.raises(ConfigurationError) as caught:
        read(grace, **calendar)
    return {mistake.path: mistake.problem for mistake in caught.value.mistakes}


def test_a_grace_in_business_days_counts_those_of_the_country() -> None:
    """In the time zone of the calendar."""
    [policy] = read({"for": "5bd", "remind": "2bd"}, country="CN", timezone="Asia/Shanghai").rules.policies
    assert policy.grace is not None
    assert isinstance(policy.grace.lasts, BusinessDays)
    assert policy.grace.ends(datetime(2026, 9, 30, 2, tzinfo=UTC)) == datetime(2026, 10, 13, 2, tzinfo=UTC)
    assert isinstance(policy.grace.remind, BusinessDays)
    assert policy.grace.remind.count == 2


def test_min_grace_binds_business_days_too() -> None:
    """A grace of one business day lasts a week if `min_grace` says so."""
    text = document({"for": "1bd"}, {"country": "CN"}) + "marks: {min_grace: 7d}\n"
    [policy] = read_settings("nbsweep.yaml", text, {}).rules.policies
    assert policy.grace is not None
    told = datetime(2026, 11, 2, 2, tzinfo=UTC)
    assert policy.grace.ends(told) == datetime(2026, 11, 9, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    ("grace", "calendar", "place", "words"),
    [
        ({"for": "5bd"}, {}, "policies[0].grace.for", "set calendar.country"),
        ({"for": "5bd"}, {"country": "XX"}, "calendar", "country is not known: XX"),
        ({"for": "5bd"}, {"country": "China"}, "calendar.country", "two capital letters"),
        (
            {"for": "5bd", "remind": "7d"},
            {"country": "CN"},
            "policies[0].grace.remind",
            "must be shorter than for, which is 5bd",
        ),
        ({"for": "0bd"}, {"country": "CN"}, "policies[0].grace.for", "must be a duration"),
        ({"for": "5bd"}, {"file": "/nowhere/days.yaml"}, "calendar", "file /nowhere/days.yaml cannot be used"),
    ],
)
def test_what_is_wrong_is_told(grace: dict[str, Any], calendar: dict[str, Any], place: str, words: str) -> None:
    """With the key, and what is right."""
    found = mistakes(grace, **calendar)
    assert list(found) == [place]
    assert words in found[place]


def test_a_country_is_not_looked_at_unless_a_policy_counts_business_days() -> None:
    """An unknown one does no harm, and the library need not be installed."""
    assert read({"for": "7d"}, country="XX").calendar_years is None


def test_a_file_adds_days_and_makes_years_known(tmp_path: Path) -> None:
    """The arrangement of 2027, as it might be published."""
    days = tmp_path / "days.yaml"
    days.write_text("years: [2027]\nclosed: [2027-01-01]\nopen: [2027-01-03]\n")
    business = CalendarSettings(country="CN", timezone="Asia/Shanghai", file=str(days)).to_business()
    told = datetime(2026, 12, 31, 2, tzinfo=UTC)
    assert [business.after(told, count).date() for count in (1, 2)] == [date(2027, 1, 3), date(2027, 1, 4)]
    assert describe_years(business, "CN", date(2026, 12, 1)) == ("business days of CN: 2026 and 2027 are known", True)


@pytest.mark.parametrize("text", ["closed: 7", "closed: [soon]", "[1, 2]", "years: [next]", "closed: [2027-01-01", "\x00"])
def test_a_file_of_something_else_is_a_mistake(tmp_path: Path, text: str) -> None:
    """It never counts as an empty one."""
    days = tmp_path / "days.yaml"
    days.write_text(text)
    with pytest.raises(ValueError, match="cannot be used"):
        CalendarSettings(file=str(days)).to_business()


def test_years_that_are_not_known_are_named() -> None:
    """With what that means."""
    business = CalendarSettings(country="CN", timezone="Asia/Shanghai").to_business()
    words, known = describe_years(business, "CN", date(2026, 12, 1))
    assert not known
    assert words.startswith("business days of CN: 2026 is known; 2027 is not published yet")
    assert words.endswith("so that deadlines come later rather than earlier")
