"""`journal prune`: deletes what ended before `retention.keep`, or shows it by month."""

import sys
from collections.abc import Mapping
from datetime import datetime

import typer
from msgspec import Struct

from nbsweep.adapters.journal import open_journal
from nbsweep.cli.exits import Exit
from nbsweep.cli.prompt import ask, forget_input
from nbsweep.cli.session import ReadFormat, Session
from nbsweep.cli.views.prune import counts_text, prune_view
from nbsweep.core.errors import UsageError
from nbsweep.core.events.sweep import JournalPruned
from nbsweep.core.ports import Journal
from nbsweep.core.retention.model import Pruned, kept_from
from nbsweep.documents.past.pruned import pruned_document

SOME = 5000
"""Records between two looks at whether to stop."""


class PruneOptions(Struct, frozen=True):
    """The options of `journal prune`."""

    dry_run: bool
    yes: bool
    format: ReadFormat


def require_consistent(options: PruneOptions) -> None:
    """Refuse options that exclude each other, and a deletion that nobody can approve."""
    if options.dry_run and options.yes:
        raise typer.BadParameter("--dry-run and --yes exclude each other")
    if not options.dry_run and not options.yes and not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise typer.BadParameter(
            "there is no terminal for a prompt: use --yes to delete without a prompt, or --dry-run to delete nothing"
        )


async def prune_command(session: Session, options: PruneOptions) -> Exit:
    """Show what would go, and delete it if that is approved.

    Raises:
        UsageError: the configuration has no `retention`.
    """
    if session.settings.retention is None:
        raise UsageError("the journal keeps everything: set `retention: {keep: 730d}` to have it delete what is older")
    keep = session.settings.retention.keep
    async with open_journal(session.settings.journal) as journal:
        before = kept_from(await journal.now(), keep)
        months = await journal.retention.prunable(before)
        if options.dry_run or not months:
            _show(session, options, months, before)
            return Exit.DONE
        if not options.yes and not await _is_approved(session, months, before):
            return Exit.DECLINED
        gone = await _prune(session, journal, before)
    if gone.total:
        session.telemetry.emit(JournalPruned(before, gone.runs, gone.removals, gone.marks, gone.messages, gone.exemptions))
    if options.format == "json":
        session.write_json(pruned_document(before, months, gone))
    else:
        session.write_result(f"Deleted {counts_text(gone)}.")
    return Exit.INTERRUPTED if session.shutdown.begun.is_set() else Exit.DONE


def _show(session: Session, options: PruneOptions, months: Mapping[str, Pruned], before: datetime) -> None:
    if options.format == "json":
        session.write_json(pruned_document(before, months))
    elif months:
        session.show_result(prune_view(months, before))
    else:
        session.write_result(f"Nothing may go of what ended before {before:%Y-%m-%d}.")


async def _is_approved(session: Session, months: Mapping[str, Pruned], before: datetime) -> bool:
    """Prompt for the number of records."""
    total = sum(months.values(), Pruned()).total
    session.screen.review.print(prune_view(months, before))
    terminal = sys.stdin.fileno()
    if not forget_input(terminal):
        return False
    question = f"Type {total} to delete {'this record' if total == 1 else f'these {total} records'} permanently: "
    session.screen.err.print(question, end="", style="bold", markup=False, emoji=False)
    return await ask(terminal) == str(total)


async def _prune(session: Session, journal: Journal, before: datetime) -> Pruned:
    gone = Pruned()
    while not session.shutdown.begun.is_set() and (part := await journal.retention.prune(before, SOME)).total:
        gone += part
    return gone
