"""Which marks a survey makes, confirms, takes back and clears, and what their owners are told."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from fractions import Fraction
from typing import Any

import pytest
from msgspec.structs import replace

from builders import (
    NOON,
    SCOPE,
    ago,
    announcing,
    exemption,
    fleet,
    identity,
    mark,
    moment,
    notebook,
    over,
    policy,
    protection,
    refused_by,
    surveyed,
    tag,
    text,
    told_mark,
)
from nbsweep.core.facts import Moment
from nbsweep.core.judging.rules import Policy, Protection, Rules, Running
from nbsweep.core.marks.grace import Grace
from nbsweep.core.marks.model import ClearCause, Mark, MarkState
from nbsweep.core.matching.conditions import AllOf
from nbsweep.core.model import MalformedRow, Named, Notebook, Status
from nbsweep.core.planning.brakes import Brakes, OnExcess
from nbsweep.core.planning.marking import Marking, MarkLimits, SurveyedMarks, mark_survey
from nbsweep.core.planning.plan import WorkspaceGap
from nbsweep.core.selection import Selection

WEEK = announcing()
DAY = timedelta(days=1)
FREE = Brakes(None, None, None)
LIMITS = MarkLimits(FREE)


def rules(*policies: Policy, marks: Sequence[Mark] = (), protect: Sequence[Protection] = (), **more: Any) -> Rules:
    """Return rules with these policies, or with `WEEK`, and the open marks of the project."""
    return Rules(policies or (WEEK,), tuple(protect), marks={one.notebook_id: one for one in marks}, **more)


def marking(
    *rows: Notebook | MalformedRow, of: Rules, limits: MarkLimits = LIMITS, at: Moment | None = None, **changes: Any
) -> Marking:
    """Return the marking of a survey that shows these rows."""
    return mark_survey(surveyed(*rows, of=of, at=at, **changes), limits)


def ids(marks: Sequence[Mark]) -> list[str]:
    """Return the notebooks of marks."""
    return [one.notebook_id for one in marks]


def causes(result: Marking) -> Mapping[str, ClearCause | None]:
    """Return why marks were cleared, by notebook."""
    return {one.notebook_id: one.cleared for one in result.ended}


NOTHING = Marking()

UNTRUSTED: list[dict[str, Any]] = [
    {"gaps": ("a listing was torn",)},
    {"refused": (WorkspaceGap(SCOPE, "403"),)},
    {"refusals": (refused_by("clock-skew", "10 minutes ahead"),)},
    {"refusals": (refused_by("max_fleet_drop", "the fleet has fallen"),)},
    {"refusals": (refused_by("max_deletions", "101 notebooks would go"),)},
]
untrusted = pytest.mark.parametrize("why", UNTRUSTED)


# ---- new marks ------------------------------------------------------------------------------------------------------------


def test_what_a_policy_with_grace_matches_is_marked() -> None:
    """With everything that a message and a later decision need."""
    (made,) = marking(notebook(), of=rules()).new
    assert made == replace(
        mark(marked_at=NOON, last_survey_at=NOON, capacity_gb=50, version=0), id=made.id, reason=made.reason, cause=made.cause
    )
    assert made.reason == "policy old: age 200d (over 1d)"
    assert (made.state, made.surveys, made.told_at, made.deadline) == (MarkState.MARKED, 1, None, None)


def test_each_mark_of_an_instance_has_an_id_of_its_own() -> None:
    """By project, notebook, creation and time of marking; the same four give the same id."""
    first = marking(notebook(), of=rules()).new[0].id
    assert marking(notebook(), of=rules()).new[0].id == first
    others = [
        marking(notebook(2), of=rules()),
        marking(notebook(created_at=ago(days=150)), of=rules()),
        marking(notebook(), of=rules(), at=Moment(NOON + timedelta(microseconds=1))),
        marking(notebook(), of=rules(), identity=identity(project_id="b" * 32)),
    ]
    assert len({first, *(result.new[0].id for result in others)}) == 5


def test_what_no_policy_with_grace_would_delete_is_not_marked() -> None:
    """Kept, protected, exempt, in use, in transition, or deleted without a notice."""
    assert marking(notebook(), of=rules(policy())) == NOTHING
    assert marking(notebook(created_at=ago(hours=1)), of=rules()) == NOTHING
    assert marking(notebook(), of=rules(protect=[protection(text("name", "exp*"))])) == NOTHING
    assert marking(notebook(), of=rules(exemptions=(exemption(),))) == NOTHING
    assert marking(notebook(status=Status.RUNNING), of=rules()) == NOTHING
    assert marking(notebook(status=Status.DELETING), of=rules()) == NOTHING
    assert marking(MalformedRow("nb1", "x", "status"), of=rules()) == NOTHING


def test_a_notebook_without_its_dates_is_not_marked() -> None:
    """Nobody would see which instance it is, or that it was used."""
    by_name = rules(announcing(text("name", "exp*")))
    assert marking(notebook(created_at=None), of=by_name) == NOTHING
    assert marking(notebook(updated_at=None), of=by_name) == NOTHING


def test_the_first_policy_that_matches_marks() -> None:
    """One without grace before it deletes, and one with grace before it gives its own notice."""
    graced, plain = announcing(name="later"), policy(over("age", days=2), name="plain")
    assert marking(notebook(), of=rules(plain, graced)) == NOTHING
    first = announcing(name="first", digest="d7", grace=Grace(DAY, tell=("ops", "owner")))
    (made,) = marking(notebook(), of=rules(first, plain, graced)).new
    assert (made.policy, made.policy_digest, made.tell) == ("first", "d7", ("ops", "owner"))


@untrusted
def test_a_survey_that_cannot_be_trusted_marks_nothing(why: dict[str, Any]) -> None:
    """It says how many wait."""
    assert marking(notebook(), notebook(2), of=rules(), **why) == Marking(waiting=2)


def test_a_person_who_has_chosen_other_policies_marks_nothing_else() -> None:
    """Nor does one who has excluded the notebook."""
    other = announcing(text("name", "other-*"), name="other")
    assert marking(notebook(), of=rules(WEEK, other, selection=Selection(("other",)))) == NOTHING
    excluded = Selection(excluded=frozenset({"nb1"}), by="carol")
    assert ids(marking(notebook(), notebook(2), of=rules(selection=excluded)).new) == ["nb2"]


# ---- limits on new marks --------------------------------------------------------------------------------------------------


def idle(*days: int) -> list[Notebook]:
    """Return notebooks that are idle for so many days each."""
    return [notebook(number, updated_at=ago(days=since), lease=None) for number, since in enumerate(days, 1)]


def test_the_longest_idle_are_marked_first_and_the_others_wait() -> None:
    """`marks.max_new_per_sweep`."""
    result = marking(*idle(20, 40, 30, 50), of=rules(), limits=MarkLimits(FREE, 2))
    assert ids(result.new) == ["nb4", "nb2"]
    assert (result.waiting, result.refusals) == (2, ())


def test_no_new_marks_are_allowed() -> None:
    """As with a saved plan: no brake is asked, and no one refuses."""
    limits = MarkLimits(Brakes(0, None, None), 0)
    assert marking(*fleet(3), of=rules(), limits=limits) == Marking(waiting=3)


@pytest.mark.parametrize(
    ("brakes", "brake", "allowed"),
    [
        (Brakes(max_deletions=2, max_share=None), "max_deletions", 2),
        (Brakes(max_deletions=0, max_share=None), "max_deletions", 0),
        (Brakes(max_deletions=None, max_share=Fraction(1, 4)), "max_share", 1),
        (Brakes(max_deletions=None, max_share=None, max_per_owner=3), "max_per_owner", 3),
    ],
)
def test_every_brake_binds_when_marking(brakes: Brakes, brake: str, allowed: int) -> None:
    """Four of one owner: refused as a whole, or trimmed."""
    refused = marking(*fleet(4), of=rules(), limits=MarkLimits(brakes))
    assert (refused.new, refused.waiting) == ((), 4)
    [refusal] = refused.refusals
    assert refusal.brake == brake
    assert refusal.message.endswith("with brakes.on_excess: trim, the longest idle are announced first")
    trims = replace(brakes, on_excess=OnExcess.TRIM)
    trimmed = marking(*fleet(4), of=rules(), limits=MarkLimits(trims))
    assert (len(trimmed.new), trimmed.waiting, trimmed.refusals) == (allowed, 4 - allowed, ())


def test_brakes_count_what_is_marked_already_and_what_is_due() -> None:
    """Nobody gets past a brake by a few marks a day."""
    known = [mark(1), told_mark(2), told_mark(3, deadline=NOON + DAY)]
    of = rules(marks=known)
    refused = marking(*fleet(5), of=of, limits=MarkLimits(Brakes(4, None, None)))
    assert (refused.new, refused.waiting, len(refused.refusals)) == ((), 2, 1)
    trimmed = marking(*fleet(5), of=of, limits=MarkLimits(Brakes(4, None, None, OnExcess.TRIM)))
    assert (ids(trimmed.new), trimmed.waiting) == (["nb4"], 1)
    enough = marking(*fleet(5), of=of, limits=MarkLimits(Brakes(5, None, None)))
    assert ids(enough.new) == ["nb4", "nb5"]


def test_a_mark_that_is_cleared_makes_room() -> None:
    """It does not count any more, in the same survey."""
    used = notebook(1, updated_at=ago(days=2), created_at=mark().notebook_created_at)
    result = marking(used, notebook(2), of=rules(marks=[mark()]), limits=MarkLimits(Brakes(1, None, None)))
    assert (causes(result), ids(result.new)) == ({"nb1": ClearCause.USED}, ["nb2"])


def test_the_brake_on_a_day_counts_deletions_and_not_marks() -> None:
    """Nor does a drop of the fleet, or failures, concern marks."""
    brakes = Brakes(None, None, None, max_per_day=0, max_fleet_drop=Fraction(0))
    assert len(marking(*fleet(3), of=rules(), limits=MarkLimits(brakes)).new) == 3


# ---- confirmed ------------------------------------------------------------------------------------------------------------


def test_a_further_survey_confirms_and_two_tell() -> None:
    """`surveys: 2`: the first survey tells nobody."""
    twice = announcing(grace=Grace(timedelta(days=7), surveys=2))
    first = marking(notebook(), of=rules(twice))
    assert first.to_announce == ()
    second = marking(notebook(), of=rules(twice, marks=first.new), at=Moment(NOON + DAY))
    (confirmed,) = second.kept
    assert (confirmed.surveys, confirmed.last_survey_at, second.new) == (2, NOON + DAY, ())
    assert second.to_announce == (confirmed,)


def test_one_survey_can_be_enough() -> None:
    """`surveys: 1`."""
    result = marking(notebook(), of=rules())
    assert result.to_announce == result.new


def test_a_survey_counts_once() -> None:
    """Its marks are worked out again if another process has written one meanwhile."""
    twice = announcing(grace=Grace(timedelta(days=7), surveys=2))
    first = marking(notebook(), of=rules(twice))
    assert marking(notebook(), of=rules(twice, marks=first.new)) == NOTHING
    confirmed = marking(notebook(), of=rules(twice, marks=[mark()])).kept
    again = marking(notebook(), of=rules(twice, marks=confirmed))
    assert (again.kept, again.to_announce) == ((), confirmed)


@untrusted
def test_a_survey_that_cannot_be_trusted_confirms_nothing_and_tells_nobody(why: dict[str, Any]) -> None:
    """Nor does it take a stale notice back, or begin a grace."""
    known = [
        mark(1, surveys=5),
        told_mark(2, clock_verified=False),
        told_mark(3, told_at=ago(days=90), deadline=None),
    ]
    assert marking(*fleet(3), of=rules(marks=known), **why) == NOTHING


@pytest.mark.parametrize(
    "row",
    [
        notebook(owner=Named("u1", None), listed=True),
        MalformedRow("nb1", "experiment-1", "status"),
        notebook(status=Status.DELETING),
    ],
)
def test_a_survey_that_does_not_select_the_notebook_confirms_nothing(row: Notebook | MalformedRow) -> None:
    """An exemption that may cover it, a row that cannot be read, and our own deletion under way."""
    known = rules(marks=[mark(surveys=5)], exemptions=(exemption(owner="bob"),))
    assert marking(row, of=known) == NOTHING


def test_another_policy_that_was_chosen_or_an_exclusion_leaves_the_mark_alone() -> None:
    """For one command, a person has left the notebook out."""
    other = announcing(text("name", "other-*"), name="other")
    for chosen in (Selection(("other",)), Selection(excluded=frozenset({"nb1"}), by="carol")):
        for known in (mark(surveys=5), told_mark()):
            assert marking(notebook(), of=rules(WEEK, other, marks=[known], selection=chosen)) == NOTHING


def test_the_places_of_a_notice_follow_the_policy_until_somebody_was_told() -> None:
    """So that a channel that was wrong can be corrected; a place that was told hears of the end."""
    ops = announcing(grace=Grace(timedelta(days=7), surveys=1, tell=("ops",)))
    (moved,) = marking(notebook(), of=rules(ops, marks=[mark()])).kept
    assert moved.tell == ("ops",)
    assert marking(notebook(), of=rules(ops, marks=[told_mark()])) == NOTHING


def test_a_mark_that_is_told_stays_as_it_is() -> None:
    """Due or not."""
    known = [told_mark(1), told_mark(2, deadline=NOON + DAY)]
    assert marking(*fleet(2), of=rules(marks=known)) == NOTHING


def test_a_stale_notice_is_taken_back_and_given_again() -> None:
    """The deadline that was written stays the least."""
    stale = told_mark(told_at=ago(days=90), deadline=ago(days=83))
    result = marking(notebook(), of=rules(marks=[stale]))
    (again,) = result.kept
    assert (again.state, again.notices, again.told_at, again.deadline) == (MarkState.MARKED, 1, None, ago(days=83))
    assert result.to_announce == (again,)


def test_a_complete_survey_begins_the_grace_that_no_verified_clock_began() -> None:
    """From now."""
    (verified,) = marking(notebook(), of=rules(marks=[told_mark(clock_verified=False)])).kept
    assert (verified.told_at, verified.clock_verified, verified.state) == (NOON, True, MarkState.TOLD)


# ---- cleared --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"status": Status.RUNNING}, ClearCause.USED),
        ({"status": Status.STARTING}, ClearCause.USED),
        ({"updated_at": ago(days=3)}, ClearCause.USED),
        ({"owner": Named("u2", "bob")}, ClearCause.USED),
        ({"created_at": ago(days=9)}, ClearCause.GONE),
        ({"tags": {"keep": "yes"}}, ClearCause.TAGGED),
        ({"name": "keep-me"}, ClearCause.PROTECTED),
        ({"tags": {}}, ClearCause.TAGGED),
    ],
)
@pytest.mark.parametrize("known", [mark(), told_mark(), told_mark(deadline=NOON + DAY)])
def test_each_change_of_the_notebook_clears_its_mark(known: Mark, changes: dict[str, Any], cause: ClearCause) -> None:
    """Whatever state the mark is in; one that was told says so."""
    selects = announcing(tag("team", "vision"))
    protect = [protection(tag("keep", "*")), protection(text("name", "keep-*"))]
    result = marking(notebook(**changes), of=rules(selects, marks=[known], protect=protect))
    assert causes(result) == {"nb1": cause}
    assert result.ended[0].ended_at == NOON
    assert result.told_before == ({known.id} if known.state is MarkState.TOLD else frozenset())


def test_an_exemption_a_protection_and_a_condition_clear() -> None:
    """Though nothing happened to the notebook itself."""
    known = [told_mark()]
    assert causes(marking(notebook(), of=rules(marks=known, exemptions=(exemption(),)))) == {"nb1": ClearCause.EXEMPT}
    kept = rules(marks=known, protect=[protection(text("name", "exp*"))])
    assert causes(marking(notebook(), of=kept)) == {"nb1": ClearCause.PROTECTED}
    old = rules(announcing(over("age", days=300)), marks=known)
    assert causes(marking(notebook(), of=old)) == {"nb1": ClearCause.NO_LONGER_MATCHES}


def test_what_was_seen_in_use_meanwhile_was_used() -> None:
    """By the journal, though its dates are those of before."""
    result = marking(notebook(), of=rules(marks=[told_mark()]), at=moment(nb1=ago(days=1)))
    assert causes(result) == {"nb1": ClearCause.USED}


EDITED = {
    "removed": (policy(text("name", "other-*"), name="other"),),
    "renamed": (announcing(name="new-name"),),
    "other conditions": (announcing(over("age", days=2), digest="d2"),),
    "other conditions that do not match": (announcing(over("age", days=300), digest="d2"),),
    "another one matches first": (announcing(over("age", days=2), name="first", digest="d2"), WEEK),
    "other conditions, and it keeps what runs": (announcing(running=Running.SKIP, digest="d2"),),
}


@pytest.mark.parametrize("how", EDITED)
def test_an_edited_policy_clears(how: str) -> None:
    """The owner was told of another rule; where it matches, they are told anew."""
    row, known = notebook(), told_mark()
    if how.endswith("keeps what runs"):
        row, known = notebook(status=Status.RUNNING), told_mark(status=Status.RUNNING)
    result = marking(row, of=rules(*EDITED[how], marks=[known]))
    assert causes(result) == {"nb1": ClearCause.POLICY_CHANGED}
    assert (result.new, result.to_announce) == ((), ())
    matches = how in {"renamed", "other conditions", "another one matches first"}
    assert bool(result.again) is matches


@pytest.mark.parametrize("days", [1, 7, 30])
def test_another_grace_clears_nothing(days: int) -> None:
    """The deadline is the later one."""
    assert marking(notebook(), of=rules(announcing(days=days), marks=[told_mark()])) == NOTHING


@pytest.mark.parametrize("plain", [(policy(),), (policy(over("age", days=2), name="first"), WEEK)])
def test_a_policy_without_grace_leaves_what_was_promised(plain: tuple[Policy, ...]) -> None:
    """The mark keeps the notebook until the deadline, and is removed with it; who was not told has no promise."""
    for known in (told_mark(), told_mark(deadline=NOON + DAY)):
        assert marking(notebook(), of=rules(*plain, marks=[known])) == NOTHING
    result = marking(notebook(), of=rules(*plain, marks=[mark()]))
    assert causes(result) == {"nb1": ClearCause.POLICY_CHANGED}


def test_who_hears_of_a_cleared_mark_that_the_deletion_follows_would_be_deceived() -> None:
    """A policy without grace deletes the notebook in the same sweep."""
    used = notebook(updated_at=ago(days=3))
    result = marking(used, of=rules(policy(), marks=[told_mark()]))
    assert (causes(result), result.again) == ({"nb1": ClearCause.USED}, frozenset({"mark1"}))


def test_who_was_told_by_a_notice_that_became_stale_hears_of_the_end() -> None:
    """They have read that it will be deleted."""
    known = mark(notices=1)
    assert marking(notebook(status=Status.RUNNING), of=rules(marks=[known])).told_before == {known.id}


@untrusted
def test_a_change_that_is_seen_clears_though_the_survey_is_not_complete(why: dict[str, Any]) -> None:
    """What the row shows is true, whatever else is missing."""
    result = marking(notebook(status=Status.RUNNING), of=rules(marks=[told_mark()]), **why)
    assert causes(result) == {"nb1": ClearCause.USED}


def test_our_own_deletion_under_way_or_failed_clears_nothing() -> None:
    """A policy that selects failed notebooks would otherwise start anew after each failure."""
    selects = announcing(text("status", "STOPPED", "DELETE_FAILED"))
    for status in (Status.DELETING, Status.DELETED, Status.DELETE_FAILED):
        row = notebook(status=status, updated_at=ago(minutes=1))
        assert marking(row, of=rules(selects, marks=[told_mark()])) == NOTHING


def test_a_deletion_that_failed_clears_if_the_policy_does_not_select_failures() -> None:
    """It is not to be deleted any more."""
    selects = announcing(text("status", "STOPPED"))
    result = marking(notebook(status=Status.DELETE_FAILED), of=rules(selects, marks=[told_mark()]))
    assert causes(result) == {"nb1": ClearCause.NO_LONGER_MATCHES}


def test_a_cleared_mark_of_an_instance_that_was_created_again_starts_anew() -> None:
    """The new one gets a mark of its own from the next survey on, and the owner of the old one hears that it is gone."""
    again = notebook(created_at=ago(days=9))
    first = marking(again, of=rules(marks=[told_mark()]))
    assert (causes(first), first.again, first.new) == ({"nb1": ClearCause.GONE}, frozenset(), ())
    (made,) = marking(again, of=rules()).new
    assert (made.notebook_created_at, made.state) == (ago(days=9), MarkState.MARKED)


def test_a_row_without_its_creation_keeps_the_mark() -> None:
    """It may be the same instance."""
    by_name = announcing(text("name", "exp*"))
    assert marking(notebook(created_at=None), of=rules(by_name, marks=[told_mark()])) == NOTHING


# ---- gone -----------------------------------------------------------------------------------------------------------------


def test_what_a_complete_survey_does_not_show_is_gone() -> None:
    """If nbsweep has deleted it, the mark is removed with it."""
    known = rules(marks=[mark(1), told_mark(2), told_mark(3), mark(4)])
    result = marking(of=known, deleted={"nb3": "run7", "nb4": "run7"})
    assert causes(result) == {"nb1": ClearCause.GONE, "nb2": ClearCause.GONE, "nb3": None, "nb4": ClearCause.GONE}
    assert {one.notebook_id: one.run_id for one in result.ended if one.state is MarkState.REMOVED} == {"nb3": "run7"}
    assert result.told_before == {"mark2", "mark3"}


@untrusted
def test_what_another_survey_does_not_show_may_be_there(why: dict[str, Any]) -> None:
    """Nothing is gone, and nothing is removed."""
    known = rules(marks=[mark(1), told_mark(2)])
    assert marking(of=known, deleted={"nb2": "run7"}, **why) == NOTHING


@pytest.mark.parametrize(
    ("elsewhere", "who"),
    [
        ({"workspace_id": "ws2"}, identity(workspaces=("0", "ws1"))),
        ({"feature": "DEFAULT"}, identity()),
        ({"target": "other"}, identity(scope="own", caller="c1")),
    ],
)
def test_what_the_target_does_not_cover_is_not_gone(elsewhere: dict[str, Any], who: Any) -> None:
    """Two targets share a project, and each sees its part of the notebooks."""
    known = told_mark(**elsewhere)
    assert marking(of=rules(marks=[known]), identity=who) == NOTHING
    assert causes(marking(of=rules(marks=[told_mark()]), identity=who)) == {"nb1": ClearCause.GONE}


def test_another_target_of_the_project_may_have_made_the_mark() -> None:
    """Both see all notebooks of the workspace: the mark is the same, and no second one is made."""
    assert marking(notebook(), of=rules(marks=[told_mark(target="other")])) == NOTHING


def test_a_mark_that_another_process_made_meanwhile_is_not_gone() -> None:
    """The survey did not look for its row."""
    seen: dict[str, Any] = {"looked_for": frozenset({"nb1"})}
    assert marking(notebook(), of=rules(marks=[told_mark(), told_mark(2)]), **seen) == NOTHING
    assert causes(marking(of=rules(marks=[told_mark(), told_mark(2)]), **seen)) == {"nb1": ClearCause.GONE}


def test_an_unreadable_row_is_not_gone() -> None:
    """The notebook is there."""
    assert marking(MalformedRow("nb1", None, "status"), of=rules(marks=[told_mark()])) == NOTHING


# ---- what a survey shows ----------------------------------------------------------------------------------------------------


def test_a_survey_is_trusted_if_it_is_complete_and_nothing_refuses_it() -> None:
    """Three reasons not to."""
    assert surveyed(of=rules()).trusted
    assert not any(surveyed(of=rules(), **why).trusted for why in UNTRUSTED)


def test_rows_in_transition_do_not_wait_for_marks() -> None:
    """A policy without conditions on the state matches them all."""
    rows = [notebook(number, status=status) for number, status in enumerate(Status, 1)]
    everything = Policy("old", AllOf((over("age", days=1),)), Running.STOP, Grace(DAY, surveys=1), "d1")
    seen: SurveyedMarks = surveyed(*rows, of=rules(everything))
    marked = {Status(row.status) for row in rows if row.id in ids(mark_survey(seen, LIMITS).new)}
    touched = {Status.RUNNING, Status.STOPPED, Status.CREATE_FAILED, Status.START_FAILED, Status.DELETE_FAILED, Status.ERROR}
    assert marked == touched
