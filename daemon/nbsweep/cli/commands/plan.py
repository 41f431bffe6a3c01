"""`plan`: which notebooks a sweep would delete, and why. Only reads from the cloud."""

from collections.abc import Mapping
from datetime import timedelta
from itertools import chain
from pathlib import Path
from typing import Literal

import typer
from msgspec import Struct

from nbsweep.bootstrap.sweeps import open_all
from nbsweep.cli.choice import EVERYTHING, Choice, chosen_sweepers, on_each
from nbsweep.cli.exits import Exit, exit_of_error, exit_of_plan, worst
from nbsweep.cli.plan_file import write_plan
from nbsweep.cli.session import Session, report_error
from nbsweep.cli.text import csv_pieces, printable
from nbsweep.cli.views.plan import plan_view
from nbsweep.core.errors import NbsweepError
from nbsweep.core.planning.plan import Plan
from nbsweep.core.saved_plan.model import SavedPlan
from nbsweep.documents.base import new_id
from nbsweep.documents.plans import PlanDocument, plan_document
from nbsweep.engine.sweep import Sweeper
from nbsweep.service.plans.saved_plans import plan_to_save
from nbsweep.settings.fields.units import parse_duration

__all__ = ["PlanFormat", "PlanOptions", "Saving", "new_id", "plan_command"]

PlanFormat = Literal["table", "json", "csv"]
CSV_COLUMNS = (
    "target", "id", "name", "status", "owner", "workspace", "policy", "reason", "stop_first", "feature", "flavor",
    "capacity_gb", "category", "ownership", "created_at", "idle_since", "action", "grace", "earliest_due_at",
)  # fmt: skip


class Saving(Struct, frozen=True):
    """The file of a saved plan, and its validity."""

    path: Path
    valid_for: timedelta | None
    """None for the validity in the configuration."""

    @classmethod
    def of(cls, out: Path | None, valid_for: str | None) -> "Saving | None":
        """Read the options; return None if no plan is to be saved."""
        if out is None:
            if valid_for is not None:
                raise typer.BadParameter("--valid-for needs --out")
            return None
        try:
            return cls(out, None if valid_for is None else parse_duration(valid_for))
        except ValueError as error:
            raise typer.BadParameter(f"--valid-for {error}") from None


class PlanOptions(Struct, frozen=True):
    """The options of `plan`."""

    format: PlanFormat
    saving: Saving | None
    detailed_exitcode: bool
    choice: Choice = EVERYTHING


async def plan_command(session: Session, options: PlanOptions) -> Exit:
    """Plan every target, and show which notebooks would be deleted, and why."""
    async with open_all(session.settings, session.environment, session.telemetry, session.shutdown) as opened:
        with session.drawing(stays=False):
            found, errors = await on_each(session, await chosen_sweepers(session, opened, options.choice), Sweeper.plan)
        now = opened.clock.now()
    if session.shutdown.begun.is_set():
        return Exit.INTERRUPTED
    plans = list(found.values())
    document = plan_document(new_id(now), now, plans, {target: str(error) for target, error in errors.items()})
    if options.saving and plans:
        valid_for = options.saving.valid_for or session.settings.plan.valid_for
        saved = plan_to_save(session.settings, document.plan_id, (now, valid_for), plans)
        write_plan(options.saving.path, saved)
        _report_saved(session, options.saving.path, saved)
    for target, error in errors.items():
        report_error(error, target)
    _show(session, plans, document, options.format)
    return _exit(plans, errors, options)


def _report_saved(session: Session, path: Path, plan: SavedPlan) -> None:
    if session.screen.on_terminal:
        until = f"{plan.expires_at:%Y-%m-%d %H:%M:%SZ}"
        session.screen.err.print(
            f"Saved in {printable(path)}; it is valid for `run --plan` until {until}.", markup=False, emoji=False
        )


def _show(session: Session, plans: list[Plan], document: PlanDocument, output: PlanFormat) -> None:
    if output == "json":
        session.write_json(document)
    elif output == "csv":
        session.write_pieces(csv_pieces(chain(document.items, document.to_mark), CSV_COLUMNS))
    else:
        for plan in plans:
            session.show_result(plan_view(plan, wide=session.screen.wide))


def _exit(plans: list[Plan], errors: Mapping[str, NbsweepError], options: PlanOptions) -> Exit:
    ends = [exit_of_plan(plan) for plan in plans]
    found = worst([*map(exit_of_error, errors.values()), *ends])
    if found is Exit.DONE and options.detailed_exitcode and any(plan.items for plan in plans):
        return Exit.SOMETHING_TO_DELETE
    return found
