"""What becomes of a notebook that would have been deleted: each label at its boundary, and what holds for all."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from builders import (
    NOON,
    ago,
    exemption,
    lease,
    notebook,
    over,
    policy,
    protection,
    removal,
    rules,
    searching,
    tag,
    text,
    would_be,
)
from nbsweep.core.backtest.labels import MOST_GAP, Aftermath, Sighting, label
from nbsweep.core.backtest.model import CensorCause, Label, Labelled, Past, ReturnSign, WouldBe
from nbsweep.core.inventory.facts import KnownFacts
from nbsweep.core.lifecycle import State
from nbsweep.core.model import Named, Status

DAY = timedelta(days=1)
HORIZON = 30 * DAY
NO_PAST = Past()
ENDS = NOON + HORIZON
SECOND = timedelta(seconds=1)
DAILY = tuple(NOON + number * DAY for number in range(1, 40))
KEEPING = rules(policy(), protect=(protection(tag("keep", "*")), protection(text("name", "prod-*"))))


def seen(days: float, /, **changes: Any) -> Sighting:
    """Return what a survey so many days after the deletion shows; `last_active` may be given besides facts."""
    last_active = changes.pop("last_active", None)
    return Sighting(NOON + days * DAY, KnownFacts(notebook(**changes), last_active))


def gone(days: float) -> Sighting:
    """Return that a survey shows the notebook no more."""
    return Sighting(NOON + days * DAY, gone=True)


def unreadable(days: float) -> Sighting:
    """Return that a survey recorded facts which cannot be read."""
    return Sighting(NOON + days * DAY)


def labelled(
    *sightings: Sighting,
    complete: Sequence[datetime] = DAILY,
    until: datetime = NOON + 60 * DAY,
    past: Past = NO_PAST,
    of: WouldBe | None = None,
) -> Labelled:
    """Return the label of the first notebook, which would have been deleted at `NOON`, with daily surveys after it."""
    return label(of or would_be(), Aftermath(sightings, complete, until, past), KEEPING, HORIZON)


def ordered(days: float, state: State = State.DELETED) -> Past:
    """Return a past in which nbsweep really sent an order so many days after the deletion."""
    at = NOON + days * DAY
    return Past(orders=(removal(state=state, requested_at=at, sent_at=at, requests=1),))


def cause(found: Labelled) -> CensorCause | None:
    """Return why a label is censored; it must be."""
    assert found.label is Label.CENSORED
    assert found.label_at is None
    return found.cause


# ---- somebody came back ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "sign"),
    [
        ({"status": Status.RUNNING}, ReturnSign.STARTED),
        ({"status": Status.STARTING}, ReturnSign.STARTED),
        ({"status": Status.STOPPING}, ReturnSign.STARTED),
        ({"status": Status.SNAPSHOTTING}, ReturnSign.STARTED),
        ({"status": Status.START_FAILED}, ReturnSign.STARTED),
        ({"last_active": NOON + DAY}, ReturnSign.STARTED),
        ({"lease": lease(updated_at=NOON + DAY)}, ReturnSign.RENEWED),
        ({"lease": lease(updated_at=ago(days=99))}, ReturnSign.RENEWED),
        ({"tags": {"team": "vision", "keep": "yes"}}, ReturnSign.PROTECTED),
        ({"name": "prod-1"}, ReturnSign.PROTECTED),
        ({"name": "experiment-2"}, ReturnSign.RENAMED),
        ({"owner": Named("u2", "bob")}, ReturnSign.PASSED_ON),
        ({"updated_at": NOON + DAY}, ReturnSign.CHANGED),
        ({"updated_at": ago(days=99)}, ReturnSign.CHANGED),
        ({"status": Status.ERROR, "updated_at": NOON + DAY}, ReturnSign.CHANGED),
    ],
)
def test_any_sign_of_a_use_or_of_keeping_it_is_a_regret(changes: dict[str, Any], sign: ReturnSign) -> None:
    """With how, and the time of the survey that shows it."""
    found = labelled(seen(1), seen(5, **changes))
    assert (found.label, found.sign, found.label_at) == (Label.CAME_BACK, sign, NOON + 5 * DAY)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"status": Status.ERROR},
        {"status": Status.DELETING, "updated_at": NOON + DAY},
        {"status": Status.DELETE_FAILED, "updated_at": NOON + DAY, "last_active": NOON + DAY},
        {"status": Status.FROZEN, "updated_at": NOON + DAY},
        {"tags": {"team": "speech"}},
        {"name": None},
        {"owner": Named(None, "alice")},
        {"updated_at": None},
        {"lease": None},
        {"last_active": NOON},
    ],
)
def test_what_no_user_does_to_use_it_is_no_sign(changes: dict[str, Any]) -> None:
    """A deletion by the owner that is on its way, a freeze by the cloud, and facts that are not shown."""
    assert labelled(seen(1), seen(5, **changes)).label is Label.STILL_IDLE


@pytest.mark.parametrize(("days", "expected"), [(1, Label.CAME_BACK), (0, Label.STILL_IDLE), (-5, Label.STILL_IDLE)])
def test_without_a_date_of_before_a_change_counts_if_it_is_later_than_the_deletion(days: int, expected: Label) -> None:
    """The survey at that time showed no date, and no lease."""
    undated = would_be(updated_at=None, lease=None)
    changed = seen(1, updated_at=NOON + days * DAY, lease=None)
    assert labelled(changed, of=undated).label is expected
    renewed = seen(1, updated_at=None, lease=lease(updated_at=NOON + days * DAY))
    assert labelled(renewed, of=undated).label is expected


def test_a_return_counts_until_the_horizon_and_not_after_it() -> None:
    """That moment included."""
    at_the_end, late = seen(30, status=Status.RUNNING), replace(seen(30, status=Status.RUNNING), at=ENDS + SECOND)
    assert labelled(seen(1), at_the_end).label is Label.CAME_BACK
    assert labelled(seen(1), late).label is Label.STILL_IDLE


def test_a_return_is_known_before_the_horizon_is_over() -> None:
    """And also where surveys are missing, or nbsweep really deleted it later."""
    back = (seen(1), seen(2, status=Status.RUNNING))
    assert labelled(*back, complete=DAILY[:2], until=NOON + 2 * DAY).label is Label.CAME_BACK
    assert labelled(*back, gone(20), past=ordered(19)).label is Label.CAME_BACK
    assert labelled(*back, gone(20)).label is Label.CAME_BACK


def test_an_exemption_within_the_horizon_is_a_return() -> None:
    """At the moment of its grant; whatever became of it; not one from before, or after the end."""
    within = exemption(granted_at=NOON + 3 * DAY, until=NOON + 90 * DAY)
    found = labelled(seen(1), past=Past((within,)))
    assert (found.label, found.sign, found.label_at) == (Label.CAME_BACK, ReturnSign.EXEMPTED, NOON + 3 * DAY)
    revoked = replace(within, revoked_at=NOON + 4 * DAY)
    assert labelled(seen(1), past=Past((revoked,))).label is Label.CAME_BACK
    for granted_at in (NOON, ENDS + SECOND):
        other = replace(within, granted_at=granted_at)
        assert labelled(seen(1), past=Past((other,))).label is Label.STILL_IDLE
    of_another = exemption(notebook_id="nb2", granted_at=NOON + 3 * DAY, until=NOON + 90 * DAY)
    assert labelled(seen(1), past=Past((of_another,))).label is Label.STILL_IDLE
    assert labelled(seen(1), gone(2), past=Past((within,))).label is Label.REMOVED_BY_OWNER


def test_the_first_return_is_the_one_that_is_told() -> None:
    """An exemption before the start, and a start before the exemption."""
    for days, sign in ((3, ReturnSign.EXEMPTED), (7, ReturnSign.STARTED)):
        granted = Past((exemption(granted_at=NOON + days * DAY, until=NOON + 90 * DAY),))
        assert labelled(seen(1), seen(5, status=Status.RUNNING), past=granted).sign is sign


def test_what_nbsweep_itself_did_is_no_return() -> None:
    """A real stop and its date; a start after it is one."""
    stopped = (seen(1), seen(2, status=Status.STOPPING), seen(3, updated_at=NOON + 2 * DAY, last_active=NOON + 2 * DAY))
    assert labelled(*stopped, past=ordered(1.5, State.SPARED)).label is Label.STILL_IDLE
    assert labelled(*stopped).label is Label.CAME_BACK
    assert labelled(*stopped, seen(9, status=Status.RUNNING), past=ordered(1.5, State.SPARED)).label_at == NOON + 9 * DAY


def test_a_protection_by_age_is_no_return() -> None:
    """It matches because time passes, and not because somebody kept the notebook."""
    old = rules(policy(), protect=(protection(over("age", days=205)),))
    after = Aftermath((seen(1), seen(20, tags={"team": "speech"})), DAILY, NOON + 60 * DAY, Past())
    assert label(would_be(), after, old, HORIZON).label is Label.STILL_IDLE


# ---- a notebook that ran --------------------------------------------------------------------------------------------------

RAN = would_be(status=Status.RUNNING, stop_first=True)


def test_of_a_notebook_that_runs_on_nobody_can_say_whether_it_was_used() -> None:
    """Not if it stops later, either, or is removed."""
    assert cause(labelled(seen(1, status=Status.RUNNING), of=RAN)) is CensorCause.RAN_ON
    stopped = seen(5, updated_at=NOON + 4 * DAY)
    assert cause(labelled(seen(1, status=Status.RUNNING), stopped, of=RAN)) is CensorCause.RAN_ON
    assert cause(labelled(seen(1, status=Status.RUNNING), gone(5), of=RAN)) is CensorCause.RAN_ON


def test_a_notebook_that_ran_and_is_deleted_by_its_owner_at_the_next_survey_is_removed() -> None:
    """Nobody can have used it while it was on its way out."""
    deleting = seen(1, status=Status.DELETING, updated_at=NOON + DAY)
    assert labelled(deleting, gone(2), of=RAN).label is Label.REMOVED_BY_OWNER


def test_a_notebook_that_ran_and_has_stopped_by_the_next_survey_is_judged_like_others() -> None:
    """Its stop is no return; a start after that is one, and so is a lease that was renewed while it ran."""
    stopped = seen(1, updated_at=NOON + timedelta(hours=2), last_active=NOON)
    assert labelled(stopped, of=RAN).label is Label.STILL_IDLE
    assert labelled(stopped, seen(9, status=Status.RUNNING), of=RAN).sign is ReturnSign.STARTED
    assert labelled(stopped, replace(stopped, at=NOON + 9 * DAY), of=RAN).label is Label.STILL_IDLE
    renewed = seen(1, status=Status.RUNNING, lease=lease(updated_at=NOON + DAY))
    assert labelled(renewed, of=RAN).sign is ReturnSign.RENEWED


# ---- nobody came back -----------------------------------------------------------------------------------------------------


def test_what_its_owner_removed_is_gone_in_a_complete_survey() -> None:
    """At the horizon at the latest; after it, it was still idle."""
    found = labelled(seen(1), gone(5))
    assert (found.label, found.label_at) == (Label.REMOVED_BY_OWNER, NOON + 5 * DAY)
    assert labelled(seen(1), gone(30)).label is Label.REMOVED_BY_OWNER
    assert labelled(seen(1), replace(gone(30), at=ENDS + SECOND)).label is Label.STILL_IDLE


def test_a_removal_by_its_owner_is_known_before_the_horizon_is_over() -> None:
    """Nobody can come back any more."""
    assert labelled(seen(1), gone(2), complete=DAILY[:2], until=NOON + 2 * DAY).label is Label.REMOVED_BY_OWNER


@pytest.mark.parametrize("state", [State.DELETED, State.REQUESTED, State.TIMED_OUT, State.FAILED])
def test_what_nbsweep_really_deleted_is_not_judged(state: State) -> None:
    """Whatever is known of the removal, if its order was before the notebook was gone."""
    assert cause(labelled(seen(1), gone(5), past=ordered(4.9, state))) is CensorCause.DELETED_BY_NBSWEEP
    assert labelled(seen(1), gone(5), past=ordered(5.1, state)).label is Label.REMOVED_BY_OWNER
    assert labelled(seen(1), gone(5), past=ordered(-1, state)).label is Label.REMOVED_BY_OWNER


def test_an_order_for_another_notebook_says_nothing() -> None:
    """Only its own."""
    others = Past(orders=(removal(2, state=State.DELETED, requested_at=NOON + DAY, requests=1),))
    assert labelled(seen(1), gone(5), past=others).label is Label.REMOVED_BY_OWNER


def test_what_nobody_came_back_for_is_still_idle_when_a_complete_survey_follows_the_horizon() -> None:
    """At its very end, or later."""
    assert labelled(seen(1)).label is Label.STILL_IDLE
    assert labelled(seen(1), complete=DAILY[:30], until=ENDS).label is Label.STILL_IDLE


# ---- nobody can say -------------------------------------------------------------------------------------------------------


def test_before_the_end_of_the_horizon_nobody_can_say() -> None:
    """To the second."""
    early = labelled(seen(1), complete=DAILY[:29], until=ENDS - SECOND)
    assert cause(early) is CensorCause.HORIZON_NOT_OVER


def test_without_a_complete_survey_at_the_horizon_or_later_nobody_can_say() -> None:
    """The period of the back-test is over, and the surveys are missing."""
    assert cause(labelled(seen(1), complete=DAILY[:29], until=ENDS)) is CensorCause.SURVEYS_MISSING
    assert cause(labelled(complete=())) is CensorCause.SURVEYS_MISSING


@pytest.mark.parametrize("begins", [0, 10, 23])
def test_a_gap_between_complete_surveys_may_hide_a_return(begins: int) -> None:
    """One of eight days is not too long, and a second more is: right after the deletion, in the middle, and at the end."""
    before = [NOON + number * DAY for number in range(1, begins + 1)]
    for longer, expected in ((timedelta(0), Label.STILL_IDLE), (SECOND, Label.CENSORED)):
        resumes = NOON + begins * DAY + MOST_GAP + longer
        after = [resumes + number * DAY for number in range(40)]
        assert labelled(seen(1), complete=[*before, *after]).label is expected


def test_a_gap_after_the_horizon_hides_nothing() -> None:
    """If a complete survey was taken at its very end."""
    assert labelled(seen(1), complete=[*DAILY[:30], NOON + 58 * DAY]).label is Label.STILL_IDLE


def test_a_gap_before_a_removal_may_hide_a_return() -> None:
    """The notebook may have been used in between."""
    assert cause(labelled(seen(1), gone(20), complete=[*DAILY[:5], *DAILY[19:]])) is CensorCause.SURVEYS_MISSING


def test_facts_that_cannot_be_read_may_show_a_return() -> None:
    """Unless the notebook had come back before, or comes back later."""
    assert cause(labelled(seen(1), unreadable(2), seen(3))) is CensorCause.FACTS_UNREADABLE
    assert cause(labelled(unreadable(2), gone(3))) is CensorCause.FACTS_UNREADABLE
    assert labelled(unreadable(2), seen(3, status=Status.RUNNING)).label is Label.CAME_BACK
    assert labelled(seen(1), replace(unreadable(2), at=ENDS + SECOND)).label is Label.STILL_IDLE


# ---- whatever happens -----------------------------------------------------------------------------------------------------

HOURS = st.integers(1, 24 * 45)
SIGHTINGS = st.lists(
    st.tuples(
        HOURS,
        st.sampled_from(["same", "running", "renamed", "gone", "unreadable"]),
    ),
    max_size=6,
    unique_by=lambda pair: pair[0],
).map(lambda found: [sighting_of(hours, what) for hours, what in sorted(found)])
COMPLETE = st.lists(HOURS, max_size=40, unique=True).map(lambda found: [NOON + hours * DAY / 24 for hours in sorted(found)])
PASTS = st.tuples(st.none() | HOURS, st.none() | HOURS).map(lambda pair: past_of(*pair))


def sighting_of(hours: int, what: str) -> Sighting:
    """Return a sighting of this kind."""
    days = hours / 24
    kinds = {
        "same": seen(days),
        "running": seen(days, status=Status.RUNNING),
        "renamed": seen(days, name="other"),
        "gone": gone(days),
        "unreadable": unreadable(days),
    }
    return kinds[what]


def past_of(order_hours: int | None, grant_hours: int | None) -> Past:
    """Return a past with a real order and a grant, if there are any."""
    orders = ordered(order_hours / 24).orders if order_hours else ()
    granted_at = NOON + (grant_hours or 0) * DAY / 24
    return Past((exemption(granted_at=granted_at, until=NOON + 90 * DAY),) if grant_hours else (), orders)


@searching
@given(SIGHTINGS, COMPLETE, HOURS, PASTS)
def test_each_deletion_has_exactly_one_label_with_what_belongs_to_it(
    sightings: list[Sighting], complete: list[datetime], until_hours: int, past: Past
) -> None:
    """How and when for a return, when for a removal, and why if nobody can say."""
    until = NOON + until_hours * DAY / 24
    found = labelled(*sightings, complete=complete, until=until, past=past)
    assert (found.sign is not None) == (found.label is Label.CAME_BACK)
    assert (found.cause is not None) == (found.label is Label.CENSORED)
    assert (found.label_at is not None) == (found.label in (Label.CAME_BACK, Label.REMOVED_BY_OWNER))
    if found.label_at is not None:
        assert NOON < found.label_at <= ENDS
    if found.label is Label.STILL_IDLE:
        assert until >= ENDS
        assert any(at >= ENDS for at in complete)


@searching
@given(SIGHTINGS, COMPLETE, PASTS, SIGHTINGS, PASTS)
def test_nothing_after_the_horizon_changes_a_label(
    sightings: list[Sighting], complete: list[datetime], past: Past, later: list[Sighting], later_past: Past
) -> None:
    """Neither what surveys show then, nor orders, nor grants."""
    within = [each for each in sightings if each.at <= ENDS]
    shifted = [replace(each, at=each.at + HORIZON + SECOND) for each in later]
    exemptions = tuple(replace(each, granted_at=each.granted_at + HORIZON) for each in later_past.exemptions)
    orders = tuple(replace(each, requested_at=(each.requested_at or NOON) + HORIZON) for each in later_past.orders)
    other = Past((*past.exemptions, *exemptions), (*past.orders, *orders))
    until = NOON + 90 * DAY
    without = labelled(*within, complete=complete, until=until, past=past)
    assert labelled(*within, *shifted, complete=complete, until=until, past=other) == without
