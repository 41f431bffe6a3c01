from typing import Any

import pytest
from msgspec.structs import replace

from builders import NOON, SCOPE, ago, notebook, over, policy, protection, rules, survey, tag, text
from nbsweep.core.facts import Moment, idle_since
from nbsweep.core.judging.rules import Rules, Running
from nbsweep.core.judging.verdict import Decision, Reason, keep
from nbsweep.core.model import MalformedRow, Notebook, Status
from nbsweep.core.planning.plan import Candidate, Survey, WorkspaceGap
from nbsweep.core.policy import judge
from nbsweep.core.reasons.english import describe
from nbsweep.core.reasons.model import recorded
from nbsweep.core.saved_plan.evidence import evidence_of
from nbsweep.core.saved_plan.model import SavedItem
from nbsweep.core.saved_plan.narrow import NO_LONGER_THERE, OVER_BRAKE, Permission, left_out_of_plan, permit

IDLE = policy(over("idle", days=14), name="idle")
FORGOTTEN = policy(over("age", days=180), name="forgotten", running=Running.STOP)
RULES = rules(IDLE, FORGOTTEN, protect=(protection(tag("keep", "*"), name="tags.keep *"),))


def saved(before: Notebook, how: Rules = RULES) -> SavedItem:
    """Save a notebook as it was when the plan was made; it must have gone then."""
    verdict = judge(before, how, Moment(NOON))
    assert verdict.decision is Decision.DELETE
    evidence = evidence_of(before, verdict, idle_since(before, Moment(NOON)))
    return SavedItem(
        before.id,
        before.name,
        before.status.value,
        "alice",
        "0",
        "NOTEBOOK",
        verdict.rule,
        verdict.sentence,
        verdict.stop_first,
        evidence,
    )


def surveyed(*rows: Notebook, how: Rules = RULES) -> Survey:
    """Survey these: what today's rules let go are its candidates."""
    verdicts = [(row, judge(row, how, Moment(NOON))) for row in rows]
    going = [Candidate(row, SCOPE, verdict, None) for row, verdict in verdicts if verdict.decision is Decision.DELETE]
    return survey(*going, fleet=len(rows), kept={Reason.PROTECTED: 1})


def permitted(items: list[SavedItem], *rows: Notebook, how: Rules = RULES) -> Permission:
    """Hold today's rows against what was saved."""
    return permit(surveyed(*rows, how=how), items, {row.id: row for row in rows}, how, Moment(NOON))


def going(permission: Permission) -> list[str]:
    """List the ids that may go."""
    return [candidate.notebook.id for candidate in permission.survey.candidates]


def why(before: Notebook, now: Notebook | MalformedRow | None, how: Rules = RULES) -> str:
    """Return why a saved notebook is spared, as it is now."""
    rows = [now] if isinstance(now, Notebook) else []
    sights = {} if now is None else {before.id: now}
    permission = permit(surveyed(*rows, how=how), [saved(before)], sights, how, Moment(NOON))
    assert going(permission) == []
    [spared] = permission.spared
    assert spared.item.id == before.id
    return spared.why


def test_what_is_in_a_workspace_that_refuses_is_not_called_gone() -> None:
    """Nobody has looked: it says so, in the cloud's words."""
    gap = WorkspaceGap(SCOPE, "HTTP 403 ModelArts.0112")
    item = saved(notebook(id="nb1"))
    permission = permit(replace(surveyed(), refused=(gap,)), [item], {}, RULES, Moment(NOON))
    assert [spared.why for spared in permission.spared] == [f"not looked at: {gap}"]


def test_what_was_saved_and_still_matches_may_go() -> None:
    """The same rows, the same ids, nobody spared, and the count of kept ones is as it was."""
    rows = [notebook(id=f"nb{number}") for number in (1, 2)]
    permission = permitted([saved(row) for row in rows], *rows)
    assert (going(permission), permission.spared) == (["nb1", "nb2"], ())
    assert permission.survey.kept == {Reason.PROTECTED: 1}


def test_what_goes_today_and_was_not_saved_is_kept_and_counted() -> None:
    """Nobody has looked at it."""
    rows = [notebook(id=f"nb{number}") for number in (1, 2, 3)]
    permission = permitted([saved(rows[1])], *rows)
    assert going(permission) == ["nb2"]
    assert permission.survey.kept == {Reason.PROTECTED: 1, Reason.NOT_IN_PLAN: 2}
    assert permission.spared == ()


def test_an_empty_plan_permits_nothing() -> None:
    """Not everything."""
    permission = permitted([], notebook())
    assert (going(permission), permission.survey.kept[Reason.NOT_IN_PLAN]) == ([], 1)


def test_one_that_another_policy_matches_now_may_go_by_that_one() -> None:
    """Idle no more, but old enough for the other: plan and today agree that it may go, and today's policy is on the verdict."""
    before = notebook()
    permission = permitted([saved(before)], replace(before, updated_at=ago(days=1)))
    [candidate] = permission.survey.candidates
    assert (saved(before).policy, candidate.verdict.rule) == ("idle", "forgotten")


def test_one_that_is_not_there_any_more_is_spared() -> None:
    """Its owner has deleted it."""
    assert why(notebook(), None) == describe(NO_LONGER_THERE)


def test_one_that_was_there_only_in_a_listing_that_had_to_be_read_again_is_not_there() -> None:
    """A row that was seen and would go, but is not among the survey's candidates, is no candidate by the back door."""
    row = notebook()
    permission = permit(surveyed(), [saved(row)], {row.id: row}, RULES, Moment(NOON))
    assert (going(permission), [each.why for each in permission.spared]) == ([], [describe(NO_LONGER_THERE)])


YOUNG = {"created_at": ago(days=100)}
"""Too young for `forgotten`."""


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"updated_at": ago(days=3)}, "policy idle does not match any more: idle 3d (over 14d)"),
        ({"tags": {"keep": "thesis"}}, "protected by tags.keep *: tags.keep thesis"),
        ({"tags": None}, "cannot be checked: tags.keep is missing"),
        ({"updated_at": None, "lease": None}, "idle is missing"),
        ({"status": Status.DELETING}, "it is DELETING, and the cloud is changing it"),
        ({"status": Status.DELETED}, "it is deleted already"),
        (
            {"status": Status.RUNNING},
            "started again since: it was STOPPED, and is RUNNING (policy idle does not match any more",
        ),
        ({"status": Status.STARTING}, "started again since: it was STOPPED, and is STARTING (it is STARTING"),
    ],
)
def test_one_that_does_not_match_any_more_is_spared_with_todays_reason(changes: dict[str, Any], words: str) -> None:
    """The fact that speaks for it, as it is today."""
    before = notebook(**YOUNG)
    assert words in why(before, replace(before, **changes))


def test_one_that_was_started_again_is_not_stopped_on_an_old_plans_word() -> None:
    """Today's policy would stop it and delete it; the plan saw it at rest, and whoever started it needs it."""
    before = notebook()
    assert why(before, replace(before, status=Status.RUNNING)).startswith("started again since: it was STOPPED")


def test_one_that_ran_when_it_was_planned_may_be_stopped() -> None:
    """That was what somebody has looked at."""
    running = notebook(status=Status.RUNNING)
    assert saved(running).stop_first
    assert going(permitted([saved(running)], running)) == ["nb1"]


def test_one_whose_row_cannot_be_read_is_spared() -> None:
    """With what is wrong with it."""
    assert "status is odd" in why(notebook(), MalformedRow("nb1", "experiment-1", "status is odd"))


def test_another_notebook_under_the_same_id_is_not_the_one_that_was_meant() -> None:
    """It matches today, and is kept all the same; counted as not in the plan, which it is not."""
    before = notebook()
    other = replace(before, created_at=ago(days=199))
    assert why(before, other).startswith("another notebook has its id")
    assert permitted([saved(before)], other).survey.kept[Reason.NOT_IN_PLAN] == 1


@pytest.mark.parametrize(("then", "now"), [(None, ago(days=200)), (ago(days=200), None), (None, None)])
def test_without_its_date_of_creation_it_cannot_be_told_to_be_the_same(then: Any, now: Any) -> None:
    """In doubt it is kept."""
    before = notebook(created_at=then)
    assert "date of creation is missing" in why(before, replace(before, created_at=now))


def test_rules_that_have_lost_the_policy_spare_it_and_do_not_fail() -> None:
    """A configuration that has changed is refused before; should it come so far, there still is a sentence."""
    assert why(notebook(), notebook(), rules(policy(text("name", "x"), name="others"))) == "no policy matches it"


def test_what_cools_down_or_a_brake_has_cut_is_spared_too() -> None:
    """Once each, and not those that were spared before."""
    rows = [notebook(id=f"nb{number}") for number in (1, 2, 4)]
    items = [saved(row) for row in [*rows, notebook(id="nb3")]]
    permission = permitted(items, *rows)
    left_alone = keep(Reason.COOLING_DOWN, recorded("it is left alone until tomorrow"))
    cut = list(left_out_of_plan(items, permission, {"nb1"}, {"nb4": left_alone}))
    assert [(each.item.id, each.why) for each in cut] == [
        ("nb2", describe(OVER_BRAKE)),
        ("nb4", "it is left alone until tomorrow"),
    ]
    assert [each.item.id for each in permission.spared] == ["nb3"]
