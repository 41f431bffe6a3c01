"""What the page Fleet shows of the brakes: each in plain words, its limit, and the latest figure beside it."""

from collections.abc import Mapping
from fractions import Fraction

from msgspec import Struct

from nbsweep.core.planning.brakes import Brakes, Refusal
from nbsweep.core.reasons.statement import Statement
from nbsweep.core.runs import RunCounts, RunRecord
from nbsweep.service.control import TargetDetails
from nbsweep.service.web.messages import Message, message, plural

BRAKES: Mapping[str, Message] = {
    "max_deletions": message("Deletions in one sweep"),
    "max_share": message("Share of the notebooks in one sweep"),
    "max_per_owner": message("Deletions of one owner in one sweep"),
    "max_per_day": message("Deletions in 24 hours"),
    "max_failures": message("Share of removals that fail"),
    "max_fleet_drop": message("Notebooks that are gone since the last sweep"),
    "on_excess": message("A plan that is too large"),
}
"""The brakes in plain words, by the keys of the configuration."""
ON_EXCESS: Mapping[str, Message] = {
    "refuse": message("is refused"),
    "trim": message("is cut; those that are idle for longest stay in it"),
}
"""What happens to a plan that is too large, by the values of the configuration."""


REFUSALS: Mapping[str, Message] = {
    **BRAKES,
    "incomplete-survey": message("The survey did not see all notebooks"),
    "clock-skew": message("The clock of this machine differs from the cloud's"),
}
"""The brakes that refuse a plan, by what a refusal names."""


class RefusalView(Struct, frozen=True):
    """Why a brake refuses a plan."""

    name: Message | None
    """The brake in plain words; None for one of another version."""
    statement: Statement
    """The figures and what to do."""


def refusal_view(refusal: Refusal) -> RefusalView:
    """Return a refusal as a page shows it."""
    return RefusalView(REFUSALS.get(refusal.brake), refusal.statement)


class BrakeView(Struct, frozen=True):
    """One brake: its limit, and the latest figure that it was held against."""

    name: Message
    key: str
    """The key of the configuration."""
    limit: Message
    figure: Message | None
    """None if there is none."""
    reached: bool
    """Whether the figure is at the limit or beyond."""


def brakes_of(details: TargetDetails, last: RunRecord | None, counts: RunCounts | None) -> list[BrakeView]:
    """Return the brakes of a target; `last` is its latest sweep that made a plan, `counts` the ends of the latest one."""
    brakes = details.brakes
    planned = last.planned if last else None
    fleet = last.fleet if last else None
    return [
        _count_brake("max_deletions", brakes.max_deletions, planned),
        _share_brake(brakes, planned, fleet),
        _count_brake("max_per_owner", brakes.max_per_owner, None),
        _count_brake("max_per_day", brakes.max_per_day, details.requested),
        _failures_brake(details.max_failures, counts),
        _brake("max_fleet_drop", _share_limit(brakes.max_fleet_drop), None, reached=False),
    ]


def _brake(key: str, limit: Message, figure: Message | None, *, reached: bool) -> BrakeView:
    return BrakeView(BRAKES[key], key, limit, figure, reached)


def _count_brake(key: str, limit: int | None, figure: int | None) -> BrakeView:
    return _brake(
        key,
        message("no limit") if limit is None else message("%(limit)s notebooks", limit=limit),
        None if figure is None else plural("%(count)s notebook", "%(count)s notebooks", figure),
        reached=limit is not None and figure is not None and figure >= limit,
    )


def _share_brake(brakes: Brakes, planned: int | None, fleet: int | None) -> BrakeView:
    known = planned is not None and fleet
    figure = message("%(planned)s of %(fleet)s notebooks", planned=planned or 0, fleet=fleet or 0) if known else None
    limit = brakes.max_share
    reached = bool(limit is not None and planned and fleet and planned >= limit * fleet)
    return _brake("max_share", _share_limit(limit), figure, reached=reached)


def _failures_brake(limit: Fraction | None, counts: RunCounts | None) -> BrakeView:
    ends = counts.ends if counts else {}
    failed, begun = ends.get("failed", 0) + ends.get("timed_out", 0), sum(ends.values()) - ends.get("spared", 0)
    figure = message("%(failed)s of %(begun)s removals", failed=failed, begun=begun) if begun else None
    reached = bool(limit is not None and begun and failed and failed >= limit * begun)
    return _brake("max_failures", _share_limit(limit), figure, reached=reached)


def _share_limit(limit: Fraction | None) -> Message:
    return message("no limit") if limit is None else message("%(percent)s%%", percent=float(limit * 100))
