from datetime import UTC, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest

from nbsweep.core.reasons.language import Language
from nbsweep.service.web.messages import message, plural
from nbsweep.service.web.pages.languages.formats import Formats

SHANGHAI = ZoneInfo("Asia/Shanghai")
ENGLISH = Formats(Language.ENGLISH, SHANGHAI)
CHINESE = Formats(Language.CHINESE, SHANGHAI)
NOON = datetime(2026, 3, 1, 12, 5, 59, tzinfo=UTC)


def test_dates_have_their_zone_in_both_languages() -> None:
    """Twelve in UTC is eight in the evening in Shanghai."""
    assert ENGLISH.moment_text(NOON) == "1 Mar 2026 20:05 GMT+08:00"
    assert CHINESE.moment_text(NOON) == "2026年3月1日 20:05 GMT+08:00"
    assert Formats(Language.ENGLISH, ZoneInfo("UTC")).moment_text(NOON) == "1 Mar 2026 12:05 UTC"


def test_a_moment_is_there_for_programs_too() -> None:
    """In UTC and to the second."""
    assert ENGLISH.moment(NOON) == '<time datetime="2026-03-01T12:05:59+00:00">1 Mar 2026 20:05 GMT+08:00</time>'


@pytest.mark.parametrize(
    ("age", "english", "chinese"),
    [
        (timedelta(days=21, hours=4, minutes=3), "21 days 4 hrs", "21天 4小时"),
        (timedelta(days=1), "1 day", "1天"),
        (timedelta(minutes=5, seconds=40), "5 mins 40 secs", "5分钟 40秒"),
        (timedelta(0), "0 secs", "0秒"),
        (timedelta(hours=-2), "-2 hrs", "-2小时"),
    ],
)
def test_lengths_of_time_are_in_their_two_largest_units(age: timedelta, english: str, chinese: str) -> None:
    """In words of the language."""
    assert ENGLISH.age(age) == english
    assert CHINESE.age(age) == chinese


def test_numbers_shares_and_sizes() -> None:
    """A thousand GB and more are TB."""
    assert ENGLISH.number(1234567) == "1,234,567"
    assert ENGLISH.number(2.5) == "2.5"
    assert ENGLISH.percent(Fraction(1, 4)) == "25%"
    assert ENGLISH.size(999) == "999 GB"
    assert ENGLISH.size(1234) == "1.2 TB"


def test_messages_are_translated_with_their_values() -> None:
    """Numbers, dates and texts of others, on one line."""
    assert ENGLISH.say(plural("%(count)s notebook", "%(count)s notebooks", 1)) == "1 notebook"
    assert ENGLISH.say(plural("%(count)s notebook", "%(count)s notebooks", 1200)) == "1,200 notebooks"
    assert CHINESE.say(plural("%(count)s notebook", "%(count)s notebooks", 2)) == "2 个 Notebook"
    paused = message("Paused by %(by)s since %(since)s", by="al\nice\x1b", since=NOON)
    assert ENGLISH.say(paused) == "Paused by al ice\ufffd since 1 Mar 2026 20:05 GMT+08:00"
    assert CHINESE.say(paused) == "由 al ice\ufffd 自 2026年3月1日 20:05 GMT+08:00 起暂停"
