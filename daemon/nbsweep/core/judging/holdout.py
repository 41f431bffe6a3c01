"""Keeps a notebook that is held out of the deletions of its policy."""

from datetime import datetime

from msgspec.structs import replace

from nbsweep.core.facts import Moment
from nbsweep.core.holdout.model import Hold, Holdout
from nbsweep.core.judging.rules import Rules
from nbsweep.core.judging.verdict import Decision, Reason, Verdict
from nbsweep.core.marks.model import Mark
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


def spared_until(mark: Mark, due: datetime | None, holdout: Holdout, hold: Hold | None, now: datetime) -> datetime | None:
    """Return until when a notebook is held out at the earliest; None if it is none of the share, or nobody was told yet.

    `due` is when its grace ends, and `hold` the latest record about it. Without a record of this instance since its mark, the
    first sweep after the grace holds it out for the whole time.
    """
    if due is None or not mark.open or not holdout.takes(mark.notebook_id):
        return None
    if hold and hold.notebook_created_at == mark.notebook_created_at and hold.since >= mark.marked_at:
        return hold.until if hold.until > now else None
    return max(due, now) + holdout.lasts
