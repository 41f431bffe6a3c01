from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from builders import NOON, exemption, mark, removal
from nbsweep.core.errors import GrantRefused
from nbsweep.core.exemptions.links import keep_link
from nbsweep.core.exemptions.model import GrantedBy, Selector
from nbsweep.core.granting.effect import removal_in_the_way
from nbsweep.core.granting.grants import GrantLimits
from nbsweep.core.granting.keeping import (
    Offer,
    Standing,
    exemption_id_of,
    exemption_of_owner,
    lengths_to_offer,
    offer_to_keep,
)
from nbsweep.core.lifecycle import State
from nbsweep.core.marks.model import Mark, MarkState

LIMITS = GrantLimits(timedelta(days=30), ZoneInfo("UTC"), "exemptions.owners_may")
TOLD = mark(state=MarkState.TOLD, deadline=NOON + timedelta(days=7))
DAY = timedelta(days=1)


def offer(of: Mark = TOLD, **changes: object) -> Offer:
    """Return the offer of a link that is valid for a day."""
    return replace(Offer(keep_link(of.id, of.notebook_created_at, NOON + DAY), of), **changes)


@pytest.mark.parametrize(
    ("given_offer", "standing"),
    [
        (offer(), Standing.OPEN),
        (offer(mark(state=MarkState.MARKED)), Standing.OPEN),
        (offer(mark(state=MarkState.CLEARED)), Standing.CLEARED),
        (offer(mark(state=MarkState.REMOVED)), Standing.DELETED),
        (offer(link=keep_link("m", NOON, NOON)), Standing.EXPIRED),
        (offer(exemption=exemption()), Standing.USED),
        (offer(mark(state=MarkState.CLEARED), exemption=exemption()), Standing.USED),
        (offer(mark(state=MarkState.REMOVED), exemption=exemption()), Standing.DELETED),
        (offer(removal=removal(state=State.REQUESTED)), Standing.TOO_LATE),
        (offer(removal=removal(state=State.ACCEPTED), exemption=exemption()), Standing.TOO_LATE),
        (offer(removal=removal(state=State.DELETED)), Standing.DELETED),
    ],
)
def test_what_has_become_of_an_offer(given_offer: Offer, standing: Standing) -> None:
    """What happened to the notebook counts before what happened to the link."""
    assert given_offer.standing(NOON) is standing


@pytest.mark.parametrize("state", State)
def test_only_a_requested_or_done_deletion_is_in_the_way(state: State) -> None:
    """Of this project, and since the mark."""
    mine = removal(state=state, project=TOLD.project, planned_at=NOON)
    found = removal_in_the_way(TOLD, [mine])
    assert (found is mine) == (state in (State.REQUESTED, State.ACCEPTED, State.DELETED))
    assert removal_in_the_way(TOLD, [replace(mine, project="https://elsewhere/b")]) is None
    assert removal_in_the_way(TOLD, [replace(mine, planned_at=TOLD.marked_at - DAY)]) is None


def test_a_link_is_valid_for_two_weeks_after_the_deadline() -> None:
    """A notebook that is still there can still be kept; without a deadline there is no link."""
    assert offer_to_keep(TOLD) == keep_link(TOLD.id, TOLD.notebook_created_at, NOON + 21 * DAY)
    assert offer_to_keep(mark()) is None


@pytest.mark.parametrize(
    ("most", "deadline", "days"),
    [
        (30, 5, [7, 14, 30]),
        (30, 7, [14, 30]),
        (45, 1, [7, 14, 30, 45]),
        (7, 1, [7]),
        (3, 10, [3]),
        (90, -1, [7, 14, 30, 60, 90]),
    ],
)
def test_the_lengths_end_after_the_deadline_and_within_the_limit(most: int, deadline: int, days: list[int]) -> None:
    """The longest is always there."""
    limits = replace(LIMITS, longest=most * DAY)
    assert lengths_to_offer(replace(TOLD, deadline=NOON + deadline * DAY), limits, NOON) == tuple(each * DAY for each in days)


def test_an_owner_exempts_exactly_the_marked_instance() -> None:
    """With their name, by an id that follows from the mark."""
    granted = exemption_of_owner(TOLD, NOON + DAY, "a paper", LIMITS, NOON)
    assert granted.selector == Selector("nb1", TOLD.notebook_created_at)
    assert (granted.granted_by, granted.granted_as) == ("alice", GrantedBy.OWNER)
    assert (granted.id, granted.until, granted.target) == (exemption_id_of("mark1"), NOON + DAY, "")
    assert exemption_id_of("mark1") != exemption_id_of("mark2")
    assert len(exemption_id_of("mark1")) == 10


@given(length=st.timedeltas(min_value=-90 * DAY, max_value=90 * DAY))
def test_no_end_beyond_what_owners_may_is_granted(length: timedelta) -> None:
    """Nor one in the past."""
    until = NOON + length
    if timedelta(0) < length <= 30 * DAY:
        assert exemption_of_owner(TOLD, until, "a paper", LIMITS, NOON).until == until
    else:
        with pytest.raises(GrantRefused, match="until"):
            exemption_of_owner(TOLD, until, "a paper", LIMITS, NOON)


def test_the_limit_is_that_of_owners() -> None:
    """By its name."""
    with pytest.raises(GrantRefused, match=r"exemptions\.owners_may is 30d"):
        exemption_of_owner(TOLD, NOON + 31 * DAY, "a paper", LIMITS, NOON)
