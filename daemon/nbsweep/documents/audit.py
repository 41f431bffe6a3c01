"""The entries of the audit trail, and its verification, as documents."""

from datetime import datetime

from msgspec import Struct

from nbsweep.core.audit.chain import Break, Head, Link, content
from nbsweep.core.audit.entries import AuditCoverage, AuditEntry
from nbsweep.core.model import moment_of
from nbsweep.documents.plans_and_runs import Document, moment_text


class VerifiedTrail(Struct, frozen=True):
    """The result of `audit verify`."""

    head: Head
    """The unbroken part of the chain."""
    broken: Break | None
    coverage: AuditCoverage
    noted: Head | None


def link_document(link: Link) -> Document:
    """Return the document of an entry: the values that its digest covers, the digest, and the time in readable form."""
    moment = moment_or_none(link.entry)
    return {"at": moment_text(moment), **content(link.entry), "digest": link.digest}


def moment_or_none(entry: AuditEntry) -> datetime | None:
    """Return the time of an entry, or None if the entry holds no valid time."""
    try:
        return moment_of(entry.moment_us)
    except (TypeError, OverflowError):
        return None


def verification_document(verified: VerifiedTrail) -> Document:
    """Return the document of `audit verify`."""
    broken, head = verified.broken, verified.head
    return {
        "unbroken": broken is None,
        "entries": head.sequence,
        "head": {"sequence": head.sequence, "digest": head.digest},
        "noted": str(verified.noted) if verified.noted else None,
        "break": {"flaw": broken.flaw.value, "sequence": broken.sequence, "problem": broken.problem} if broken else None,
        "older_removals": verified.coverage.older,
        "missing_removals": verified.coverage.missing,
    }
