"""`run`: sweeps every target concurrently and independently, so that a failure of one does not stop another."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Literal

import anyio
import typer
from msgspec import Struct
from rich.console import RenderableType

from nbsweep.adapters.clock import SystemClock
from nbsweep.adapters.process import current_user
from nbsweep.bootstrap.sweeps import OpenResources, open_all
from nbsweep.cli.choice import EVERYTHING, Choice, chosen_sweepers
from nbsweep.cli.exits import Exit, exit_of_report, worst
from nbsweep.cli.plan_file import read_plan
from nbsweep.cli.preload import load_for_sweeping
from nbsweep.cli.prompt import ask, forget_input
from nbsweep.cli.session import ResultLost, Session, report_error
from nbsweep.cli.text import printable
from nbsweep.cli.views.plan import describe_told, plan_view
from nbsweep.cli.views.results import report_view
from nbsweep.core.control.requests import Pause
from nbsweep.core.errors import JournalError, TargetIsPaused
from nbsweep.core.events.sweep import DryRunByMode, PlanTargetLeftAlone
from nbsweep.core.planning.plan import Candidate, Plan
from nbsweep.core.ports import Journal
from nbsweep.core.report import Report
from nbsweep.core.runs import Outcome
from nbsweep.core.saved_plan.model import SavedPlan, Spared
from nbsweep.documents.base import new_id
from nbsweep.documents.reports import MessagesDocument, dry_run_document, report_document
from nbsweep.engine.report import Run
from nbsweep.engine.saved_plan import PlanConstraint
from nbsweep.engine.sweep import Sweeper
from nbsweep.settings import Settings

SENDS_FOR_S = 900.0
"""How long the end of a run may take to send messages; the next run sends the rest."""


class RunOptions(Struct, frozen=True):
    """The options of `run`."""

    format: Literal["table", "json"] = "table"
    dry_run: bool = False
    yes: bool = False
    enforce: bool = False
    """Whether `mode: dry-run` is overridden."""
    ignore_pause: bool = False
    plan: Path | None = None
    """The saved plan that limits the run."""
    choice: Choice = EVERYTHING
    most_rows: int | None = None
    """Number of rows of a plan shown before the sweep; None for all rows on a terminal and no rows elsewhere."""


def require_consistent(options: RunOptions) -> None:
    """Refuse options that exclude each other."""
    for name, given in (("--yes", options.yes), ("--enforce", options.enforce)):
        if options.dry_run and given:
            raise typer.BadParameter(f"--dry-run and {name} exclude each other")


def require_consent(options: RunOptions, settings: Settings) -> None:
    """Refuse to start a command that could delete if neither `--yes` nor a prompt can approve it."""
    deletes = not is_dry_run(options, settings)
    if deletes and not options.yes and not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise typer.BadParameter(
            "there is no terminal for a prompt: use --yes to delete without a prompt, or --dry-run to delete nothing"
        )


def is_dry_run(options: RunOptions, settings: Settings) -> bool:
    """Return whether a run changes nothing: by its options, or by the mode of the configuration."""
    return options.dry_run or _is_bound_by_mode(options, settings)


def _is_bound_by_mode(options: RunOptions, settings: Settings) -> bool:
    return settings.mode == "dry-run" and not options.enforce


@dataclass(slots=True)
class ApprovalPrompt:
    """Shows each plan before it is carried out, and prompts for each unless `--yes` is given; one prompt at a time."""

    session: Session
    options: RunOptions
    _one_at_a_time: anyio.Lock = field(default_factory=anyio.Lock)

    async def __call__(self, plan: Plan, spared: Sequence[Spared]) -> bool:
        """Return whether a plan may be carried out."""
        if not self.session.screen.on_terminal:
            if self.options.most_rows is not None:
                self.session.show_result(self._view(plan, spared))
            return self.options.yes
        async with self._one_at_a_time:
            with self.session.pause_progress():
                self.session.screen.review.print(self._view(plan, spared))
                return self.options.yes or await self._ask(plan)

    def _view(self, plan: Plan, spared: Sequence[Spared]) -> RenderableType:
        return plan_view(plan, spared, most=self.options.most_rows, wide=self.session.screen.wide)

    async def _ask(self, plan: Plan) -> bool:
        """Prompt for the number of notebooks: an answer that was meant for another plan seldom matches."""
        count, request = describe_request(plan)
        terminal, question = sys.stdin.fileno(), f"Type {count} to {printable(request)}: "
        if not forget_input(terminal):
            return False
        self.session.screen.err.print(question, end="", style="bold", markup=False, emoji=False)
        return await ask(terminal) == str(count)


def describe_request(plan: Plan) -> tuple[int, str]:
    """Return the number to type for the approval of a plan, and what the approval allows."""
    told = describe_told(plan)
    if not plan.items:
        these, count = _these(plan.to_mark), len(plan.to_mark)
        return count, f"mark {these} of {plan.target}, so that {told} will be told; nothing is deleted yet"
    count = len(plan.items)
    deletion = f"delete {_these(plan.items)} of {plan.target} with all {'their' if count > 1 else 'its'} storage permanently"
    return count, f"{deletion}, and mark {len(plan.to_mark)} more, so that {told} will be told" if plan.to_mark else deletion


def _these(items: Sequence[Candidate]) -> str:
    return f"these {len(items)} notebooks" if len(items) > 1 else "this notebook"


async def run_command(session: Session, options: RunOptions) -> Exit:
    """Sweep every target, or those of a saved plan, and show the results."""
    dry_run = is_dry_run(options, session.settings)
    if not dry_run:
        load_for_sweeping(tables=options.format == "table")
    saved = read_plan(options.plan, session.settings, SystemClock().now()) if options.plan else None
    async with open_all(session.settings, session.environment, session.telemetry, session.shutdown) as opened:
        now = opened.clock.now()
        if _is_bound_by_mode(options, session.settings) and not options.dry_run:
            _say_dry_run(session, options)
        with session.drawing():
            sweepers = await chosen_sweepers(session, opened, options.choice)
            if saved is not None:
                sweepers = _by_plan(session, sweepers, saved, f"the plan {options.plan}")
            pauses = {} if dry_run else await _pauses(opened.journal, now)
            run = Run(new_id(now), current_user(), dry_run, _overrides(options, session.settings, sweepers, pauses))
            held = {} if options.ignore_pause else pauses
            free = [each for each in sweepers if each.area.target not in held]
            reports = await _sweep_all(opened, free, run, ApprovalPrompt(session, options))
            reports += [_paused_report(held[each.area.target]) for each in sweepers if each.area.target in held]
            messages = await _tell_people(session, opened, reports, run)
        if not session.shutdown.begun.is_set():
            await opened.report_left_alone()
    if session.shutdown.begun.is_set() and not reports:
        return Exit.INTERRUPTED
    try:
        if options.format == "json":
            plan_id = saved.plan_id if saved else None
            session.write_json(
                dry_run_document(run.run_id, now, reports, plan_id)
                if dry_run
                else report_document(run.run_id, reports, plan_id, messages)
            )
        else:
            _show(session, reports, messages)
    except ResultLost as error:
        # The exit code still tells how the sweep ended.
        report_error(ResultLost(f"{error}; `nbsweep show {run.run_id}` shows it again"), event="result.lost")
    for report in reports:
        if report.error:
            report_error(report.error, report.target)
    return worst(map(exit_of_report, reports))


def _say_dry_run(session: Session, options: RunOptions) -> None:
    session.telemetry.emit(DryRunByMode())
    if options.format == "table":
        session.write_result(
            f"A dry run, as the configuration says `mode: dry-run`: nothing is deleted. {DryRunByMode().advice}."
        )


async def _pauses(journal: Journal, now: datetime) -> Mapping[str, Pause]:
    return {pause.target: pause for pause in await journal.control.pauses() if pause.in_force(now)}


def _paused_report(pause: Pause) -> Report:
    advice = f"resume it with `nbsweep resume {pause.target}`, or override the pause for one run with --ignore-pause"
    return Report(pause.target, Outcome.REFUSED, error=TargetIsPaused(f"{pause}. Nothing is deleted; {advice}"))


def _overrides(options: RunOptions, settings: Settings, sweepers: Iterable[Sweeper], pauses: Mapping[str, Pause]) -> str:
    """Return the options that the run needs to delete, for the record."""
    lifts_mode = options.enforce and settings.mode == "dry-run"
    lifts_pause = options.ignore_pause and any(each.area.target in pauses for each in sweepers)
    return " ".join([*(["--enforce"] if lifts_mode else []), *(["--ignore-pause"] if lifts_pause else [])])


def _by_plan(session: Session, sweepers: Iterable[Sweeper], plan: SavedPlan, source: str) -> tuple[Sweeper, ...]:
    """Return the sweepers of the plan's targets, restricted to the plan."""
    saved = {target.target: target for target in plan.targets}
    narrowed = []
    for sweeper in sweepers:
        name = sweeper.area.target
        if name in saved:
            narrowed.append(replace(sweeper, permit=PlanConstraint(source, plan.plan_id, plan.expires_at, saved[name])))
        else:
            with session.telemetry.bound(target=name):
                session.telemetry.emit(PlanTargetLeftAlone(plan.plan_id))
    return tuple(narrowed)


async def _sweep_all(opened: OpenResources, sweepers: Sequence[Sweeper], run: Run, approval: ApprovalPrompt) -> list[Report]:
    reports: dict[str, Report] = {}

    async def sweep_one(sweeper: Sweeper) -> None:
        reports[sweeper.area.target] = await _sweep_in_turn(opened, sweeper, run, approval)

    async with anyio.create_task_group() as group:
        for sweeper in sweepers:
            group.start_soon(sweep_one, sweeper, name=f"sweep-{sweeper.area.target}")
    return [reports[sweeper.area.target] for sweeper in sweepers]


async def _sweep_in_turn(opened: OpenResources, sweeper: Sweeper, run: Run, approval: ApprovalPrompt) -> Report:
    """Sweep a target when its account has its turn."""
    target, session = sweeper.area.target, approval.session
    async with opened.turns.turn(target, session.telemetry, session.shutdown) as has_turn:
        if not has_turn:
            return Report(target, Outcome.INTERRUPTED)
        if not (run.dry_run or approval.options.ignore_pause):
            try:
                # It may have been paused while it waited.
                pause = await opened.journal.control.pause_of(target)
            except JournalError as error:
                return Report(target, Outcome.FAILED, error=error)
            if pause and pause.in_force(opened.clock.now()):
                return _paused_report(pause)
        return await sweeper.sweep(run, approval)


async def _tell_people(session: Session, opened: OpenResources, reports: Sequence[Report], run: Run) -> MessagesDocument | None:
    """Send what owners and operators are to be told, as far as the channels take it; the next run sends the rest."""
    if run.dry_run or not session.settings.channels:
        return None
    from nbsweep.bootstrap.people.notices import open_notices  # noqa: PLC0415  # not for those who configure no channel

    async with open_notices(session.settings, opened, session.telemetry) as notices, session.until_shutdown():
        for report in reports:
            await notices.operators.tell_of_troubles(report, run.run_id)
        await notices.relay.finish(SENDS_FOR_S)
        # Only now it is known who cannot be told.
        for report in reports:
            await notices.operators.tell_of_untold(report.target)
        await notices.relay.finish(SENDS_FOR_S)
    # Also after an interruption: what was sent by then is told.
    sent = notices.relay.sent
    return MessagesDocument(sent.told, sent.messages, sent.not_accepted)


def _show(session: Session, reports: list[Report], messages: MessagesDocument | None) -> None:
    for report in reports:
        if report.plan and report.outcome in (Outcome.DRY_RUN, Outcome.REFUSED) and not report.removals:
            session.show_result(plan_view(report.plan, report.spared, wide=session.screen.wide))
        if report.outcome is not Outcome.DRY_RUN:
            session.show_result(report_view(report))
    if messages and (messages.sent or messages.not_accepted):
        session.write_result(describe_messages(messages))


def describe_messages(messages: MessagesDocument) -> str:
    """Return what was sent at the end of a run."""
    sent = f"{messages.sent} {'message' if messages.sent == 1 else 'messages'} sent"
    announce = "announces" if messages.sent == 1 else "announce"
    told = f", which {announce} {messages.told} {'deletion' if messages.told == 1 else 'deletions'}" if messages.told else ""
    failed = f"; {messages.not_accepted} not accepted: see `nbsweep outbox`" if messages.not_accepted else ""
    return f"messages: {sent}{told}{failed}."
