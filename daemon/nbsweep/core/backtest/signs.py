"""The signs that somebody came back to a notebook: they used it, or they kept it."""

from datetime import datetime

from msgspec import Struct

from nbsweep.core.backtest.model import ReturnSign
from nbsweep.core.facts import Moment
from nbsweep.core.inventory.facts import KnownFacts
from nbsweep.core.judging.rules import Rules
from nbsweep.core.judging.verdict import Reason
from nbsweep.core.marks.clearing import ON_THE_WAY_OUT
from nbsweep.core.model import AT_REST, Notebook, Status
from nbsweep.core.policy import judge_protections

NOT_BY_USERS = ON_THE_WAY_OUT | {Status.FROZEN}
"""States whose date of change says nothing about a use: a deletion has begun, or the cloud has frozen the notebook."""


class Baseline(Struct, frozen=True):
    """The notebook with which a later sighting is compared."""

    at: datetime
    """When the notebook would have been deleted."""
    facts: KnownFacts
    """Its facts then; of a notebook that ran, those of the first time since when it was at rest."""
    ordered: bool = False
    """Whether nbsweep itself has really sent an order since, which changes states and dates, too."""

    @property
    def rests(self) -> bool:
        """Whether the notebook was at rest."""
        return self.facts.notebook.status in AT_REST


def sign_of_return(base: Baseline, seen: KnownFacts, rules: Rules) -> ReturnSign | None:
    """Return how the facts of a notebook show that somebody came back; None if they do not.

    In doubt somebody came back: a date that has moved counts as a use, unless the state explains it.
    """
    before, now = base.facts.notebook, seen.notebook
    checks = (
        (ReturnSign.STARTED, _is_started(base, seen)),
        (ReturnSign.RENEWED, _is_renewed(base, now)),
        (ReturnSign.PROTECTED, _is_protected(base, now, rules)),
        (ReturnSign.RENAMED, bool(before.name and now.name) and before.name != now.name),
        (ReturnSign.PASSED_ON, bool(before.owner.id and now.owner.id) and before.owner.id != now.owner.id),
        (ReturnSign.CHANGED, _is_changed(base, now)),
    )
    return next((sign for sign, holds in checks if holds), None)


def _is_started(base: Baseline, seen: KnownFacts) -> bool:
    """Return whether a notebook that was at rest was started, or seen in use, or could not be started."""
    status = seen.notebook.status
    if not base.rests or status in ON_THE_WAY_OUT:
        return False
    if status not in AT_REST:
        return not (base.ordered and status is Status.STOPPING)
    if status is Status.START_FAILED and base.facts.notebook.status is not Status.START_FAILED:
        return True
    return not base.ordered and seen.last_active is not None and seen.last_active > base.at


def _is_renewed(base: Baseline, now: Notebook) -> bool:
    known = base.facts.notebook.lease
    changed_at = now.lease.updated_at if now.lease else None
    return changed_at is not None and changed_at > ((known.updated_at if known else None) or base.at)


def _is_protected(base: Baseline, now: Notebook, rules: Rules) -> bool:
    """Return whether a protection matches that did not match before; by the time of then, so that none matches by age."""
    last_active = {now.id: base.facts.last_active} if base.facts.last_active else {}
    verdict = judge_protections(now, rules.protections, Moment(base.at, last_active))
    return verdict is not None and verdict.reason is Reason.PROTECTED


def _is_changed(base: Baseline, now: Notebook) -> bool:
    """Return whether the date of change of a notebook at rest has moved."""
    if not base.rests or base.ordered or now.status not in AT_REST - NOT_BY_USERS or now.updated_at is None:
        return False
    return now.updated_at > (base.facts.notebook.updated_at or base.at)
