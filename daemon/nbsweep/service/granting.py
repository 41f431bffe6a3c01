"""Grants and revokes exemptions in the journal, and looks at what a grant does. The command line and the HTTP API share it."""

from datetime import datetime

from msgspec import Struct

from nbsweep.core.events.exemptions import ExemptionGranted, ExemptionRevoked
from nbsweep.core.exemptions.model import Exemption
from nbsweep.core.granting.effect import GrantEffect, covered_marks, effect_of, removal_in_the_way
from nbsweep.core.lifecycle import State
from nbsweep.core.marks.model import OPEN, Mark
from nbsweep.core.ports import Journal, Telemetry

MOST_MARKS = 100_000
"""Number of open marks that are looked at."""


async def grant(journal: Journal, exemption: Exemption, telemetry: Telemetry) -> GrantEffect:
    """Grant an exemption; return what it does.

    Raises:
        ExemptionExists: there is one with this id.
        JournalError: it could not be granted, or its effect could not be read.
    """
    await journal.exemptions.grant(exemption)
    telemetry.emit(ExemptionGranted.of(exemption))
    return await read_effect(journal, exemption)


class Revoker(Struct, frozen=True):
    """Who revokes an exemption, when, and why."""

    name: str
    at: datetime
    reason: str


async def revoke(journal: Journal, exemption_id: str, revoker: Revoker, telemetry: Telemetry) -> Exemption | None:
    """Revoke an exemption; return it as it is then, or None if there is none. One that was revoked before stays as it is.

    Raises:
        JournalError: it could not be revoked.
    """
    revoked = await journal.exemptions.revoke(exemption_id, revoker.at, revoker.name, revoker.reason)
    if revoked is not None and revoked.revoked_at == revoker.at:
        telemetry.emit(ExemptionRevoked.of(revoked))
    return revoked


async def read_effect(journal: Journal, exemption: Exemption) -> GrantEffect:
    """Return the effect of an exemption that was granted.

    Since the grant no DELETE can be requested by rules that do not know it, so that all earlier ones are read here.

    Raises:
        JournalError: it could not be read.
    """
    marks = covered_marks(exemption, await _marks_near(journal, exemption))
    unfinished = await journal.unfinished(exemption.target or None)
    # The marks of notebooks that a sweep has deleted stay open until it ends.
    ended = [removal_in_the_way(mark, await journal.removals_of(mark.notebook_id)) for mark in marks]
    return effect_of(exemption, marks, unfinished, [each for each in ended if each and each.state is State.DELETED])


async def _marks_near(journal: Journal, exemption: Exemption) -> tuple[Mark, ...]:
    """Return open marks, among them all that the exemption covers."""
    selector = exemption.selector
    if selector.notebook_id is None:
        return await journal.marks.marks(MOST_MARKS, OPEN, exemption.target or None, selector.owner)
    return tuple(mark for mark in await journal.marks.marks_of(selector.notebook_id) if mark.open)
