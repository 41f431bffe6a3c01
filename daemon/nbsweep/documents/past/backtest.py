"""The JSON document of a back-test."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Annotated, Literal

from msgspec import Meta, Struct

from nbsweep.core.backtest.model import CensorCause, Label, Labelled, Period, ReturnSign
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
from nbsweep.documents.base import Count, Counts, Document, Series, Time, moment_text

Share = Annotated[float, Meta(ge=0, le=1)]
Seconds = Annotated[float, Meta(ge=0)]
DIGITS = 6
"""Of shares, behind the point."""


class LabelCountsDocument(Document, frozen=True):
    """How many would-be deletions have each label, and the rate of regrets."""

    deletions: Count
    came_back: Annotated[Count, Meta(description="Somebody used or kept the notebook within the horizon: regrets.")]
    removed_by_owner: Count
    still_idle: Count
    censored: Annotated[Count, Meta(description="Nobody can say; not a part of the rate.")]
    censored_by: Annotated[Counts, Meta(description="The number of censored ones by cause.")]
    regret: Annotated[Share | None, Meta(description="came_back / (deletions - censored); null if all are censored.")]
    regret_low: Annotated[Share, Meta(description="The lower bound of the 95 % interval (Wilson).")]
    regret_high: Share
    capacity_gb: Annotated[Count, Meta(description="What all of the deletions would have freed, as far as it is known.")]


class NamedCountsDocument(Document, frozen=True):
    """The counts of one policy or owner."""

    name: str
    counts: LabelCountsDocument


class WeekDocument(Document, frozen=True):
    """The counts of one week."""

    monday: Annotated[str, Meta(description="The first day of the week in UTC.", extra_json_schema={"format": "date"})]
    counts: LabelCountsDocument


class ThresholdDocument(Document, frozen=True):
    """The counts if each `idle_over` of the policies had this value."""

    idle_over: Annotated[str, Meta(description="As the configuration writes it, such as 14d.")]
    idle_over_s: Seconds
    counts: LabelCountsDocument
    refused: Counts


class WouldBeDocument(Document, frozen=True):
    """A deletion that the policies would have begun, and what became of the notebook."""

    target: str
    id: str
    name: str | None
    owner: str
    created_at: Time | None
    policy: str
    reason: Annotated[str, Meta(description="The verdict at that survey.")]
    at: Annotated[Time, Meta(description="The time of the survey at which it would have been deleted.")]
    survey: Annotated[Count, Meta(description="The number of that survey.")]
    capacity_gb: Count
    label: Label
    sign: Annotated[ReturnSign | None, Meta(description="How somebody came back.")]
    cause: Annotated[CensorCause | None, Meta(description="Why nobody can say.")]
    label_at: Annotated[Time | None, Meta(description="When somebody had come back, or the notebook was gone.")]


class CoverageDocument(Document, frozen=True):
    """What is known of the past of one target."""

    target: str
    surveys: Count
    incomplete: Annotated[Count, Meta(description="Surveys that showed not every notebook; nothing is planned on them.")]
    clock_ahead: Annotated[Count, Meta(description="Surveys whose time is later than that of a following one.")]
    first: Time | None
    last: Time | None
    unreadable: Annotated[Count, Meta(description="States of notebooks whose facts cannot be read; these are kept.")]
    ordered: Annotated[Count, Meta(description="Notebooks of which nbsweep really sent a stop or a DELETE.")]
    refused: Annotated[Counts, Meta(description="At how many surveys a brake refused the plan, by brake.")]
    marked: Annotated[Count, Meta(description="Marks that policies with grace would have made.")]
    lacking: Annotated[Count, Meta(description="Notebooks that were kept because the inventory lacks a fact.")]


class ComparisonDocument(Document, frozen=True):
    """The differences to other policies over the same past."""

    policies: Annotated[str, Meta(description="The other policies: current, or the file.")]
    total: LabelCountsDocument
    only_here: LabelCountsDocument
    only_there: LabelCountsDocument
    both_here: Annotated[LabelCountsDocument, Meta(description="Those of both, with the labels that they have here.")]
    both_there: LabelCountsDocument
    only_there_deletions: Annotated[Sequence[WouldBeDocument], Meta(description="The deletions of `only_there`.")]
    only_here_ids: Annotated[Sequence[str], Meta(description="The IDs of the notebooks of `only_here`.")]


class RecreatedDocument(Document, frozen=True):
    """A notebook that nbsweep really deleted, and the one that its owner created after that."""

    run: Annotated[str, Meta(description="The run that deleted the notebook.")]
    id: Annotated[str, Meta(description="The ID of the notebook that was deleted.")]
    name: str
    owner: str
    policy: str
    deleted_at: Annotated[Time, Meta(description="When the DELETE was about to leave.")]
    new_id: str
    new_name: str | None
    created_at: Time
    by: Annotated[Literal["name", "image"], Meta(description="What both have in common, besides the owner.")]


class RealityDocument(Document, frozen=True):
    """What really came of the notebooks that nbsweep deleted in this time, and of those that were held out."""

    deleted: Count
    recreated: Annotated[Sequence[RecreatedDocument], Meta(description="Created again by their owners within 14 days.")]
    held_out: Annotated[LabelCountsDocument, Meta(description="What became of the notebooks of the holdout.")]
    held_out_notebooks: Sequence[WouldBeDocument]


class MaxRegretDocument(Document, frozen=True):
    """The result of `--max-regret`."""

    most: Share
    passed: Annotated[bool, Meta(description="Whether regret is not above it; false if nothing is labelled.")]


class BacktestDocument(Document, frozen=True):
    """What policies would have deleted in the past, and whether anybody came back."""

    policies: Annotated[str, Meta(description="The policies that were tried: current, or the file.")]
    since: Time
    until: Time
    horizon_s: Seconds
    targets: Sequence[CoverageDocument]
    total: LabelCountsDocument
    few_labels: Annotated[bool, Meta(description="Whether too few deletions are labelled for the rate to say much.")]
    by_policy: Annotated[Sequence[NamedCountsDocument], Meta(description="The policy with the most deletions first.")]
    by_owner: Sequence[NamedCountsDocument]
    by_week: Annotated[Sequence[WeekDocument], Meta(description="All weeks of the period, the earliest first.")]
    deletions: Annotated[Collection[WouldBeDocument], Meta(description="In the order of their surveys, by target.")]
    thresholds: Annotated[Sequence[ThresholdDocument], Meta(description="The result of `--thresholds`.")]
    comparison: Annotated[ComparisonDocument | None, Meta(description="The result of `--compare`.")]
    max_regret: MaxRegretDocument | None
    assumptions: Annotated[Sequence[str], Meta(description="What the figures assume, in words.")]
    reality: Annotated[RealityDocument | None, Meta(description="null if nothing was deleted or held out.")] = None


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
    assumptions: Sequence[str] = ()
    realities: Sequence[Reality] = ()


def backtest_document(result: BacktestResult) -> BacktestDocument:
    """Return the document of a back-test."""
    found, period = labelled_of(result.replayed), result.period
    total = count_labels(found)
    return BacktestDocument(
        policies=result.policies,
        since=moment_text(period.since),
        until=moment_text(period.until),
        horizon_s=period.horizon.total_seconds(),
        targets=[_coverage(*pair) for pair in zip(result.coverages, result.replayed, strict=True)],
        total=counts_document(total),
        few_labels=total.labelled < FEW_LABELS,
        by_policy=_named(by_policy(found)),
        by_owner=_named(by_owner(found)),
        by_week=[WeekDocument(week.isoformat(), counts_document(counts)) for week, counts in by_week(found, period).items()],
        deletions=Series(lambda: map(would_be_document, found)),
        thresholds=[_threshold(each) for each in result.thresholds],
        comparison=_comparison(found, *result.other) if result.other else None,
        max_regret=None if result.max_regret is None else _max_regret(RegretLimit(result.max_regret, total)),
        assumptions=result.assumptions,
        reality=_reality(result.realities),
    )


def _reality(realities: Sequence[Reality]) -> RealityDocument | None:
    held = [each for one in realities for each in one.held]
    deleted = sum(one.deleted for one in realities)
    if not held and not deleted:
        return None
    recreated = [_recreated(each) for one in realities for each in one.recreated]
    return RealityDocument(deleted, recreated, counts_document(count_labels(held)), [would_be_document(each) for each in held])


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


def labelled_of(replayed: Iterable[Replayed]) -> tuple[Labelled, ...]:
    """Return the would-be deletions of all targets."""
    return tuple(each for one in replayed for each in one.found)


def counts_document(counts: LabelCounts) -> LabelCountsDocument:
    """Return the document of counts."""
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


def would_be_document(found: Labelled) -> WouldBeDocument:
    """Return the document of a would-be deletion."""
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
    return [NamedCountsDocument(name, counts_document(counts)) for name, counts in groups.items()]


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
    counts = counts_document(count_labels(labelled_of(result.replayed)))
    return ThresholdDocument(result.text, result.idle_over.total_seconds(), counts, refused)


def _comparison(here: Sequence[Labelled], policies: str, other: Sequence[Replayed]) -> ComparisonDocument:
    there = labelled_of(other)
    found = compare(here, there)
    return ComparisonDocument(
        policies=policies,
        total=counts_document(count_labels(there)),
        only_here=counts_document(count_labels(found.only_here)),
        only_there=counts_document(count_labels(found.only_there)),
        both_here=counts_document(count_labels(found.both_here)),
        both_there=counts_document(count_labels(found.both_there)),
        only_there_deletions=[would_be_document(each) for each in found.only_there],
        only_here_ids=[each.would_be.notebook.id for each in found.only_here],
    )


def _max_regret(limit: RegretLimit) -> MaxRegretDocument:
    return MaxRegretDocument(limit.most, limit.passed)
