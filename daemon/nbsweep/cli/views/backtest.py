"""The view of `backtest`: the verdict first, then tables, then what the figures assume."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta

from rich.console import Group, RenderableType
from rich.text import Text

from nbsweep.cli.views.results import cell
from nbsweep.cli.views.tables import NAME, SHORT_NAME, Column, Row, make_table
from nbsweep.core.backtest.model import CensorCause, Label, ReturnSign
from nbsweep.core.facts import format_age
from nbsweep.core.lookup import short_ids
from nbsweep.documents.backtest import (
    BacktestDocument,
    ComparisonDocument,
    CoverageDocument,
    LabelCountsDocument,
    NamedCountsDocument,
    ThresholdDocument,
    WouldBeDocument,
)

OWNERS_SHOWN = 10
REGRETS_SHOWN = 25
DAY = 10
"""The number of characters of a time that are its date."""
CAUSES: Mapping[CensorCause, str] = {
    CensorCause.HORIZON_NOT_OVER: "the horizon is not over",
    CensorCause.SURVEYS_MISSING: "surveys are missing",
    CensorCause.DELETED_BY_NBSWEEP: "nbsweep really deleted it",
    CensorCause.RAN_ON: "it ran on, used or not",
    CensorCause.FACTS_UNREADABLE: "its facts cannot be read",
}
SIGNS: Mapping[ReturnSign, str] = {
    ReturnSign.STARTED: "started",
    ReturnSign.RENEWED: "lease renewed",
    ReturnSign.PROTECTED: "protected by a tag or a name",
    ReturnSign.RENAMED: "renamed",
    ReturnSign.PASSED_ON: "given to another owner",
    ReturnSign.CHANGED: "used or edited between two surveys",
    ReturnSign.EXEMPTED: "exempted",
}
COUNTS = (
    Column("DELETIONS", right=True),
    Column("CAME BACK", right=True),
    Column("REGRET", right=True),
    Column("95 %", right=True, leaves=4),
    Column("REMOVED", right=True, leaves=2),
    Column("IDLE", right=True, leaves=3),
    Column("NOT JUDGED", right=True, leaves=5),
    Column("GB", right=True, leaves=1),
)
REGRETS = (
    Column("ID", leaves=3),
    Column("NOTEBOOK", most=NAME),
    Column("OWNER", most=SHORT_NAME),
    Column("POLICY", most=SHORT_NAME, leaves=2),
    Column("GB", right=True, leaves=1),
    Column("DELETED"),
    Column("BACK"),
    Column("HOW", folds=True),
)


def backtest_view(document: BacktestDocument) -> RenderableType:
    """Return the view of a back-test."""
    parts: list[RenderableType] = list(_verdict(document))
    if document.total.deletions:
        parts.append(counts_table("POLICY", document.by_policy))
    parts += _owners(document)
    parts += _regrets([each for each in document.deletions if each.label is Label.CAME_BACK])
    if document.thresholds:
        parts.append(_thresholds(document.thresholds))
    if document.comparison:
        parts += _comparison(document.comparison)
    parts.append(cell("What this assumes", "bold"))
    parts += [cell(f"- {sentence}", "dim") for sentence in document.assumptions]
    return Group(*parts)


# ---- the verdict ----------------------------------------------------------------------------------------------------------


def _verdict(document: BacktestDocument) -> Iterator[Text]:
    total = document.total
    yield cell(_headline(total), "bold")
    if total.deletions:
        yield cell(_rest(total))
    yield from (cell(_place(document, target), "dim") for target in document.targets)
    if document.few_labels and total.deletions:
        judged = total.deletions - total.censored
        yield cell(f"With {_of(judged, 'deletion')} that can be judged, the rate says little: look at its interval.", "yellow")
    if limit := document.max_regret:
        words = "kept" if limit.passed else "not kept"
        why = ": no deletion can be judged" if total.regret is None else ""
        yield cell(f"The limit of {_percent(limit.most)} is {words}{why}.", "green" if limit.passed else "bold red")


def _headline(total: LabelCountsDocument) -> str:
    if not total.deletions:
        return "Nothing would have been deleted."
    if total.regret is None:
        return f"{_of(total.deletions, 'deletion')}, of which none can be judged."
    judged = total.deletions - total.censored
    return f"{total.came_back} of {_of(judged, 'deletion')} would have been regretted: {_rate(total)}."


def _rest(total: LabelCountsDocument) -> str:
    parts = [
        f"{total.came_back} came back",
        f"{total.removed_by_owner} removed by their owners",
        f"{total.still_idle} still idle at the horizon",
    ]
    causes = ", ".join(f"{CAUSES[CensorCause(cause)]}: {count}" for cause, count in total.censored_by.items())
    censored = f"; {total.censored} cannot be judged ({causes})" if total.censored else ""
    return f"{_of(total.deletions, 'deletion')} of {total.capacity_gb} GB: {', '.join(parts)}{censored}."


def _place(document: BacktestDocument, target: CoverageDocument) -> str:
    if target.first is None or target.last is None:
        return f"{target.target}: no survey in this time."
    horizon = format_age(timedelta(seconds=document.horizon_s))
    return (
        f"{target.target}: {_of(target.surveys, 'survey')} from {target.first[:DAY]} to {target.last[:DAY]}, "
        f"policies: {document.policies}, horizon: {horizon}."
    )


def _rate(counts: LabelCountsDocument) -> str:
    if counts.regret is None:
        return "none can be judged"
    return f"{_percent(counts.regret)} (95 % interval {_interval(counts)})"


def _percent(share: float) -> str:
    return f"{share * 100:.1f} %"


def _interval(counts: LabelCountsDocument) -> str:
    return f"{counts.regret_low * 100:.1f}-{counts.regret_high * 100:.1f} %"


def _of(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


# ---- tables ---------------------------------------------------------------------------------------------------------------


def counts_table(heading: str, groups: Sequence[NamedCountsDocument]) -> RenderableType:
    """Return the table of the counts of policies or owners."""
    columns = (Column(heading, most=NAME), *COUNTS)
    return make_table(columns, lambda: (_counts_row(group.name, group.counts) for group in groups))


def _counts_row(name: str, counts: LabelCountsDocument) -> Row:
    return (
        cell(name),
        cell(counts.deletions),
        cell(counts.came_back, "red" if counts.came_back else ""),
        cell("-" if counts.regret is None else _percent(counts.regret)),
        cell("-" if counts.regret is None else _interval(counts)),
        cell(counts.removed_by_owner),
        cell(counts.still_idle),
        cell(counts.censored),
        cell(counts.capacity_gb),
    )


def _owners(document: BacktestDocument) -> Iterator[RenderableType]:
    """Yield the table of the owners who came back to most."""
    regretting = [group for group in document.by_owner if group.counts.came_back]
    regretting.sort(key=lambda group: -group.counts.came_back)
    if len(document.by_owner) > 1 and regretting:
        yield counts_table("OWNER", regretting[:OWNERS_SHOWN])
        if len(regretting) > OWNERS_SHOWN:
            yield cell(f"and {len(regretting) - OWNERS_SHOWN} more owners who came back.", "dim")


def _regrets(regrets: Sequence[WouldBeDocument]) -> Iterator[RenderableType]:
    """Yield the table of the latest regrets by name."""
    latest = sorted(regrets, key=lambda each: each.at, reverse=True)[:REGRETS_SHOWN]
    if latest:
        ids = short_ids(each.id for each in latest)
        yield make_table(REGRETS, lambda: (_regret_row(each, ids[each.id]) for each in latest))
    if len(regrets) > len(latest):
        yield cell(f"and {len(regrets) - len(latest)} earlier ones; --format json has all.", "dim")


def _regret_row(regret: WouldBeDocument, short_id: str) -> Row:
    return (
        cell(short_id),
        cell(regret.name or "-"),
        cell(regret.owner),
        cell(regret.policy),
        cell(regret.capacity_gb),
        cell(regret.at[:DAY]),
        cell((regret.label_at or "-")[:DAY]),
        cell(SIGNS[regret.sign] if regret.sign else "-"),
    )


def _thresholds(thresholds: Sequence[ThresholdDocument]) -> RenderableType:
    columns = (Column("IDLE OVER"), *COUNTS)
    return make_table(columns, lambda: (_counts_row(each.idle_over, each.counts) for each in thresholds))


def _comparison(comparison: ComparisonDocument) -> Iterator[RenderableType]:
    """Yield the differences to other policies."""
    named = (
        ("only by these", comparison.only_here),
        (f"only by {comparison.policies}", comparison.only_there),
        ("by both, here", comparison.both_here),
        (f"by both, {comparison.policies}", comparison.both_there),
    )
    columns = (Column("DELETED", most=NAME), *COUNTS)
    yield make_table(columns, lambda: (_counts_row(name, counts) for name, counts in named))
    yield cell(f"{comparison.policies}: {_of(comparison.total.deletions, 'deletion')}, {_rate(comparison.total)}.")
