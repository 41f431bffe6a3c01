"""Verifies the audit trail, chain by chain and in parts, so that the memory stays bounded."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import compress

from nbsweep.core.audit.chain import (
    LEGACY,
    START,
    Break,
    Flaw,
    Head,
    Link,
    verify,
    verify_coverage,
    verify_end,
    verify_recorded,
)
from nbsweep.core.audit.entries import AuditCoverage
from nbsweep.core.audit.heads import AllHeads, ChainHead, NotedHead, in_order, join_heads
from nbsweep.core.audit.trail import AuditTrail
from nbsweep.core.audit.verification import VerifiedChain, VerifiedTrail, anchor_of, differing, heads_by_chain

CHUNK = 1000
"""Number of entries that are read at once."""


_UNKNOWN = Head(1)
"""In the place of a head that is not on record: there are entries."""


def _never() -> bool:
    return False


@dataclass(slots=True)
class TrailVerifier:
    """Verifies a trail against itself, against the removals of the journal, and against heads that were noted earlier."""

    trail: AuditTrail
    noted: tuple[NotedHead, ...] = ()
    chunk: int = CHUNK
    is_enough: Callable[[], bool] = _never
    """Called after each part; True stops the verification there."""
    _existing: Sequence[str] = field(default=(), init=False)
    _recorded: Mapping[str, Head] = field(default_factory=dict, init=False)
    _noted: Mapping[str, Sequence[Head]] = field(default_factory=dict, init=False)
    _coverage: Mapping[str, AuditCoverage] = field(default_factory=dict, init=False)
    _verified: dict[str, VerifiedChain] = field(default_factory=dict, init=False)
    _stopped: bool = field(default=False, init=False)

    async def verify(self, after: ChainHead | None = None) -> VerifiedTrail:
        """Verify all chains; with `after`, those from that entry on, which has been verified together with all before it."""
        # An entry is committed together with its removal, and its chain is read later: so none can be missing by mistake.
        coverage = await self.trail.coverage()
        self._coverage = {each.target: each for each in coverage}
        await self._begin()
        for chain in self._chains(after):
            self._verified[chain] = await self._verify_chain(chain, after)
            if self._stopped:
                following = ChainHead(chain, self._verified[chain].head)
                return VerifiedTrail(tuple(self._verified.values()), noted=self.noted, following=following)
        return await self._result(coverage)

    async def _begin(self) -> None:
        self._existing = await self.trail.chains()
        self._recorded = await self.trail.heads()
        with_entries = (self._recorded.get(chain, _UNKNOWN).sequence > 0 for chain in self._existing)
        self._noted = heads_by_chain(self.noted, list(compress(self._existing, with_entries)))

    def _chains(self, after: ChainHead | None) -> list[str]:
        of_all = (chain for each in self.noted if isinstance(each, AllHeads) for chain, last in each.sequences if last)
        uncovered = (each.target for each in self._coverage.values() if each.missing)
        chains = in_order({*self._existing, *self._noted, *of_all, *uncovered})
        first = in_order([*chains, after.chain or ""]).index(after.chain or "") if after else 0
        return chains[first:]

    async def _verify_chain(self, chain: str, after: ChainHead | None) -> VerifiedChain:
        goes_on = after is not None and after.chain == chain
        start = after.head if after is not None and goes_on else self._start_of(chain)
        head, broken = await self._verify_links(chain, start)
        if broken is None and not self._stopped:
            head, broken = await self._verify_end(chain, head)
        noted = tuple(
            each for each in self._noted.get(chain, ()) if not broken and start.sequence < each.sequence <= head.sequence
        )
        return VerifiedChain(chain, start if goes_on else START, head if head.sequence else START, broken, noted)

    def _start_of(self, chain: str) -> Head:
        if chain == LEGACY:
            return START
        legacy = self._verified.get(LEGACY)
        if legacy is None or legacy.broken:
            return anchor_of(self._recorded.get(LEGACY))
        return anchor_of(legacy.head if legacy.head.sequence else None)

    async def _verify_links(self, chain: str, head: Head, last: int | None = None) -> tuple[Head, Break | None]:
        """Verify the entries after `head`, up to entry `last` if there is one."""
        noted = self._noted.get(chain, ())
        while links := await self._part(chain, head, last):
            outcome = verify(links, head, noted)
            if isinstance(outcome, Break):
                return outcome.unbroken, outcome
            head = outcome
            if self.is_enough():
                self._stopped = True
                break
        return head, None

    async def _part(self, chain: str, head: Head, last: int | None) -> tuple[Link, ...]:
        limit = self.chunk if last is None else min(self.chunk, last - head.sequence)
        if not head.sequence or not limit:
            return await self.trail.after(chain, head.sequence, limit) if limit else ()
        # Read again from the last entry on: another entry with its number would be between two parts, and in none.
        links = await self.trail.after(chain, head.sequence - 1, limit + 1)
        return links[1:] if links and Head(links[0].entry.sequence, links[0].digest) == head else links

    async def _verify_end(self, chain: str, head: Head) -> tuple[Head, Break | None]:
        recorded = await self.trail.head(chain)
        if recorded is not None and recorded.sequence > head.sequence:
            # Entries that were written meanwhile.
            head, broken = await self._verify_links(chain, head, recorded.sequence)
            if broken is not None or self._stopped:
                return head, broken
        checks = [partial(_verify_noted, head, each, self._existing) for each in self._noted.get(chain, ())]
        of_all = [last for each in self.noted if isinstance(each, AllHeads) for name, last in each.sequences if name == chain]
        checks += [partial(verify_end, head, Head(last)) for last in of_all]
        broken = verify_recorded(head if head.sequence else START, recorded if recorded and recorded.sequence else None)
        for check in checks:
            broken = broken or check()
        coverage = self._coverage.get(chain)
        return head, broken or (verify_coverage(head, coverage) if coverage else None)

    async def _result(self, coverage: tuple[AuditCoverage, ...]) -> VerifiedTrail:
        # A recorded head without entries is of a transaction that had nothing to append in the end.
        chains = tuple(each for each in self._verified.values() if each.head.sequence or each.broken or each.noted)
        verified = VerifiedTrail(chains, coverage, self.noted)
        if not verified.is_unbroken:
            return verified
        heads = {chain: head for chain, head in self._recorded.items() if head.sequence}
        heads |= {each.chain: each.head for each in chains if each.head.sequence}
        together = join_heads(heads) if heads else None
        return VerifiedTrail(chains, coverage, self.noted, await self._verify_together(), together)

    async def _verify_together(self) -> Break | None:
        for noted in self.noted:
            if isinstance(noted, AllHeads):
                heads = {chain: await self._head_at(chain, last) for chain, last in noted.sequences}
                if join_heads(heads).digest != noted.digest:
                    return differing(noted, START)
        return None

    async def _head_at(self, chain: str, last: int) -> Head:
        links = await self.trail.after(chain, last - 1, 1) if last else ()
        return next((Head(link.entry.sequence, link.digest) for link in links), START)


def _verify_noted(head: Head, noted: Head, chains: Sequence[str]) -> Break | None:
    broken = verify_end(head, noted)
    if broken is None or head.sequence or LEGACY in chains or not chains:
        return broken
    return Break(Flaw.CUT, 1, f"{broken.problem}; if the note is of a target's chain, name it: TARGET=NUMBER:DIGEST", START)
