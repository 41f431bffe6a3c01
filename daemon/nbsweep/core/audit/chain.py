"""A chain of the audit trail: each digest covers an entry's content and the previous digest.

A changed, removed, swapped or inserted entry breaks the chain at that place, unless every later digest is recomputed. Then the
last digest, the head, differs from a head that was noted elsewhere.

Each target has a chain, and so have the entries that belong to no target. The entries from before there was a chain for each
target stay the one chain that they were, the legacy chain. Its last digest takes the place of the digest before the first entry
of each other chain, so that its end cannot be cut off unnoticed.
"""

import hashlib
import json
from collections.abc import Iterable
from enum import StrEnum
from typing import Any, NamedTuple

from msgspec import Struct

from nbsweep.core.audit.entries import AuditCoverage, AuditEntry

_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False)


LEGACY = "(legacy)"
"""The name of the legacy chain, which is no name of a target. Every other chain is called like its target, or is empty."""


class Link(NamedTuple):
    """An entry with its place in a chain."""

    entry: AuditEntry
    digest: str
    """SHA-256 of the previous digest and the entry's canonical form, in hexadecimal."""
    chain: str = LEGACY
    position: int = 0
    """The place in the order of all chains. A database may commit positions in another order than that of their numbers."""


class Head(Struct, frozen=True):
    """The end of a chain: the number and the digest of its last entry."""

    sequence: int = 0
    digest: str = "0" * 64

    def __str__(self) -> str:
        """Return the form that `nbsweep audit verify --head` takes."""
        return f"{self.sequence}:{self.digest}"


START = Head()
"""The head of an empty chain."""


class Flaw(StrEnum):
    """The ways in which a chain can be broken."""

    ALTERED = "altered"
    MISSING = "missing"
    OUT_OF_ORDER = "out-of-order"
    CUT = "cut"
    """The chain ends before the entry that was noted."""
    REPLACED = "replaced"
    """The chain is unbroken, but its entry of that number differs from the one that was noted."""
    MOVED = "moved"
    """The entry belongs to the chain of another target."""
    HEAD = "head"
    """The chain is unbroken, but the journal has another entry on record as its last one, or none."""


class Break(Struct, frozen=True):
    """The first place at which a chain is broken."""

    flaw: Flaw
    sequence: int
    """The number of the entry that is missing or wrong."""
    problem: str
    """What is wrong, and what that means."""
    unbroken: Head
    """The head of the unbroken part."""


def canonical(entry: AuditEntry) -> str:
    """Return an entry as the one text that digests are made of: JSON with sorted keys, without blanks, in ASCII.

    Raises:
        TypeError, ValueError: the entry holds a value that JSON does not have.
    """
    return _ENCODER.encode(content(entry))


def content(entry: AuditEntry) -> dict[str, Any]:
    """Return the fields that an entry's digest is made of, by name.

    An empty project is left out, so that the digests of entries from before there was a project stay as they are.
    """
    fields = entry._asdict()
    if not entry.project:
        del fields["project"]
    return fields


def digest_of(entry: AuditEntry, before: str) -> str:
    """Return the digest of an entry that follows an entry with the digest `before`.

    Raises:
        TypeError, ValueError: the entry holds a value that JSON does not have.
    """
    return hashlib.sha256(f"{before}{canonical(entry)}".encode("ascii")).hexdigest()


def join(entries: Iterable[AuditEntry], head: Head, chain: str = LEGACY) -> list[Link]:
    """Return the links of entries that follow `head`; the entries are numbered already."""
    links, before = [], head.digest
    for entry in entries:
        before = digest_of(entry, before)
        links.append(Link(entry, before, chain))
    return links


def verify(links: Iterable[Link], after: Head = START, noted: Iterable[Head] = ()) -> Head | Break:
    """Verify a part of a chain that follows `after`; return its head, or its first break.

    `noted` are heads that were noted earlier: where the part holds the entry of such a number, the digests must be equal.
    """
    head, noted_heads = after, tuple(noted)
    for link in links:
        broken = _check(link, head) or _compare(link, head, noted_heads)
        if broken is not None:
            return broken
        head = Head(link.entry.sequence, link.digest)
    return head


def verify_end(head: Head, noted: Head) -> Break | None:
    """Compare the end of a verified chain with a head that was noted earlier."""
    if head.sequence >= noted.sequence:
        return None
    problem = (
        f"the chain ends with entry {head.sequence}, and entry {noted.sequence} was noted: its end was cut off, or this "
        "is an older copy of the journal"
    )
    return Break(Flaw.CUT, head.sequence + 1, problem, head)


def verify_recorded(head: Head, recorded: Head | None) -> Break | None:
    """Compare the end of a verified chain with the head that the journal has on record; None is no record.

    The record must be read after the last entry: it is written together with the entries.
    """
    if recorded == head or (recorded is None and head.sequence == 0):
        return None
    if recorded is not None and recorded.sequence > head.sequence:
        problem = (
            f"the chain ends with entry {head.sequence}, and the journal has entry {recorded.sequence} on record as its last "
            "one: its end was cut off"
        )
        return Break(Flaw.CUT, head.sequence + 1, problem, head)
    record = f"entry {recorded.sequence}" if recorded is not None else "no entry"
    problem = (
        f"the chain ends with entry {head.sequence}, and the journal has {record} on record as its last one, or another "
        "digest: the record was altered, or entries were added by another program"
    )
    return Break(Flaw.HEAD, head.sequence, problem, head)


def verify_coverage(head: Head, coverage: AuditCoverage) -> Break | None:
    """Compare a chain with the removals of its target in the same journal: each must have its decision on the trail."""
    if not coverage.missing:
        return None
    count = "1 removal is" if coverage.missing == 1 else f"{coverage.missing} removals are"
    problem = (
        f"the chain ends with entry {head.sequence}, and {count} in the journal that came after the trail's beginning without "
        "having a decision on it: its end was cut off, or another program has written to the journal"
    )
    return Break(Flaw.CUT, head.sequence + 1, problem, head)


def parse_head(text: str) -> Head:
    """Parse a head as `Head` writes it.

    Raises:
        ValueError: the text is not a head.
    """
    sequence, _, digest = text.strip().partition(":")
    digest = digest.lower()
    if not (
        sequence.isascii()
        and sequence.isdigit()
        and len(digest) == len(START.digest)
        and set(digest) <= set("0123456789abcdef")
    ):
        raise ValueError("must be a number, a colon and 64 hexadecimal digits, as `nbsweep audit verify` prints it")
    return Head(int(sequence), digest)


def _check(link: Link, head: Head) -> Break | None:
    """Return the break between an entry and the head before it; None if the entry follows."""
    sequence, expected = link.entry.sequence, head.sequence + 1
    if sequence > expected:
        return Break(Flaw.MISSING, expected, _missing(expected, sequence), head)
    if sequence < expected:
        problem = f"entry {sequence} stands after entry {head.sequence}: the order was changed"
        return Break(Flaw.OUT_OF_ORDER, sequence, problem, head)
    if link.chain not in (LEGACY, link.entry.target):
        problem = f"entry {sequence} belongs to the chain of another target: it was moved here"
        return Break(Flaw.MOVED, sequence, problem, head)
    if _digest_or_none(link.entry, head.digest) != link.digest:
        problem = _unanchored() if sequence == 1 and link.chain != LEGACY else _altered(sequence)
        return Break(Flaw.ALTERED, sequence, problem, head)
    return None


def _missing(first: int, before: int) -> str:
    gone = f"entry {first} is" if first + 1 == before else f"the entries {first} to {before - 1} are"
    return f"{gone} missing before entry {before}: removed from the journal"


def _altered(sequence: int) -> str:
    earlier = f", or entry {sequence - 1} with its digest," if sequence > 1 else ""
    return (
        f"the digest of entry {sequence} is not that of its content and the digest before it: this entry{earlier} was "
        "altered after it was written"
    )


def _unanchored() -> str:
    return (
        "the digest of entry 1 is not that of its content and of the end of the chain from before there was one for each "
        "target: this entry was altered, or the end of that chain was cut off or altered"
    )


def _digest_or_none(entry: AuditEntry, before: str) -> str | None:
    try:
        return digest_of(entry, before)
    except (TypeError, ValueError):
        return None


def _compare(link: Link, head: Head, noted: tuple[Head, ...]) -> Break | None:
    if not any(link.entry.sequence == each.sequence and link.digest != each.digest for each in noted):
        return None
    problem = (
        f"entry {link.entry.sequence} is not the one that was noted: the chain was rewritten from there or earlier, "
        "or the note is of another journal"
    )
    return Break(Flaw.REPLACED, link.entry.sequence, problem, head)
