"""Any fleet, marks and limits: what a survey may never do to a mark, whatever it shows."""

from collections.abc import Callable
from datetime import timedelta
from fractions import Fraction
from functools import cache, wraps
from random import Random
from typing import Any

from msgspec.structs import replace

from builders import (
    NOON,
    SCOPE,
    ago,
    exemption,
    lease,
    mark,
    moment,
    notebook,
    policy,
    refused_by,
    surveyed,
    tag,
    text,
)
from nbsweep.core.judging.rules import Policy, Rules
from nbsweep.core.marks.grace import Grace
from nbsweep.core.marks.model import ClearCause, Mark, MarkState
from nbsweep.core.matching.conditions import Condition
from nbsweep.core.model import MalformedRow, Named, Notebook, Status
from nbsweep.core.planning.brakes import Brakes, OnExcess
from nbsweep.core.planning.marking import Marking, MarkLimits, SurveyedMarks, mark_survey
from nbsweep.core.planning.plan import WorkspaceGap

NUMBERS = range(1, 6)
SEEDS = 500

CHANGES_OF_ROW: list[tuple[str, Any]] = [
    *[("status", status) for status in (Status.STOPPED, Status.RUNNING, Status.DELETING, Status.DELETE_FAILED)],
    *[("name", name) for name in ("b", None)],
    *[("tags", tags) for tags in ({"k": "v"}, None)],
    *[("owner", owner) for owner in (Named("u2", "bob"), Named("u1", None))],
    *[("created_at", date) for date in (None, ago(days=150))],
    *[("updated_at", date) for date in (None, ago(days=3))],
    ("lease", lease(updated_at=ago(days=3))),
    ("lease", None),
]
CHANGES_OF_MARK: list[tuple[str, Any]] = [
    ("policy", "two"),
    ("policy_digest", "d2"),
    ("state", MarkState.MARKED),
    *[("told_at", date) for date in (ago(days=6), ago(days=90))],
    ("clock_verified", False),
    *[("deadline", NOON + timedelta(days=days)) for days in (-90, -1, 1, 9)],
    ("surveys", 7),
    ("notices", 1),
    ("last_survey_at", NOON),
    ("target", "other"),
    ("workspace_id", "elsewhere"),
]


def some(changes: list[tuple[str, Any]], random: Random) -> dict[str, Any]:
    """Return up to two changes."""
    return dict(random.sample(changes, random.choice([0, 1, 1, 2])))


def row_of(number: int, random: Random) -> Notebook | MalformedRow | None:
    """Return what a survey shows of a notebook: a row, a row that cannot be read, or nothing."""
    match random.randrange(8):
        case 0:
            return None
        case 1:
            return MalformedRow(f"nb{number}", None, "status")
        case _:
            return notebook(number, **some(CHANGES_OF_ROW, random))


def mark_of(number: int, random: Random) -> Mark:
    """Return a mark, told in most cases."""
    told = {"state": MarkState.TOLD, "told_at": ago(days=8), "clock_verified": True, "policy": "one"}
    made = mark(number, **{**told, **some(CHANGES_OF_MARK, random)})
    return made if made.state is MarkState.TOLD else replace(made, told_at=None, clock_verified=False)


MATCHES: list[tuple[Condition, ...]] = [(), (), (text("name", "exp*"),), (tag("team", "*"),), (text("status", "STOPPED"),)]


def policy_of(name: str, random: Random) -> Policy:
    """Return a policy, with grace in most cases."""
    grace = Grace(timedelta(days=random.randrange(1, 9)), surveys=random.choice([1, 2, 3]))
    return policy(*random.choice(MATCHES), name=name, grace=random.choice([grace, grace, None]), digest="d1")


DISTRUST: list[dict[str, Any]] = [
    *[{}] * 5,
    {"gaps": ("torn",)},
    {"refused": (WorkspaceGap(SCOPE, "403"),)},
    {"refusals": (refused_by("clock-skew", "ahead"),)},
]


def limits_of(random: Random) -> MarkLimits:
    """Return limits, of which most allow something."""
    brakes = Brakes(
        random.choice([None, None, 0, 2, 4]),
        random.choice([None, Fraction(1, 2)]),
        random.choice([None, 3]),
        random.choice(list(OnExcess)),
    )
    return MarkLimits(brakes, random.choice([0, 1, 50, 50]))


def scene(seed: int) -> tuple[SurveyedMarks, MarkLimits]:
    """Return a survey of up to five notebooks, some of them with marks, and the limits of marking."""
    random = Random(seed)  # noqa: S311  # not for secrets
    shown = [row for number in NUMBERS if (row := row_of(number, random)) is not None]
    known = [mark_of(number, random) for number in NUMBERS if random.random() < 0.5]
    granted = (exemption(notebook_id="nb2"),) if random.random() < 0.5 else ()
    policies = policy_of("one", random), policy_of("two", random)
    rules = Rules(policies, exemptions=granted, marks={one.notebook_id: one for one in known})
    deleted = {one.notebook_id: "run7" for one in known if random.random() < 0.5}
    at = moment(**random.choice([{}, {"nb1": ago(days=2)}]))
    return surveyed(*shown, of=rules, at=at, deleted=deleted, **random.choice(DISTRUST)), limits_of(random)


@cache
def scenes() -> list[tuple[SurveyedMarks, MarkLimits]]:
    """Return the scenes of all tests."""
    return [scene(seed) for seed in range(SEEDS)]


def everywhere(check: Callable[[SurveyedMarks, MarkLimits], None]) -> Callable[[], None]:
    """Return a test that checks all scenes; its failure names the seed of the scene."""

    @wraps(check)
    def test() -> None:
        for seed, (seen, limits) in enumerate(scenes()):
            try:
                check(seen, limits)
            except AssertionError as error:
                error.add_note(f"seed {seed}")
                raise

    # Otherwise pytest takes the arguments of the check for fixtures.
    del test.__wrapped__
    return test


def after(seen: SurveyedMarks, result: Marking) -> dict[str, Mark]:
    """Return the open marks of the project when the result was written."""
    written = {one.id: one for one in (*result.kept, *result.ended)}
    stay = [written.get(one.id, one) for one in seen.rules.marks.values()]
    return {one.notebook_id: one for one in (*stay, *result.new) if one.open}


@everywhere
def test_no_survey_takes_back_or_brings_forward_what_an_owner_was_told(seen: SurveyedMarks, limits: MarkLimits) -> None:
    """A told mark stays told, unless it ends, or its notice is so old that it is given again; its deadline never moves."""
    result = mark_survey(seen, limits)
    before = {one.id: one for one in seen.rules.marks.values()}
    for one in (*result.kept, *result.ended):
        was = before[one.id]
        assert (one.notebook_id, one.notebook_created_at, one.marked_at) == (
            was.notebook_id,
            was.notebook_created_at,
            was.marked_at,
        )
        assert one.deadline == was.deadline
        if was.state is MarkState.TOLD and one.state is MarkState.MARKED:
            assert was.told_at is not None
            assert was.told_at < NOON - timedelta(days=40)
        if one.state is MarkState.TOLD:
            assert was.state is MarkState.TOLD
            assert one.told_at is not None
            assert was.told_at is not None
            assert one.told_at >= was.told_at


@everywhere
def test_a_survey_that_cannot_be_trusted_only_clears_what_it_shows(seen: SurveyedMarks, limits: MarkLimits) -> None:
    """It makes no mark, confirms none, tells nobody, and nothing is gone because it does not show it."""
    result = mark_survey(seen, limits)
    for one in result.ended:
        row = seen.rows.get(one.notebook_id)
        if row is None:
            assert seen.trusted
            assert one.cleared in {ClearCause.GONE, None}
        else:
            assert isinstance(row, Notebook)
            assert (one.cleared is ClearCause.GONE) == (row.created_at not in {None, one.notebook_created_at})
    if not seen.trusted:
        assert (result.new, result.kept, result.to_announce) == ((), (), ())


@everywhere
def test_no_more_is_marked_than_the_limits_allow(seen: SurveyedMarks, limits: MarkLimits) -> None:
    """Counted with all that is marked already and still matches."""
    result = mark_survey(seen, limits)
    brakes = limits.brakes
    assert len(result.new) <= limits.max_new_per_sweep
    if not result.new:
        return
    matching = {each.notebook.id for each in (*seen.survey.candidates, *seen.survey.awaiting)}
    every = [one for one in after(seen, result).values() if one.notebook_id in matching and seen.shows(one)]
    shares = max(1, seen.survey.fleet // 2)
    assert brakes.max_deletions is None or len(every) <= brakes.max_deletions
    assert brakes.max_share is None or len(every) <= shares
    rows = (seen.rows[one.notebook_id] for one in every)
    owners = [row.owner.id for row in rows if isinstance(row, Notebook)]
    assert brakes.max_per_owner is None or max(map(owners.count, owners)) <= brakes.max_per_owner


@everywhere
def test_what_is_marked_would_go_but_for_the_notice_and_is_marked_once(seen: SurveyedMarks, limits: MarkLimits) -> None:
    """A stopped notebook whose dates are known, that no exemption covers and that had no mark."""
    for one in mark_survey(seen, limits).new:
        row = seen.rows[one.notebook_id]
        assert isinstance(row, Notebook)
        assert row.status in {Status.STOPPED, Status.DELETE_FAILED}
        assert (row.created_at, row.updated_at) == (one.notebook_created_at, one.updated_at)
        assert row.created_at is not None
        assert one.notebook_id not in seen.rules.marks
        assert not (one.notebook_id == "nb2" and seen.rules.exemptions)
        graces = {each.name: each.grace for each in seen.rules.policies}
        assert graces[one.policy] is not None
        assert (one.state, one.surveys, one.told_at, one.deadline) == (MarkState.MARKED, 1, None, None)


@everywhere
def test_who_is_told_was_selected_by_enough_surveys(seen: SurveyedMarks, limits: MarkLimits) -> None:
    """This one among them, by the same policy; nobody is told twice."""
    result = mark_survey(seen, limits)
    open_marks = after(seen, result)
    for one in result.to_announce:
        grace = next(each.grace for each in seen.rules.policies if each.name == one.policy)
        assert open_marks[one.notebook_id] == one
        assert one.state is MarkState.MARKED
        assert grace is not None
        assert one.surveys >= grace.surveys
        assert isinstance(seen.rows[one.notebook_id], Notebook)


@everywhere
def test_the_same_survey_changes_nothing_a_second_time(seen: SurveyedMarks, limits: MarkLimits) -> None:
    """When its result was written, as after a write that another process came before: only new marks may follow those that
    ended, and a notice that was taken back is not counted again.
    """
    result = mark_survey(seen, limits)
    written = replace(seen, rules=replace(seen.rules, marks=after(seen, result)))
    again = mark_survey(written, limits)
    assert again.ended == ()
    ended = {one.notebook_id for one in result.ended}
    assert {one.notebook_id for one in again.new} <= ended | {each.notebook.id for each in seen.survey.awaiting}
    taken_back = {one.id for one in result.kept if one.notices and one.last_survey_at != NOON}
    assert {one.id for one in again.kept} <= taken_back


@everywhere
def test_owners_hear_of_ends_only_if_they_were_told(seen: SurveyedMarks, limits: MarkLimits) -> None:
    """And of no end that a new mark or the deletion follows."""
    result = mark_survey(seen, limits)
    before = {one.id: one for one in seen.rules.marks.values()}
    ended = {one.id for one in result.ended}
    assert result.told_before == {one for one in ended if before[one].told_at is not None or before[one].notices}
    assert result.again <= ended


def test_the_scenes_hold_something_of_everything() -> None:
    """Otherwise the checks would hold for nothing."""
    results = [mark_survey(seen, limits) for seen, limits in scenes()]
    assert sum(bool(each.new) for each in results) > 10
    assert sum(bool(each.kept) for each in results) > 10
    assert sum(bool(each.to_announce) for each in results) > 10
    assert sum(bool(each.refusals) for each in results) > 10
    assert sum(not seen.trusted for seen, _ in scenes()) > 10
    assert {one.cleared for each in results for one in each.ended} == {None, *ClearCause} - {ClearCause.PROTECTED}
