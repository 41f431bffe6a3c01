"""The report of a back-test as one HTML file: the verdict, each chart with its table, and what the figures assume."""

from collections.abc import Iterator
from datetime import timedelta
from functools import cache
from importlib.resources import files

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

from nbsweep.charts.drawing import one_line, shorten
from nbsweep.core.backtest.model import Label
from nbsweep.documents.past.backtest import (
    BacktestDocument,
    CoverageDocument,
    LabelCountsDocument,
    NamedCountsDocument,
    WouldBeDocument,
)
from nbsweep.reports.comparing import comparison_table
from nbsweep.reports.figures import away, edge, return_bins, return_chart, threshold_chart, week_chart
from nbsweep.reports.model import CountsTable, PastRow, RegretRow, Report, ReturnRow
from nbsweep.reports.really import reality_section
from nbsweep.reports.rows import counts_rows
from nbsweep.reports.words import SIGNS, breakdown, counted, few, headline, kept_limit, minute, more, percent, tried
from nbsweep.settings.fields.units import format_duration

MOST_OWNERS = 50
MOST_REGRETS = 500
LONGEST = 120
"""Characters of a name or a reason in a table."""
DAY = 10
"""The number of characters of a time that are its date."""


def backtest_report(document: BacktestDocument) -> str:
    """Return the report as HTML."""
    return _template().render(report=report_of(document), style=_style())


def report_of(document: BacktestDocument) -> Report:
    """Return what the page shows."""
    total, limit = document.total, document.max_regret
    regrets = [each for each in document.deletions if each.label is Label.CAME_BACK]
    bins = return_bins(regrets)
    return Report(
        policies=tried(document.policies),
        since=document.since[:DAY],
        until=document.until[:DAY],
        horizon=format_duration(timedelta(seconds=document.horizon_s)),
        surveys=counted(sum(target.surveys for target in document.targets), "survey"),
        headline=headline(total),
        breakdown=breakdown(total) if total.deletions else "",
        warning=few(total) if document.few_labels and total.deletions else "",
        limit=kept_limit(limit, total) if limit else "",
        limit_kept=limit is not None and limit.passed,
        facts=list(_facts(total)) if total.deletions else [],
        tables=list(_tables(document)) if total.deletions or document.comparison else [],
        regrets=[_regret_row(each) for each in regrets[:MOST_REGRETS]],
        regrets_note=more(len(regrets) - MOST_REGRETS, "notebook"),
        returns=[
            ReturnRow(f"{edge(low)} to {edge(high)}", count)
            for low, high, count in zip(bins.edges_s, bins.edges_s[1:], bins.counts, strict=False)
        ],
        return_chart=_drawn(return_chart(bins)) if bins.counts else Markup(),
        reality=reality_section(document.reality) if document.reality else None,
        past=[_past_row(target) for target in document.targets],
        assumptions=document.assumptions,
    )


def _facts(total: LabelCountsDocument) -> Iterator[tuple[str, str]]:
    yield "deletions", f"{total.deletions}"
    yield "came back", f"{total.came_back}"
    yield "rate of regrets", "-" if total.regret is None else percent(total.regret)
    yield "not judged", f"{total.censored}"
    yield "GB freed", f"{total.capacity_gb}"


def _tables(document: BacktestDocument) -> Iterator[CountsTable]:
    if thresholds := document.thresholds:
        most = document.max_regret.most if document.max_regret else None
        rows = counts_rows([NamedCountsDocument(each.idle_over, each.counts) for each in thresholds])
        title, note = "What if idle_over were", "Each row replaces every idle_over of the policies."
        yield CountsTable(title, "idle_over", rows, note, _drawn(threshold_chart(thresholds, most)))
    if document.total.deletions:
        weeks = [NamedCountsDocument(week.monday, week.counts) for week in document.by_week if week.counts.deletions]
        note = "Weeks begin on Monday, in UTC. Those without a deletion are left out."
        yield CountsTable("By week", "week of", counts_rows(weeks), note, _drawn(week_chart(document.by_week)))
        yield CountsTable("By policy", "policy", counts_rows(document.by_policy))
        owners = sorted(document.by_owner, key=lambda group: -group.counts.came_back)
        note = more(len(owners) - MOST_OWNERS, "owner")
        yield CountsTable("By owner", "owner", counts_rows(owners[:MOST_OWNERS]), note)
    if document.comparison:
        yield comparison_table(document.comparison)


def _regret_row(regret: WouldBeDocument) -> RegretRow:
    after = away(regret)
    return RegretRow(
        name=regret.name or "-",
        id=regret.id,
        owner=regret.owner,
        target=regret.target,
        policy=regret.policy,
        reason=regret.reason.removeprefix(f"policy {regret.policy}: "),  # the policy stands above it
        capacity_gb=regret.capacity_gb,
        at=minute(regret.at),
        back=minute(regret.label_at),
        after="-" if after is None else _length(after),
        how=SIGNS[regret.sign] if regret.sign else "-",
    )


def _past_row(target: CoverageDocument) -> PastRow:
    return PastRow(
        target=target.target,
        surveys=target.surveys,
        unusable=target.incomplete + target.clock_ahead,
        first=minute(target.first),
        last=minute(target.last),
        refused=sum(target.refused.values()),
        ordered=target.ordered,
        kept=target.unreadable + target.lacking,
    )


def _length(length: timedelta) -> str:
    """Return a length of time in days, or in hours where it is shorter than two days."""
    return f"{length.days} days" if length.days >= 2 else counted(round(length / timedelta(hours=1)), "hour")  # noqa: PLR2004


def _drawn(svg: str) -> Markup:
    return Markup(svg)  # noqa: S704  # made by `charts`, which escapes every text


@cache
def _template() -> Template:
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {"line": one_line, "short": lambda text: shorten(text, LONGEST)}
    return environment.from_string(files(__package__).joinpath("backtest.html").read_text(encoding="utf-8"))


def _style() -> Markup:
    """Return the style of the page; it is ours, and holds nothing that HTML would read."""
    sheets = (files("nbsweep.charts").joinpath("style.css"), files(__package__).joinpath("style.css"))
    return Markup("\n".join(sheet.read_text(encoding="utf-8") for sheet in sheets))  # noqa: S704
