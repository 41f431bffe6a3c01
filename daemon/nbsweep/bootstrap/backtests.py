"""Runs back-tests: the trials of the command and of the page, over the surveys of a journal."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from fractions import Fraction

from msgspec import Struct

from nbsweep.core.backtest.assumptions import assumptions
from nbsweep.core.backtest.model import Period, Trial
from nbsweep.core.backtest.reality import Reality
from nbsweep.core.backtest.result import Coverage, Replayed
from nbsweep.core.backtest.thresholds import with_idle_over
from nbsweep.core.ports import Journal
from nbsweep.core.reasons.statement import Statement
from nbsweep.documents.past.backtest import BacktestDocument
from nbsweep.documents.past.backtest_result import BacktestResult, ThresholdResult, backtest_document
from nbsweep.engine.past.backtest import backtest
from nbsweep.engine.past.reality import reality

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class NamedTrial(Struct, frozen=True):
    """Rules, and where they come from."""

    name: str
    trial: Trial


class Trials(Struct, frozen=True):
    """All that is tried, on which targets, and since when."""

    tried: NamedTrial
    other: NamedTrial | None
    """The rules to compare with."""
    since: timedelta
    horizon: timedelta
    thresholds: tuple[tuple[str, timedelta], ...]
    max_regret: Fraction | None
    targets: tuple[str, ...]

    @property
    def all(self) -> tuple[Trial, ...]:
        """All rules that are replayed: those to try, those of each threshold, and those to compare with."""
        others = [self.other.trial] if self.other else []
        tried = self.tried.trial
        return (tried, *(with_idle_over(tried, length) for _, length in self.thresholds), *others)


class Backtested(Struct, frozen=True):
    """The result of a back-test."""

    document: BacktestDocument
    assumptions: tuple[Statement, ...]
    """Those of the document, for each language to render."""


async def run_trials(journal: Journal, trials: Trials, now: datetime) -> Backtested | None:
    """Replay the past of each target up to a moment; None if there is no survey in that time.

    Raises:
        JournalError: the journal cannot be read.
    """
    period = Period(now - trials.since, now, trials.horizon)
    coverages: list[Coverage] = []
    results: list[tuple[Replayed, ...]] = []
    realities: list[Reality] = []
    for target in trials.targets:
        coverage, replayed = await backtest(journal, target, trials.all, period)
        coverages.append(coverage)
        results.append(replayed)
        realities.append(await reality(journal, target, trials.tried.trial, period))
    if not any(coverage.surveys for coverage in coverages):
        return None
    result = _result(trials, period, coverages, results, realities)
    return Backtested(backtest_document(result), tuple(result.assumptions))


async def recorded_between(journal: Journal, targets: Sequence[str], now: datetime) -> tuple[datetime | None, datetime | None]:
    """Return the times of the first and the last survey of these targets in the inventory; None if there is none.

    Raises:
        JournalError: the journal cannot be read.
    """
    times = [survey.at for target in targets for survey in await journal.inventory.surveys(EPOCH, now, target)]
    return min(times, default=None), max(times, default=None)


def _result(
    trials: Trials,
    period: Period,
    coverages: Sequence[Coverage],
    results: Sequence[tuple[Replayed, ...]],
    realities: Sequence[Reality],
) -> BacktestResult:
    by_trial = [[replayed[place] for replayed in results] for place in range(len(trials.all))]
    first, others = by_trial[0], by_trial[1:]
    listed = zip(trials.thresholds, others[: len(trials.thresholds)], strict=True)
    return BacktestResult(
        policies=trials.tried.name,
        period=period,
        coverages=coverages,
        replayed=first,
        thresholds=[ThresholdResult(text, length, replayed) for (text, length), replayed in listed],
        other=(trials.other.name, others[-1]) if trials.other else None,
        max_regret=None if trials.max_regret is None else float(trials.max_regret),
        assumptions=assumptions(trials.tried.trial, period, coverages, first),
        realities=realities,
    )
