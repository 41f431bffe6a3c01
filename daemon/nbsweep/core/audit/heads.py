"""Heads of chains as people note them: of one chain, or one line for all chains."""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping

from msgspec import Struct

from nbsweep.core.audit.chain import LEGACY, START, Head, parse_head

NO_TARGET = "-"
"""How the chain of the entries that belong to no target is called in a head; no target has this name."""
ALL = "all:"
"""The beginning of a line for all chains; no target has a colon in its name."""
_PLAIN = re.compile(r"[A-Za-z0-9._-]+")


class ChainHead(Struct, frozen=True):
    """A head, and the chain that it belongs to."""

    chain: str | None
    """None if a note does not say it."""
    head: Head

    def __str__(self) -> str:
        """Return the form that `nbsweep audit verify --head` takes."""
        return str(self.head) if self.chain in (None, LEGACY) else f"{chain_name(self.chain or '')}={self.head}"


class AllHeads(Struct, frozen=True):
    """One digest over the heads of all chains, with the numbers that tell which heads those are."""

    sequences: tuple[tuple[str, int], ...]
    """The name of each chain, sorted, and the number of its last entry."""
    digest: str

    def __str__(self) -> str:
        """Return the form that `nbsweep audit verify --head` takes."""
        numbers = (str(last) if chain == LEGACY else f"{chain_name(chain)}={last}" for chain, last in self.sequences)
        return f"{ALL}{','.join(numbers)}:{self.digest}"


NotedHead = ChainHead | AllHeads


def chain_name(chain: str) -> str:
    """Return the name of a chain for people; a name that no target can have is shown as a JSON string."""
    return NO_TARGET if not chain else chain if _PLAIN.fullmatch(chain) else json.dumps(chain)


def in_order(chains: Iterable[str]) -> list[str]:
    """Sort the names of chains, the legacy chain first."""
    return sorted(chains, key=lambda chain: (chain != LEGACY, chain))


def join_heads(heads: Mapping[str, Head]) -> AllHeads:
    """Return one digest over the heads of chains: SHA-256 of a JSON list of name, number and digest of each, sorted."""
    listed = [[chain, heads[chain].sequence, heads[chain].digest] for chain in in_order(heads)]
    text = json.dumps(listed, separators=(",", ":"))
    sequences = tuple((chain, heads[chain].sequence) for chain in in_order(heads))
    return AllHeads(sequences, hashlib.sha256(text.encode("ascii")).hexdigest())


def parse_noted(text: str) -> NotedHead:
    """Parse a head as `ChainHead` or `AllHeads` writes it.

    Raises:
        ValueError: the text is neither.
    """
    plain = text.strip()
    if plain.startswith(ALL):
        numbers, _, digest = plain.removeprefix(ALL).rpartition(":")
        listed = [_number(each) for each in filter(None, numbers.split(","))]
        return AllHeads(tuple(listed), parse_head(f"0:{digest}").digest)
    name, separator, head = plain.rpartition("=")
    return ChainHead(_chain(name) if separator else None, parse_head(head))


def _number(text: str) -> tuple[str, int]:
    name, separator, number = text.rpartition("=")
    return (_chain(name) if separator else LEGACY), parse_head(f"{number}:{START.digest}").sequence


def _chain(name: str) -> str:
    if not _PLAIN.fullmatch(name):
        raise ValueError(f"names no target before '=': the name of a target, or {NO_TARGET} for the entries of none")
    return "" if name == NO_TARGET else name
