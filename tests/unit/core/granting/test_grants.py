from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from nbsweep.core.errors import GrantRefused
from nbsweep.core.exemptions.model import Exemption, GrantedBy, Selector
from nbsweep.core.granting.grants import (
    LETTERS,
    Granter,
    GrantLimits,
    GrantRequest,
    end_of_day,
    make_exemption,
    new_exemption_id,
)

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOON = datetime(2026, 9, 1, 12, tzinfo=UTC)
LIMITS = GrantLimits(timedelta(days=90), SHANGHAI)
LI = Granter("li")
WANTED = GrantRequest(Selector(owner="alice"), NOON + timedelta(days=30), "on leave")


def made(**changes: object) -> Exemption:
    """Return the exemption of a request, with the fields that differ."""
    return make_exemption(replace(WANTED, **changes), LIMITS, LI, NOON, "e1")


def refusal(**changes: object) -> GrantRefused:
    """Return why a request is refused."""
    with pytest.raises(GrantRefused) as caught:
        made(**changes)
    return caught.value


def test_an_exemption_holds_what_was_asked_for_and_who_granted_it() -> None:
    """Texts are on one line."""
    exemption = made(reason=" a paper\n is due ", ticket="OPS-1", target="research")
    assert exemption == Exemption(
        id="e1",
        selector=Selector(owner="alice"),
        reason="a paper is due",
        granted_by="li",
        granted_as=GrantedBy.ADMINISTRATOR,
        granted_at=NOON,
        until=NOON + timedelta(days=30),
        target="research",
        ticket="OPS-1",
    )


@given(length=st.timedeltas(min_value=timedelta(days=-400), max_value=timedelta(days=400)))
def test_an_end_is_accepted_exactly_within_the_limits(length: timedelta) -> None:
    """Later than now, and 90 days from now at the latest."""
    until = NOON + length
    if timedelta(0) < length <= timedelta(days=90):
        assert made(until=until).until == until
    else:
        assert refusal(until=until).field == "until"


def test_what_ends_too_late_is_told_the_latest_end() -> None:
    """90 days after noon UTC is 20:00 in Shanghai on 30 November, so that the last whole day is the 29th."""
    problem = refusal(until=NOON + timedelta(days=91)).problem
    assert "exemptions.longest is 90d" in problem
    assert "the latest end is 2026-11-30 20:00 (Asia/Shanghai), and the latest date 2026-11-29" in problem
    assert made(until=end_of_day(date(2026, 11, 29), SHANGHAI)).granted_by == "li"
    assert refusal(until=end_of_day(date(2026, 11, 30), SHANGHAI)).field == "until"


def test_a_limit_of_hours_names_no_date() -> None:
    """Today does not end within an hour of 20:00."""
    short = replace(LIMITS, longest=timedelta(hours=1))
    with pytest.raises(GrantRefused, match=r"the latest end is 2026-09-01 21:00 \(Asia/Shanghai\)$"):
        make_exemption(WANTED, short, LI, NOON, "e1")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"reason": " \n"}, "reason"),
        ({"reason": "a\x1b[31mb"}, "reason"),
        ({"reason": "a" * 501}, "reason"),
        ({"ticket": "a" * 101}, "ticket"),
        ({"selector": Selector()}, "notebook"),
        ({"selector": Selector(owner=" ")}, "owner"),
        ({"selector": Selector(name="")}, "name"),
        ({"selector": Selector(name="exp-[a")}, "name"),
    ],
)
def test_a_request_that_says_too_little_or_too_much_is_refused(changes: dict[str, object], field: str) -> None:
    """With the field that is wrong."""
    assert refusal(**changes).field == field


def test_ids_are_short_and_have_no_letters_that_look_alike() -> None:
    """They differ."""
    ids = {new_exemption_id() for _ in range(100)}
    assert len(ids) > 90
    assert {len(each) for each in ids} == {6}
    assert not set("01ilo") & set(LETTERS)
    assert set("".join(ids)) <= set(LETTERS)


def test_a_date_includes_its_day() -> None:
    """It ends at midnight of the time zone, which in Shanghai is 16:00 UTC."""
    assert end_of_day(date(2026, 12, 31), SHANGHAI).astimezone(UTC) == datetime(2026, 12, 31, 16, tzinfo=UTC)
