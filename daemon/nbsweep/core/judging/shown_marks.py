"""Marks as people see them: what a holdout or an exemption keeps is not due."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from nbsweep.core.exemptions.covering import find_exemption
from nbsweep.core.exemptions.model import Exemption
from nbsweep.core.holdout.model import Hold, Holdout
from nbsweep.core.judging.holdout import spared_until
from nbsweep.core.judging.rules import Rules
from nbsweep.core.judging.verdict import Reason, Verdict
from nbsweep.core.marks.grace import Grace
from nbsweep.core.marks.model import Mark
from nbsweep.core.marks.shown import MarkTotals, ShownState, due_of, shown_state
from nbsweep.core.model import Named, Notebook

ANY_NOTEBOOK = ""
"""The key of exemptions that name no notebook."""


class MarkRules(Struct, frozen=True):
    """What decides when a marked notebook may be deleted, beside the mark."""

    graces: Mapping[str, Grace]
    """By the name of the policy."""
    holdouts: Mapping[str, Holdout] = {}
    """By the name of the policy."""
    holds: Mapping[tuple[str, str], Hold] = {}
    """The latest holds by project and notebook."""
    exemptions: Mapping[str, Sequence[Exemption]] = {}
    """Those in force, by the notebook that they name; those that name none under `ANY_NOTEBOOK`."""


NO_RULES = MarkRules({})


def holds_to_read(marks: Iterable[Mark], holdouts: Mapping[str, Holdout]) -> Mapping[str, Sequence[str]]:
    """Return the notebooks whose holds decide when their marks become due, by project."""
    found: dict[str, list[str]] = {}
    for mark in marks:
        if mark.policy in holdouts:
            found.setdefault(mark.project, []).append(mark.notebook_id)
    return dict(sorted(found.items()))


def mark_rules(
    graces: Mapping[str, Grace],
    holdouts: Mapping[str, Holdout],
    latest: Mapping[str, Mapping[str, Hold]],
    exemptions: Iterable[Exemption] = (),
) -> MarkRules:
    """Return the rules; `latest` has the latest hold of each notebook of `holds_to_read`, by project and notebook."""
    holds = {(project, each.notebook_id): each for project, found in latest.items() for each in found.values()}
    by_notebook: dict[str, list[Exemption]] = {}
    for exemption in exemptions:
        by_notebook.setdefault(exemption.selector.notebook_id or ANY_NOTEBOOK, []).append(exemption)
    return MarkRules(graces, holdouts, holds, by_notebook)


def mark_rules_of(rules: Rules) -> MarkRules:
    """Return what the rules of a sweep say about marks."""
    by_project: dict[str, dict[str, Hold]] = {}
    for notebook_id, hold in rules.holds.items():
        by_project.setdefault(hold.project, {})[notebook_id] = hold
    return mark_rules(rules.graces, rules.holdouts, by_project, rules.exemptions)


class ShownMark(Struct, frozen=True):
    """A mark as people see it at a moment."""

    state: ShownState
    due_at: datetime | None
    """When its notebook may be deleted at the earliest; None until its owner is told."""
    held: timedelta | None = None
    """For how long the holdout keeps it after its deadline; None if it is none of the share."""
    exempt_until: datetime | None = None
    """The end of the exemption that keeps it; None if none does."""


def show_mark(mark: Mark, rules: MarkRules, now: datetime) -> ShownMark:
    """Return a mark as people see it.

    An open mark whose notebook was exempted is exempt until the next sweep clears it. One that is due, and belongs to the
    holdout of its policy, is held out.
    """
    due, holdout = due_of(mark, rules.graces), rules.holdouts.get(mark.policy)
    if exemption := _exemption_of(mark, rules, now):
        return ShownMark(ShownState.EXEMPT, max(due, exemption.until) if due else None, exempt_until=exemption.until)
    state = shown_state(mark, due, now)
    spared = spared_until(mark, due, holdout, rules.holds.get((mark.project, mark.notebook_id)), now) if holdout else None
    if holdout is None or spared is None:
        return ShownMark(state, due)
    return ShownMark(ShownState.HELD_OUT if state is ShownState.DUE else state, spared, holdout.lasts)


def show_judged(mark: Mark, due: datetime | None, verdict: Verdict, now: datetime) -> ShownMark:
    """Return a mark as people see it whose notebook was judged by all rules; `due` is when its grace ends."""
    if verdict.reason is Reason.HELD_OUT:
        return ShownMark(ShownState.HELD_OUT, verdict.until)
    if verdict.reason is Reason.EXEMPT and verdict.until:
        return ShownMark(ShownState.EXEMPT, max(due, verdict.until) if due else None, exempt_until=verdict.until)
    return ShownMark(shown_state(mark, due, now), due)


def _exemption_of(mark: Mark, rules: MarkRules, now: datetime) -> Exemption | None:
    """Return the exemption that keeps the notebook of an open mark; None if none does, or if that is uncertain."""
    if not (mark.open and rules.exemptions):
        return None
    near = (*rules.exemptions.get(mark.notebook_id, ()), *rules.exemptions.get(ANY_NOTEBOOK, ()))
    mine = [each for each in near if each.target in ("", mark.target)]
    found = find_exemption(_notebook_of(mark), mine, now) if mine else None
    return found.exemption if found and not found.missing else None


def _notebook_of(mark: Mark) -> Notebook:
    """Return what exemptions look at, as it was when the notebook was marked."""
    owner = Named(mark.owner_id or None, mark.owner_name or None)
    return Notebook(mark.notebook_id, mark.status, mark.name or None, owner=owner, created_at=mark.notebook_created_at)


def count_marks(marks: Iterable[Mark], rules: MarkRules, now: datetime) -> MarkTotals:
    """Count open marks by their states."""
    open_marks = [(mark, show_mark(mark, rules, now)) for mark in marks if mark.open]
    counts = Counter(shown.state for _, shown in open_marks)
    told = [shown.due_at for _, shown in open_marks if shown.state is ShownState.TOLD]
    untold = [mark for mark, shown in open_marks if shown.state is ShownState.MARKED and mark.untold]
    return MarkTotals(
        marked=counts[ShownState.MARKED],
        told=counts[ShownState.TOLD],
        due=counts[ShownState.DUE],
        untold=len(untold),
        next_due=min((due for due in told if due and due > now), default=None),
        retried=sum(mark.retried for mark in untold),
        held_out=counts[ShownState.HELD_OUT],
        exempt=counts[ShownState.EXEMPT],
    )
