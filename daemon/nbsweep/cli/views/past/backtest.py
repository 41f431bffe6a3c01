"""The view of `backtest`: the verdict first, then tables, then what the figures assume."""

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta

from rich.console import Group, RenderableType
from rich.text import Text

from nbsweep.cli.views.results import cell
from nbsweep.cli.views.tables import NAME, SHORT_NAME, Column, Row, make_table
from nbsweep.core.backtest.model import Label
from nbsweep.core.facts import format_age
from nbsweep.core.lookup import short_ids
from nbsweep.documents.past.backtest import (
    BacktestDocument,
    ComparisonDocument,
    CoverageDocument,
    LabelCountsDocument,
    NamedCountsDocument,
    RealityDocument,
    WouldBeDocument,
)
from nbsweep.reports.words import (
    SIGNS,
    breakdown,
    counted,
    few,
    headline,
    interval,
    kept_limit,
    percent,
    rate,
    really_deleted,
    really_held,
)

OWNERS_SHOWN = 10
REGRETS_SHOWN = 25
DAY = 10
"""The number of characters of a time that are its date."""
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

WhatIf = Callable[[BacktestDocument], RenderableType]


def backtest_view(document: BacktestDocument, what_if: WhatIf | None = None) -> RenderableType:
    """Return the view of a back-test; `what_if` draws the results of other idle times, which otherwise are a table."""
    parts: list[RenderableType] = list(_verdict(document))
    if document.total.deletions:
        parts.append(counts_table("POLICY", document.by_policy))
    parts += _owners(document)
    parts += _regrets([each for each in document.deletions if each.label is Label.CAME_BACK])
    if document.thresholds:
        parts.append((what_if or _thresholds)(document))
    if document.comparison:
        parts += _comparison(document.policies, document.comparison)
    parts += _reality(document.reality) if document.reality else []
    parts.append(cell("What this assumes", "bold"))
    parts += [cell(f"- {sentence}", "dim") for sentence in document.assumptions]
    return Group(*parts)


# ---- the verdict ----------------------------------------------------------------------------------------------------------


def _verdict(document: BacktestDocument) -> Iterator[Text]:
    total = document.total
    yield cell(headline(total), "bold")
    if total.deletions:
        yield cell(breakdown(total))
    yield from (cell(_place(target), "dim") for target in document.targets)
    horizon = format_age(timedelta(seconds=document.horizon_s))
    yield cell(f"Policies: {document.policies}. Horizon: {horizon}.", "dim")
    if document.few_labels and total.deletions:
        yield cell(few(total), "yellow")
    if limit := document.max_regret:
        yield cell(kept_limit(limit, total), "green" if limit.passed else "bold red")


def _reality(reality: RealityDocument) -> Iterator[RenderableType]:
    """Yield what really came of notebooks: those that owners created again, and those that were held out."""
    held, again = reality.held_out, reality.recreated
    if reality.deleted:
        yield cell(really_deleted(reality.deleted, len(again)), "bold")
    for each in again[:REGRETS_SHOWN]:
        new = f"{each.new_name or each.new_id} on {each.created_at[:DAY]} (same {each.by})"
        yield cell(f"- {each.name} of {each.owner}, deleted on {each.deleted_at[:DAY]}: created {new}")
    if held.deletions:
        yield cell(really_held(held), "bold")


def _place(target: CoverageDocument) -> str:
    if target.first is None or target.last is None:
        return f"{target.target}: no survey in this time."
    return f"{target.target}: {counted(target.surveys, 'survey')} from {target.first[:DAY]} to {target.last[:DAY]}."


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
        cell("-" if counts.regret is None else percent(counts.regret)),
        cell("-" if counts.regret is None else interval(counts)),
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
        yield cell("Who came back", "bold")
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


def _thresholds(document: BacktestDocument) -> RenderableType:
    columns = (Column("IDLE OVER"), *COUNTS)
    return make_table(columns, lambda: (_counts_row(each.idle_over, each.counts) for each in document.thresholds))


def _comparison(policies: str, comparison: ComparisonDocument) -> Iterator[RenderableType]:
    """Yield the differences to other policies."""
    named = (
        (f"only by {policies}", comparison.only_here),
        (f"only by {comparison.policies}", comparison.only_there),
        (f"by both, {policies}", comparison.both_here),
        (f"by both, {comparison.policies}", comparison.both_there),
    )
    yield cell(f"{policies} compared with {comparison.policies}", "bold")
    columns = (Column("DELETED", most=NAME), *COUNTS)
    yield make_table(columns, lambda: (_counts_row(name, counts) for name, counts in named))
    yield cell(
        f"All of {comparison.policies}: {counted(comparison.total.deletions, 'deletion')}; regret: {rate(comparison.total)}."
    )
