"""The results of a back-test, and the JSON document that is made of them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta

from msgspec import Struct

from nbsweep.core.backtest.model import CensorCause, Labelled, Period
from nbsweep.core.backtest.reality import Reality
from nbsweep.core.backtest.recreated import Recreated, Resemblance
from nbsweep.core.backtest.result import Coverage, Replayed
from nbsweep.core.backtest.summary import (
    FEW_LABELS,
    LabelCounts,
    RegretLimit,
    by_owner,
    by_policy,
    by_week,
    compare,
    count_labels,
)
from nbsweep.core.reasons.statement import Statement
from nbsweep.core.reasons.statement_wordings import describe_statement
from nbsweep.documents.base import Series, moment_text
from nbsweep.documents.past.backtest import (
    BacktestDocument,
    ComparisonDocument,
    CoverageDocument,
    LabelCountsDocument,
    MaxRegretDocument,
    NamedCountsDocument,
    RealityDocument,
    RecreatedDocument,
    ThresholdDocument,
    WeekDocument,
    WouldBeDocument,
)

DIGITS = 6
"""Of shares, behind the point."""


class ThresholdResult(Struct, frozen=True):
    """The result with one value of each `idle_over`."""

    text: str
    idle_over: timedelta
    replayed: Sequence[Replayed]


class BacktestResult(Struct, frozen=True):
    """All results of one back-test; each sequence has one member for each target."""

    policies: str
    period: Period
    coverages: Sequence[Coverage]
    replayed: Sequence[Replayed]
    thresholds: Sequence[ThresholdResult] = ()
    other: tuple[str, Sequence[Replayed]] | None = None
    """The policies that are compared, and their result."""
    max_regret: float | None = None
    assumptions: Sequence[Statement] = ()
    realities: Sequence[Reality] = ()


def backtest_document(result: BacktestResult) -> BacktestDocument:
    """Return the document of a back-test."""
    found, period = _labelled(result.replayed), result.period
    total = count_labels(found)
    return BacktestDocument(
        policies=result.policies,
        since=moment_text(period.since),
        until=moment_text(period.until),
        horizon_s=period.horizon.total_seconds(),
        targets=[_coverage(*pair) for pair in zip(result.coverages, result.replayed, strict=True)],
        total=_counts(total),
        few_labels=total.labelled < FEW_LABELS,
        by_policy=_named(by_policy(found)),
        by_owner=_named(by_owner(found)),
        by_week=[WeekDocument(week.isoformat(), _counts(counts)) for week, counts in by_week(found, period).items()],
        deletions=Series(lambda: map(_would_be, found)),
        thresholds=[_threshold(each) for each in result.thresholds],
        comparison=_comparison(found, *result.other) if result.other else None,
        max_regret=None if result.max_regret is None else _max_regret(RegretLimit(result.max_regret, total)),
        assumptions=list(map(describe_statement, result.assumptions)),
        reality=_reality(result.realities),
    )


def _reality(realities: Sequence[Reality]) -> RealityDocument | None:
    held = [each for one in realities for each in one.held]
    deleted = sum(one.deleted for one in realities)
    if not held and not deleted:
        return None
    recreated = [_recreated(each) for one in realities for each in one.recreated]
    return RealityDocument(deleted, recreated, _counts(count_labels(held)), [_would_be(each) for each in held])


def _recreated(found: Recreated) -> RecreatedDocument:
    removal = found.removal
    return RecreatedDocument(
        run=removal.run_id,
        id=removal.notebook_id,
        name=removal.name,
        owner=removal.owner,
        policy=removal.policy,
        deleted_at=moment_text(removal.requested_at or removal.planned_at),
        new_id=found.notebook.id,
        new_name=found.notebook.name,
        created_at=moment_text(found.created_at),
        by="name" if found.by is Resemblance.NAME else "image",
    )


def _labelled(replayed: Iterable[Replayed]) -> tuple[Labelled, ...]:
    return tuple(each for one in replayed for each in one.found)


def _counts(counts: LabelCounts) -> LabelCountsDocument:
    interval = counts.interval
    return LabelCountsDocument(
        deletions=counts.deletions,
        came_back=counts.came_back,
        removed_by_owner=counts.removed_by_owner,
        still_idle=counts.still_idle,
        censored=counts.deletions - counts.labelled,
        censored_by={cause.value: counts.censored[cause] for cause in CensorCause if cause in counts.censored},
        regret=None if counts.regret is None else round(counts.regret, DIGITS),
        regret_low=round(interval.low, DIGITS),
        regret_high=round(interval.high, DIGITS),
        capacity_gb=counts.capacity_gb,
    )


def _would_be(found: Labelled) -> WouldBeDocument:
    would_be = found.would_be
    return WouldBeDocument(
        target=would_be.target,
        id=would_be.notebook.id,
        name=would_be.notebook.name,
        owner=would_be.notebook.owner_label,
        created_at=moment_text(would_be.notebook.created_at),
        policy=would_be.policy,
        reason=would_be.reason,
        at=moment_text(would_be.at),
        survey=would_be.survey,
        capacity_gb=would_be.capacity_gb,
        label=found.label,
        sign=found.sign,
        cause=found.cause,
        label_at=moment_text(found.label_at),
    )


def _named(groups: Mapping[str, LabelCounts]) -> list[NamedCountsDocument]:
    return [NamedCountsDocument(name, _counts(counts)) for name, counts in groups.items()]


def _coverage(coverage: Coverage, replayed: Replayed) -> CoverageDocument:
    return CoverageDocument(
        target=coverage.target,
        surveys=coverage.surveys,
        incomplete=coverage.incomplete,
        clock_ahead=coverage.clock_ahead,
        first=moment_text(coverage.first),
        last=moment_text(coverage.last),
        unreadable=coverage.unreadable,
        ordered=coverage.ordered,
        refused=replayed.refused,
        marked=replayed.marked,
        lacking=replayed.lacking,
    )


def _threshold(result: ThresholdResult) -> ThresholdDocument:
    refused: dict[str, int] = {}
    for one in result.replayed:
        refused |= {brake: refused.get(brake, 0) + count for brake, count in one.refused.items()}
    counts = _counts(count_labels(_labelled(result.replayed)))
    return ThresholdDocument(result.text, result.idle_over.total_seconds(), counts, refused)


def _comparison(here: Sequence[Labelled], policies: str, other: Sequence[Replayed]) -> ComparisonDocument:
    there = _labelled(other)
    found = compare(here, there)
    return ComparisonDocument(
        policies=policies,
        total=_counts(count_labels(there)),
        only_here=_counts(count_labels(found.only_here)),
        only_there=_counts(count_labels(found.only_there)),
        both_here=_counts(count_labels(found.both_here)),
        both_there=_counts(count_labels(found.both_there)),
        only_there_deletions=[_would_be(each) for each in found.only_there],
        only_here_ids=[each.would_be.notebook.id for each in found.only_here],
    )


def _max_regret(limit: RegretLimit) -> MaxRegretDocument:
    return MaxRegretDocument(limit.most, limit.passed)
