"""The result of verifying the audit trail, and what heads that were noted earlier say about it."""

from collections.abc import Collection, Iterable, Mapping, Sequence

from msgspec import Struct

from nbsweep.core.audit.chain import LEGACY, START, Break, Flaw, Head
from nbsweep.core.audit.entries import AuditCoverage
from nbsweep.core.audit.heads import AllHeads, ChainHead, NotedHead


class VerifiedChain(Struct, frozen=True):
    """The result for one chain."""

    chain: str
    after: Head
    """The entry behind which the verification began; number 0 if it began with the first entry."""
    head: Head
    """The last entry of the unbroken part."""
    broken: Break | None = None
    noted: tuple[Head, ...] = ()
    """The heads that were noted earlier, and found again."""


class VerifiedTrail(Struct, frozen=True):
    """The result of a verification."""

    chains: tuple[VerifiedChain, ...] = ()
    """The legacy chain first, and then the others, sorted by name; chains without an entry only if one was noted."""
    coverage: tuple[AuditCoverage, ...] = ()
    noted: tuple[NotedHead, ...] = ()
    """All heads that were noted earlier."""
    broken: Break | None = None
    """What is wrong with all chains together; None if that is nothing, or is said of a chain."""
    together: AllHeads | None = None
    """The heads of all chains; None if a chain is broken, or there is no entry."""
    following: ChainHead | None = None
    """Where the verification stopped before the end; None if it came to the end."""

    @property
    def is_unbroken(self) -> bool:
        """Whether nothing is wrong with what was verified."""
        return self.broken is None and not any(each.broken for each in self.chains)

    @property
    def older(self) -> int:
        """The number of removals that are older than the trail."""
        return sum(each.older for each in self.coverage)


def heads_by_chain(noted: Iterable[NotedHead], chains: Collection[str]) -> Mapping[str, Sequence[Head]]:
    """Assign the noted heads of single chains to the chains that they belong to.

    A note that names no chain is of the legacy chain. If there is none, it is of the only chain; if there are several, it stays
    with the legacy chain, and is not found.
    """
    only = next(iter(chains)) if len(chains) == 1 else LEGACY
    unnamed = LEGACY if LEGACY in chains else only
    assigned: dict[str, list[Head]] = {}
    for each in noted:
        if isinstance(each, ChainHead):
            assigned.setdefault(unnamed if each.chain is None else each.chain, []).append(each.head)
    return assigned


def anchor_of(legacy: Head | None) -> Head:
    """Return what stands before the first entry of each chain of a target: the end of the legacy chain, if there is one."""
    return Head(0, legacy.digest) if legacy is not None else START


def differing(noted: AllHeads, head: Head) -> Break:
    """Return the break of a line for all chains whose digest is another."""
    problem = (
        "the heads of all chains are not those that were noted: at least one chain was rewritten, or the note is of another "
        "journal; the noted heads of single chains tell which"
    )
    return Break(Flaw.REPLACED, sum(last for _, last in noted.sequences), problem, head)
