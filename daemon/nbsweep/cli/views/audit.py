"""The audit trail as a table."""

from collections.abc import Iterable, Mapping, Sequence

from rich.console import Group, RenderableType

from nbsweep.cli.views.results import STYLES, cell
from nbsweep.cli.views.tables import NAME, SHORT_NAME, Column, Row, make_table
from nbsweep.core.audit.chain import LEGACY, Link
from nbsweep.core.audit.entries import AuditCoverage, AuditEntry
from nbsweep.core.audit.heads import AllHeads, ChainHead, chain_name
from nbsweep.core.audit.steps import AuditStep
from nbsweep.core.audit.verification import VerifiedTrail
from nbsweep.core.lookup import short_ids
from nbsweep.documents.audit import moment_or_none

WHAT_STYLES: Mapping[str, str] = {
    **STYLES,
    AuditStep.DECIDED: "cyan",
    AuditStep.REQUESTED: "bold",
    AuditStep.WITHDRAWN: "yellow",
    AuditStep.DELETE_FAILED: "red",
    AuditStep.MARKED: "cyan",
    AuditStep.TOLD: "bold",
    AuditStep.CLEARED: "green",
    AuditStep.EXEMPTED: "green",
    AuditStep.REVOKED: "yellow",
    AuditStep.PAUSED: "yellow",
    AuditStep.RESUMED: "green",
    AuditStep.SWEEP_REQUESTED: "cyan",
}


COLUMNS = (
    Column("TARGET", most=SHORT_NAME, leaves=7),
    Column("ENTRY", right=True),
    Column("TIME", leaves=5),
    Column("WHAT"),
    Column("ID", leaves=6),
    Column("NOTEBOOK", most=NAME),
    Column("OWNER", most=SHORT_NAME, leaves=3),
    Column("POLICY", most=SHORT_NAME, leaves=2),
    Column("RUN", leaves=4),
    Column("STARTED BY", most=SHORT_NAME, leaves=1),
    Column("WHY", folds=True),
)


def audit_view(links: Sequence[Link], coverage: Iterable[AuditCoverage]) -> RenderableType:
    """Return the view of entries, with a note on removals that the trail does not cover."""
    ids = short_ids(link.entry.notebook_id for link in links)
    table = make_table(COLUMNS, lambda: (_row(link.entry, ids) for link in links))
    older = about_older(coverage)
    return Group(table, cell(older, "dim")) if older else table


def _row(entry: AuditEntry, ids: Mapping[str, str]) -> Row:
    moment = moment_or_none(entry)
    return (
        cell(entry.target),
        cell(entry.sequence),
        cell(f"{moment:%Y-%m-%d %H:%M:%S}Z" if moment else "?"),
        cell(entry.what, WHAT_STYLES.get(entry.what, "")),
        cell(ids[entry.notebook_id]),
        cell(entry.name),
        cell(entry.owner),
        cell(entry.policy),
        cell(entry.run_id),
        cell(entry.started_by),
        cell(entry.reason or entry.request_id, "dim"),
    )


def verification_lines(verified: VerifiedTrail) -> list[str]:
    """Return the lines of the result of `audit verify`."""
    if not verified.is_unbroken:
        return _broken_lines(verified)
    entries = sum(each.head.sequence for each in verified.chains)
    older = about_older(verified.coverage)
    if not entries:
        return [f"The audit trail has no entry yet.{older}"]
    several = f" in {len(verified.chains)} chains" if len(verified.chains) > 1 else ""
    return [f"The audit trail is unbroken: {_count(entries)}{several}.{_noted(verified)}{older}", *_head_lines(verified)]


_NOTE_ALL = (
    "Note that line where writers of the journal cannot change it: `nbsweep audit verify --head` then finds any later change, "
    "and the removal of a whole chain."
)


def _head_lines(verified: VerifiedTrail) -> list[str]:
    heads = [str(ChainHead(each.chain, each.head)) for each in verified.chains]
    if len(heads) == 1:
        return [
            f"Its head is {heads[0]}",
            "Note it where writers of the journal cannot change it: `nbsweep audit verify --head` then finds any later change.",
        ]
    return [
        "The heads of its chains are",
        *(f"  {head}" for head in heads),
        "and in one line",
        f"  {verified.together}",
        _NOTE_ALL,
    ]


def _broken_lines(verified: VerifiedTrail) -> list[str]:
    lines = []
    for each in verified.chains:
        head, broken = each.head, each.broken
        if broken:
            lines.append(f"The {_chain(each.chain)} is broken ({broken.flaw}): {broken.problem}.")
            lines.append(
                f"It is unbroken up to entry {head.sequence}." if head.sequence else "None of its entries is unbroken."
            )
    if verified.broken:
        lines.append(f"The audit trail is broken ({verified.broken.flaw}): {verified.broken.problem}.")
    unbroken = [str(ChainHead(each.chain, each.head)) for each in verified.chains if not each.broken]
    return [
        *lines,
        *(["The other chains are unbroken; their heads are"] if unbroken else []),
        *(f"  {head}" for head in unbroken),
    ]


def _chain(chain: str) -> str:
    if chain == LEGACY:
        return "chain from before there was one for each target"
    return f"chain of target {chain_name(chain)}" if chain else "chain of the entries that belong to no target"


def _noted(verified: VerifiedTrail) -> str:
    if len(verified.noted) > 1:
        return f" All {len(verified.noted)} noted heads are as they were noted."
    sequences = [head.sequence for each in verified.chains for head in each.noted]
    if sequences:
        return f" Entry {sequences[0]} is as it was noted."
    return " The noted heads are as they were noted." if any(isinstance(each, AllHeads) for each in verified.noted) else ""


def _count(entries: int) -> str:
    return "1 entry" if entries == 1 else f"{entries} entries"


def about_older(coverage: Iterable[AuditCoverage]) -> str:
    """Return a sentence on the removals that are older than the trail."""
    older = sum(each.older for each in coverage)
    if not older:
        return ""
    count = "1 removal of the journal is" if older == 1 else f"{older} removals of the journal are"
    return f" {count} older than the trail; their decisions are not in it."
