"""Finds the notebooks that a sweep would have deleted first now, and holds out instead. Pure."""

from collections.abc import Iterator

from nbsweep.core.facts import Moment
from nbsweep.core.holdout.model import Hold
from nbsweep.core.identity import TargetIdentity
from nbsweep.core.judging.rules import Rules
from nbsweep.core.planning.plan import Candidate, Survey


def new_holds(survey: Survey, identity: TargetIdentity, rules: Rules, moment: Moment) -> Iterator[Hold]:
    """Yield the holds that begin with a survey.

    A notebook without a date of creation gets none: nobody could show later that it is the same one, so it is spared for good.
    """
    for candidate in survey.held:
        known = rules.holds.get(candidate.notebook.id)
        begun = known is not None and known.covers(candidate.notebook, moment)
        if not begun and (hold := _hold_of(candidate, survey, identity)):
            yield hold


def _hold_of(candidate: Candidate, survey: Survey, identity: TargetIdentity) -> Hold | None:
    notebook, until = candidate.notebook, candidate.verdict.until
    if notebook.created_at is None or until is None:
        return None
    return Hold(
        project=identity.project,
        notebook_id=notebook.id,
        notebook_created_at=notebook.created_at,
        since=survey.taken_at,
        until=until,
        target=survey.target,
        policy=candidate.verdict.rule,
        name=notebook.label,
        owner=notebook.owner_label,
        capacity_gb=notebook.volume.reclaimable_gb if notebook.volume else None,
    )
