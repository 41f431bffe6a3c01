"""The chain of the audit trail: each entry's digest is made of its content and of the digest before it.

Whoever changes, removes, swaps or inserts an entry breaks it at that place, unless he makes every later digest anew; and then
the last one, the head, is not the one that was noted elsewhere.
"""

import hashlib
from collections.abc import Iterable
from enum import StrEnum
from json.encoder import encode_basestring_ascii as _text
from typing import Any, NamedTuple

from msgspec import Struct

from nbsweep.core.audit.entries import Coverage, Entry

_null = "null"


class Link(NamedTuple):
    """An entry in its place in the chain."""

    entry: Entry
    digest: str
    """SHA-256 of the digest before it and the entry's canonical form, in hexadecimal."""


class Head(Struct, frozen=True):
    """How far a chain has come: its last entry's number and digest."""

    sequence: int = 0
    digest: str = "0" * 64

    def __str__(self) -> str:
        """Write it as it is given to `nbsweep audit verify --head`."""
        return f"{self.sequence}:{self.digest}"


START = Head()
"""Of a chain without an entry."""


class Flaw(StrEnum):
    """How a chain can be broken."""

    ALTERED = "altered"
    MISSING = "missing"
    OUT_OF_ORDER = "out-of-order"
    CUT = "cut"
    """It ends before the entry that somebody has noted."""
    REPLACED = "replaced"
    """It is unbroken, but its entry of that number is not the one that somebody has noted."""


class Break(Struct, frozen=True):
    """Where a chain is broken first."""

    flaw: Flaw
    sequence: int
    """Of the entry that is not, or not as, it should be."""
    problem: str
    """What is wrong, and what that means."""
    unbroken: Head
    """How far it is unbroken."""


def canonical(entry: Entry) -> str:
    """Write an entry in the one way that digests are made of: JSON with sorted keys, without blanks, in ASCII.

    Spelled out, which takes a third of the time that an encoder for any JSON does, and refuses every other kind of value.

    Raises:
        TypeError, ValueError: it holds something that no entry holds.
    """
    return (
        f'{{"capacity_gb":{_null if entry.capacity_gb is None else f"{entry.capacity_gb:d}"}'
        f',"category":{_null if entry.category is None else _text(entry.category)}'
        f',"feature":{_null if entry.feature is None else _text(entry.feature)}'
        f',"moment_us":{entry.moment_us:d}'
        f',"name":{_text(entry.name)}'
        f',"notebook_id":{_text(entry.notebook_id)}'
        f',"owner":{_text(entry.owner)}'
        f',"policy":{_text(entry.policy)}'
        f"{_project(entry.project)}"
        f',"reason":{_text(entry.reason)}'
        f',"request_id":{_text(entry.request_id)}'
        f',"requests":{entry.requests:d}'
        f',"run_id":{_text(entry.run_id)}'
        f',"sequence":{entry.sequence:d}'
        f',"started_by":{_text(entry.started_by)}'
        f',"status_before":{_null if entry.status_before is None else _text(entry.status_before)}'
        f',"target":{_text(entry.target)}'
        f',"what":{_text(entry.what)}'
        f',"workspace_id":{_null if entry.workspace_id is None else _text(entry.workspace_id)}}}'
    )


def _project(project: str) -> str:
    # Left out where it is not on record: so the digests of entries from before there was one stay what they were.
    return f',"project":{_text(project)}' if project else ""


def content(entry: Entry) -> dict[str, Any]:
    """Give what an entry's digest is made of, by name."""
    return {name: value for name, value in entry._asdict().items() if name != "project" or value}


def digest_of(entry: Entry, before: str) -> str:
    """Make the digest of an entry that follows one with the digest `before`.

    Raises:
        TypeError, ValueError: it holds something that no entry holds.
    """
    return hashlib.sha256(f"{before}{canonical(entry)}".encode("ascii")).hexdigest()


def join(entries: Iterable[Entry], head: Head) -> list[Link]:
    """Append entries, which go on counting, to a chain that has come to `head`."""
    links, before = [], head.digest
    for entry in entries:
        before = digest_of(entry, before)
        links.append(Link(entry, before))
    return links


def verify(links: Iterable[Link], after: Head = START, noted: Head | None = None) -> Head | Break:
    """Go along a part of a chain; gives how far it has come, or its first break.

    `noted` is a head that somebody has noted: where the part holds that entry, it must be the same.
    """
    head = after
    for link in links:
        broken = _check(link, head) or _compare(link, head, noted)
        if broken is not None:
            return broken
        head = Head(link.entry.sequence, link.digest)
    return head


def verify_end(head: Head, noted: Head) -> Break | None:
    """Hold the end of a chain, all of which has been gone along, against a head that somebody has noted."""
    if head.sequence >= noted.sequence:
        return None
    problem = (
        f"the trail ends with entry {head.sequence}, and entry {noted.sequence} was noted: what followed was cut off, or this "
        "is an older copy of the journal"
    )
    return Break(Flaw.CUT, head.sequence + 1, problem, head)


def verify_coverage(head: Head, coverage: Coverage) -> Break | None:
    """Hold the end of a chain against the removals that are in the same journal."""
    if not coverage.missing:
        return None
    count = "1 removal is" if coverage.missing == 1 else f"{coverage.missing} removals are"
    problem = (
        f"the trail ends with entry {head.sequence}, and {count} in the journal that came after its beginning without having "
        "a decision on it: what followed was cut off, or somebody else has written to the journal"
    )
    return Break(Flaw.CUT, head.sequence + 1, problem, head)


def parse_head(text: str) -> Head:
    """Read a head as `Head` writes it.

    Raises:
        ValueError: it is none.
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
    """Find out whether an entry follows on what came before."""
    sequence, expected = link.entry.sequence, head.sequence + 1
    if sequence > expected:
        return Break(Flaw.MISSING, expected, _missing(expected, sequence), head)
    if sequence < expected:
        problem = f"entry {sequence} stands after entry {head.sequence}: the order was changed"
        return Break(Flaw.OUT_OF_ORDER, sequence, problem, head)
    if _digest_or_none(link.entry, head.digest) != link.digest:
        return Break(Flaw.ALTERED, sequence, _altered(sequence), head)
    return None


def _missing(first: int, before: int) -> str:
    gone = f"entry {first} is" if first + 1 == before else f"the entries {first} to {before - 1} are"
    return f"{gone} missing before entry {before}: somebody has removed what stood there"


def _altered(sequence: int) -> str:
    earlier = f", or entry {sequence - 1} with its digest," if sequence > 1 else ""
    return (
        f"the digest of entry {sequence} is not that of its content and the digest before it: this entry{earlier} was "
        "altered after it was written"
    )


def _digest_or_none(entry: Entry, before: str) -> str | None:
    try:
        return digest_of(entry, before)
    except (TypeError, ValueError):
        return None


def _compare(link: Link, head: Head, noted: Head | None) -> Break | None:
    if noted is None or link.entry.sequence != noted.sequence or link.digest == noted.digest:
        return None
    problem = (
        f"entry {noted.sequence} is not the one that was noted: the chain was written anew from there or from before, "
        "or the note is of another journal"
    )
    return Break(Flaw.REPLACED, noted.sequence, problem, head)
