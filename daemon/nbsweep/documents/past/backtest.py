"""The JSON document of a back-test."""

from collections.abc import Collection, Sequence
from typing import Annotated, Literal

from msgspec import Meta

from nbsweep.core.backtest.model import CensorCause, Label, ReturnSign
from nbsweep.documents.base import Count, Counts, Document, Time

Share = Annotated[float, Meta(ge=0, le=1)]
Seconds = Annotated[float, Meta(ge=0)]


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
