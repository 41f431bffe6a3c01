"""`explain`: the result of every rule for one notebook. Only reads from the cloud."""

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Literal

from msgspec import Struct

from nbsweep.adapters.journal import open_journal
from nbsweep.bootstrap.sweeps import open_all
from nbsweep.cli.choice import on_each, require_known
from nbsweep.cli.exits import Exit, exit_of_error, worst
from nbsweep.cli.session import Session, report_error
from nbsweep.cli.views.explain import explain_view
from nbsweep.core.errors import Gone, NbsweepError, Rejected, UsageError
from nbsweep.core.explain.context import Explained, NotebookContext
from nbsweep.core.facts import moment_words
from nbsweep.core.lifecycle import outcome
from nbsweep.core.lookup import NotebookRef, describe_candidates, find_notebooks, is_whole_id, suggest
from nbsweep.documents.explain import explain_document
from nbsweep.engine.inspection.explain import explain_everywhere
from nbsweep.engine.inspection.lookup import find_removed, list_notebooks
from nbsweep.engine.sweep import Sweeper
from nbsweep.settings import Settings

ExplainFormat = Literal["tree", "json"]
LIST_SHOWS = "`nbsweep list` shows all notebooks"


class ExplainOptions(Struct, frozen=True):
    """The options of `explain`."""

    text: str
    """An id, the beginning of an id, or a name."""
    format: ExplainFormat = "tree"
    all_targets: bool = False


def only_targets(settings: Settings, names: Sequence[str]) -> Settings:
    """Return the named targets, or all if none is named."""
    require_known("--target", "target", names, (target.name for target in settings.targets))
    chosen = tuple(target for target in settings.targets if target.name in names)
    return settings.model_copy(update={"targets": chosen}) if names else settings


async def explain_command(session: Session, options: ExplainOptions) -> Exit:
    """Show the result of every rule for one notebook."""
    settings, explained, hint = session.settings, Explained(), LIST_SHOWS
    async with open_all(settings, session.environment, session.telemetry, session.shutdown) as opened, session.until_shutdown():
        explained = await explain_everywhere(opened.sweepers, options.text)
        if not (explained.contexts or is_whole_id(options.text)):
            explained, hint = await _explain_named(session, opened.sweepers, explained.errors, options)
    if session.shutdown.begun.is_set():
        return Exit.INTERRUPTED
    if len(explained.contexts) > 1 and not options.all_targets:
        raise UsageError(_ambiguous(options.text, [_ref(context) for context in explained.contexts]))
    if explained.contexts:
        _show(session, explained.contexts, options.format)
    elif not explained.errors:
        raise Gone(await _nowhere(settings, options.text, hint))
    for target, error in explained.errors.items():
        report_error(error, target)
    return worst(map(exit_of_error, explained.errors.values()))


async def _explain_named(
    session: Session, sweepers: Sequence[Sweeper], errors: Mapping[str, NbsweepError], options: ExplainOptions
) -> tuple[Explained, str]:
    """Find the notebook by its name, or the beginning of its id, on the targets that can be read, and explain it.

    Also return advice for the case that there is none.
    """
    # The cloud may call a name no valid id, which is no error of the target.
    errors = {target: error for target, error in errors.items() if not isinstance(error, Rejected)}
    with session.drawing(stays=False):
        listings, more = await on_each(session, [each for each in sweepers if each.area.target not in errors], list_notebooks)
    fleet = list(chain.from_iterable(listings.values()))
    found = find_notebooks(options.text, fleet)
    targets = {notebook.target for notebook in found}
    if len(found) > (len(targets) if options.all_targets else 1):
        raise UsageError(_ambiguous(options.text, found))
    parts = [
        await explain_everywhere([each for each in sweepers if each.area.target == notebook.target], notebook.id)
        for notebook in found
    ]
    late = {target: error for part in parts for target, error in part.errors.items()}
    explained = Explained(tuple(context for part in parts for context in part.contexts), {**errors, **more, **late})
    return explained, suggest(options.text, fleet) or LIST_SHOWS


def _ref(context: NotebookContext) -> NotebookRef:
    return NotebookRef(context.target, context.notebook.id, context.notebook.name, context.notebook.owner_label)


def _ambiguous(text: str, found: Sequence[NotebookRef]) -> str:
    several = len({notebook.target for notebook in found}) > 1
    return f"{describe_candidates(text, found)}{'. Choose with --target, or see --all-targets' if several else ''}"


def _show(session: Session, accounts: Sequence[NotebookContext], output: ExplainFormat) -> None:
    if output == "json":
        session.write_json(explain_document(accounts))
        return
    session.show_result(explain_view(accounts))


async def _nowhere(settings: Settings, text: str, hint: str) -> str:
    """Report that no target has the notebook, with what the journal knows of its end."""
    names = ", ".join(target.name for target in settings.targets)
    async with open_journal(settings.journal) as journal:
        known = await find_removed(journal, text)
        removals = [removal for each in known for removal in await journal.removals_of(each.id)]
    if removals:
        last = max(removals, key=lambda removal: removal.planned_at)
        when = moment_words(last.ended_at or last.planned_at)
        return (
            f"there is no notebook {text} on {names} any more. The journal knows it as {last.name} of {last.owner}: "
            f"{outcome(last)} at {when} on {last.target}, {last.reason}; `nbsweep show {last.run_id}` shows that run"
        )
    return f"there is no notebook {text} on {names}; {hint}"
