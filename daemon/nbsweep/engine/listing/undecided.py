"""Reads notebooks one by one if their verdict depends on a fact that the listing leaves out."""

from collections.abc import Iterator

import anyio

from nbsweep.core.errors import CloudError, Gone, SweepEnding
from nbsweep.core.events.sweep import SurveyAsked
from nbsweep.core.facts import Moment
from nbsweep.core.judging.rules import Rules
from nbsweep.core.model import MalformedRow, Notebook, Scope
from nbsweep.core.planning.tally import Tally
from nbsweep.core.ports import Ports

AT_ONCE = 16
"""Number of concurrent calls for one listing; the lane limits their rate."""


async def ask_undecided(
    scope: Scope, tally: Tally, ports: Ports, rules: Rules, moment: Moment, rows_by_id: dict[str, Notebook | MalformedRow]
) -> None:
    """Decide on the undecided notebooks of a tally; a notebook that cannot be read by id either is kept.

    If `rows_by_id` has a row of the notebook, it is replaced by the answer.

    Raises:
        SweepEnding: nothing more can be read on this account. May come in an exception group.
    """
    asked = len(tally.undecided)
    if not asked:
        return

    async def ask_each(ids: Iterator[str]) -> None:
        for notebook_id in ids:
            try:
                shown = await _show(notebook_id, ports)
            except SweepEnding:
                raise
            except CloudError:
                continue
            tally.decide(shown, notebook_id, scope, rules, moment)
            if shown and notebook_id in rows_by_id:
                rows_by_id[notebook_id] = shown

    ids = iter(tuple(tally.undecided))
    async with anyio.create_task_group() as group:
        for _ in range(min(AT_ONCE, asked)):
            group.start_soon(ask_each, ids)
    left_out, unanswered = tuple(sorted(tally.left_out)), len(tally.undecided)
    ports.telemetry.emit(SurveyAsked(scope.workspace_id, scope.feature, left_out, asked, unanswered))


async def _show(notebook_id: str, ports: Ports) -> Notebook | None:
    """Read one notebook; return None if it does not exist any more."""
    try:
        return await ports.cloud.show(notebook_id)
    except Gone:
        return None
