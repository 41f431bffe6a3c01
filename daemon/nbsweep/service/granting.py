"""Grants an exemption in the journal, and looks at what it does. The command line and the HTTP API share it."""

from nbsweep.core.exemptions.model import Exemption
from nbsweep.core.granting.effect import GrantEffect, effect_of
from nbsweep.core.marks.model import OPEN, Mark
from nbsweep.core.ports import Journal

MOST_MARKS = 100_000
"""Number of open marks that are looked at."""


async def grant(journal: Journal, exemption: Exemption) -> GrantEffect:
    """Grant an exemption; return what it does.

    Raises:
        ExemptionExists: there is one with this id.
        JournalError: it could not be granted, or its effect could not be read.
    """
    await journal.exemptions.grant(exemption)
    return await read_effect(journal, exemption)


async def read_effect(journal: Journal, exemption: Exemption) -> GrantEffect:
    """Return the effect of an exemption that was granted.

    Since the grant no DELETE can be requested by rules that do not know it, so that all earlier ones are read here.

    Raises:
        JournalError: it could not be read.
    """
    marks = await _marks_near(journal, exemption)
    return effect_of(exemption, marks, await journal.unfinished(exemption.target or None))


async def _marks_near(journal: Journal, exemption: Exemption) -> tuple[Mark, ...]:
    """Return open marks, among them all that the exemption covers."""
    selector = exemption.selector
    if selector.notebook_id is None:
        return await journal.marks.marks(MOST_MARKS, OPEN, exemption.target or None, selector.owner)
    return tuple(mark for mark in await journal.marks.marks_of(selector.notebook_id) if mark.open)
