"""What the page of a result shows: the verdict, its figures, single notebooks, and what they rest on."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from nbsweep.core.backtest.model import CensorCause
from nbsweep.core.reasons.statement import Statement
from nbsweep.documents.past.backtest import CoverageDocument, LabelCountsDocument, RealityDocument
from nbsweep.service.web.messages import Message, message, plural
from nbsweep.service.web.pages.charts import Lengths
from nbsweep.service.web.pages.views.backtest.charts import return_chart
from nbsweep.service.web.pages.views.backtest.notebooks import RecreatedRow, RegretRow, moment_of, recreated_row, regret_row
from nbsweep.service.web.pages.views.backtest.tables import CountsTable, held_out_table, tables_of
from nbsweep.service.web.pages.views.backtest.verdict import headline, policies_named, sentence_of_limit, warning_of_few
from nbsweep.service.web.trying.port import Tried

CAUSES: Mapping[CensorCause, Message] = {
    CensorCause.HORIZON_NOT_OVER: message("the horizon is not over"),
    CensorCause.SURVEYS_MISSING: message("surveys are missing"),
    CensorCause.DELETED_BY_NBSWEEP: message("nbsweep really deleted it"),
    CensorCause.RAN_ON: message("it ran on, used or not"),
    CensorCause.FACTS_UNREADABLE: message("its facts cannot be read"),
}


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
    assumptions: Sequence[Statement]
    pasted: str
    """The text that was pasted; empty if there is none."""
    json: str
    report: str
    again: str
    """The address of the form with the same question."""


def build_result(tried: Tried, pasted: str, path: str) -> ResultView:
    """Return what the page at a path shows."""
    document, total = tried.document, tried.document.total
    regrets = [regret_row(each) for each in document.deletions]
    return ResultView(
        tried=policies_named(document.policies),
        headline=headline(total),
        limit=sentence_of_limit(document.max_regret, total) if document.max_regret else None,
        limit_kept=document.max_regret is not None and document.max_regret.passed,
        warning=warning_of_few(total) if document.few_labels and total.deletions else None,
        total=total,
        causes=[(CAUSES[CensorCause(cause)], count) for cause, count in total.censored_by.items()],
        since=datetime.fromisoformat(document.since),
        until=datetime.fromisoformat(document.until),
        surveys=sum(target.surveys for target in document.targets),
        horizon=timedelta(seconds=document.horizon_s),
        no_idle_time=tried.no_idle_time,
        tables=list(tables_of(document)),
        regrets=regrets,
        more_regrets=tried.regrets - len(regrets),
        returns=return_chart(tried.returns) if tried.returns.counts else None,
        return_rows=list(_return_rows(tried)),
        reality=_reality(document.reality) if document.reality else None,
        past=[_past_row(target) for target in document.targets],
        assumptions=tried.assumptions,
        pasted=pasted,
        json=f"{path}/backtest.json",
        report=f"{path}/backtest.html",
        again=f"/backtest?from={path.rpartition('/')[2]}",
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
        first=moment_of(target.first),
        last=moment_of(target.last),
        refused=sum(target.refused.values()),
        ordered=target.ordered,
        kept=target.unreadable + target.lacking,
    )


def _reality(reality: RealityDocument) -> RealityView:
    held = reality.held_out
    return RealityView(
        deleted=_really_deleted(reality) if reality.deleted else None,
        recreated=[recreated_row(each) for each in reality.recreated],
        held=headline(held) if held.deletions else None,
        held_table=held_out_table(held) if held.deletions else None,
    )


def _really_deleted(reality: RealityDocument) -> Message:
    return plural(
        "Really deleted: %(count)s notebook. Created again by their owners: %(again)s.",
        "Really deleted: %(count)s notebooks. Created again by their owners: %(again)s.",
        reality.deleted,
        again=len(reality.recreated),
    )
