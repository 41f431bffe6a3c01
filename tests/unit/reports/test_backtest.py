"""The report of a back-test: what stands first, that each chart has its table, and that names are only text."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from xml.etree.ElementTree import fromstring

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from nbsweep.core.backtest.interval import wilson
from nbsweep.core.backtest.model import Label, ReturnSign
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
from nbsweep.reports.backtest import backtest_report
from unit.reports.reading import Element, Page, drawings, rows, sections

BEGIN = datetime(2026, 9, 1, 3, tzinfo=UTC)
HOSTILE = (
    "<script>alert(1)</script>",
    "</style><img src=x onerror=alert(1)>",
    "{{ 7 * 7 }}{% raw %}",
    "\u202egnp.exe\u2066\x00\x1b[31m",
    "نص من اليمين إلى اليسار",
    "x" * 3000,
)


def at(days: float) -> str:
    """Return a time of the period as documents write it."""
    return (BEGIN + timedelta(days=days)).isoformat().replace("+00:00", "Z")


def counts(deletions: int, came_back: int = 0, censored: int = 0, capacity_gb: int = 0) -> LabelCountsDocument:
    """Return counts in which nobody removed a notebook."""
    judged = deletions - censored
    bounds, by_cause = wilson(came_back, judged), {"horizon-not-over": censored} if censored else {}
    regret = came_back / judged if judged else None
    idle = judged - came_back
    return LabelCountsDocument(
        deletions, came_back, 0, idle, censored, by_cause, regret, bounds.low, bounds.high, capacity_gb or deletions * 50
    )


def regret(number: int = 1, /, **changes: Any) -> WouldBeDocument:
    """Return a deletion that somebody came back for after three days."""
    plain = WouldBeDocument(
        target="research",
        id=f"nb{number}",
        name=f"experiment-{number}",
        owner="alice",
        created_at=at(-100),
        policy="idle",
        reason="policy idle: idle 21d (over 14d)",
        at=at(10),
        survey=10,
        capacity_gb=50,
        label=Label.CAME_BACK,
        sign=ReturnSign.RENEWED,
        cause=None,
        label_at=at(13),
    )
    return replace(plain, **changes)


def document(**changes: Any) -> BacktestDocument:
    """Return the result of 44 deletions: 4 were regretted, and 4 cannot be judged."""
    total = counts(44, 4, 4, 2000)
    plain = BacktestDocument(
        policies="new.yaml",
        since=at(0),
        until=at(21),
        horizon_s=timedelta(days=30).total_seconds(),
        targets=[CoverageDocument("research", 21, 1, 1, at(0), at(21), 0, 5, {"max_share": 2}, 0, 3)],
        total=total,
        few_labels=False,
        by_policy=[NamedCountsDocument("idle", counts(40, 4, 4)), NamedCountsDocument("failed", counts(4))],
        by_owner=[NamedCountsDocument("bob", counts(30)), NamedCountsDocument("alice", counts(14, 4, 4))],
        by_week=[
            WeekDocument("2026-08-31", counts(4)),
            WeekDocument("2026-09-07", counts(0)),
            WeekDocument("2026-09-14", counts(40, 4, 4)),
        ],
        deletions=[regret(number, label_at=at(13 + number)) for number in range(4)] + [regret(9, label=Label.STILL_IDLE)],
        thresholds=[],
        comparison=None,
        max_regret=None,
        assumptions=["Every owner could be told."],
    )
    return replace(plain, **changes)


THRESHOLDS = [
    ThresholdDocument("7d", 604_800, counts(90, 20, 10), {}),
    ThresholdDocument("14d", 1_209_600, counts(44, 4, 4), {}),
    ThresholdDocument("30d", 2_592_000, counts(2, 0, 2), {}),
]
COMPARISON = ComparisonDocument("current", counts(50, 2), counts(4, 3), counts(10, 1), counts(40, 1), counts(40, 1), [], [])
WHOLE = document(thresholds=THRESHOLDS, comparison=COMPARISON, max_regret=MaxRegretDocument(0.05, passed=False))
BREAKDOWN = (
    "44 deletions of 2000 GB: 4 came back, 0 removed by their owners, 36 still idle at the horizon; 4 cannot be judged "
    "(the horizon is not over: 4)."
)


def read(shown: BacktestDocument) -> Element:
    """Return the page of a document."""
    return Page(backtest_report(shown)).root


def test_the_verdict_stands_first_and_the_assumptions_last() -> None:
    """4 of 40 are 10 %; the limit is 5 %."""
    page = read(WHOLE)
    [head] = page.all("header")
    assert [paragraph.words for paragraph in head.all("p")] == [
        "4 of 40 deletions would be regretted: 10.0 % (95 % interval 4.0-23.1 %).",
        "The limit of 5.0 % is not kept.",
        BREAKDOWN,
        "2026-09-01 to 2026-09-22, 21 surveys. A return within 30d of the deletion is a regret.",
    ]
    assert list(sections(page)) == [
        *("What if idle_over were", "By week", "By policy", "By owner", "Compared with the current policies", "Who came back"),
        "What the figures rest on",
    ]
    assert page.all("h1")[0].words == "Back-test of new.yaml"
    assert read(document(policies="current")).all("h1")[0].words == "Back-test of the current policies"
    assert [each.words for each in page.all("li")] == ["Every owner could be told."]


def test_each_chart_has_its_table_with_the_same_figures() -> None:
    """The thresholds, the weeks, and the time until people came back."""
    found = sections(read(WHOLE))
    for name in ("What if idle_over were", "By week", "Who came back"):
        assert found[name].all("figure")[0].all("svg")
        assert found[name].all("table")
    thresholds = rows(found["What if idle_over were"])
    assert [row[0] for row in thresholds[1:]] == ["7d", "14d", "30d"]
    assert thresholds[1][2:] == ["90", "20", "25.0 %", "16.8-35.5 %", "60", "0", "10", "4500"]
    assert thresholds[3][2:] == ["2", "0", "-", "-", "0", "0", "2", "100"]
    assert [row[:1] + row[2:4] for row in rows(found["By week"])[1:]] == [
        ["2026-08-31", "4", "0"],
        ["2026-09-14", "40", "4"],
    ]


def test_the_chart_of_thresholds_says_its_rates_to_those_who_do_not_see_it() -> None:
    """In its description, with the interval of each."""
    [description] = sections(read(WHOLE))["What if idle_over were"].all("figure")[0].all("desc")
    assert description.words == (
        "7d: 25.0 % (95 % interval 16.8-35.5 %); 14d: 10.0 % (95 % interval 4.0-23.1 %); 30d: none can be judged."
    )


def test_owners_whose_notebooks_were_missed_come_first() -> None:
    """Also before those with more deletions."""
    assert [row[0] for row in rows(sections(read(WHOLE))["By owner"])[1:]] == ["alice", "bob"]


def test_who_came_back_is_named_with_when_and_how() -> None:
    """A notebook that was still idle is no regret."""
    table = rows(sections(read(WHOLE))["Who came back"])
    assert len(table) == 5
    assert table[1] == [
        *("experiment-0 nb0 on research", "alice", "idle idle 21d (over 14d)", "2026-09-11 03:00Z", "2026-09-14 03:00Z"),
        *("3 days", "lease renewed", "50"),
    ]


def test_the_differences_to_other_policies_are_told_from_both_sides() -> None:
    """With the total of the others."""
    section = sections(read(WHOLE))["Compared with the current policies"]
    assert [row[:1] + row[2:4] for row in rows(section)[1:]] == [
        ["only by these policies", "4", "3"],
        ["only by the current policies", "10", "1"],
        ["by both, as in these policies", "40", "1"],
        ["by both, as in the current policies", "40", "1"],
    ]
    assert section.all("p")[0].words.startswith("All of the current policies: 50 deletions; regret: 4.0 % (95 % interval ")


def test_what_is_known_of_the_past_is_told() -> None:
    """Surveys that cannot be used, plans that a brake refused, and what was really deleted."""
    assert rows(sections(read(WHOLE))["What the figures rest on"])[1] == [
        *("research", "21", "2", "2", "5", "3", "2026-09-01 03:00Z", "2026-09-22 03:00Z")
    ]


@pytest.mark.parametrize(
    ("limit", "words"),
    [
        (MaxRegretDocument(0.1, passed=True), ["The limit of 10.0 % is kept."]),
        (MaxRegretDocument(0.02, passed=False), ["The limit of 2.0 % is not kept."]),
        (None, []),
    ],
)
def test_a_limit_is_judged_right_below_the_verdict(limit: MaxRegretDocument | None, words: list[str]) -> None:
    """And nothing is said without one."""
    _, *following = [paragraph.words for paragraph in read(document(max_regret=limit)).all("header")[0].all("p")]
    assert following[: following.index(BREAKDOWN)] == words


def test_nothing_deleted_is_a_page_without_figures() -> None:
    """It says so, and what to look at."""
    nothing = document(
        total=counts(0), by_policy=[], by_owner=[], deletions=[], by_week=[WeekDocument("2026-08-31", counts(0))]
    )
    page = read(nothing)
    assert "Nothing would have been deleted." in page.words
    assert "nbsweep list" in page.words
    assert list(sections(page)) == ["What the figures rest on"]


def test_nothing_judged_is_no_rate() -> None:
    """Neither 0 % nor a chart of it."""
    page = read(document(total=counts(3, 0, 3), deletions=[], max_regret=MaxRegretDocument(0.02, passed=False)))
    assert "3 deletions, of which none can be judged." in page.words
    assert "The limit of 2.0 % is not kept: no deletion can be judged." in page.words
    assert "Nobody came back for a notebook within 30d, as far as it can be judged." in page.words


def test_few_labels_are_warned_of() -> None:
    """Before any figure."""
    assert "With 40 judged deletions, the rate says little" in read(document(few_labels=True)).all("header")[0].words


def test_long_lists_are_cut_with_a_word_on_the_rest() -> None:
    """51 owners and 501 regrets."""
    owners = [NamedCountsDocument(f"owner-{number}", counts(1)) for number in range(51)]
    page = read(document(by_owner=owners, deletions=[regret(number) for number in range(501)]))
    assert len(rows(sections(page)["By owner"])) == 51
    assert "1 more owner: --format json lists all." in page.words
    assert len(rows(sections(page)["Who came back"])) == 501
    assert "1 more notebook: --format json lists all." in page.words


def test_the_file_loads_nothing_and_runs_nothing() -> None:
    """No script, no address but that of the SVG namespace, and a policy that forbids both."""
    text = backtest_report(WHOLE)
    page = Page(text).root
    assert {"script", "link", "img", "iframe", "object", "a"} & {each.tag for each in page.all()} == set()
    names = {name for each in page.all() for name in each.attributes}
    assert not [name for name in names if name.startswith("on") or name in ("style", "src", "href")]
    assert set(re.findall(r"https?://[^\"' ]+", text)) == {"http://www.w3.org/2000/svg"}
    assert "url(" not in text
    assert "@import" not in text
    [policy] = [each.attributes["content"] for each in page.all("meta") if each.attributes.get("http-equiv")]
    assert policy == "default-src 'none'; style-src 'unsafe-inline'"


def hostile(text: str) -> BacktestDocument:
    """Return a document in which every text of other people is this one."""
    named = [NamedCountsDocument(text, counts(44, 4, 4))]
    return replace(
        WHOLE,
        policies=text,
        by_policy=named,
        by_owner=named,
        deletions=[regret(name=text, owner=text, policy=text, reason=text, id=text, target=text)],
        comparison=replace(COMPARISON, policies=text),
        targets=[replace(WHOLE.targets[0], target=text)],
        assumptions=[text],
    )


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_names_of_other_people_are_only_text(text: str) -> None:
    """Markup, templates, controls, right-to-left writing and 3,000 letters add no element and no attribute."""
    plain, page = read(hostile("x")), read(hostile(text))
    assert [each.tag for each in page.all()] == [each.tag for each in plain.all()]
    assert [list(each.attributes) for each in page.all()] == [list(each.attributes) for each in plain.all()]
    assert page.words.isprintable()
    cells = [cell for section in sections(page).values() for row in rows(section) for cell in row]
    assert max(map(len, cells)) < 400


@settings(max_examples=20, deadline=None)
@given(text=st.text())
def test_any_name_makes_a_page_whose_charts_are_well_formed(text: str) -> None:
    """Each SVG is read by a parser of XML."""
    drawn = drawings(backtest_report(hostile(text)))
    assert len(drawn) > 5
    for svg in drawn:
        fromstring(svg)  # noqa: S314


def recreated(number: int = 1, /, **changes: Any) -> RecreatedDocument:
    """Return a notebook that was deleted on day 2, and created again with the same name on day 5."""
    plain = RecreatedDocument(
        "run1", f"nb{number}", f"old-{number}", "alice", "idle", at(2), f"new{number}", f"old-{number}", at(5), "name"
    )
    return replace(plain, **changes)


def test_what_really_happened_is_said() -> None:
    """3 were deleted, of which one was created again; of 10 that were held out, 2 of the 8 that can be judged came back."""
    happened = RealityDocument(3, [recreated()], counts(10, 2, 2), [])
    section = sections(read(document(reality=happened)))["What really happened"]
    assert [each.words for each in section.all("p")] == [
        "Really deleted: 3 notebooks, of which 1 created again by their owners.",
        "Held out: 10 notebooks. 2 of 8 deletions would be regretted: 25.0 % (95 % interval 7.1-59.1 %).",
    ]
    again, held = section.all("table")
    assert [cell.words for cell in again.all("tr")[1].children] == [
        *("old-1 nb1", "alice", "idle", "2026-09-03 03:00Z", "old-1", "2026-09-06 03:00Z", "name")
    ]
    assert [cell.words for cell in held.all("tr")[1].children][2:5] == ["10", "2", "25.0 %"]
    assert "What really happened" not in sections(read(document()))


def test_of_many_that_were_created_again_the_first_are_listed() -> None:
    """Without a holdout there is no table of it; names are only text."""
    happened = RealityDocument(300, [recreated(each, name=HOSTILE[0]) for each in range(203)], counts(0), [])
    section = sections(read(document(reality=happened)))["What really happened"]
    assert len(section.all("tr")) == 201
    assert section.all("p")[-1].words == "3 more notebooks: --format json lists all."
    assert section.all("tr")[1].children[0].words == f"{HOSTILE[0]} nb0"
