"""The JSON documents of the audit trail: its entries, and its verification."""

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from msgspec import field

from nbsweep.core.audit.chain import LEGACY, START, Break, Flaw, Head, Link, content
from nbsweep.core.audit.entries import AuditCoverage, AuditEntry
from nbsweep.core.audit.heads import ChainHead
from nbsweep.core.audit.verification import VerifiedChain, VerifiedTrail
from nbsweep.core.model import moment_of
from nbsweep.documents.base import Count, Document, moment_text


class HeadDocument(Document, frozen=True):
    """The last entry of the unbroken part of a chain."""

    sequence: Count
    digest: str


class BreakDocument(Document, frozen=True):
    """The first place at which a chain is broken."""

    flaw: Flaw
    sequence: Count
    problem: str


class ChainDocument(Document, frozen=True):
    """The result of `audit verify` for one chain."""

    chain: str | None
    """The target; empty for the entries of no target, and null for the chain from before there was one for each target."""
    unbroken: bool
    entries: Count
    head: HeadDocument
    named_head: str
    """The head in the form that `--head` takes."""
    broken: BreakDocument | None = field(name="break")
    older_removals: Count
    missing_removals: Count


class VerificationDocument(Document, frozen=True):
    """The result of `audit verify`."""

    unbroken: bool
    entries: Count
    head: HeadDocument | None
    """Null if there are several chains."""
    noted: str | None
    """The heads that were noted earlier, separated by spaces."""
    broken: BreakDocument | None = field(name="break")
    """The first break of all chains."""
    older_removals: Count
    missing_removals: Count
    all_heads: str | None
    """The heads of all chains in one line, in the form that `--head` takes; null if the trail is broken or empty."""
    chains: list[ChainDocument]


def link_document(link: Link) -> dict[str, Any]:
    """Return the document of an entry: the values that its digest covers, the digest, the time in readable form, and the chain.

    Entries of the legacy chain name no chain. The document is a plain dict, because a journal that was altered can hold values
    of any type.
    """
    document = {"at": moment_text(moment_or_none(link.entry)), **content(link.entry), "digest": link.digest}
    return document if link.chain == LEGACY else {**document, "chain": link.chain}


def link_line(link: Link) -> str:
    """Return an entry as one line of JSON, in ASCII: names come from other people, and may hold what controls a terminal."""
    # `repr` shows values that JSON cannot hold. Only an altered journal has them, and their digest is wrong in any case.
    return json.dumps(link_document(link), default=repr)


def moment_or_none(entry: AuditEntry) -> datetime | None:
    """Return the time of an entry, or None if the entry holds no valid time."""
    try:
        return moment_of(entry.moment_us)
    except (TypeError, OverflowError):
        return None


def verification_document(verified: VerifiedTrail) -> VerificationDocument:
    """Return the document of `audit verify`."""
    breaks = [each.broken for each in verified.chains if each.broken] + ([verified.broken] if verified.broken else [])
    heads = [each.head for each in verified.chains]
    return VerificationDocument(
        unbroken=verified.is_unbroken,
        entries=sum(head.sequence for head in heads),
        head=_head(heads[0] if heads else START) if len(heads) < 2 else None,  # noqa: PLR2004  # one chain, or none
        noted=" ".join(map(str, verified.noted)) or None,
        broken=_break(breaks[0]) if breaks else None,
        older_removals=verified.older,
        missing_removals=sum(each.missing for each in verified.coverage),
        all_heads=str(verified.together) if verified.together else None,
        chains=[_chain(each, verified.coverage) for each in verified.chains],
    )


def _chain(verified: VerifiedChain, coverage: Iterable[AuditCoverage]) -> ChainDocument:
    mine = [each for each in coverage if each.target == verified.chain]
    return ChainDocument(
        chain=None if verified.chain == LEGACY else verified.chain,
        unbroken=verified.broken is None,
        entries=verified.head.sequence,
        head=_head(verified.head),
        named_head=str(ChainHead(verified.chain, verified.head)),
        broken=_break(verified.broken) if verified.broken else None,
        older_removals=sum(each.older for each in mine),
        missing_removals=sum(each.missing for each in mine),
    )


def _head(head: Head) -> HeadDocument:
    return HeadDocument(head.sequence, head.digest)


def _break(broken: Break) -> BreakDocument:
    return BreakDocument(broken.flaw, broken.sequence, broken.problem)
