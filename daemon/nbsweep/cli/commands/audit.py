"""`audit`, `audit verify` and `audit export`: the audit trail, from the journal alone."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import anyio
import typer
from msgspec import Struct
from msgspec.structs import replace

from nbsweep.adapters.clock import SystemClock
from nbsweep.adapters.journal import open_journal
from nbsweep.cli.exits import Exit
from nbsweep.cli.session import ReadFormat, Session
from nbsweep.cli.views.audit import about_older, audit_view, verification_lines
from nbsweep.core.audit.chain import Link
from nbsweep.core.audit.entries import AuditQuery
from nbsweep.core.audit.heads import NotedHead, parse_noted
from nbsweep.core.audit.steps import AuditStep
from nbsweep.core.audit.trail import AuditTrail
from nbsweep.core.errors import NbsweepError, UsageError
from nbsweep.core.lookup import describe_candidates
from nbsweep.core.ports import Journal
from nbsweep.documents.audit import link_document, link_line, verification_document
from nbsweep.engine.inspection.lookup import find_removed, find_run
from nbsweep.service.trail_verifier import TrailVerifier
from nbsweep.settings.fields.units import parse_duration

CHUNK = 1000
"""Number of entries that are read at once."""


class AuditOptions(Struct, frozen=True):
    """The options of `audit`."""

    query: AuditQuery
    limit: int
    format: ReadFormat


def query_of(*, what: AuditStep | None, since: str | None, **equal: str | None) -> AuditQuery:
    """Build a query from the options.

    Raises:
        typer.BadParameter: `since` is not a duration.
    """
    try:
        age = parse_duration(since) if since is not None else None
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--since") from error
    return replace(AuditQuery(what=what, since=SystemClock().now() - age if age else None), **equal)


def heads_of(texts: Sequence[str]) -> tuple[NotedHead, ...]:
    """Parse heads that were noted earlier.

    Raises:
        typer.BadParameter: one of them is not a head.
    """
    try:
        return tuple(map(parse_noted, texts))
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--head") from error


async def audit_command(session: Session, options: AuditOptions) -> Exit:
    """Show the latest matching entries."""
    async with open_journal(session.settings.journal) as journal:
        query = await _resolved(journal, options.query)
        links = await journal.trail.latest(query, options.limit)
        # Only who sees the beginning of the trail has to know what is older; to count that takes long in a large journal.
        whole = options.query == AuditQuery() and len(links) < options.limit
        coverage = await journal.trail.coverage() if whole else ()
    if options.format == "json":
        session.write_json([link_document(link) for link in links])
    elif links:
        session.show_result(audit_view(links, coverage))
    else:
        asked = options.query != AuditQuery()
        session.write_result(f"The audit trail has no {'such ' if asked else ''}entry.{about_older(coverage)}")
    return Exit.DONE


async def _resolved(journal: Journal, query: AuditQuery) -> AuditQuery:
    """Replace the beginnings of ids, and a name, by the whole ids.

    Raises:
        UsageError: several runs or notebooks fit.
    """
    if query.run_id is not None:
        query = replace(query, run_id=await find_run(journal, query.run_id) or query.run_id)
    if query.notebook_id is None:
        return query
    found = await find_removed(journal, query.notebook_id)
    ids = {each.id for each in found}
    if len(ids) > 1:
        raise UsageError(describe_candidates(query.notebook_id, found))
    return replace(query, notebook_id=next(iter(ids), query.notebook_id))


async def verify_command(session: Session, noted: tuple[NotedHead, ...], output: ReadFormat) -> Exit:
    """Verify all chains and show the result."""
    async with open_journal(session.settings.journal) as journal:
        verified = await TrailVerifier(journal.trail, noted).verify()
    if output == "json":
        session.write_json(verification_document(verified))
    else:
        session.write_result("\n".join(verification_lines(verified)))
    return Exit.DONE if verified.is_unbroken else Exit.UNEXPECTED


async def export_command(session: Session, out: Path | None) -> Exit:
    """Write the whole trail, one entry per line, chain by chain, in parts."""
    async with open_journal(session.settings.journal) as journal:
        if out is not None:
            await _save(out, journal.trail)
        else:
            async for links in _parts(journal.trail):
                session.write_result("\n".join(map(link_line, links)))
    return Exit.DONE


async def _save(path: Path, trail: AuditTrail) -> None:
    try:
        async with await anyio.open_file(path, "w", encoding="utf-8") as file:
            async for links in _parts(trail):
                await file.writelines(f"{link_line(link)}\n" for link in links)
    except OSError as error:
        message = f"the audit trail could not be saved in {path}: {error.strerror or error}"
        raise NbsweepError(message) from error


async def _parts(trail: AuditTrail) -> AsyncIterator[Sequence[Link]]:
    for chain in await trail.chains():
        last = 0
        while links := await trail.after(chain, last, CHUNK):
            yield links
            last = links[-1].entry.sequence
