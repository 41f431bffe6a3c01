"""Asks by id for those of a listing whose verdict hangs on a fact that the listing leaves out."""

from collections.abc import Iterator

import anyio

from nbsweep.core.errors import CloudError, Gone, SweepEnding
from nbsweep.core.events.sweep import SurveyAsked
from nbsweep.core.facts import Moment
from nbsweep.core.model import MalformedRow, Notebook, Scope
from nbsweep.core.plan import Tally
from nbsweep.core.policy import Rules
from nbsweep.core.ports import Ports

AT_ONCE = 16
"""Questions that may be on their way for one listing; their lane paces them."""


async def ask_undecided(
    scope: Scope, tally: Tally, ports: Ports, rules: Rules, moment: Moment, sights: dict[str, Notebook | MalformedRow]
) -> None:
    """Decide on those that are undecided; who cannot be seen by id either is kept.

    Those of whom `sights` has the row get the answer there instead.

    Raises:
        SweepEnding: nothing can be seen on this account any more. May come in an exception group.
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
            if shown and notebook_id in sights:
                sights[notebook_id] = shown

    ids = iter(tuple(tally.undecided))
    async with anyio.create_task_group() as group:
        for _ in range(min(AT_ONCE, asked)):
            group.start_soon(ask_each, ids)
    left_out, unanswered = tuple(sorted(tally.left_out)), len(tally.undecided)
    ports.telemetry.emit(SurveyAsked(scope.workspace_id, scope.feature, left_out, asked, unanswered))


async def _show(notebook_id: str, ports: Ports) -> Notebook | None:
    """Ask for one notebook; None if it is no more."""
    try:
        return await ports.cloud.show(notebook_id)
    except Gone:
        return None
