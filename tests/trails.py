"""Reads the audit trail of a journal as a whole."""

from nbsweep.core.audit.chain import START, Link, verify
from nbsweep.core.ports import Journal

ALL = 1_000_000


async def whole_trail(journal: Journal) -> list[Link]:
    """Return all entries in the order of all chains, each of which must be unbroken; the journal was never migrated."""
    links: list[Link] = []
    heads = await journal.trail.heads()
    for chain in await journal.trail.chains():
        part = await journal.trail.after(chain, 0, ALL)
        assert verify(part) == (heads[chain] if heads[chain].sequence else START)
        links += part
    return sorted(links, key=lambda link: link.position)
