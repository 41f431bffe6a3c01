import pytest

from builders import ago, moment, notebook, over, policy, rules, text
from nbsweep.core.model import Notebook
from nbsweep.core.policy import judge
from nbsweep.core.saved_plan.evidence import Evidence, evidence_of

ELSEWHERE = {"id", "name", "workspace_id", "feature"}
"""They stand beside the evidence, for they say which notebook it is about."""
LEFT_OUT = {"description", "domain", "data_volumes", "listed"}
"""No policy can ask for these."""


@pytest.mark.parametrize("fact", sorted(set(Notebook.__struct_fields__) - ELSEWHERE - LEFT_OUT))
def test_every_fact_that_a_policy_can_ask_for_is_taken_down(fact: str) -> None:
    """As it was; one that is added to the notebook has to be given its place."""
    seen = notebook()
    evidence = evidence_of(seen, judge(seen, rules(), moment()), None)
    assert getattr(evidence, fact) == getattr(seen, fact)


def test_the_conditions_that_held_are_taken_down_with_threshold_and_fact() -> None:
    """Stopped, and idle since its lease ended an hour after its last change 100 days ago, where 14 days were asked for."""
    seen = notebook()
    verdict = judge(seen, rules(policy(text("status", "STOPPED"), over("idle", days=14))), moment())
    evidence = evidence_of(seen, verdict, ago(days=100))
    assert [(each.condition, each.fact, each.threshold) for each in evidence.findings] == [
        ("status", "STOPPED", "STOPPED"),
        ("idle_over", "99d 23h", "over 14d"),
    ]
    assert evidence.idle_since == ago(days=100)


def test_there_is_no_place_for_a_secret_or_an_address() -> None:
    """Neither for the notebook's own, nor for free text in which one might stand."""
    assert not set(Evidence.__struct_fields__) & {"token", "url", "jupyter_url", "description"}
