"""Explains one notebook of one target, by the rules and on facts of this moment. Reads only: one request to the cloud."""

from collections.abc import Iterable
from datetime import datetime

import anyio

from nbsweep.core.errors import Gone, NbsweepError
from nbsweep.core.explain.context import (
    Explained,
    JournalFacts,
    NotebookContext,
    TargetScope,
    brake_lines,
    cover_findings,
)
from nbsweep.core.explain.explain import explain
from nbsweep.core.facts import Moment
from nbsweep.core.identity import UNKNOWN, TargetIdentity
from nbsweep.core.model import Notebook
from nbsweep.core.planning.brakes import A_DAY
from nbsweep.core.planning.cool_down import judge_cooling, streaks
from nbsweep.core.runs import PLANNED
from nbsweep.engine.current_rules import current_rules
from nbsweep.engine.report import leading_error
from nbsweep.engine.survey import Area
from nbsweep.engine.sweep import Sweeper


async def explain_everywhere(sweepers: Iterable[Sweeper], notebook_id: str) -> Explained:
    """Explain a notebook on all targets that have it, concurrently; a failure affects only its own target."""
    contexts: dict[str, NotebookContext] = {}
    errors: dict[str, NbsweepError] = {}

    async def ask(sweeper: Sweeper) -> None:
        target = sweeper.area.target
        with sweeper.ports.telemetry.bound(target=target):
            try:
                contexts[target] = await explain_notebook(sweeper, notebook_id)
            except Gone:
                return
            except (NbsweepError, ExceptionGroup) as error:
                errors[target] = leading_error(error)

    sweepers = tuple(sweepers)
    async with anyio.create_task_group() as group:
        for sweeper in sweepers:
            group.start_soon(ask, sweeper)
    names = [sweeper.area.target for sweeper in sweepers]
    return Explained(
        tuple(contexts[name] for name in names if name in contexts),
        {name: errors[name] for name in names if name in errors},
    )


async def explain_notebook(sweeper: Sweeper, notebook_id: str) -> NotebookContext:
    """Return every rule's result for one notebook, with what the journal knows of it.

    Raises:
        Gone: the target has no such notebook.
        NbsweepError: the cloud or the journal could not be asked.
    """
    identity = await sweeper.identity()
    last_active = await sweeper.ports.journal.sightings.latest(identity.project, [notebook_id])
    notebook = await sweeper.ports.cloud.show(notebook_id)
    now = sweeper.ports.clock.now()
    current = await current_rules(sweeper.options.rules, sweeper.area.target, identity, sweeper.ports, [notebook_id])
    memory = await _remember(sweeper, identity, notebook, now, last_active.get(notebook.id))
    return NotebookContext(
        target=sweeper.area.target,
        asked_at=now,
        notebook=notebook,
        cover=cover_findings(notebook, _scope(sweeper.area)),
        explanation=explain(notebook, current.rules, Moment(now, last_active)),
        memory=memory,
        brakes=brake_lines(sweeper.brakes, sweeper.options.max_failures, memory),
        rules=current.rules,
    )


def _scope(area: Area) -> TargetScope:
    return TargetScope(area.workspaces, area.features, area.scope == "own")


async def _remember(
    sweeper: Sweeper, identity: TargetIdentity, notebook: Notebook, now: datetime, last_active: datetime | None
) -> JournalFacts:
    journal, target, cool_down = sweeper.ports.journal, sweeper.area.target, sweeper.options.cool_down
    here = (identity.project, UNKNOWN)
    removals = tuple(removal for removal in await journal.removals_of(notebook.id) if removal.project in here)
    marks = await journal.marks.marks_of(notebook.id)
    return JournalFacts(
        last_active=last_active,
        removals=removals,
        latest=await journal.last_run(target, PLANNED),
        history=await journal.history(target, identity, now - A_DAY, now),
        left_alone=judge_cooling(streaks(removals).get(notebook.id), cool_down, now),
        marks=tuple(mark for mark in marks if mark.project == identity.project and mark.is_of(notebook)),
    )
