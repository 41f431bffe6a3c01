from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from builders import candidate, searching, survey
from nbsweep.core.judging.verdict import Reason
from nbsweep.core.lifecycle import State
from nbsweep.core.model import Named, Scope
from nbsweep.core.planning.brakes import MOST_FAILURES, Brakes, OnExcess, describe_trim, judge_failures, judge_skew, trim
from nbsweep.core.planning.plan import Candidate, Circumstances, Plan, WorkspaceGap, build_plan
from nbsweep.core.reasons.statement_wordings import describe_statement
from nbsweep.core.runs import FleetBefore, History

HALF = Fraction(1, 2)


def loose(**changes: Any) -> Brakes:
    """Return brakes of which only those named bind."""
    off = {"max_deletions": None, "max_share": None, "max_per_owner": None, "max_fleet_drop": None}
    return Brakes(**{**off, **changes})


def found(count: int) -> list[Candidate]:
    """Return so many candidates, the first the longest idle."""
    return [candidate(number, idle_days=1000 - number) for number in range(count)]


def planned(count: int, brakes: Brakes, *, requested: int = 0) -> Plan:
    """Plan so many of a large fleet, after so many were requested in a day."""
    return build_plan(survey(*found(count), fleet=1000), brakes, Circumstances(History(requested)))


def all_refused_by(plan: Plan) -> list[str]:
    """Name all brakes that refuse a plan, in their order."""
    return [refusal.brake for refusal in plan.refusals]


def refused_by(plan: Plan) -> str | None:
    """Name the brake that refused it."""
    return plan.refusal.brake if plan.refusal else None


# ---- over time ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("count", "requested", "allowed", "refused"),
    [
        (5, 0, 5, False),
        (6, 0, 5, True),
        (2, 3, 5, False),
        (3, 3, 5, True),
        (1, 5, 5, True),
        (1, 9, 5, True),
        (0, 9, 5, False),
        (1, 0, 0, True),
        (500, 500, None, False),
    ],
)
def test_a_day_counts_what_earlier_runs_have_requested(
    count: int, requested: int, allowed: int | None, *, refused: bool
) -> None:
    """Together they may be exactly as many as the brake says; nothing to delete is no excess."""
    plan = planned(count, loose(max_per_day=allowed), requested=requested)
    assert refused_by(plan) == ("max_per_day" if refused else None)


def test_a_refusal_for_a_day_names_its_figures() -> None:
    """What would go, what went, what may."""
    plan = planned(3, loose(max_per_day=7), requested=6)
    assert plan.refusal
    assert plan.refusal.message.startswith("3 notebooks would go, and 6 were requested in the last 24 hours; ")
    assert "brakes.max_per_day allows 7" in plan.refusal.message


@pytest.mark.parametrize(("requested", "left"), [(0, 5), (3, 2), (4, 1), (5, 0), (8, 0)])
def test_a_plan_is_trimmed_to_what_is_left_of_a_day(requested: int, left: int) -> None:
    """The longest idle stay in it; the rest is kept for the brake's sake, and the plan says so, even when nothing is left."""
    plan = planned(8, loose(max_per_day=5, on_excess=OnExcess.TRIM), requested=requested)
    assert [item.notebook.id for item in plan.items] == [f"nb{number}" for number in range(left)]
    assert plan.kept == {Reason.OVER_BRAKE: 8 - left}
    assert plan.refusal is None
    assert f"{8 - left} by brakes.max_per_day, which allows 5, and {requested} were requested" in plan.trimmed
    assert plan.trimmed.startswith("all ") == (left == 0)


def test_what_needs_no_trimming_is_not_spoken_of() -> None:
    """No message where nothing was cut."""
    assert planned(3, loose(max_per_day=5, on_excess=OnExcess.TRIM), requested=2).trimmed == ""


def test_a_trimmed_plan_says_which_brake_has_cut_how_many() -> None:
    """Each in its turn: of two owners' four each, two each stay, then three by number, then one by the day."""
    rows = [candidate(number, owner=Named(f"u{number % 2}", None)).notebook for number in range(8)]
    brakes = Brakes(3, Fraction(1), 2, OnExcess.TRIM, max_per_day=5)
    trimmed = trim(rows, brakes, fleet=8, requested=4)
    assert [row.id for row in trimmed.items] == ["nb0"]
    assert trimmed.cut == {"max_per_owner": 4, "max_deletions": 1, "max_per_day": 2}
    found = describe_trim(trimmed, brakes, 8, 4)
    assert found is not None
    assert describe_statement(found) == (
        "7 of 8 left out, the longest idle go first: 4 by brakes.max_per_owner, which allows 2 of one owner; "
        "1 by brakes.max_deletions, which allows 3; "
        "2 by brakes.max_per_day, which allows 5, and 4 were requested in the last 24 hours"
    )


CUTTING = st.builds(
    Brakes,
    max_deletions=st.none() | st.integers(0, 8),
    max_share=st.none() | st.fractions(0, 1, max_denominator=12),
    max_per_owner=st.none() | st.integers(0, 4),
    on_excess=st.just(OnExcess.TRIM),
    max_per_day=st.none() | st.integers(0, 12),
)


@searching
@given(
    owners=st.lists(st.sampled_from("abc"), max_size=10),
    brakes=CUTTING,
    others=st.integers(0, 20),
    requested=st.integers(0, 12),
)
def test_trimming_leaves_out_no_one_who_could_stay(owners: list[str], brakes: Brakes, others: int, requested: int) -> None:
    """From the front: each is taken unless that would exceed a brake; with the earlier requests of the day no brake is."""
    rows = [candidate(number, owner=Named(owner, owner)).notebook for number, owner in enumerate(owners)]
    fleet = len(rows) + others
    expected: list[str] = []
    taken = {"a": 0, "b": 0, "c": 0}
    for row, owner in zip(rows, owners, strict=True):
        more = len(expected) + 1
        if (
            (brakes.max_per_owner is None or taken[owner] < brakes.max_per_owner)
            and (brakes.max_deletions is None or more <= brakes.max_deletions)
            and (brakes.max_share is None or more <= (max(Fraction(1), brakes.max_share * fleet) if brakes.max_share else 0))
            and (brakes.max_per_day is None or more + requested <= brakes.max_per_day)
        ):
            expected.append(row.id)
            taken[owner] += 1
    trimmed = trim(rows, brakes, fleet, requested)
    assert [row.id for row in trimmed.items] == expected
    assert sum(trimmed.cut.values()) == len(rows) - len(expected)


# ---- a fleet that has fallen ----------------------------------------------------------------------------------------------


def fallen(fleet: int, before: FleetBefore | None, most: Fraction | None = HALF, count: int = 0) -> Plan:
    """Plan for a fleet that was larger."""
    return build_plan(survey(*found(count), fleet=fleet), loose(max_fleet_drop=most), Circumstances(History(before=before)))


@pytest.mark.parametrize(
    ("before", "deleted", "fleet", "refused"),
    [
        (100, 0, 100, False),
        (100, 0, 130, False),
        (100, 0, 50, False),
        (100, 0, 49, True),
        (100, 0, 0, True),
        (101, 0, 51, False),
        (101, 0, 50, True),
        # Of a hundred we have deleted sixty: twenty of the other forty may be gone.
        (100, 60, 40, False),
        (100, 60, 20, False),
        (100, 60, 19, True),
        # Nine are too few for a share of them to say anything.
        (10, 0, 4, True),
        (9, 0, 0, False),
        (100, 91, 0, False),
        (5, 9, 0, False),
    ],
)
def test_a_fleet_that_has_fallen_by_more_than_half_is_refused(before: int, deleted: int, fleet: int, *, refused: bool) -> None:
    """But for what nbsweep itself has deleted; also where nothing would go, so that it is no comparison for the next."""
    for count in (0, min(fleet, 1)):
        plan = fallen(fleet, FleetBefore("r1", before, deleted), count=count)
        assert refused_by(plan) == ("max_fleet_drop" if refused else None)


def test_a_first_survey_is_compared_with_nothing() -> None:
    """And with the brake off, nothing is compared; with other shares, by those."""
    assert refused_by(fallen(1, None)) is None
    assert refused_by(fallen(1, FleetBefore("r1", 100), None)) is None
    assert refused_by(fallen(0, FleetBefore("r1", 100), Fraction(1))) is None
    assert refused_by(fallen(99, FleetBefore("r1", 100), Fraction(0))) == "max_fleet_drop"


CLOSED = WorkspaceGap(Scope("w2", "NOTEBOOK"), "HTTP 403 ModelArts.0112")


def test_a_workspace_that_refuses_explains_a_fall_and_does_not_excuse_it() -> None:
    """Of 100 the 40 that are seen are too few, whoever hides the others; the refusal names the workspace first."""
    around = Circumstances(History(before=FleetBefore("r1", 100)))
    plan = build_plan(replace(survey(*found(1), fleet=40), refused=(CLOSED,)), loose(max_fleet_drop=HALF), around)
    assert refused_by(plan) == "max_fleet_drop"
    assert plan.refusal
    assert plan.refusal.message.startswith(
        "1 workspace could not be listed: workspace w2 (NOTEBOOK): HTTP 403 ModelArts.0112. 40 notebooks are seen"
    )


def test_brakes_bind_over_what_was_seen_beside_a_workspace_that_refuses() -> None:
    """A quarter of the 40 that were seen is ten; the plan says which workspace was not looked at."""
    seen = replace(survey(*found(11), fleet=40), refused=(CLOSED,))
    assert refused_by(build_plan(seen, loose(max_share=Fraction(1, 4)))) == "max_share"
    plan = build_plan(replace(seen, candidates=seen.candidates[:10]), loose(max_share=Fraction(1, 4)))
    assert (plan.refusal, plan.refused) == (None, (CLOSED,))


def test_a_fallen_fleet_is_refused_also_where_plans_are_trimmed() -> None:
    """There is nothing to trim it to: perhaps not everything is seen."""
    brakes = loose(max_fleet_drop=HALF, on_excess=OnExcess.TRIM)
    plan = build_plan(survey(*found(3), fleet=20), brakes, Circumstances(History(before=FleetBefore("r1", 100))))
    assert (refused_by(plan), len(plan.items)) == ("max_fleet_drop", 3)


def test_the_refusal_of_a_fallen_fleet_names_the_way_out() -> None:
    """The figures, the run, where to look, and which key lets it pass."""
    plan = fallen(30, FleetBefore("run-7", 100, 20))
    assert plan.refusal
    for word in ("30 notebooks", "run-7", "there were 80 (100, of which nbsweep has deleted 20 since)", "50%", "permissions"):
        assert word in plan.refusal.message
    assert "brakes.max_fleet_drop: null" in plan.refusal.message


# ---- the time -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("skew_s", [0.0, 60.0, -60.0])
def test_a_clock_within_a_minute_is_trusted(skew_s: float | None) -> None:
    """Not one that nothing is known of: a token is no signature, and lets any clock pass."""
    assert judge_skew(skew_s) is None
    refusal = judge_skew(None)
    assert refusal
    assert (refusal.brake, "Date" in refusal.message) == ("clock-skew", True)


@pytest.mark.parametrize(
    ("skew_s", "words"), [(60.5, "60 seconds ahead of"), (-90.0, "90 seconds behind"), (3600.0, "60 minutes ahead of")]
)
@pytest.mark.parametrize("on_excess", OnExcess)
def test_a_clock_that_is_off_refuses_every_plan(skew_s: float, words: str, on_excess: OnExcess) -> None:
    """All ages are wrong, so there is nothing to trim either; the message says which way it is off."""
    plan = build_plan(survey(*found(1), fleet=10), loose(on_excess=on_excess), Circumstances(skew_s=skew_s))
    assert refused_by(plan) == "clock-skew"
    assert plan.refusal
    assert words in plan.refusal.message


def test_all_brakes_that_refuse_are_told_and_what_was_not_all_seen_before_all_else() -> None:
    """Then the clock, then the fleet, then the size of the plan; of a part of the fleet, its size and a share say nothing."""
    around = Circumstances(History(5, FleetBefore("r1", 100)), skew_s=600.0)
    seen, brakes = survey(*found(3), fleet=3), Brakes(0, max_per_day=0)
    assert refused_by(build_plan(replace(seen, gaps=("torn",)), brakes, around)) == "incomplete-survey"
    assert refused_by(build_plan(seen, brakes, around)) == "clock-skew"
    assert refused_by(build_plan(seen, brakes, replace(around, skew_s=0.0))) == "max_fleet_drop"
    assert refused_by(build_plan(seen, brakes, Circumstances())) == "max_deletions"
    assert all_refused_by(build_plan(replace(seen, gaps=("torn",)), brakes, around)) == [
        "incomplete-survey",
        "clock-skew",
        "max_deletions",
        "max_per_day",
    ]
    of_size = ["max_deletions", "max_share", "max_per_day"]
    assert all_refused_by(build_plan(seen, brakes, around)) == ["clock-skew", "max_fleet_drop", *of_size]
    assert all_refused_by(build_plan(seen, brakes)) == of_size
    trims = replace(brakes, on_excess=OnExcess.TRIM)
    assert all_refused_by(build_plan(seen, trims, around)) == ["clock-skew", "max_fleet_drop"]
    assert all_refused_by(build_plan(seen, trims)) == []


# ---- failures -------------------------------------------------------------------------------------------------------------


def states(**counts: int) -> Mapping[State, int]:
    """Count removals by state."""
    return {State(state): count for state, count in counts.items()}


@pytest.mark.parametrize(
    ("counts", "stopped"),
    [
        (states(PLANNED=50, DELETED=30, FAILED=10), False),
        (states(PLANNED=50, DELETED=29, FAILED=10), True),
        (states(PLANNED=50, DELETED=29, FAILED=4, TIMED_OUT=6), True),
        (states(PLANNED=1, FAILED=10), True),
        # Too few ends to say anything.
        (states(PLANNED=50, FAILED=9), False),
        # Nothing is left to begin.
        (states(DELETED=29, FAILED=10), False),
        (states(PLANNED=0, FAILED=40), False),
        # What is still under way may yet make up for it; what was spared does not.
        (states(PLANNED=50, FAILED=10, ACCEPTED=30), False),
        (states(PLANNED=50, FAILED=10, ACCEPTED=20, REQUESTED=5, STOPPING=4), True),
        (states(PLANNED=50, FAILED=10, DELETED=20, SPARED=100), True),
        (states(PLANNED=50, SPARED=100), False),
        (states(), False),
    ],
)
def test_a_sweep_is_stopped_when_more_than_a_quarter_fails(counts: Mapping[State, int], *, stopped: bool) -> None:
    """Of what was begun, once ten have ended, and while there is something to stop."""
    refusal = judge_failures(counts, MOST_FAILURES)
    assert (refusal is not None) == stopped
    assert refusal is None or refusal.brake == "max_failures"


def test_no_failure_may_be_too_many_or_all_too_few() -> None:
    """Null switches it off, 100% never binds, 0% binds on the first from ten ends on."""
    counts = states(PLANNED=5, DELETED=9, FAILED=1)
    assert judge_failures(states(PLANNED=5, FAILED=99), None) is None
    assert judge_failures(states(PLANNED=5, FAILED=99), Fraction(1)) is None
    refusal = judge_failures(counts, Fraction(0))
    assert refusal
    assert refusal.message.startswith(
        "of 10 removals that were begun 1 have failed or timed out, and brakes.max_failures allows 0%"
    )
