"""Finds when a notebook goes at the earliest, if nothing happens but that its owner is told. Pure."""

from datetime import datetime, timedelta

from nbsweep.core.explain.flips import TICK, verdict_flips_at
from nbsweep.core.facts import Moment
from nbsweep.core.judging.rules import Rules
from nbsweep.core.judging.verdict import Decision, Verdict
from nbsweep.core.marks.grace import Grace, UnlessTold
from nbsweep.core.marks.model import Mark
from nbsweep.core.model import Notebook
from nbsweep.core.notices.deadlines import deadline_to_write, earliest_deadline
from nbsweep.core.policy import judge


def goes_at_the_earliest(notebook: Notebook, rules: Rules, moment: Moment) -> datetime | None:
    """Return from when on the rules let a notebook go at the earliest; None if they never do.

    An owner who has not been told is told as soon as a policy with grace matches. An owner who cannot be told keeps the
    notebook if the policy says so. What is held out is so from when it would have gone.
    """
    goes = _without_holdout(notebook, rules, moment)
    return None if goes is None else _held_until(goes, notebook, rules, moment)


def _without_holdout(notebook: Notebook, rules: Rules, moment: Moment) -> datetime | None:
    plain = rules.without_holdout
    if judge(notebook, plain, moment).decision is Decision.DELETE:
        return moment.now
    return verdict_flips_at(notebook, plain, moment) or _after_notice(notebook, plain, moment)


def _held_until(goes: datetime, notebook: Notebook, rules: Rules, moment: Moment) -> datetime:
    """Return until when a notebook that would go at a moment is held out; that moment if it is not."""
    # Any of the policies may match by then.
    lengths = [
        policy.holdout.lasts if policy.holdout and policy.holdout.takes(notebook.id) else timedelta(0)
        for policy in rules.policies
    ]
    hold = rules.holds.get(notebook.id)
    begun = hold is not None and hold.covers(notebook, moment)
    return max(goes, hold.until) if hold and begun and min(lengths) else goes + min(lengths)


def _after_notice(notebook: Notebook, rules: Rules, moment: Moment) -> datetime | None:
    """Return when the grace would end if the owner were told as soon as a policy with grace matches."""
    plain = rules.unannounced
    begins = moment.now if _goes(notebook, plain, moment) else verdict_flips_at(notebook, plain, moment)
    if begins is None:
        return None
    verdict = _goes(notebook, plain, Moment(begins, moment.last_active)) or _goes(
        notebook, plain, Moment(begins + TICK, moment.last_active)
    )
    grace = rules.graces.get(verdict.rule) if verdict else None
    return _deadline(rules.marks.get(notebook.id), grace, begins) if grace else None


def _goes(notebook: Notebook, rules: Rules, moment: Moment) -> Verdict | None:
    verdict = judge(notebook, rules, moment)
    return verdict if verdict.decision is Decision.DELETE else None


def _deadline(mark: Mark | None, grace: Grace, begins: datetime) -> datetime | None:
    if mark is None or not mark.open:
        return earliest_deadline(grace, begins)
    if mark.untold and not mark.retried and grace.unless_told is UnlessTold.KEEP:
        return None
    return deadline_to_write(mark, grace, begins)
