"""Keeps a notebook that is held out of the deletions of its policy."""

from msgspec.structs import replace

from nbsweep.core.facts import Moment
from nbsweep.core.judging.rules import Rules
from nbsweep.core.judging.verdict import Decision, Reason, Verdict
from nbsweep.core.model import Notebook
from nbsweep.core.reasons.model import Cause, CauseCode


def judge_holdout(notebook: Notebook, rules: Rules, verdict: Verdict, moment: Moment) -> Verdict:
    """Return the verdict DELETE of a policy, or KEEP until the end of its holdout if the notebook is one of the share.

    Without a hold on record, the whole time is still to come.
    """
    holdout = rules.holdout_of(verdict.rule)
    if verdict.decision is Decision.KEEP or holdout is None or not holdout.takes(notebook.id):
        return verdict
    hold = rules.holds.get(notebook.id)
    until = hold.until if hold and hold.covers(notebook, moment) else moment.now + holdout.lasts
    if until <= moment.now:
        return verdict
    cause = Cause(CauseCode.HELD_OUT, verdict.rule, params={"until": until.isoformat()}, because=verdict.cause)
    return replace(Verdict(Decision.KEEP, Reason.HELD_OUT, verdict.rule, cause, verdict.findings), until=until)
