"""What the page Audit shows: entries of the trail, and the result of a verification. What the trail says is in English."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from msgspec import Struct

from nbsweep.core.audit.chain import LEGACY, Flaw, Link
from nbsweep.core.audit.entries import AuditEntry
from nbsweep.core.audit.heads import AllHeads, ChainHead, chain_name
from nbsweep.core.audit.steps import AuditStep
from nbsweep.core.audit.verification import VerifiedChain, VerifiedTrail
from nbsweep.core.lookup import NotebookRef
from nbsweep.documents.audit import moment_or_none
from nbsweep.service.web.messages import Message, message
from nbsweep.service.web.pages.views.elements.paging import address
from nbsweep.service.web.pages.views.elements.words import CLEARED, Said, sentence_words, step_words

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
    Flaw.MOVED: message("An entry stands in the chain of another target."),
    Flaw.HEAD: message("The recorded end of a chain is not its end."),
}


_WORDS: Mapping[str, Message] = {
    LEGACY: message("all, before each target had a chain"),
    "": message("no target"),
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
    step_name: Message
    tone: str
    notebook_id: str
    name: str
    owner: str
    target: str
    policy: str
    who: str
    run_id: str
    reason: str
    said: Said | None
    """The reason in the language of the page; None if there are no words for it."""


class AuditView(Struct, frozen=True):
    """The page."""

    filters: AuditFilters
    targets: Sequence[str]
    steps: Sequence[str]
    entries: Sequence[EntryRow]
    length: int
    """The number of entries of the trail."""
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
    found: Sequence[Link],
    size: int,
    length: int,
    candidates: Sequence[NotebookRef] = (),
) -> AuditView:
    """Return what the page shows; `found` holds one more than `size` entries if there are older ones."""
    shown = found[:size]
    older = filters.address(shown[-1].position) if len(found) > size else ""
    return AuditView(
        filters=filters,
        targets=[*dict.fromkeys([*targets, *filter(None, [filters.target])])],
        steps=list(AuditStep),
        entries=[entry_row(link.entry) for link in shown],
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
        step_name=step_words(str(entry.what)),
        tone=TONES.get(str(entry.what), "quiet"),
        notebook_id=str(entry.notebook_id),
        name=str(entry.name),
        owner=str(entry.owner),
        target=str(entry.target),
        policy=str(entry.policy),
        who=str(entry.started_by),
        run_id=str(entry.run_id),
        reason=str(entry.reason or entry.request_id),
        said=_said(str(entry.what), str(entry.reason)),
    )


def _said(step: str, reason: str) -> Said | None:
    cleared = CLEARED.get(reason) if step == AuditStep.CLEARED else None
    return Said(cleared) if cleared else sentence_words(reason)


# ---- verification ---------------------------------------------------------------------------------------------------------


class FlawRow(Struct, frozen=True):
    """What is wrong with a chain."""

    flaw: Message
    chain: str
    """Empty for all chains together."""
    problem: str
    """In English."""


class ChainRow(Struct, frozen=True):
    """A chain that was verified."""

    chain: str
    words: Message | None
    """Words for a chain that is called by no name; None for one that is."""
    first: int
    last: int
    count: int
    head: str
    is_broken: bool


class VerifyView(Struct, frozen=True):
    """The page."""

    flaws: Sequence[FlawRow]
    chains: Sequence[ChainRow]
    count: int
    took_s: float
    is_whole: bool
    """Whether it came to the end of the trail."""
    began_at: int | None
    """The number of the entry that the verification began with; None if that was the first one."""
    began_in: ChainRow | None
    """The chain of that entry."""
    older: int
    """The removals that are older than the trail."""
    together: str
    """All heads in one line; empty if there is one chain, or none can be given."""
    noted: int
    """How many noted heads were found again."""
    following: str
    """The address that goes on; empty at the end."""
    head_field: str
    """The noted heads as they were typed, to type them again."""


def build_verification(verified: VerifiedTrail, after: ChainHead | None, took_s: float) -> VerifyView:
    """Return what the page shows; `after` is the entry behind which the verification began."""
    noted = " ".join(map(str, verified.noted))
    following = address(VERIFY, {"after": str(verified.following), "head": noted}) if verified.following else ""
    rows = [_chain_row(each) for each in verified.chains]
    is_whole = verified.following is None
    return VerifyView(
        flaws=[*_flaws(verified)],
        chains=rows,
        count=sum(row.count for row in rows),
        took_s=round(took_s, 2),
        is_whole=is_whole,
        began_at=after.head.sequence + 1 if after and rows else None,
        began_in=rows[0] if after and rows else None,
        older=verified.older,
        together=str(verified.together) if verified.together and len(verified.together.sequences) > 1 else "",
        noted=_count_noted(verified) if is_whole else 0,
        following=following,
        head_field=noted,
    )


def _flaws(verified: VerifiedTrail) -> Iterable[FlawRow]:
    for each in verified.chains:
        if each.broken:
            yield FlawRow(FLAWS[each.broken.flaw], chain_name(each.chain), each.broken.problem)
    if verified.broken:
        yield FlawRow(FLAWS[verified.broken.flaw], "", verified.broken.problem)


def _chain_row(verified: VerifiedChain) -> ChainRow:
    after, head = verified.after, verified.head
    return ChainRow(
        chain=chain_name(verified.chain),
        words=_WORDS.get(verified.chain),
        first=after.sequence + 1,
        last=head.sequence,
        count=head.sequence - after.sequence,
        head=str(ChainHead(verified.chain, head)),
        is_broken=verified.broken is not None,
    )


def _count_noted(verified: VerifiedTrail) -> int:
    together = sum(isinstance(each, AllHeads) for each in verified.noted) if verified.is_unbroken else 0
    return together + sum(len(each.noted) for each in verified.chains)
