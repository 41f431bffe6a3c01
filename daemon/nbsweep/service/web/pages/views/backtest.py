"""What the page of a result shows: the verdict, its figures by policy, owner, week and idle time, and what they rest on."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta

from msgspec import Struct

from nbsweep.core.backtest.model import CensorCause, ReturnSign
from nbsweep.core.statistics.periods import Period, Step
from nbsweep.documents.past.backtest import (
    BacktestDocument,
    ComparisonDocument,
    CoverageDocument,
    LabelCountsDocument,
    MaxRegretDocument,
    RealityDocument,
    RecreatedDocument,
    WouldBeDocument,
)
from nbsweep.reports.figures import away
from nbsweep.service.web.pages.charts import Bars, Lengths, Rates, Strip
from nbsweep.service.web.pages.languages.messages import Message, message, plural
from nbsweep.service.web.pages.views.backtest_charts import label_strip, rate_chart, return_chart, week_chart
from nbsweep.service.web.pages.views.search import notebook_path
from nbsweep.service.web.trying.port import PASTED, Tried

CURRENT = message("the current policies")
MOST_OWNERS = 50
CAUSES: Mapping[CensorCause, Message] = {
    CensorCause.HORIZON_NOT_OVER: message("the horizon is not over"),
    CensorCause.SURVEYS_MISSING: message("surveys are missing"),
    CensorCause.DELETED_BY_NBSWEEP: message("nbsweep really deleted it"),
    CensorCause.RAN_ON: message("it ran on, used or not"),
    CensorCause.FACTS_UNREADABLE: message("its facts cannot be read"),
}
SIGNS: Mapping[ReturnSign, Message] = {
    ReturnSign.STARTED: message("started"),
    ReturnSign.RENEWED: message("lease renewed"),
    ReturnSign.PROTECTED: message("protected by a tag or a name"),
    ReturnSign.RENAMED: message("renamed"),
    ReturnSign.PASSED_ON: message("given to another owner"),
    ReturnSign.CHANGED: message("used or edited between two surveys"),
    ReturnSign.EXEMPTED: message("exempted"),
}


class CountsRow(Struct, frozen=True):
    """The deletions of one policy, owner, week, idle time, or side of a comparison: one of the first four names it."""

    bar: Strip
    counts: LabelCountsDocument
    name: str = ""
    label: Message | None = None
    week: Period | None = None
    age: timedelta | None = None


class CountsTable(Struct, frozen=True):
    """A table of counts, with its chart if it has one."""

    id: str
    title: Message
    first: Message
    """The heading of the first column."""
    rows: Sequence[CountsRow]
    chart: Bars | Rates | None = None
    note: Message | None = None


class RegretRow(Struct, frozen=True):
    """A notebook that somebody came back for."""

    path: str
    name: str
    id: str
    owner: str
    target: str
    policy: str
    reason: str
    """In English."""
    capacity_gb: int
    at: datetime
    back: datetime | None
    after: timedelta | None
    how: Message | None


class ReturnRow(Struct, frozen=True):
    """How many came back within a time after the deletion."""

    least: timedelta
    most: timedelta | None
    """None without an end."""
    count: int


class PastRow(Struct, frozen=True):
    """What is known of the past of one target."""

    target: str
    surveys: int
    unusable: int
    first: datetime | None
    last: datetime | None
    refused: int
    ordered: int
    kept: int


class RecreatedRow(Struct, frozen=True):
    """A notebook that was really deleted, and the one that its owner created after that."""

    name: str
    id: str
    path: str
    owner: str
    policy: str
    deleted_at: datetime
    new: str
    new_id: str
    new_path: str
    created_at: datetime
    same: Message


class RealityView(Struct, frozen=True):
    """What really came of notebooks."""

    deleted: Message | None
    recreated: Sequence[RecreatedRow]
    held: Message | None
    held_table: CountsTable | None


class ResultView(Struct, frozen=True):
    """The page."""

    tried: Message
    headline: Message
    limit: Message | None
    limit_kept: bool
    warning: Message | None
    total: LabelCountsDocument
    causes: Sequence[tuple[Message, int]]
    since: datetime
    until: datetime
    surveys: int
    horizon: timedelta
    no_idle_time: bool
    tables: Sequence[CountsTable]
    regrets: Sequence[RegretRow]
    more_regrets: int
    returns: Lengths | None
    return_rows: Sequence[ReturnRow]
    reality: RealityView | None
    past: Sequence[PastRow]
    assumptions: Sequence[str]
    """In English."""
    pasted: str
    """The text that was pasted; empty if there is none."""
    json: str
    report: str
    again: str
    """The address of the form with the same question."""


def build_result(tried: Tried, pasted: str, path: str) -> ResultView:
    """Return what the page at a path shows."""
    document, total = tried.document, tried.document.total
    regrets = [_regret_row(each) for each in document.deletions]
    return ResultView(
        tried=policies_named(document.policies),
        headline=headline(total),
        limit=_limit(document.max_regret, total) if document.max_regret else None,
        limit_kept=document.max_regret is not None and document.max_regret.passed,
        warning=_warning(total) if document.few_labels and total.deletions else None,
        total=total,
        causes=[(CAUSES[CensorCause(cause)], count) for cause, count in total.censored_by.items()],
        since=datetime.fromisoformat(document.since),
        until=datetime.fromisoformat(document.until),
        surveys=sum(target.surveys for target in document.targets),
        horizon=timedelta(seconds=document.horizon_s),
        no_idle_time=tried.no_idle_time,
        tables=list(_tables(document)),
        regrets=regrets,
        more_regrets=tried.regrets - len(regrets),
        returns=return_chart(tried.returns) if tried.returns.counts else None,
        return_rows=list(_return_rows(tried)),
        reality=_reality(document.reality) if document.reality else None,
        past=[_past_row(target) for target in document.targets],
        assumptions=document.assumptions,
        pasted=pasted,
        json=f"{path}/backtest.json",
        report=f"{path}/backtest.html",
        again=f"/backtest?from={path.rpartition('/')[2]}",
    )


def policies_named(name: str) -> Message:
    """Return how to call the policies of a document."""
    return message("the pasted policies") if name == PASTED else CURRENT


def headline(total: LabelCountsDocument) -> Message:
    """Return the verdict in one sentence."""
    if not total.deletions:
        return message("Nothing would have been deleted.")
    if total.regret is None:
        return plural(
            "%(count)s deletion, which cannot be judged.",
            "%(count)s deletions, of which none can be judged.",
            total.deletions,
        )
    return plural(
        "%(back)s of %(count)s judged deletion would be regretted: %(rate)s%% (95%% interval %(low)s to %(high)s%%).",
        "%(back)s of %(count)s judged deletions would be regretted: %(rate)s%% (95%% interval %(low)s to %(high)s%%).",
        total.deletions - total.censored,
        back=total.came_back,
        rate=in_percent(total.regret),
        low=in_percent(total.regret_low),
        high=in_percent(total.regret_high),
    )


def in_percent(share: float) -> float:
    """Return a share in percent, with one digit behind the point."""
    return round(share * 100, 1)


def _limit(limit: MaxRegretDocument, total: LabelCountsDocument) -> Message:
    most = in_percent(limit.most)
    if limit.passed:
        return message("The limit of %(most)s%% is kept.", most=most)
    if total.regret is None:
        return message("The limit of %(most)s%% is not kept: no deletion can be judged.", most=most)
    return message("The limit of %(most)s%% is not kept.", most=most)


def _warning(total: LabelCountsDocument) -> Message:
    return plural(
        "With %(count)s judged deletion, the rate says little: look at its interval.",
        "With %(count)s judged deletions, the rate says little: look at its interval.",
        total.deletions - total.censored,
    )


# ---- tables ---------------------------------------------------------------------------------------------------------------


def _tables(document: BacktestDocument) -> Iterator[CountsTable]:
    if document.thresholds:
        yield _threshold_table(document)
    if document.total.deletions:
        yield _week_table(document)
        policies = [(each.name, each.counts) for each in document.by_policy]
        yield CountsTable("policies", message("By policy"), message("Policy"), _named(policies))
        owners = sorted(document.by_owner, key=lambda each: -each.counts.came_back)
        rows = _named([(each.name, each.counts) for each in owners[:MOST_OWNERS]])
        more = len(owners) - len(rows)
        note = (
            plural("%(count)s more owner is in the files.", "%(count)s more owners are in the files.", more) if more else None
        )
        yield CountsTable("owners", message("By owner"), message("Owner"), rows, note=note)
    if document.comparison:
        yield _comparison_table(document.comparison)


def _named(groups: Sequence[tuple[str, LabelCountsDocument]]) -> list[CountsRow]:
    largest = max((counts.deletions for _, counts in groups), default=0)
    return [CountsRow(label_strip(counts, largest), counts, name=name) for name, counts in groups]


def _threshold_table(document: BacktestDocument) -> CountsTable:
    largest = max(each.counts.deletions for each in document.thresholds)
    rows = [
        CountsRow(label_strip(each.counts, largest), each.counts, age=timedelta(seconds=each.idle_over_s))
        for each in document.thresholds
    ]
    chart = rate_chart(document.thresholds, document.max_regret.most if document.max_regret else None)
    note = message("Each row replaces every idle_over of the policies.")
    return CountsTable("thresholds", message("What if idle_over were"), message("Idle for"), rows, chart, note)


def _week_table(document: BacktestDocument) -> CountsTable:
    weeks = [each for each in document.by_week if each.counts.deletions]
    largest = max(each.counts.deletions for each in weeks)
    rows = [
        CountsRow(label_strip(each.counts, largest), each.counts, week=Period(date.fromisoformat(each.monday), Step.WEEK))
        for each in weeks
    ]
    note = message("Weeks begin on Monday, in UTC. Those without a deletion are left out.")
    return CountsTable("weeks", message("By week"), message("Week from"), rows, week_chart(document.by_week), note)


def _comparison_table(comparison: ComparisonDocument) -> CountsTable:
    sides = (
        (message("only by these policies"), comparison.only_here),
        (message("only by the current policies"), comparison.only_there),
        (message("by both, as in these policies"), comparison.both_here),
        (message("by both, as in the current policies"), comparison.both_there),
        (message("all of the current policies"), comparison.total),
    )
    largest = max(counts.deletions for _, counts in sides)
    rows = [CountsRow(label_strip(counts, largest), counts, label=label) for label, counts in sides]
    return CountsTable("comparison", message("Compared with the current policies"), message("Deleted"), rows)


def _regret_row(regret: WouldBeDocument) -> RegretRow:
    return RegretRow(
        path=notebook_path(regret.id),
        name=regret.name or "",
        id=regret.id,
        owner=regret.owner,
        target=regret.target,
        policy=regret.policy,
        reason=regret.reason.removeprefix(f"policy {regret.policy}: "),
        capacity_gb=regret.capacity_gb,
        at=datetime.fromisoformat(regret.at),
        back=_moment(regret.label_at),
        after=away(regret),
        how=SIGNS[regret.sign] if regret.sign else None,
    )


def _return_rows(tried: Tried) -> Iterator[ReturnRow]:
    edges = [_length(edge_s) for edge_s in tried.returns.edges_s]
    for least, most, count in zip(edges, edges[1:], tried.returns.counts, strict=False):
        if count and least is not None:
            yield ReturnRow(least, most, count)


def _length(edge_s: float) -> timedelta | None:
    return None if edge_s == float("inf") else timedelta(seconds=edge_s)


def _past_row(target: CoverageDocument) -> PastRow:
    return PastRow(
        target=target.target,
        surveys=target.surveys,
        unusable=target.incomplete + target.clock_ahead,
        first=_moment(target.first),
        last=_moment(target.last),
        refused=sum(target.refused.values()),
        ordered=target.ordered,
        kept=target.unreadable + target.lacking,
    )


def _moment(time: str | None) -> datetime | None:
    return datetime.fromisoformat(time) if time else None


# ---- what really happened -------------------------------------------------------------------------------------------------


def _reality(reality: RealityDocument) -> RealityView:
    held = reality.held_out
    return RealityView(
        deleted=_really_deleted(reality) if reality.deleted else None,
        recreated=[_recreated_row(each) for each in reality.recreated],
        held=headline(held) if held.deletions else None,
        held_table=_held_table(held) if held.deletions else None,
    )


def _really_deleted(reality: RealityDocument) -> Message:
    return plural(
        "Really deleted: %(count)s notebook. Created again by their owners: %(again)s.",
        "Really deleted: %(count)s notebooks. Created again by their owners: %(again)s.",
        reality.deleted,
        again=len(reality.recreated),
    )


def _held_table(held: LabelCountsDocument) -> CountsTable:
    row = CountsRow(label_strip(held, held.deletions), held, label=message("held out"))
    return CountsTable("held", message("Held out"), message("Notebooks"), [row])


def _recreated_row(found: RecreatedDocument) -> RecreatedRow:
    return RecreatedRow(
        name=found.name,
        id=found.id,
        path=notebook_path(found.id),
        owner=found.owner,
        policy=found.policy,
        deleted_at=datetime.fromisoformat(found.deleted_at),
        new=found.new_name or "",
        new_id=found.new_id,
        new_path=notebook_path(found.new_id),
        created_at=datetime.fromisoformat(found.created_at),
        same=message("the same name") if found.by == "name" else message("the same image"),
    )
