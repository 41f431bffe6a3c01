"""The JSON documents of the audit trail: its entries, and its verification."""

import json
from datetime import datetime
from typing import Any

from msgspec import Struct, field

from nbsweep.core.audit.chain import Break, Flaw, Head, Link, content
from nbsweep.core.audit.entries import AuditCoverage, AuditEntry
from nbsweep.core.model import moment_of
from nbsweep.documents.base import Count, Document, moment_text


class VerifiedTrail(Struct, frozen=True):
    """The result of `audit verify`."""

    head: Head
    """The unbroken part of the chain."""
    broken: Break | None
    coverage: AuditCoverage
    noted: Head | None


class HeadDocument(Document, frozen=True):
    """The last entry of the unbroken part of the chain."""

    sequence: Count
    digest: str


class BreakDocument(Document, frozen=True):
    """The first place at which the chain is broken."""

    flaw: Flaw
    sequence: Count
    problem: str


class VerificationDocument(Document, frozen=True):
    """The result of `audit verify`."""

    unbroken: bool
    entries: Count
    head: HeadDocument
    noted: str | None
    broken: BreakDocument | None = field(name="break")
    older_removals: Count
    missing_removals: Count


def link_document(link: Link) -> dict[str, Any]:
    """Return the document of an entry: the values that its digest covers, the digest, and the time in readable form.

    It is a plain dict, because a journal that was altered can hold values of any type.
    """
    return {"at": moment_text(moment_or_none(link.entry)), **content(link.entry), "digest": link.digest}


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
    broken, head = verified.broken, verified.head
    return VerificationDocument(
        unbroken=broken is None,
        entries=head.sequence,
        head=HeadDocument(head.sequence, head.digest),
        noted=str(verified.noted) if verified.noted else None,
        broken=BreakDocument(broken.flaw, broken.sequence, broken.problem) if broken else None,
        older_removals=verified.coverage.older,
        missing_removals=verified.coverage.missing,
    )
