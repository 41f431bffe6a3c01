"""Looks up notebooks by what people type: a whole id by one call to each target, else by a listing."""

from collections.abc import Sequence

import anyio

from nbsweep.core.errors import Gone, Rejected, UsageError
from nbsweep.core.lookup import NotebookRef, describe_candidates, find_notebooks, suggest
from nbsweep.core.model import MalformedRow, Notebook
from nbsweep.core.ports import Journal
from nbsweep.engine.sweep import Sweeper

MOST_FOUND = 100
"""Number of runs or notebooks of the journal that are looked at."""


async def look_up(sweepers: Sequence[Sweeper], texts: Sequence[str]) -> dict[str, tuple[NotebookRef, ...]]:
    """Return the notebooks of all targets that fit each text.

    Raises:
        UsageError: a text fits no notebook.
        NbsweepError: a target cannot be read, so that it is unknown what fits. May come in an exception group.
    """
    found = {text: await _with_id(sweepers, text) for text in dict.fromkeys(texts)}
    if all(found.values()):
        return found
    fleet = await _list_all(sweepers)
    found = {text: refs or find_notebooks(text, fleet) for text, refs in found.items()}
    for text, refs in found.items():
        if not refs:
            targets = ", ".join(sweeper.area.target for sweeper in sweepers)
            raise UsageError(f"{text} fits no notebook of {targets}; {suggest(text, fleet) or '`nbsweep list` shows all'}")
    return found


async def _with_id(sweepers: Sequence[Sweeper], notebook_id: str) -> tuple[NotebookRef, ...]:
    shown: list[NotebookRef] = []

    async def ask(sweeper: Sweeper) -> None:
        try:
            notebook = await sweeper.ports.cloud.show(notebook_id)
        except (Gone, Rejected):
            # The cloud may call a name no valid id.
            return
        shown.append(_ref(sweeper.area.target, notebook))

    async with anyio.create_task_group() as group:
        for sweeper in sweepers:
            group.start_soon(ask, sweeper)
    return tuple(sorted(shown, key=lambda each: each.target))


async def list_notebooks(sweeper: Sweeper) -> list[NotebookRef]:
    """List all notebooks of a target.

    Raises:
        NbsweepError: the target cannot be read. May come in an exception group.
    """
    surveyor = await sweeper.survey_rows()
    return [_ref(sweeper.area.target, row) for row in surveyor.rows_by_id.values()]


async def find_run(journal: Journal, text: str) -> str | None:
    """Return the id of the run with this id, or whose id begins with this text; None if there is none.

    Raises:
        UsageError: several runs fit.
    """
    found = await journal.run_ids(text, MOST_FOUND) if text else ()
    if text in found or len(found) <= 1:
        return text if text in found else next(iter(found), None)
    raise UsageError(describe_candidates(text, found))


async def find_removed(journal: Journal, text: str) -> tuple[NotebookRef, ...]:
    """Return the notebooks on record that fit a text, as `find_notebooks` does; they may be gone by now."""
    return find_notebooks(text, await journal.notebooks(text, MOST_FOUND))


async def _list_all(sweepers: Sequence[Sweeper]) -> list[NotebookRef]:
    listed: list[NotebookRef] = []

    async def read(sweeper: Sweeper) -> None:
        listed.extend(await list_notebooks(sweeper))

    async with anyio.create_task_group() as group:
        for sweeper in sweepers:
            group.start_soon(read, sweeper)
    return sorted(listed, key=lambda each: (each.target, each.id))


def _ref(target: str, row: Notebook | MalformedRow) -> NotebookRef:
    owner = row.owner_label if isinstance(row, Notebook) else ""
    return NotebookRef(target, row.id or "", row.name, owner)
