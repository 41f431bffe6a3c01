from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import NOON, ago, candidate, searching, survey
from nbsweep.core.judging.verdict import Reason
from nbsweep.core.model import MalformedRow, Named
from nbsweep.core.planning.brakes import Brakes, OnExcess, format_share
from nbsweep.core.planning.plan import Candidate, Plan, Survey, build_plan

LOOSE = Brakes(max_deletions=None, max_share=None, max_per_owner=None)


def loose(**changes: Any) -> Brakes:
    """Return brakes of which only those named bind."""
    return Brakes(**{"max_deletions": None, "max_share": None, "max_per_owner": None, **changes})


def numbered(count: int, **changes: Any) -> list[Candidate]:
    """Return so many candidates, the first the longest idle."""
    return [candidate(number, idle_days=1000 - number, **changes) for number in range(count)]


def ids(plan: Plan) -> list[str]:
    """List what would go, in its order."""
    return [item.notebook.id for item in plan.items]


def refused_by(plan: Plan) -> str | None:
    """Name the brake that refused it."""
    return plan.refusal.brake if plan.refusal else None


def test_the_longest_idle_go_first() -> None:
    """Whatever order the listing had, and with the id deciding between equals."""
    found = [candidate(3, idle_days=10), candidate(2, idle_days=30), candidate(1, idle_days=10), candidate(4, idle_days=20)]
    for order in (found, found[::-1]):
        assert ids(build_plan(survey(*order, fleet=100), LOOSE)) == ["nb2", "nb4", "nb1", "nb3"]


def test_without_an_idle_time_creation_counts_and_without_that_it_goes_last() -> None:
    """What nothing is known of is the last to go, however the plan is trimmed."""
    found = [
        candidate(1, idle_days=None, created_at=None),
        candidate(2, idle_days=50),
        candidate(3, idle_days=None, created_at=ago(days=60)),
        candidate(4, idle_days=None, created_at=ago(days=40)),
    ]
    assert ids(build_plan(survey(*found, fleet=100), LOOSE)) == ["nb3", "nb2", "nb4", "nb1"]


def test_an_empty_plan_is_no_excess() -> None:
    """With nothing to delete no brake refuses, not even one at zero on an empty fleet."""
    for on_excess in OnExcess:
        brakes = Brakes(max_deletions=0, max_share=Fraction(0), max_per_owner=0, on_excess=on_excess)
        for fleet in (0, 10):
            plan = build_plan(survey(fleet=fleet), brakes)
            assert (plan.items, plan.refusal) == ((), None)


def test_a_plan_carries_what_the_survey_knew() -> None:
    """Target, moment, fleet, what is kept and what could not be read."""
    malformed = (MalformedRow("nb9", None, "status: unknown"),)
    kept = {Reason.PROTECTED: 3, Reason.MALFORMED: 1}
    plan = build_plan(survey(*numbered(2), fleet=60, kept=kept, malformed=malformed), Brakes())
    assert (plan.target, plan.created_at, plan.fleet, plan.malformed) == ("research", NOON, 60, malformed)
    assert plan.kept == kept
    assert plan.refusal is None


def test_the_brakes_are_on_unless_somebody_loosens_them() -> None:
    """A hundred, and a quarter of the fleet, and refusal: as the configuration file's example says."""
    assert Brakes() == Brakes(100, Fraction(1, 4), None, OnExcess.REFUSE)
    assert refused_by(build_plan(survey(*numbered(101), fleet=1000), Brakes())) == "max_deletions"
    assert refused_by(build_plan(survey(*numbered(26), fleet=100), Brakes())) == "max_share"


@pytest.mark.parametrize(
    ("count", "allowed", "refused"),
    [(5, 5, False), (6, 5, True), (1, 0, True), (0, 0, False), (1, 1, False), (2, 1, True), (500, None, False)],
)
def test_the_absolute_brake_binds(count: int, allowed: int | None, refused: bool) -> None:  # noqa: FBT001 -- parametrized
    """It counts every notebook, not one for each call, as it did elsewhere; exactly the limit is allowed."""
    plan = build_plan(survey(*numbered(count), fleet=1000), loose(max_deletions=allowed))
    assert refused_by(plan) == ("max_deletions" if refused else None)


SHARES = [
    # share, fleet, allowed: the largest whole number that is not more than the share, or one
    (Fraction(1, 4), 100, 25),
    (Fraction(1, 4), 99, 24),
    (Fraction(1, 4), 7, 1),
    (Fraction(1, 4), 4, 1),
    (Fraction(1, 4), 1, 1),
    (Fraction(29, 100), 100, 29),
    (Fraction(57, 100), 100, 57),
    (Fraction(58, 100), 50, 29),
    (Fraction(1, 3), 9, 3),
    (Fraction(1, 3), 8, 2),
    (Fraction(1, 2), 1, 1),
    (Fraction(999, 1000), 1, 1),
    (Fraction(1, 4), 3, 1),
    (Fraction(0), 50, 0),
    (Fraction(0), 1, 0),
    (Fraction(1), 50, 50),
    (Fraction(1, 100), 99, 1),
    (Fraction(1, 10**6), 2, 1),
]


@pytest.mark.parametrize(("share", "fleet", "allowed"), SHARES)
def test_the_share_is_exact_never_rounded_up_and_at_least_one(share: Fraction, fleet: int, allowed: int) -> None:
    """29 % of 100 are 29, though floating point makes it less; a quarter of three is one, but 0 % are none."""
    for on_excess in OnExcess:
        brakes = loose(max_share=share, on_excess=on_excess)
        within = build_plan(survey(*numbered(allowed), fleet=fleet), brakes)
        assert (within.refusal, len(within.items)) == (None, allowed)
    over = survey(*numbered(allowed + 1), fleet=fleet)
    assert refused_by(build_plan(over, loose(max_share=share))) == "max_share"
    assert len(build_plan(over, loose(max_share=share, on_excess=OnExcess.TRIM)).items) == allowed


def test_the_share_is_of_the_fleet_and_not_of_the_candidates() -> None:
    """Ten candidates of forty notebooks are a quarter."""
    assert build_plan(survey(*numbered(10), fleet=40), loose(max_share=Fraction(1, 4))).refusal is None
    assert refused_by(build_plan(survey(*numbered(10), fleet=39), loose(max_share=Fraction(1, 4)))) == "max_share"


def owned(*owners: str | None) -> list[Candidate]:
    """Return candidates of these owners, the first the longest idle."""
    return [
        candidate(number, idle_days=1000 - number, owner=Named(owner and f"id-{owner}", owner))
        for number, owner in enumerate(owners)
    ]


@pytest.mark.parametrize(
    ("owners", "allowed", "refused"),
    [
        ("abab", 2, False),
        ("ababa", 2, True),
        ("baaa", 2, True),
        ("aaab", 2, True),
        ("a", 0, True),
        ("", 0, False),
        ("aaaaaa", None, False),
    ],
)
def test_the_brake_on_each_owner_binds(owners: str, allowed: int | None, refused: bool) -> None:  # noqa: FBT001 -- parametrized
    """It holds for everybody, not for the first or on average."""
    plan = build_plan(survey(*owned(*owners), fleet=100), loose(max_per_owner=allowed))
    assert refused_by(plan) == ("max_per_owner" if refused else None)


def test_notebooks_without_an_owner_are_one_owners() -> None:
    """What cannot be told apart is counted together, which is the safe way round."""
    assert refused_by(build_plan(survey(*owned(None, None, None), fleet=100), loose(max_per_owner=2))) == "max_per_owner"


def test_an_owner_whose_name_is_missing_on_some_rows_is_still_one_owner() -> None:
    """The id says who it is; a name may be missing from any row."""
    half = [candidate(1, owner=Named("u1", "alice")), candidate(2, owner=Named("u1", None))]
    plan = build_plan(survey(*half, fleet=100), loose(max_per_owner=1))
    assert refused_by(plan) == "max_per_owner"
    trimmed = build_plan(survey(*half, fleet=100), loose(max_per_owner=1, on_excess=OnExcess.TRIM))
    assert len(trimmed.items) == 1


def test_a_trimmed_plan_keeps_the_longest_idle() -> None:
    """The rest is counted as kept, and the reason says what cut it."""
    plan = build_plan(
        survey(*numbered(5)[::-1], fleet=100, kept={Reason.PROTECTED: 2}), loose(max_deletions=3, on_excess=OnExcess.TRIM)
    )
    assert ids(plan) == ["nb0", "nb1", "nb2"]
    assert plan.kept == {Reason.PROTECTED: 2, Reason.OVER_BRAKE: 2}
    assert plan.refusal is None


def test_trimming_an_owner_leaves_room_for_others() -> None:
    """What one owner may not lose is not taken from the number that others may."""
    brakes = loose(max_per_owner=2, max_deletions=4, on_excess=OnExcess.TRIM)
    assert ids(build_plan(survey(*owned(*"aaaabbb"), fleet=100), brakes)) == ["nb0", "nb1", "nb4", "nb5"]


def test_a_plan_that_needs_no_trimming_is_whole() -> None:
    """Nothing is counted as cut."""
    plan = build_plan(survey(*numbered(3), fleet=100), loose(max_deletions=3, on_excess=OnExcess.TRIM))
    assert (len(plan.items), plan.kept) == (3, {})


@pytest.mark.parametrize("on_excess", OnExcess)
@pytest.mark.parametrize("brakes", [{}, {"max_deletions": 0}, {"max_share": Fraction(0)}, {"max_per_owner": 0}])
def test_a_survey_with_gaps_is_refused_before_everything(brakes: dict[str, Any], on_excess: OnExcess) -> None:
    """Brakes bind over what is seen; when not everything was, none of them can, and trimming is no way out."""
    torn = survey(*numbered(3), fleet=4, gaps=("workspace 7 was torn", "workspace 8 is forbidden"))
    plan = build_plan(torn, loose(on_excess=on_excess, **brakes))
    assert plan.refusal is not None
    assert plan.refusal.brake == "incomplete-survey"
    assert "workspace 7 was torn" in plan.refusal.message
    assert "workspace 8 is forbidden" in plan.refusal.message


def test_an_incomplete_survey_is_refused_even_when_nothing_would_go() -> None:
    """Nothing to delete in half a fleet is no result either."""
    assert refused_by(build_plan(survey(fleet=0, gaps=("nothing was listed",)), LOOSE)) == "incomplete-survey"


@pytest.mark.parametrize(
    ("found", "fleet", "brakes", "figures"),
    [
        (numbered(7), 90, loose(max_deletions=5), ["7", "5", "max_deletions"]),
        (numbered(31), 100, loose(max_share=Fraction(29, 100)), ["31", "100", "29", "29%", "max_share"]),
        (owned(*"abbbb"), 90, loose(max_per_owner=3), ["4", "3", "b", "max_per_owner"]),
    ],
)
def test_a_refusal_names_its_figures(found: Sequence[Candidate], fleet: int, brakes: Brakes, figures: list[str]) -> None:
    """How many would go, how many may, and which key says so."""
    refusal = build_plan(survey(*found, fleet=fleet), brakes).refusal
    assert refusal is not None
    words = refusal.message.replace(".", " ").replace(",", " ").replace("(", " ").replace(")", " ").split()
    assert [figure for figure in figures if figure not in words] == []


def test_of_owners_with_too_many_the_one_with_the_most_is_named_and_the_others_are_counted() -> None:
    """Three of a, two of b, two of c, and one of d, where one is allowed."""
    refusal = build_plan(survey(*owned(*"aaabbccd"), fleet=90), loose(max_per_owner=1)).refusal
    assert refusal is not None
    assert refusal.message == (
        "3 notebooks of a would go, and brakes.max_per_owner allows 1 of one owner; 2 other owners have too many, too"
    )


def test_a_refused_plan_still_shows_all_that_would_go() -> None:
    """Whoever reads the refusal wants to see what it was about."""
    assert len(build_plan(survey(*numbered(7), fleet=90), loose(max_deletions=5)).items) == 7


@pytest.mark.parametrize(
    ("share", "text"), [(Fraction(1, 4), "25%"), (Fraction(0), "0%"), (Fraction(1), "100%"), (Fraction(1, 8), "12.5%")]
)
def test_a_share_is_written_as_in_the_configuration(share: Fraction, text: str) -> None:
    """People wrote `25%`, and read it again."""
    assert format_share(share) == text


# ---- any plan at all ------------------------------------------------------------------------------------------------------

BRAKES = st.builds(
    Brakes,
    max_deletions=st.one_of(st.none(), st.integers(0, 8)),
    max_share=st.one_of(st.none(), st.fractions(0, 1, max_denominator=12)),
    max_per_owner=st.one_of(st.none(), st.integers(0, 4)),
    on_excess=st.sampled_from(OnExcess),
)
FOUND = st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 5)), max_size=10)
SURVEYS = st.builds(
    lambda found, others, gaps: survey(
        *(candidate(number, idle_days=days, owner=Named(f"id-{owner}", owner)) for number, (owner, days) in enumerate(found)),
        fleet=len(found) + others,
        gaps=gaps,
    ),
    FOUND,
    st.integers(0, 30),
    st.sampled_from([(), (), (), ("torn",)]),
)


def within(items: Sequence[Candidate], fleet: int, brakes: Brakes) -> bool:
    """Return whether so much may go."""
    owners = Counter(item.notebook.owner.name for item in items)
    return (
        (brakes.max_deletions is None or len(items) <= brakes.max_deletions)
        and (
            brakes.max_share is None
            or Fraction(len(items)) <= (max(brakes.max_share * fleet, Fraction(1)) if brakes.max_share else 0)
        )
        and (brakes.max_per_owner is None or all(count <= brakes.max_per_owner for count in owners.values()))
    )


@searching
@given(seen=SURVEYS, brakes=BRAKES)
def test_a_plan_that_is_not_refused_exceeds_no_brake(seen: Survey, brakes: Brakes) -> None:
    """Whatever was found, whichever brakes bind, and whatever they do on excess."""
    plan = build_plan(seen, brakes)
    if plan.refusal is None:
        assert not seen.gaps
        assert within(plan.items, seen.fleet, brakes)
    else:
        assert seen.gaps or (brakes.on_excess is OnExcess.REFUSE and not within(seen.candidates, seen.fleet, brakes))


@searching
@given(seen=SURVEYS, brakes=BRAKES)
def test_a_plan_takes_from_the_front_whatever_the_brakes_allow(seen: Survey, brakes: Brakes) -> None:
    """An item is left out only when it would have exceeded a brake, and is then counted; nothing is lost or added."""
    plan = build_plan(seen, brakes)
    ordered = sorted(seen.candidates, key=lambda item: (item.idle_since or NOON, item.notebook.id))
    taken: list[Candidate] = []
    for item in ordered:
        if plan.refusal or brakes.on_excess is OnExcess.REFUSE or within([*taken, item], seen.fleet, brakes):
            taken.append(item)
    assert list(plan.items) == taken
    assert plan.kept.get(Reason.OVER_BRAKE, 0) == len(seen.candidates) - len(taken)
