"""`plan`: what would go, and why, without a request that changes anything."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import anyio

from nbsweep.bootstrap import Opened, open_all
from nbsweep.cli.documents import Document, plan_document
from nbsweep.cli.exits import Exit, exit_of_error, gravest
from nbsweep.cli.session import Session, tell_error
from nbsweep.cli.text import csv_text, json_pieces
from nbsweep.core.errors import NbsweepError
from nbsweep.core.plan import Plan
from nbsweep.documents import new_id
from nbsweep.engine.report import leading_error
from nbsweep.engine.sweep import Sweeper

__all__ = ["PlanFormat", "PlanOptions", "new_id", "plan_command"]

PlanFormat = Literal["table", "json", "csv"]
CSV_COLUMNS = (
    "target", "id", "name", "status", "owner", "workspace", "policy", "reason", "stop_first", "feature", "flavor",
    "capacity_gb", "category", "ownership", "created_at", "idle_since",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class PlanOptions:
    """How `plan` is asked for."""

    format: PlanFormat
    out: Path | None
    detailed_exitcode: bool


async def plan_command(session: Session, options: PlanOptions) -> Exit:
    """Survey every target, and show what would go, and why."""
    async with open_all(session.settings, session.environment, session.telemetry, session.shutdown) as opened:
        with session.drawing():
            plans, errors = await _plan_all(session, opened)
        now = opened.clock.now()
    if session.shutdown.begun.is_set():
        return Exit.INTERRUPTED
    document = plan_document(new_id(now), now, plans, {target: str(error) for target, error in errors.items()})
    if options.out:
        await _save(options.out, json_pieces(document))
    _show(session, plans, document, options.format)
    for target, error in errors.items():
        tell_error(error, target)
    return _exit(plans, errors, options)


async def _save(path: Path, pieces: Iterable[str]) -> None:
    try:
        async with await anyio.open_file(path, "w", encoding="utf-8") as file:
            await file.writelines(pieces)
            await file.write("\n")
    except OSError as error:
        message = f"the plan could not be saved in {path}: {error.strerror or error}"
        raise NbsweepError(message) from error


async def _plan_all(session: Session, opened: Opened) -> tuple[list[Plan], dict[str, NbsweepError]]:
    """Plan all targets side by side; a shutdown ends it at once, for nothing is at stake."""
    plans: dict[str, Plan] = {}
    errors: dict[str, NbsweepError] = {}

    async def plan_one(sweeper: Sweeper) -> None:
        target = sweeper.area.target
        with session.telemetry.bound(target=target):
            try:
                plans[target] = await sweeper.plan()
            except (NbsweepError, ExceptionGroup) as error:
                errors[target] = leading_error(error)

    async with session.until_shutdown(), anyio.create_task_group() as group:
        for sweeper in opened.sweepers:
            group.start_soon(plan_one, sweeper)
    return [plans[sweeper.area.target] for sweeper in opened.sweepers if sweeper.area.target in plans], errors


def _show(session: Session, plans: list[Plan], document: Document, output: PlanFormat) -> None:
    if output == "json":
        session.write_json(document)
    elif output == "csv":
        session.write_result(csv_text(document["items"], CSV_COLUMNS))
    else:
        from nbsweep.cli.render import plan_view

        for plan in plans:
            session.show_result(plan_view(plan))


def _exit(plans: list[Plan], errors: Mapping[str, NbsweepError], options: PlanOptions) -> Exit:
    found = gravest([*map(exit_of_error, errors.values()), *(Exit.REFUSED for plan in plans if plan.refusal)])
    if found is Exit.DONE and options.detailed_exitcode and any(plan.items for plan in plans):
        return Exit.SOMETHING_TO_DELETE
    return found
