"""What was in force at a moment of the past: exemptions, removals, and clocks that were ahead."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta

from msgspec.structs import replace

from nbsweep.core.exemptions.model import Exemption
from nbsweep.core.inventory.model import SurveyRecord
from nbsweep.core.lifecycle import Removal, State
from nbsweep.core.planning.brakes import A_DAY

MOST_BACK = timedelta(hours=1)
"""How much earlier than its predecessor a survey may be: two surveys at the same time may be recorded in either order."""


def in_force_at(exemptions: Iterable[Exemption], target: str, at: datetime) -> tuple[Exemption, ...]:
    """Return the exemptions of a target that were in force at a moment, the oldest first, as they were then."""
    found = (
        replace(each, revoked_at=None, revoked_by="", revoked_reason="")
        for each in exemptions
        if each.target in ("", target)
        and each.granted_at <= at < each.until
        and (each.revoked_at is None or at < each.revoked_at)
    )
    return tuple(sorted(found, key=lambda each: (each.granted_at, each.id)))


def with_clock_ahead(surveys: Sequence[SurveyRecord]) -> frozenset[int]:
    """Return the numbers of the surveys whose time is later than that of a following survey.

    Their clock was ahead, so that every notebook looked older than it was.
    """
    earliest_after: datetime | None = None
    found = set()
    for survey in reversed(surveys):
        if earliest_after is not None and survey.at - earliest_after > MOST_BACK:
            found.add(survey.id)
        earliest_after = survey.at if earliest_after is None else min(earliest_after, survey.at)
    return frozenset(found)


def count_requested(orders: Iterable[Removal], at: datetime, besides: Collection[str]) -> int:
    """Count the DELETEs that nbsweep really sent in the 24 hours before a moment, without those of some notebooks."""
    return sum(
        each.requests > 0 and each.sent_at is not None and at - A_DAY <= each.sent_at <= at and each.notebook_id not in besides
        for each in orders
    )


def count_deleted(orders: Iterable[Removal], since: datetime, at: datetime, besides: Collection[str]) -> int:
    """Count the notebooks that nbsweep really deleted between two moments, without some notebooks."""
    return sum(
        each.state is State.DELETED and since <= each.planned_at <= at and each.notebook_id not in besides for each in orders
    )


def ends_at(orders: Iterable[Removal], at: datetime) -> tuple[Removal, ...]:
    """Return the removals that had ended at a moment, from which cool-downs follow."""
    return tuple(each for each in orders if each.ended_at is not None and each.ended_at <= at)
