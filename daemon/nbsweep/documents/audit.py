"""The entries of the audit trail, and its verification, as documents."""

from datetime import datetime

from msgspec import Struct

from nbsweep.core.audit.chain import Break, Head, Link, content
from nbsweep.core.audit.entries import Coverage, Entry
from nbsweep.core.model import moment_of
from nbsweep.documents.plans_and_runs import Document, moment_text


class VerifiedTrail(Struct, frozen=True):
    """What `audit verify` has found."""

    head: Head
    """How far the chain is unbroken."""
    broken: Break | None
    coverage: Coverage
    noted: Head | None


def link_document(link: Link) -> Document:
    """Tell one entry: what its digest is made of, the digest, and its moment as people read it."""
    moment = moment_or_none(link.entry)
    return {"at": moment_text(moment), **content(link.entry), "digest": link.digest}


def moment_or_none(entry: Entry) -> datetime | None:
    """Read an entry's moment; None when somebody has put there what is none."""
    try:
        return moment_of(entry.moment_us)
    except (TypeError, OverflowError):
        return None


def verification_document(verified: VerifiedTrail) -> Document:
    """Tell what `audit verify` has found."""
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
