"""`explain`: the result of every rule for one notebook. Only reads from the cloud."""

from collections.abc import Sequence
from typing import Literal

import typer

from nbsweep.adapters.journal import open_journal
from nbsweep.bootstrap.sweeps import open_all
from nbsweep.cli.exits import Exit, exit_of_error, worst
from nbsweep.cli.session import Session, report_error
from nbsweep.cli.views.explain import explain_view
from nbsweep.core.errors import Gone
from nbsweep.core.explain.context import Explained, NotebookContext
from nbsweep.core.explain.requirements import moment_words
from nbsweep.core.lifecycle import outcome
from nbsweep.documents.explain import explain_document
from nbsweep.engine.explain import explain_everywhere
from nbsweep.settings import Settings

ExplainFormat = Literal["tree", "json"]


def only_targets(settings: Settings, names: Sequence[str]) -> Settings:
    """Return the named targets, or all if none is named."""
    known = {target.name: target for target in settings.targets}
    strange = [name for name in names if name not in known]
    if strange:
        raise typer.BadParameter(f"there is no target {', '.join(strange)}; the configuration has {', '.join(known)}")
    chosen = tuple(target for target in settings.targets if target.name in names)
    return settings.model_copy(update={"targets": chosen}) if names else settings


async def explain_command(session: Session, notebook_id: str, output: ExplainFormat) -> Exit:
    """Show the result of every rule for one notebook, on each target that has it."""
    settings, explained = session.settings, Explained()
    async with open_all(settings, session.environment, session.telemetry, session.shutdown) as opened, session.until_shutdown():
        explained = await explain_everywhere(opened.sweepers, notebook_id)
    if session.shutdown.begun.is_set():
        return Exit.INTERRUPTED
    if explained.contexts:
        _show(session, explained.contexts, output)
    elif not explained.errors:
        raise Gone(await _nowhere(settings, notebook_id))
    for target, error in explained.errors.items():
        report_error(error, target)
    return worst(map(exit_of_error, explained.errors.values()))


def _show(session: Session, accounts: Sequence[NotebookContext], output: ExplainFormat) -> None:
    if output == "json":
        session.write_json(explain_document(accounts))
        return
    session.show_result(explain_view(accounts))


async def _nowhere(settings: Settings, notebook_id: str) -> str:
    """Report that no target has the notebook, with what the journal knows of its end."""
    names = ", ".join(target.name for target in settings.targets)
    async with open_journal(settings.journal) as journal:
        removals = await journal.removals_of(notebook_id)
    if removals:
        last = removals[0]
        when = moment_words(last.ended_at or last.planned_at)
        return (
            f"there is no notebook {notebook_id} on {names} any more. The journal knows it as {last.name} of {last.owner}: "
            f"{outcome(last)} at {when} on {last.target}, {last.reason}; `nbsweep show {last.run_id}` shows that run"
        )
    return f"there is no notebook {notebook_id} on {names}; `nbsweep plan --format json` lists the IDs of planned notebooks"
