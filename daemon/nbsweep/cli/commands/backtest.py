"""`backtest`: what policies would have deleted in the past, and who would have come back, from the journal alone."""

import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Literal

import typer
from msgspec import Struct

from nbsweep.adapters.clock import SystemClock
from nbsweep.adapters.journal import open_journal
from nbsweep.bootstrap.trials import trial_of
from nbsweep.cli.choice import require_known
from nbsweep.cli.exits import Exit
from nbsweep.cli.session import Session, report_error
from nbsweep.cli.views.past.backtest import backtest_view
from nbsweep.cli.views.past.threshold_chart import threshold_chart
from nbsweep.core.backtest.assumptions import assumptions
from nbsweep.core.backtest.model import Period, Trial
from nbsweep.core.backtest.reality import Reality
from nbsweep.core.backtest.result import Coverage, Replayed
from nbsweep.core.backtest.thresholds import asks_for_idle_time, with_idle_over
from nbsweep.core.errors import ConfigurationError, UsageError
from nbsweep.core.facts import format_moment
from nbsweep.core.ports import Journal
from nbsweep.documents.past.backtest import BacktestDocument, BacktestResult, ThresholdResult, backtest_document
from nbsweep.engine.past.backtest import backtest
from nbsweep.engine.past.reality import reality
from nbsweep.loading.file import find_config, load_rules
from nbsweep.settings import Settings
from nbsweep.settings.fields.units import parse_duration, parse_share

CURRENT = "current"
"""Names the policies of the configuration."""
USUAL_THRESHOLDS = ("7d", "14d", "30d")
"""The idle times that charts compare, if none are given."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Output(Struct, frozen=True):
    """How the result is shown."""

    format: Literal["table", "json", "html"]
    chart: bool = False

    @property
    def drawn(self) -> bool:
        """Whether it has a chart of idle times."""
        return self.chart or self.format == "html"


class NamedTrial(Struct, frozen=True):
    """Rules, and where they come from."""

    name: str
    trial: Trial


class BacktestOptions(Struct, frozen=True):
    """The options of `backtest`."""

    tried: NamedTrial
    other: NamedTrial | None
    """The rules to compare with."""
    since: timedelta
    horizon: timedelta
    thresholds: tuple[tuple[str, timedelta], ...]
    max_regret: Fraction | None
    targets: tuple[str, ...]
    output: Output

    @property
    def trials(self) -> tuple[Trial, ...]:
        """All rules that are replayed: those to try, those of each threshold, and those to compare with."""
        others = [self.other.trial] if self.other else []
        tried = self.tried.trial
        return (tried, *(with_idle_over(tried, length) for _, length in self.thresholds), *others)


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
    return BacktestOptions(
        tried=tried,
        other=other,
        since=_duration("--since", since),
        horizon=_duration("--horizon", horizon),
        thresholds=_thresholds(tried.trial, thresholds, output),
        max_regret=None if max_regret is None else _share("--max-regret", max_regret),
        targets=tuple(dict.fromkeys(targets)) or known,
        output=output,
    )


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
    now = SystemClock().now()
    period = Period(now - options.since, now, options.horizon)
    coverages: list[Coverage] = []
    results: list[tuple[Replayed, ...]] = []
    realities: list[Reality] = []
    async with open_journal(session.settings.journal) as journal, session.until_shutdown():
        for target in options.targets:
            coverage, replayed = await backtest(journal, target, options.trials, period)
            coverages.append(coverage)
            results.append(replayed)
            realities.append(await reality(journal, target, options.tried.trial, period))
        if not any(coverage.surveys for coverage in coverages):
            raise UsageError(await _why_nothing(journal, options, now))
    if session.shutdown.begun.is_set():
        return Exit.INTERRUPTED
    document = backtest_document(_result(options, period, coverages, results, realities))
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


def _result(
    options: BacktestOptions,
    period: Period,
    coverages: Sequence[Coverage],
    results: Sequence[tuple[Replayed, ...]],
    realities: Sequence[Reality],
) -> BacktestResult:
    by_trial = [[replayed[place] for replayed in results] for place in range(len(options.trials))]
    first, others = by_trial[0], by_trial[1:]
    listed = zip(options.thresholds, others[: len(options.thresholds)], strict=True)
    return BacktestResult(
        policies=options.tried.name,
        period=period,
        coverages=coverages,
        replayed=first,
        thresholds=[ThresholdResult(text, length, replayed) for (text, length), replayed in listed],
        other=(options.other.name, others[-1]) if options.other else None,
        max_regret=None if options.max_regret is None else float(options.max_regret),
        assumptions=assumptions(options.tried.trial, period, coverages, first),
        realities=realities,
    )


async def _why_nothing(journal: Journal, options: BacktestOptions, now: datetime) -> str:
    """Return since when there is an inventory, and what to do."""
    surveys = [survey for target in options.targets for survey in await journal.inventory.surveys(EPOCH, now, target)]
    names = ", ".join(options.targets)
    if not surveys:
        return (
            f"the inventory has no survey of {names} yet, so that there is no past to try policies on: run sweeps or dry runs "
            "(`nbsweep run --dry-run`, or `serve` with mode: dry-run) for some weeks, with inventory.keep in the configuration"
        )
    last = max(survey.at for survey in surveys)
    return f"the last survey of {names} in the inventory is of {format_moment(last)}: look further back with --since"
