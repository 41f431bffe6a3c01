"""`backtest`: what policies would have deleted in the past, and who would have come back, from the journal alone."""

import os
from collections.abc import Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Literal

import typer
from msgspec import Struct

from nbsweep.adapters.clock import SystemClock
from nbsweep.adapters.journal import open_journal
from nbsweep.bootstrap.backtests import NamedTrial, Trials, recorded_between, run_trials
from nbsweep.bootstrap.trials import trial_of
from nbsweep.cli.choice import require_known
from nbsweep.cli.exits import Exit
from nbsweep.cli.session import Session, report_error
from nbsweep.cli.views.past.backtest import backtest_view
from nbsweep.cli.views.past.threshold_chart import threshold_chart
from nbsweep.core.backtest.model import Trial
from nbsweep.core.backtest.thresholds import asks_for_idle_time
from nbsweep.core.errors import ConfigurationError, UsageError
from nbsweep.core.facts import format_moment
from nbsweep.core.ports import Journal
from nbsweep.documents.past.backtest import BacktestDocument
from nbsweep.loading.file import find_config, load_rules
from nbsweep.settings import Settings
from nbsweep.settings.fields.units import parse_duration, parse_share

CURRENT = "current"
"""Names the policies of the configuration."""
USUAL_THRESHOLDS = ("7d", "14d", "30d")
"""The idle times that charts compare, if none are given."""


class Output(Struct, frozen=True):
    """How the result is shown."""

    format: Literal["table", "json", "html"]
    chart: bool = False

    @property
    def drawn(self) -> bool:
        """Whether it has a chart of idle times."""
        return self.chart or self.format == "html"


class BacktestOptions(Struct, frozen=True):
    """The options of `backtest`."""

    trials: Trials
    output: Output


def options_of(
    settings: Settings,
    files: tuple[Path | None, str | None, Path | None],
    texts: tuple[str, str, str | None, str | None],
    targets: Sequence[str],
    output: Output,
) -> BacktestOptions:
    """Read the options: the files are those of the policies, of the comparison and of the configuration.

    Raises:
        typer.BadParameter: an option cannot be read, or means nothing.
        typer.Exit: a file of policies has mistakes, which were reported.
    """
    if output.chart and output.format != "table":
        raise typer.BadParameter(f"it is for the terminal, not for --format {output.format}", param_hint="--chart")
    known = tuple(target.name for target in settings.targets)
    require_known("--target", "target", targets, known)
    policies, compare, config = files
    since, horizon, thresholds, max_regret = texts
    if compare == CURRENT and policies is None:
        raise typer.BadParameter(
            "the current policies cannot be compared with themselves; give --policies", param_hint="--compare"
        )
    tried = _trial(settings, policies, config)
    other = None if compare is None else _trial(settings, None if compare == CURRENT else Path(compare), config)
    trials = Trials(
        tried=tried,
        other=other,
        since=_duration("--since", since),
        horizon=_duration("--horizon", horizon),
        thresholds=_thresholds(tried.trial, thresholds, output),
        max_regret=None if max_regret is None else _share("--max-regret", max_regret),
        targets=tuple(dict.fromkeys(targets)) or known,
    )
    return BacktestOptions(trials, output)


def _trial(settings: Settings, file: Path | None, config: Path | None) -> NamedTrial:
    if file is None:
        return NamedTrial(CURRENT, trial_of(settings))
    environment = dict(os.environ)
    try:
        return NamedTrial(str(file), trial_of(load_rules(file, find_config(config, environment), environment)))
    except ConfigurationError as error:
        report_error(error)
        raise typer.Exit(Exit.USAGE) from error


def _thresholds(trial: Trial, text: str | None, output: Output) -> tuple[tuple[str, timedelta], ...]:
    """Return the idle times to try: those of the option, and without it usual ones where they are drawn."""
    if not asks_for_idle_time(trial):
        if text or output.chart:
            option = "--thresholds" if text else "--chart"
            raise typer.BadParameter("no policy has an idle_over that could be replaced", param_hint=option)
        return ()
    texts = [part.strip() for part in text.split(",")] if text is not None else USUAL_THRESHOLDS if output.drawn else ()
    return tuple((each, _duration("--thresholds", each)) for each in texts)


def _duration(option: str, text: str) -> timedelta:
    try:
        return parse_duration(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=option) from None


def _share(option: str, text: str) -> Fraction:
    try:
        return parse_share(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=option) from None


async def backtest_command(session: Session, options: BacktestOptions) -> Exit:
    """Replay the past of each target, and show the result."""
    now, found = SystemClock().now(), None
    async with open_journal(session.settings.journal) as journal, session.until_shutdown():
        found = await run_trials(journal, options.trials, now)
        if found is None:
            raise UsageError(await _why_nothing(journal, options.trials.targets, now))
    if session.shutdown.begun.is_set() or found is None:
        return Exit.INTERRUPTED
    document = found.document
    _show(session, document, options.output)
    return Exit.TOO_MUCH_REGRET if document.max_regret and not document.max_regret.passed else Exit.DONE


def _show(session: Session, document: BacktestDocument, output: Output) -> None:
    if output.format == "json":
        session.write_json(document)
    elif output.format == "html":
        # Only reports need Jinja2.
        from nbsweep.reports.backtest import backtest_report  # noqa: PLC0415

        session.write_html(backtest_report(document))
    else:
        session.show_result(backtest_view(document, threshold_chart if output.chart else None))


async def _why_nothing(journal: Journal, targets: Sequence[str], now: datetime) -> str:
    """Return since when there is an inventory, and what to do."""
    _, last = await recorded_between(journal, targets, now)
    names = ", ".join(targets)
    if last is None:
        return (
            f"the inventory has no survey of {names} yet, so that there is no past to try policies on: run sweeps or dry runs "
            "(`nbsweep run --dry-run`, or `serve` with mode: dry-run) for some weeks, with inventory.keep in the configuration"
        )
    return f"the last survey of {names} in the inventory is of {format_moment(last)}: look further back with --since"
