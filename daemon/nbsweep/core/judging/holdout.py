"""Keeps a notebook that is held out of the deletions of its policy."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from nbsweep.core.facts import Moment
from nbsweep.core.holdout.model import Hold, Holdout
from nbsweep.core.judging.rules import Rules
from nbsweep.core.judging.verdict import Decision, Reason, Verdict
from nbsweep.core.marks.grace import Grace
from nbsweep.core.marks.model import Mark
from nbsweep.core.marks.shown import ShownState, due_of, shown_state
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


class MarkRules(Struct, frozen=True):
    """What decides when a marked notebook may be deleted, beside the mark."""

    graces: Mapping[str, Grace]
    """By the name of the policy."""
    holdouts: Mapping[str, Holdout] = {}
    """By the name of the policy."""
    holds: Mapping[tuple[str, str], Hold] = {}
    """The latest holds by project and notebook."""


def holds_to_read(marks: Iterable[Mark], holdouts: Mapping[str, Holdout]) -> Mapping[str, Sequence[str]]:
    """Return the notebooks whose holds decide when their marks become due, by project."""
    found: dict[str, list[str]] = {}
    for mark in marks:
        if mark.policy in holdouts:
            found.setdefault(mark.project, []).append(mark.notebook_id)
    return dict(sorted(found.items()))


def mark_rules(
    graces: Mapping[str, Grace], holdouts: Mapping[str, Holdout], latest: Mapping[str, Mapping[str, Hold]]
) -> MarkRules:
    """Return the rules; `latest` has the latest hold of each notebook of `holds_to_read`, by project and notebook."""
    holds = {(project, each.notebook_id): each for project, found in latest.items() for each in found.values()}
    return MarkRules(graces, holdouts, holds)


class ShownMark(Struct, frozen=True):
    """A mark as people see it at a moment."""

    state: ShownState
    due_at: datetime | None
    """When its notebook may be deleted at the earliest; None until its owner is told."""
    held: timedelta | None = None
    """For how long the holdout keeps it after its deadline; None if it is none of the share."""


def show_mark(mark: Mark, rules: MarkRules, now: datetime) -> ShownMark:
    """Return a mark as people see it: one that is due, and belongs to the holdout of its policy, is held out."""
    due, holdout = due_of(mark, rules.graces), rules.holdouts.get(mark.policy)
    state = shown_state(mark, due, now)
    spared = spared_until(mark, due, holdout, rules.holds.get((mark.project, mark.notebook_id)), now) if holdout else None
    if holdout is None or spared is None:
        return ShownMark(state, due)
    return ShownMark(ShownState.HELD_OUT if state is ShownState.DUE else state, spared, holdout.lasts)
