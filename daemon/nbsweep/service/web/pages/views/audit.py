"""What the page Audit shows: entries of the trail, and the result of a verification. What the trail says is in English."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from msgspec import Struct

from nbsweep.core.audit.chain import Break, Flaw, Head
from nbsweep.core.audit.entries import AuditCoverage, AuditEntry
from nbsweep.core.audit.steps import AuditStep
from nbsweep.core.lookup import NotebookRef
from nbsweep.documents.audit import moment_or_none
from nbsweep.service.web.pages.languages.messages import Message, message
from nbsweep.service.web.pages.views.paging import address

PATH = "/audit"
VERIFY = f"{PATH}/verify"
EXPORT = f"{PATH}/export.jsonl"
TONES: Mapping[str, str] = {
    AuditStep.DELETED: "good",
    AuditStep.CLEARED: "good",
    AuditStep.EXEMPTED: "good",
    AuditStep.REQUESTED: "busy",
    AuditStep.ACCEPTED: "busy",
    AuditStep.DECIDED: "busy",
    AuditStep.MARKED: "busy",
    AuditStep.TOLD: "busy",
    AuditStep.FAILED: "bad",
    AuditStep.TIMED_OUT: "bad",
    AuditStep.DELETE_FAILED: "bad",
}
FLAWS: Mapping[Flaw, Message] = {
    Flaw.ALTERED: message("An entry was altered."),
    Flaw.MISSING: message("Entries are missing."),
    Flaw.OUT_OF_ORDER: message("Entries are out of order."),
    Flaw.CUT: message("The end of the trail is missing."),
    Flaw.REPLACED: message("The trail is not the one that was noted."),
}


class AuditFilters(Struct, frozen=True):
    """What is chosen; empty texts choose everything."""

    target: str = ""
    notebook: str = ""
    step: str = ""
    who: str = ""
    since: str = ""
    before: str = ""

    def address(self, before: int | None) -> str:
        """Return the address of the same choice, from another place of the trail on."""
        fields = {name: getattr(self, name) for name in self.__struct_fields__}
        return address(PATH, {**fields, "before": "" if before is None else str(before)})

    @property
    def is_empty(self) -> bool:
        """Whether nothing is chosen."""
        return self == AuditFilters(before=self.before)


class EntryRow(Struct, frozen=True):
    """One entry."""

    sequence: str
    at: datetime | None
    """None if the entry was altered, so that it holds no valid time."""
    step: str
    tone: str
    notebook_id: str
    name: str
    owner: str
    target: str
    policy: str
    who: str
    run_id: str
    reason: str


class AuditView(Struct, frozen=True):
    """The page."""

    filters: AuditFilters
    targets: Sequence[str]
    steps: Sequence[str]
    entries: Sequence[EntryRow]
    length: int
    """The number of the last entry of the trail."""
    newest: str
    """The address of the newest entries; empty if the page shows them."""
    older: str
    """The address of older entries; empty if there are none."""
    candidates: Sequence[NotebookRef]
    """The notebooks of which one has to be chosen; empty if the filter is clear."""
    nothing: Message | None


def build_audit(
    filters: AuditFilters,
    targets: Iterable[str],
    found: Sequence[AuditEntry],
    size: int,
    length: int,
    candidates: Sequence[NotebookRef] = (),
) -> AuditView:
    """Return what the page shows; `found` holds one more than `size` entries if there are older ones."""
    shown = found[:size]
    older = filters.address(shown[-1].sequence) if len(found) > size else ""
    return AuditView(
        filters=filters,
        targets=[*dict.fromkeys([*targets, *filter(None, [filters.target])])],
        steps=list(AuditStep),
        entries=[entry_row(entry) for entry in shown],
        length=length,
        newest=filters.address(None) if filters.before else "",
        older=older,
        candidates=candidates,
        nothing=None if shown or candidates else _why_nothing(filters, length),
    )


def _why_nothing(filters: AuditFilters, length: int) -> Message:
    if not length:
        return message("The audit trail has no entry yet: nothing has been decided, announced or exempted.")
    if filters.before:
        return message("There are no older entries.")
    return message("No entry of the audit trail fits this choice.")


def entry_row(entry: AuditEntry) -> EntryRow:
    """Return the row of an entry. A journal that was altered can hold values of any type, so each becomes text."""
    return EntryRow(
        sequence=str(entry.sequence),
        at=moment_or_none(entry),
        step=str(entry.what),
        tone=TONES.get(str(entry.what), "quiet"),
        notebook_id=str(entry.notebook_id),
        name=str(entry.name),
        owner=str(entry.owner),
        target=str(entry.target),
        policy=str(entry.policy),
        who=str(entry.started_by),
        run_id=str(entry.run_id),
        reason=str(entry.reason or entry.request_id),
    )


# ---- verification ---------------------------------------------------------------------------------------------------------


class Verified(Struct, frozen=True):
    """The result of verifying a part of the trail."""

    after: Head
    """The entry behind which it began; that before the first one if it began with that."""
    head: Head
    """The last entry of the unbroken part."""
    broken: Break | None
    is_whole: bool
    """Whether it came to the end of the trail."""
    took_s: float
    coverage: AuditCoverage | None = None
    """The removals without a decision on the trail; None if it did not come to the end."""
    noted: Head | None = None


class VerifyView(Struct, frozen=True):
    """The page."""

    flaw: Message | None
    """None if the part is unbroken."""
    problem: str
    """In English."""
    first: int
    last: int
    count: int
    took_s: float
    is_whole: bool
    began_later: bool
    older: int
    """The removals that are older than the trail."""
    head: str
    noted: int | None
    """The number of the noted entry that was compared; None if none was."""
    following: str
    """The address that goes on; empty at the end."""
    head_field: str
    """The noted head as it was typed, to type it again."""


def build_verification(verified: Verified) -> VerifyView:
    """Return what the page shows."""
    broken, head, noted = verified.broken, verified.head, verified.noted
    goes_on = not verified.is_whole and broken is None
    query = {"after": str(head), "head": str(noted) if noted else ""}
    compared = noted is not None and broken is None and verified.after.sequence < noted.sequence <= head.sequence
    return VerifyView(
        flaw=FLAWS[broken.flaw] if broken else None,
        problem=broken.problem if broken else "",
        first=verified.after.sequence + 1,
        last=head.sequence,
        count=head.sequence - verified.after.sequence,
        took_s=round(verified.took_s, 2),
        is_whole=verified.is_whole,
        began_later=verified.after.sequence > 0,
        older=verified.coverage.older if verified.coverage else 0,
        head=str(head),
        noted=noted.sequence if noted and compared else None,
        following=address(VERIFY, query) if goes_on else "",
        head_field=str(noted) if noted else "",
    )
