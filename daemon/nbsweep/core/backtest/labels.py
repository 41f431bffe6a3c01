"""Labels a would-be deletion by what became of its notebook within the horizon. Pure.

Nothing after the horizon counts, except that a complete survey must follow it: otherwise nobody knows how the notebook was when
the horizon was over.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from msgspec import Struct
from msgspec.structs import replace

from nbsweep.core.backtest.model import CensorCause, Label, Labelled, Past, ReturnSign, WouldBe
from nbsweep.core.backtest.signs import Baseline, sign_of_return
from nbsweep.core.exemptions.covering import find_exemption
from nbsweep.core.exemptions.model import Exemption
from nbsweep.core.inventory.facts import KnownFacts
from nbsweep.core.judging.rules import Rules
from nbsweep.core.marks.clearing import ON_THE_WAY_OUT
from nbsweep.core.model import AT_REST

MOST_GAP = timedelta(days=8)
"""The longest time between two complete surveys in which a return cannot be missed; a weekly sweep keeps to it."""


class Sighting(Struct, frozen=True):
    """What a survey after the would-be deletion showed of the notebook."""

    at: datetime
    facts: KnownFacts | None = None
    """None if they cannot be read, or the notebook is gone."""
    gone: bool = False
    """Whether a complete survey no longer shows the instance."""


class Aftermath(Struct, frozen=True):
    """What is known of the time after a would-be deletion."""

    sightings: Sequence[Sighting]
    """In the order of the surveys; only the first of several that show the same in a row."""
    complete: Sequence[datetime]
    """The times of all complete surveys after the would-be deletion, in their order."""
    known_until: datetime
    """The end of the period of the back-test."""
    past: Past


def label(would_be: WouldBe, after: Aftermath, rules: Rules, horizon: timedelta) -> Labelled:
    """Return the label of a would-be deletion, the first that holds."""
    ends = would_be.at + horizon
    within = [sighting for sighting in after.sightings if sighting.at <= ends]
    gone_at = next((sighting.at for sighting in within if sighting.gone), None)
    if came_back := _first_return(would_be, within, after, rules, gone_at or ends):
        sign, at = came_back
        return Labelled(would_be, Label.CAME_BACK, sign=sign, label_at=at)
    if cause := _censored(would_be, within, after, ends, gone_at):
        return Labelled(would_be, Label.CENSORED, cause=cause)
    if gone_at is not None:
        return Labelled(would_be, Label.REMOVED_BY_OWNER, label_at=gone_at)
    return Labelled(would_be, Label.STILL_IDLE)


# ---- somebody came back ---------------------------------------------------------------------------------------------------


def _first_return(
    would_be: WouldBe, within: Iterable[Sighting], after: Aftermath, rules: Rules, until: datetime
) -> tuple[ReturnSign, datetime] | None:
    """Return how and when somebody came back first."""
    found = [*_seen_returns(would_be, within, after, rules), *_exempted(would_be, after.past.exemptions, until)]
    return min(found, key=lambda pair: pair[1], default=None)


def _seen_returns(
    would_be: WouldBe, within: Iterable[Sighting], after: Aftermath, rules: Rules
) -> Iterator[tuple[ReturnSign, datetime]]:
    base = Baseline(would_be.at, KnownFacts(would_be.notebook, would_be.last_active))
    for sighting in within:
        if sighting.facts is None:
            continue
        base = replace(base, ordered=_is_ordered(would_be, after.past, sighting.at))
        if sign := sign_of_return(base, sighting.facts, rules):
            yield sign, sighting.at
        if not base.rests and sighting.facts.notebook.status in AT_REST:
            base = replace(base, facts=sighting.facts)


def _is_ordered(would_be: WouldBe, past: Past, until: datetime) -> bool:
    """Return whether nbsweep really sent an order for the notebook since it would have been deleted."""
    return any(
        removal.notebook_id == would_be.notebook.id and removal.requested_at and would_be.at <= removal.requested_at <= until
        for removal in past.orders
    )


def _exempted(would_be: WouldBe, exemptions: Iterable[Exemption], until: datetime) -> Iterator[tuple[ReturnSign, datetime]]:
    """Yield the exemptions that were granted for the notebook; that one was revoked later changes nothing."""
    for exemption in exemptions:
        granted_at = exemption.granted_at
        if would_be.at < granted_at <= until:
            as_granted = (replace(exemption, revoked_at=None),)
            if find_exemption(would_be.notebook, as_granted, granted_at):
                yield ReturnSign.EXEMPTED, granted_at


# ---- nobody can say -------------------------------------------------------------------------------------------------------


def _censored(
    would_be: WouldBe, within: Sequence[Sighting], after: Aftermath, ends: datetime, gone_at: datetime | None
) -> CensorCause | None:
    """Return why nobody can say what became of the notebook; None if it is known."""
    if gone_at is not None and _is_ordered(would_be, after.past, gone_at):
        return CensorCause.DELETED_BY_NBSWEEP
    if gone_at is None and after.known_until < ends:
        return CensorCause.HORIZON_NOT_OVER
    if _is_gap(would_be.at, after.complete, gone_at or ends):
        return CensorCause.SURVEYS_MISSING
    if any(sighting.facts is None and not sighting.gone for sighting in within):
        return CensorCause.FACTS_UNREADABLE
    if would_be.stop_first and any(_is_in_use(sighting) for sighting in within):
        return CensorCause.RAN_ON
    return None


def _is_gap(begins: datetime, complete: Sequence[datetime], ends: datetime) -> bool:
    """Return whether there is no complete survey at the end or later, or too long a time between two on the way there."""
    last = next((place for place, at in enumerate(complete) if at >= ends), None)
    if last is None:
        return True
    return any(abs(later - earlier) > MOST_GAP for earlier, later in pairwise([begins, *complete[: last + 1]]))


def _is_in_use(sighting: Sighting) -> bool:
    return sighting.facts is not None and sighting.facts.notebook.status not in AT_REST | ON_THE_WAY_OUT
