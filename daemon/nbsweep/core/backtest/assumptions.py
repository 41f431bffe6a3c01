"""Says in words what the figures of a back-test assume, and what limits them."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import timedelta

from nbsweep.core.backtest.model import Period, Trial
from nbsweep.core.backtest.result import Coverage, Replayed
from nbsweep.core.reasons.sentences.backtests import BacktestCode
from nbsweep.core.reasons.statement import Statement


def assumptions(
    trial: Trial, period: Period, coverages: Sequence[Coverage], replayed: Sequence[Replayed]
) -> tuple[Statement, ...]:
    """Return one statement for each assumption, the most important first."""
    return (
        *_of_horizon(period, coverages),
        *_of_reality(coverages),
        *_of_brakes(coverages, replayed),
        *_of_graces(trial),
        *_of_records(coverages, replayed),
        Statement(BacktestCode.CAME_BACK, {"horizon_s": _seconds(period.horizon)}),
        Statement(BacktestCode.AS_A_SWEEP),
    )


def _of_horizon(period: Period, coverages: Sequence[Coverage]) -> Iterator[Statement]:
    spans = [coverage.last - coverage.first for coverage in coverages if coverage.first and coverage.last]
    if spans and max(spans) < period.horizon:
        params = {"covered_s": _seconds(max(spans)), "horizon_s": _seconds(period.horizon)}
        yield Statement(BacktestCode.SHORT_PAST, params)


def _of_reality(coverages: Sequence[Coverage]) -> Iterator[Statement]:
    if ordered := sum(coverage.ordered for coverage in coverages):
        yield Statement(BacktestCode.REALLY_ORDERED, {"notebooks": ordered})


def _of_brakes(coverages: Sequence[Coverage], replayed: Sequence[Replayed]) -> Iterator[Statement]:
    refused = sum((Counter(one.refused) for one in replayed), Counter[str]())
    surveys = sum(coverage.surveys for coverage in coverages)
    for brake, count in sorted(refused.items(), key=lambda pair: (-pair[1], pair[0])):
        yield Statement(BacktestCode.PLANS_REFUSED, {"brake": brake, "count": count, "total": surveys})


def _of_graces(trial: Trial) -> Iterator[Statement]:
    if trial.rules.graces:
        yield Statement(BacktestCode.EVERYBODY_TOLD)


def _of_records(coverages: Sequence[Coverage], replayed: Sequence[Replayed]) -> Iterator[Statement]:
    if incomplete := sum(coverage.incomplete for coverage in coverages):
        yield Statement(BacktestCode.INCOMPLETE_SURVEYS, {"past_surveys": incomplete})
    if ahead := sum(coverage.clock_ahead for coverage in coverages):
        yield Statement(BacktestCode.LATER_SURVEYS, {"past_surveys": ahead})
    if unreadable := sum(coverage.unreadable for coverage in coverages):
        yield Statement(BacktestCode.UNREADABLE_STATES, {"count": unreadable})
    if lacking := sum(one.lacking for one in replayed):
        yield Statement(BacktestCode.MISSING_FACTS, {"kept_notebooks": lacking})


def _seconds(length: timedelta) -> int:
    return int(length.total_seconds())
