"""The decision that is made again right before each DELETE, with what our own orders have changed taken into account."""

from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from nbsweep.core.conditions import Truth, leaves
from nbsweep.core.facts import Moment
from nbsweep.core.lifecycle import Removal, State, may_still_arrive
from nbsweep.core.model import FAILED, Notebook, Status
from nbsweep.core.policy import Decision, Reason, Rules, Verdict, judge, judge_policies, judge_protections, keep


class Background(Struct, frozen=True):
    """What a second look has to be compared with."""

    before: Notebook
    """As the survey saw it."""
    stop_ordered: bool = False
    """We have ordered it to stop."""
    stop_taken: bool = False
    """The cloud has taken that on."""
    may_stop: bool = True
    """Whether it may be stopped, should it run: not where a saved plan permits its DELETE alone."""


def decide_again(removal: Removal, seen: Notebook, background: Background, rules: Rules, moment: Moment) -> Verdict:
    """Decide on what a fresh look shows, wherever the removal stands; the verdict's sentence says what has changed."""
    if seen.workspace_id not in (None, removal.workspace_id):
        # The rules were asked about the workspaces of its target, and this may be none of them.
        return keep(Reason.NO_POLICY, f"it is in workspace {seen.workspace_id} now, and was in {removal.workspace_id}")
    if removal.state is State.ACCEPTED:
        verdict = judge_after_failure(seen, rules, removal.policy, moment)
    elif background.stop_ordered:
        verdict = judge_after_stop(background.before, seen, rules, moment)
    else:
        verdict = judge(seen, rules, moment)
    if verdict.stop_first and (removal.state is State.ACCEPTED or background.stop_taken or not background.may_stop):
        return kept_in_use(verdict)
    if verdict.reason is Reason.NO_POLICY and removal.state is not State.ACCEPTED:
        return replace(verdict, sentence=why_no_longer(seen, rules, removal.policy, moment))
    return verdict


def judge_after_stop(before: Notebook, now: Notebook, rules: Rules, moment: Moment) -> Verdict:
    """Decide again on a notebook that was stopped on our own order, for the DELETE that is to follow.

    Stopping changes its state and its dates, and these changes are our own: the policies see the state and the dates of
    `before`. Everything else, tags and names and the protections on them, is as fresh as in any second look.
    """
    if now.status is not Status.STOPPED:
        return judge(now, rules, moment)
    protected = judge_protections(now, rules.protections, moment)
    if protected:
        return protected
    as_before = replace(now, status=before.status, updated_at=before.updated_at, lease=before.lease)
    return replace(judge_policies(as_before, rules.policies, moment), stop_first=False)


def judge_after_failure(now: Notebook, rules: Rules, policy: str, moment: Moment) -> Verdict:
    """Decide on another DELETE for a notebook whose deletion failed on the cloud's side.

    Its state and dates are what the failed deletion left, so the policies no longer speak of it; the protections do.
    """
    if now.status not in FAILED:
        return judge(now, rules, moment)
    if policy not in {rule.name for rule in rules.policies}:
        return keep(Reason.NO_POLICY, f"policy {policy}, which had planned it, is not in force any more")
    protected = judge_protections(now, rules.protections, moment)
    sentence = f"policy {policy}: its deletion failed ({now.status}); tried again"
    return protected or Verdict(Decision.DELETE, Reason.POLICY, policy, sentence)


def under_way(removal: Removal, seen: Notebook, now: datetime, grace: timedelta) -> bool:
    """Tell whether an order of ours may be at work on a notebook that is to be kept, so that it is followed first."""
    match removal.state:
        case State.REQUESTED:
            return seen.status is Status.DELETING or may_still_arrive(removal, now, grace)
        case State.ACCEPTED:
            return seen.status is Status.DELETING
        case _:
            return removal.state is State.STOPPING and seen.status is Status.STOPPING


def kept_in_use(verdict: Verdict) -> Verdict:
    """Turn "stop it first" into KEEP, for a notebook that runs although it had been stopped, or begun to be deleted."""
    sentence = f"it runs again, so somebody has started it since ({verdict.sentence})"
    return Verdict(Decision.KEEP, Reason.RUNNING, verdict.rule, sentence, verdict.findings)


def why_no_longer(notebook: Notebook, rules: Rules, policy: str, moment: Moment) -> str:
    """Say which conditions of the policy that had planned a notebook do not hold any more."""
    match = next(rule.match for rule in rules.policies if rule.name == policy)
    finding = match.check(notebook, moment)
    failed = [*leaves(finding, Truth.FAIL), *leaves(finding, Truth.UNKNOWN)]
    return f"policy {policy} does not match any more: {'; '.join(str(leaf) for leaf in failed)}"
