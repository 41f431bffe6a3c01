"""The brakes: limits on a plan that is too large, and on a sweep with too many failures.

A brake on the size of a plan cuts the end of its ordered list. A plan is also refused if its survey is incomplete, if the fleet
is much smaller than at the last survey, or if this machine's clock differs from the cloud's.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta
from enum import StrEnum
from fractions import Fraction

from msgspec import Struct

from nbsweep.core.lifecycle import State
from nbsweep.core.model import Notebook
from nbsweep.core.reasons.model import Param
from nbsweep.core.reasons.sentences.brakes import BrakeCode
from nbsweep.core.reasons.statement import SEVERAL, Statement
from nbsweep.core.reasons.statement_wordings import A_FEW_MINUTES_S, describe_statement, far_words
from nbsweep.core.runs import FAILURES, TRIED, FleetBefore

A_DAY = timedelta(days=1)
"""The time over which `max_per_day` counts."""
MOST_SKEW_S = 60.0
"""How far this machine's clock and the cloud's may differ."""
SMALL_FLEET = 10
"""With fewer notebooks than this, `max_fleet_drop` does not apply."""
FEW_ENDS = 10
"""With fewer ends than this, `max_failures` does not apply."""
MOST_FAILURES = Fraction(1, 4)


class OnExcess(StrEnum):
    """What a brake does with a plan that is too large."""

    REFUSE = "refuse"
    TRIM = "trim"


class Brakes(Struct, frozen=True):
    """Limits on one target's plan; None switches one off."""

    max_deletions: int | None = 100
    max_share: Fraction | None = Fraction(1, 4)
    """The share of the fleet."""
    max_per_owner: int | None = None
    on_excess: OnExcess = OnExcess.REFUSE
    max_per_day: int | None = None
    """Over all runs of the target in the last 24 hours."""
    max_fleet_drop: Fraction | None = Fraction(1, 2)
    """The share by which the fleet may be smaller than at the last survey."""


class Refusal(Struct, frozen=True):
    """Why a brake refuses a plan, or stops a sweep."""

    brake: str
    """The configuration's key, or `incomplete-survey` or `clock-skew`."""
    statement: Statement

    @property
    def message(self) -> str:
        """The figures and what to do, in English."""
        return describe_statement(self.statement)

    @property
    def sentence(self) -> str:
        """The brake and the message."""
        return f"{self.brake}: {self.message}"


# ---- whether what was seen can be trusted ---------------------------------------------------------------------------------


def judge_gaps(gaps: Sequence[str]) -> Refusal | None:
    """Refuse an incomplete survey; `gaps` holds the reasons, and is empty if the survey is complete."""
    if not gaps:
        return None
    return _refusal("incomplete-survey", BrakeCode.INCOMPLETE_SURVEY, gaps=SEVERAL.join(gaps))


def judge_skew(skew_s: float | None) -> Refusal | None:
    """Refuse a clock that is more than a minute off, or whose difference is unknown (None)."""
    if skew_s is None:
        return _refusal("clock-skew", BrakeCode.CLOCK_UNKNOWN)
    if abs(skew_s) <= MOST_SKEW_S:
        return None
    return _refusal("clock-skew", BrakeCode.CLOCK_AHEAD if skew_s > 0 else BrakeCode.CLOCK_BEHIND, far_s=_far_s(skew_s))


def _far_s(skew_s: float) -> int:
    """Return how far a clock is off, in whole seconds, or in whole minutes if that is more than a few."""
    return 60 * round(abs(skew_s) / 60) if abs(skew_s) >= A_FEW_MINUTES_S else round(abs(skew_s))


def describe_skew(skew_s: float) -> str:
    """Return how far a clock is off, in words: ``10 minutes ahead of``."""
    return f"{far_words(_far_s(skew_s))} {'ahead of' if skew_s > 0 else 'behind'}"


def judge_drop(
    fleet: int, before: FleetBefore | None, most: Fraction | None, hidden: Statement | None = None
) -> Refusal | None:
    """Refuse a fleet that has dropped by more than `most`, not counting nbsweep's own deletions; a small fleet may drop.

    `hidden` names workspaces that could not be listed; they may explain the drop, but do not excuse it.
    """
    if before is None or most is None or before.left < SMALL_FLEET or before.left - fleet <= most * before.left:
        return None
    params: dict[str, Param] = {"fleet": fleet, "run": before.run_id, "left": before.left, "limit": format_share(most)}
    dropped = Statement(BrakeCode.FLEET_DROP, params)
    if before.deleted:
        params |= {"before": before.fleet, "deleted": before.deleted}
        dropped = Statement(BrakeCode.FLEET_DROP_BESIDES_OURS, params)
    return Refusal("max_fleet_drop", Statement(BrakeCode.ALL_OF, parts=(hidden, dropped)) if hidden else dropped)


# ---- how much may go ------------------------------------------------------------------------------------------------------


def judge_excess(items: Sequence[Notebook], brakes: Brakes, fleet: int | None, requested: int) -> tuple[Refusal, ...]:
    """Return the refusal of each brake that these notebooks exceed.

    `fleet` is None if its size is unknown; then its share is, too. `requested` is the number of the last 24 hours.
    """
    found = (
        _excess_in_all(len(items), brakes.max_deletions),
        None if fleet is None else _excess_of_share(len(items), fleet, brakes.max_share),
        _excess_of_owner(items, brakes.max_per_owner),
        _excess_of_day(len(items), requested, brakes.max_per_day),
    )
    return tuple(filter(None, found))


def judge_count(count: int, brakes: Brakes, fleet: int) -> tuple[Refusal, ...]:
    """Return the refusals of so many notebooks, as far as they do not depend on which notebooks these are."""
    found = (_excess_in_all(count, brakes.max_deletions), _excess_of_share(count, fleet, brakes.max_share))
    return tuple(filter(None, found))


def judge_announcing(items: Sequence[Notebook], brakes: Brakes, fleet: int) -> tuple[Refusal, ...]:
    """Return the refusal of each brake that these notebooks exceed, which are announced or are to be announced."""
    return tuple(map(of_announcing, judge_excess(items, brakes, fleet, 0)))


def of_announcing(refusal: Refusal) -> Refusal:
    """Return the refusal of new marks, which says that nobody is told until somebody acts."""
    both = (refusal.statement, Statement(BrakeCode.NOT_ANNOUNCED))
    return Refusal(refusal.brake, Statement(BrakeCode.ALL_OF, parts=both))


def _excess_in_all(count: int, allowed: int | None) -> Refusal | None:
    if allowed is None or count <= allowed:
        return None
    return _refusal("max_deletions", BrakeCode.MAX_DELETIONS, count=count, allowed=allowed)


def _allowed_share(fleet: int, share: Fraction) -> int:
    """Return how many notebooks a share allows: at least one unless it is 0%, so that small fleets are swept too."""
    return max(1, int(share * fleet)) if share else 0


def _excess_of_share(count: int, fleet: int, share: Fraction | None) -> Refusal | None:
    if share is None or count <= _allowed_share(fleet, share):
        return None
    allowed = _allowed_share(fleet, share)
    return _refusal("max_share", BrakeCode.MAX_SHARE, count=count, fleet=fleet, allowed=allowed, limit=format_share(share))


def _excess_of_owner(items: Sequence[Notebook], allowed: int | None) -> Refusal | None:
    if allowed is None:
        return None
    counts = Counter(notebook.owner_key for notebook in items)
    key, count = max(counts.items(), key=lambda pair: pair[1], default=("", 0))
    if count <= allowed:
        return None
    labels = [notebook.owner_label for notebook in items if notebook.owner_key == key]
    owner = next((label for label in labels if label != key), key)
    others = sum(number > allowed for number in counts.values()) - 1
    params: dict[str, Param] = {"count": count, "owner": owner, "allowed": allowed}
    if others:
        return _refusal("max_per_owner", BrakeCode.MAX_PER_OWNER_AGAIN, **params, others=others)
    return _refusal("max_per_owner", BrakeCode.MAX_PER_OWNER, **params)


def _left_of_day(requested: int, allowed: int) -> int:
    return max(0, allowed - requested)


def _excess_of_day(count: int, requested: int, allowed: int | None) -> Refusal | None:
    if allowed is None or count <= _left_of_day(requested, allowed):
        return None
    return _refusal("max_per_day", BrakeCode.MAX_PER_DAY, count=count, requested=requested, allowed=allowed)


def _refusal(brake: str, code: BrakeCode, **params: Param) -> Refusal:
    return Refusal(brake, Statement(code, params))


class Trimmed(Struct, frozen=True):
    """The part of a list that every brake allows."""

    items: tuple[Notebook, ...]
    cut: Mapping[str, int]
    """How many notebooks each brake has cut, by its key; without brakes that cut none."""


def trim(items: Sequence[Notebook], brakes: Brakes, fleet: int, requested: int) -> Trimmed:
    """Return the first notebooks of the list that every brake allows."""
    owners = items if brakes.max_per_owner is None else _within_owners(items, brakes.max_per_owner)
    share = owners if brakes.max_share is None else owners[: _allowed_share(fleet, brakes.max_share)]
    in_all = share[: brakes.max_deletions]
    day = in_all if brakes.max_per_day is None else in_all[: _left_of_day(requested, brakes.max_per_day)]
    cut = {
        "max_per_owner": len(items) - len(owners),
        "max_share": len(owners) - len(share),
        "max_deletions": len(share) - len(in_all),
        "max_per_day": len(in_all) - len(day),
    }
    return Trimmed(tuple(day), {brake: count for brake, count in cut.items() if count})


def _within_owners(items: Sequence[Notebook], allowed: int) -> Sequence[Notebook]:
    taken: Counter[str] = Counter()
    within = []
    for notebook in items:
        taken[notebook.owner_key] += 1
        if taken[notebook.owner_key] <= allowed:
            within.append(notebook)
    return within


def describe_trim(trimmed: Trimmed, brakes: Brakes, fleet: int, requested: int) -> Statement | None:
    """Return what was cut by which brakes; None if nothing was."""
    if not trimmed.cut:
        return None
    share = brakes.max_share or Fraction(0)
    clauses: dict[str, tuple[BrakeCode, dict[str, Param]]] = {
        "max_per_owner": (BrakeCode.CUT_BY_OWNER, {"allowed": brakes.max_per_owner or 0}),
        "max_share": (
            BrakeCode.CUT_BY_SHARE,
            {"allowed": _allowed_share(fleet, share), "limit": format_share(share), "fleet": fleet},
        ),
        "max_deletions": (BrakeCode.CUT_BY_DELETIONS, {"allowed": brakes.max_deletions or 0}),
        "max_per_day": (BrakeCode.CUT_BY_DAY, {"allowed": brakes.max_per_day or 0, "requested": requested}),
    }
    parts = tuple(Statement(clauses[brake][0], {**clauses[brake][1], "count": count}) for brake, count in trimmed.cut.items())
    cut, left = sum(trimmed.cut.values()), len(trimmed.items)
    if not left:
        return Statement(BrakeCode.TRIMMED_TO_NOTHING, {"count": cut}, parts)
    return Statement(BrakeCode.TRIMMED, {"count": cut, "total": cut + left}, parts)


def format_share(share: Fraction) -> str:
    """Return a share as the configuration writes it: ``25%``."""
    return f"{float(share * 100):g}%"


# ---- how a sweep goes -----------------------------------------------------------------------------------------------------


def judge_failures(states: Mapping[State, int], most: Fraction | None) -> Refusal | None:
    """Refuse to go on if too many removals have failed; `states` counts the removals in each state.

    The share is of all removals that were begun, also those without an end: failures often show at once, while deletions take
    time. So a sweep is stopped only if the good end of all others could not make up for the failures. With few ends, or nothing
    left to begin, there is no refusal.
    """
    failed = sum(states.get(state, 0) for state in FAILURES)
    ended = sum(states.get(state, 0) for state in TRIED)
    begun = sum(states.values()) - states.get(State.PLANNED, 0) - states.get(State.SPARED, 0)
    if most is None or ended < FEW_ENDS or not states.get(State.PLANNED) or failed <= most * begun:
        return None
    limit = format_share(most)
    return _refusal("max_failures", BrakeCode.MAX_FAILURES, begun=begun, failed=failed, limit=limit)
