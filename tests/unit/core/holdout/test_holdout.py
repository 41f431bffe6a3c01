"""The holdout: who is chosen, for how long, and what the verdict says."""

from datetime import datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from builders import NOON, ago, announcing, fleet, identity, mark, moment, notebook, over, policy, rules, searching, told_mark
from nbsweep.core.explain.explain import explain
from nbsweep.core.explain.requirements import Requirement
from nbsweep.core.facts import Moment
from nbsweep.core.holdout.model import Hold, Holdout, draw
from nbsweep.core.judging.holdout import spared_until
from nbsweep.core.judging.rules import Policy, Rules, Running
from nbsweep.core.judging.verdict import Decision, Reason, Verdict
from nbsweep.core.marks.model import Mark, MarkState
from nbsweep.core.model import Notebook, Scope, Status
from nbsweep.core.planning.holding import new_holds
from nbsweep.core.planning.tally import Tally, join_tallies
from nbsweep.core.policy import judge
from nbsweep.core.reasons.chinese import describe as describe_in_chinese
from nbsweep.core.windows.window import Window

DAYS_30 = timedelta(days=30)
TENTH = Holdout(Fraction(1, 10), DAYS_30)
"""Takes nb1 and nb5 of the notebooks from nb1 to nb30."""
IDLE = replace(policy(over("idle", days=14), name="idle"), holdout=TENTH)


def hold(since: datetime, **changes: object) -> Hold:
    """Return the hold of nb1 that began at a moment."""
    row = notebook(1)
    assert row.created_at
    plain = Hold(
        identity().project, "nb1", row.created_at, since, since + DAYS_30, "research", "idle", "experiment-1", "alice", 50
    )
    return replace(plain, **changes)


def verdict(row: Notebook, of: Policy = IDLE, held: Hold | None = None, at: Moment | None = None, **changes: object) -> Verdict:
    """Judge a notebook by one policy."""
    holds = {} if held is None else {held.notebook_id: held}
    return judge(row, replace(rules(of), holds=holds, **changes), at or moment())


# ---- the share ------------------------------------------------------------------------------------------------------------


def test_the_id_alone_decides_who_is_held_out() -> None:
    """By `printf holdout:nb1 | sha256sum`, the same in each process: 0x1563c8... is 8.35 % of 2 ** 64, nb5 4.1 %."""
    assert hex(draw("nb1"))[:8] == "0x1563c8"
    assert {row.id for row in fleet(30) if TENTH.takes(row.id)} == {"nb1", "nb5"}
    assert {row.id for row in fleet(30) if Holdout(Fraction(1, 20), DAYS_30).takes(row.id)} == {"nb5"}


def test_all_and_nobody() -> None:
    """The ends of the range."""
    ids = [row.id for row in fleet(200)]
    assert all(map(Holdout(Fraction(1), DAYS_30).takes, ids))
    assert not any(map(Holdout(Fraction(0), DAYS_30).takes, ids))


def test_the_share_is_about_what_was_asked_for() -> None:
    """Of 20,000 ids, 1,000 on average; five standard deviations are 154."""
    twentieth = Holdout(Fraction(1, 20), DAYS_30)
    assert abs(sum(twentieth.takes(f"{number:032x}") for number in range(20_000)) - 1000) < 154


@searching
@given(notebook_id=st.text(max_size=40), one=st.fractions(0, 1), other=st.fractions(0, 1))
def test_a_larger_share_holds_out_those_of_a_smaller_one(notebook_id: str, one: Fraction, other: Fraction) -> None:
    """So that an edit of the share keeps as many holds as it can."""
    if Holdout(min(one, other), DAYS_30).takes(notebook_id):
        assert Holdout(max(one, other), DAYS_30).takes(notebook_id)


# ---- the verdict ----------------------------------------------------------------------------------------------------------


def test_one_of_the_share_is_kept_and_another_is_not() -> None:
    """The whole time is still to come, as no hold is on record."""
    kept = verdict(notebook(1))
    assert (kept.decision, kept.reason, kept.rule, kept.until) == (Decision.KEEP, Reason.HELD_OUT, "idle", NOON + DAYS_30)
    assert kept.sentence == (
        "policy idle matches; held out until 2026-03-31 12:00Z, to learn who would have come back "
        "(policy idle: idle 99d 23h (over 14d))"
    )
    assert "2026-03-31 12:00 UTC" in describe_in_chinese(kept.cause)
    assert verdict(notebook(2)).decision is Decision.DELETE


def test_a_hold_on_record_ends() -> None:
    """To the microsecond."""
    held = hold(ago(days=10))
    assert verdict(notebook(1), held=held).until == ago(days=10) + DAYS_30
    assert verdict(notebook(1), held=held, at=Moment(held.until)).decision is Decision.DELETE
    assert verdict(notebook(1), held=held, at=Moment(held.until - timedelta(microseconds=1))).reason is Reason.HELD_OUT


def test_what_is_kept_for_another_reason_says_so() -> None:
    """A held-out notebook is first of all one that would be deleted."""
    assert verdict(notebook(1, status=Status.RUNNING)).reason is Reason.NO_POLICY
    closed = replace(IDLE, windows=(Window(opens=(NOON + DAYS_30 / 300).time(), closes=(NOON + DAYS_30 / 200).time()),))
    assert verdict(notebook(1), closed).reason is Reason.OUTSIDE_WINDOW


def test_a_notebook_is_announced_before_it_is_held_out() -> None:
    """Marked and told as the others; what would be due is held out."""
    announced = replace(announcing(over("idle", days=14), name="idle"), holdout=TENTH)
    assert verdict(notebook(1), announced).reason is Reason.UNANNOUNCED
    told = told_mark(1, policy="idle", told_at=ago(days=8), deadline=ago(days=1), marked_at=ago(days=9))
    assert verdict(notebook(1), announced, marks={"nb1": told}).reason is Reason.HELD_OUT
    assert verdict(notebook(1), announced, hold(ago(days=30)), marks={"nb1": told}).decision is Decision.DELETE


@pytest.mark.parametrize(
    "row",
    [
        notebook(1, created_at=ago(days=150)),
        notebook(1, created_at=None),
        notebook(1, updated_at=ago(days=20)),
    ],
    ids=["another instance with its id", "no date of creation", "used since, and idle again"],
)
def test_an_old_hold_counts_for_the_same_instance_only_that_nobody_used_since(row: Notebook) -> None:
    """The time begins anew: the notebook is kept for longer, never for shorter."""
    assert verdict(row, held=hold(ago(days=60))).until == NOON + DAYS_30


@pytest.mark.parametrize("status", [Status.DELETE_FAILED, Status.RUNNING])
def test_a_failed_deletion_and_a_notebook_that_runs_all_the_time_begin_nothing_anew(status: Status) -> None:
    """Otherwise they would be held out for good."""
    row = notebook(1, status=status, updated_at=ago(days=1))
    old = replace(policy(over("age", days=30), running=Running.STOP), holdout=TENTH)
    assert verdict(row, old, hold(ago(days=60))).decision is Decision.DELETE


def test_an_explanation_says_until_when() -> None:
    """What it needs, when it goes, and what would keep it."""
    held = hold(ago(days=10))
    found = explain(notebook(1), replace(rules(IDLE), holds={"nb1": held}), moment())
    assert (found.flips_at, found.goes_at) == (held.until, held.until)
    assert isinstance(found.needs, Requirement)
    assert found.needs.words == "its holdout would have to end, as it will at 2026-03-21 12:00:00Z"
    assert found.remedies


def test_a_forecast_adds_the_time() -> None:
    """A notebook that is idle for 4 days goes 10 days later, and if it is held out, 30 days after that."""
    one, other = (explain(notebook(number, updated_at=ago(days=4)), rules(IDLE), moment()) for number in (1, 2))
    assert (one.goes_at, other.goes_at) == (NOON + timedelta(days=40), NOON + timedelta(days=10))


# ---- new holds ------------------------------------------------------------------------------------------------------------


def surveyed(*rows: Notebook, of: Rules) -> list[Hold]:
    """Return the holds that a survey of these rows begins."""
    tally = Tally()
    for row in rows:
        tally.add(row, Scope("0", "NOTEBOOK"), of, moment())
    return list(new_holds(join_tallies("research", NOON, [tally], ()), identity(), of, moment()))


def test_a_hold_begins_with_the_survey_that_would_have_deleted_the_notebook_first() -> None:
    """One on record goes on, and one that was used in between begins anew."""
    assert surveyed(*fleet(4), of=rules(IDLE)) == [hold(NOON)]
    assert surveyed(*fleet(4), of=replace(rules(IDLE), holds={"nb1": hold(ago(days=1))})) == []
    used = [notebook(1, updated_at=ago(days=20))]
    assert surveyed(*used, of=replace(rules(IDLE), holds={"nb1": hold(ago(days=25))})) == [hold(NOON)]


def test_a_notebook_that_nobody_could_recognise_gets_no_hold() -> None:
    """It is kept all the same."""
    assert surveyed(notebook(1, created_at=None), of=rules(IDLE)) == []


def test_a_policy_without_a_holdout_of_its_own_deletes() -> None:
    """The policy that wins decides."""
    protectors = (policy(over("age", days=1), name="old"), IDLE)
    assert judge(notebook(1), rules(*protectors), moment()).decision is Decision.DELETE


# ---- what it means for an announced notebook ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("marked", "due", "held", "until"),
    [
        (told_mark(2), ago(days=1), None, None),  # none of the share
        (mark(1), None, None, None),  # nobody was told yet
        (told_mark(1), ago(days=1), None, NOON + DAYS_30),  # the next sweep holds it out
        (told_mark(1), NOON + timedelta(days=2), None, NOON + timedelta(days=32)),
        (told_mark(1), ago(days=1), hold(ago(hours=5)), ago(hours=5) + DAYS_30),
        (told_mark(1, marked_at=ago(days=60)), ago(days=40), hold(ago(days=31)), None),  # the hold is over
        (told_mark(1, marked_at=ago(days=20)), ago(days=1), hold(ago(days=25)), NOON + DAYS_30),  # of an earlier mark
        (told_mark(1), ago(days=1), hold(ago(hours=5), notebook_created_at=ago(days=3)), NOON + DAYS_30),  # another instance
        (told_mark(1, state=MarkState.CLEARED), ago(days=1), None, None),
    ],
)
def test_an_announced_notebook_of_the_share_is_kept_after_its_deadline(
    marked: Mark, due: datetime | None, held: Hold | None, until: datetime | None
) -> None:
    """Until the end of its hold; without one on record, for the whole time from when it could first be deleted."""
    assert spared_until(marked, due, TENTH, held, NOON) == until
