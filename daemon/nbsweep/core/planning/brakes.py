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
from nbsweep.core.runs import FAILURES, TRIED, FleetBefore

A_DAY = timedelta(days=1)
"""The time over which `max_per_day` counts."""
MOST_SKEW_S = 60.0
"""How far this machine's clock and the cloud's may differ."""
UNKNOWN_SKEW = (
    "no answer of the cloud says what time it is there, so that this machine's clock cannot be checked, and no age can be "
    "trusted. Make sure that every proxy between this machine and the cloud passes on the Date header of the answers, and run "
    "again"
)
A_FEW_MINUTES_S = 120.0
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


NOT_ANNOUNCED = (
    "Until then no further notebook is announced, neither now nor in a later sweep; with brakes.on_excess: trim, the longest "
    "idle are announced first"
)


class Refusal(Struct, frozen=True):
    """Why a brake refuses a plan, or stops a sweep."""

    brake: str
    """The configuration's key, or `incomplete-survey` or `clock-skew`."""
    message: str


# ---- whether what was seen can be trusted ---------------------------------------------------------------------------------


def judge_gaps(gaps: Sequence[str]) -> Refusal | None:
    """Refuse an incomplete survey; `gaps` holds the reasons, and is empty if the survey is complete."""
    if not gaps:
        return None
    return Refusal("incomplete-survey", f"the survey did not see everything: {'; '.join(gaps)}")


def judge_skew(skew_s: float | None) -> Refusal | None:
    """Refuse a clock that is more than a minute off, or whose difference is unknown (None)."""
    if skew_s is None:
        return Refusal("clock-skew", UNKNOWN_SKEW)
    if abs(skew_s) <= MOST_SKEW_S:
        return None
    return Refusal(
        "clock-skew",
        f"this machine's clock is {describe_skew(skew_s)} the cloud's, or has just been set or stood still, so that no age can "
        "be trusted. Set it from the network (NTP), and run again",
    )


def describe_skew(skew_s: float) -> str:
    """Return how far a clock is off, in words: ``10 minutes ahead of``."""
    far = f"{abs(skew_s) / 60:.0f} minutes" if abs(skew_s) >= A_FEW_MINUTES_S else f"{abs(skew_s):.0f} seconds"
    return f"{far} {'ahead of' if skew_s > 0 else 'behind'}"


def judge_drop(fleet: int, before: FleetBefore | None, most: Fraction | None, hidden: str = "") -> Refusal | None:
    """Refuse a fleet that has dropped by more than `most`, not counting nbsweep's own deletions; a small fleet may drop.

    `hidden` names workspaces that could not be listed; they may explain the drop, but do not excuse it.
    """
    if before is None or most is None or before.left < SMALL_FLEET or before.left - fleet <= most * before.left:
        return None
    ours = f" ({before.fleet}, of which nbsweep has deleted {before.deleted} since)" if before.deleted else ""
    known = f"{hidden}. " if hidden else ""
    return Refusal(
        "max_fleet_drop",
        f"{known}"
        f"{fleet} notebooks are seen, and after run {before.run_id} there were {before.left}{ours}: the fleet has fallen by "
        f"more than brakes.max_fleet_drop allows ({format_share(most)}). Look whether workspaces, features, scope or "
        "permissions hide the others. If they are really gone, run once with brakes.max_fleet_drop: null (a dry run will do): "
        "the next run is then compared with that one",
    )


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
    return Refusal(refusal.brake, f"{refusal.message}. {NOT_ANNOUNCED}")


def _excess_in_all(count: int, allowed: int | None) -> Refusal | None:
    if allowed is None or count <= allowed:
        return None
    return Refusal(
        "max_deletions",
        f"{count} notebooks would go, and brakes.max_deletions allows {allowed}. "
        "Narrow the policies, raise the brake, or set brakes.on_excess: trim",
    )


def _allowed_share(fleet: int, share: Fraction) -> int:
    """Return how many notebooks a share allows: at least one unless it is 0%, so that small fleets are swept too."""
    return max(1, int(share * fleet)) if share else 0


def _excess_of_share(count: int, fleet: int, share: Fraction | None) -> Refusal | None:
    if share is None or count <= _allowed_share(fleet, share):
        return None
    return Refusal(
        "max_share",
        f"{count} of {fleet} notebooks would go, and brakes.max_share allows {_allowed_share(fleet, share)} "
        f"({format_share(share)}). Narrow the policies, raise the brake, or set brakes.on_excess: trim",
    )


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
    more = f"; {others} other owner{'s have' if others > 1 else ' has'} too many, too" if others else ""
    return Refusal(
        "max_per_owner",
        f"{count} notebooks of {owner} would go, and brakes.max_per_owner allows {allowed} of one owner{more}",
    )


def _left_of_day(requested: int, allowed: int) -> int:
    return max(0, allowed - requested)


def _excess_of_day(count: int, requested: int, allowed: int | None) -> Refusal | None:
    if allowed is None or count <= _left_of_day(requested, allowed):
        return None
    return Refusal(
        "max_per_day",
        f"{count} notebooks would go, and {requested} were requested in the last 24 hours; brakes.max_per_day allows {allowed} "
        "in all. Wait, narrow the policies, raise the brake, or set brakes.on_excess: trim",
    )


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


def describe_trim(trimmed: Trimmed, brakes: Brakes, fleet: int, requested: int) -> str:
    """Return what was cut by which brakes, in words; empty if nothing was."""
    if not trimmed.cut:
        return ""
    allowed = {
        "max_per_owner": f"allows {brakes.max_per_owner} of one owner",
        "max_share": _share_words(fleet, brakes.max_share or Fraction(0)),
        "max_deletions": f"allows {brakes.max_deletions}",
        "max_per_day": f"allows {brakes.max_per_day}, and {requested} were requested in the last 24 hours",
    }
    parts = [f"{count} by brakes.{brake}, which {allowed[brake]}" for brake, count in trimmed.cut.items()]
    cut, left = sum(trimmed.cut.values()), len(trimmed.items)
    rest = f"{cut} of {cut + left} left out, the longest idle go first" if left else f"all {cut} left out"
    return f"{rest}: {'; '.join(parts)}"


def _share_words(fleet: int, share: Fraction) -> str:
    return f"allows {_allowed_share(fleet, share)} ({format_share(share)} of {fleet})"


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
    return Refusal(
        "max_failures",
        f"of {begun} removals that were begun {failed} have failed or timed out, and brakes.max_failures allows "
        f"{format_share(most)}: no more are begun. See to their causes, or raise the brake, and run again",
    )
