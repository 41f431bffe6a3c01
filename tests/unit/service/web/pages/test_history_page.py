"""The pages History and Run, and their files."""

import csv
import io
from datetime import timedelta

import pytest
from msgspec.structs import replace

from builders import ago, removal, run_record
from nbsweep.core.lifecycle import Removal, State
from nbsweep.core.planning.brakes import Brakes, judge_count
from nbsweep.core.reasons.keeping import encode_cause
from nbsweep.core.reasons.model import Cause, CauseCode
from nbsweep.core.reasons.statement_wordings import with_sentence
from nbsweep.core.runs import Outcome
from nbsweep.testing import InMemoryJournal
from unit.service.web.pages.reading import Seen, facts, rows, see
from unit.service.web.support import Face, Scene

CHINESE = {"Accept-Language": "zh-CN,zh;q=0.9"}
EVIL = '<script>alert(1)</script>\N{RIGHT-TO-LEFT OVERRIDE}"\n=<img src=x>'
LONG = "長" * 3000


def ended(number: int, state: State = State.DELETED, /, **changes: object) -> Removal:
    """Return a removal that ended a day ago, 20 s after its DELETE was accepted."""
    end = ago(days=1)
    times = {"accepted_at": end - timedelta(seconds=20), "ended_at": end, "requests": 1}
    return replace(removal(number), state=state, **{**times, "end_reason": "proven gone", **changes})


async def journal_with(*removals: Removal, **run: object) -> InMemoryJournal:
    """Return a journal with a run that has ended, and these removals."""
    journal = InMemoryJournal()
    record = run_record(started_at=ago(days=1, minutes=5))
    await journal.open_run(record)
    await journal.close_run(
        replace(record, **{"ended_at": ago(days=1), "outcome": Outcome.FINISHED, "fleet": 40, "planned": len(removals), **run})
    )
    await journal.write(list(removals))
    return journal


FIVE = (
    ended(1),
    ended(2, capacity_gb=1000),
    ended(3, State.FAILED, end_reason="DELETE_FAILED: quota exceeded"),
    ended(4, State.TIMED_OUT, end_reason="no end by its deadline"),
    ended(5, State.SPARED, end_reason="used since"),
)


def table(seen: Seen, label: str) -> list[list[str]]:
    """Return the cells of the table in the region with this label."""
    [region] = [each for each in seen.content.all("div") if each.attributes.get("aria-label") == label]
    return rows(region.only("table"))


async def lines(face: Face, path: str) -> list[dict[str, str]]:
    """Return the lines of a file, after a look at its headers."""
    async with face.session.get(face.url + path) as response:
        assert response.status == 200
        assert response.content_type == "text/csv"
        assert response.headers["Content-Disposition"].startswith("attachment; ")
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert "default-src 'none'" in response.headers["Content-Security-Policy"]
        return list(csv.DictReader(io.StringIO(await response.text())))


async def test_the_history_counts_what_ended_by_day_and_outcome() -> None:
    """Two deleted with 1,050 GB, one failed, one timed out; what was spared is in the list and in no chart."""
    async with Scene(journal=await journal_with(*FIVE)).open() as face:
        seen = await see(face, "/history")
        assert (seen.status, seen.heading) == (200, "History")
        told = facts(seen.content)
        assert told["Deleted"] == "2"
        assert told["Reclaimed"] == "1.1 TB"
        assert told["Failed or timed out"] == "2"
        assert told["Half of the deletions took at most"] == "20 secs"
        by_day = table(seen, "Removals by day")
        assert by_day[0] == ["From", "Deleted", "Failed", "Timed out"]
        assert [row for row in by_day[1:] if row[1:] != ["0", "0", "0"]] == [["28 Feb", "2", "1", "1"]]
        assert len(by_day) == 31
        assert table(seen, "Why removals failed")[1:] == [
            ["1", "Failed to be deleted", "DELETE_FAILED: quota exceeded"],
            ["1", "Timed out", "It had no end by its deadline"],
        ]
        assert [row[0] for row in table(seen, "Removals")[1:]] == [f"experiment-{each} alice" for each in (5, 4, 3, 2, 1)]


async def test_each_chart_has_words_for_those_who_do_not_see_it_and_a_table() -> None:
    """A title, a description with the figures, and the figures behind a summary; and no style or script of its own."""
    async with Scene(journal=await journal_with(*FIVE)).open() as face:
        seen = await see(face, "/history")
        charts = seen.content.all("svg")
        assert [each.attributes["role"] for each in charts] == ["img"] * 3
        said = [each.all("desc")[0].words for each in charts]
        assert said[0] == "2 deleted, 1 failed and 1 timed out in all. The table below has the figures."
        assert said[1] == "1,050 GB in all. The table below has the figures."
        assert said[2] == "Half of the deletions took at most 20 secs, and 95 of 100 at most 20 secs."
        assert len(seen.content.all("details")) == 3
        assert 'style="' not in seen.source
        assert seen.page.all("style") == []
        assert [each.attributes["href"] for each in seen.page.all("link") if "charts" in each.attributes["href"]]


async def test_the_sweeps_lead_to_their_pages() -> None:
    """Each with its outcome and the ends of its removals."""
    async with Scene(journal=await journal_with(*FIVE)).open() as face:
        seen = await see(face, "/history")
        [row] = table(seen, "Sweeps")[1:]
        ends = "2 deleted, 1 failed to be deleted, 1 timed out, 1 spared by the second look"
        assert row == ["28 Feb 2026 11:55 UTC", "research", "finished", "5 mins", "40", ends, "1.1 TB", "run1"]
        assert "/history/run1" in [each.attributes["href"] for each in seen.content.all("a")]


async def test_the_filters_are_in_the_address() -> None:
    """Target, time and outcome; what is chosen is chosen in the form too, and in the files' addresses."""
    journal = await journal_with(*FIVE, ended(6, target="other"), ended(7, ended_at=ago(days=60), accepted_at=ago(days=61)))
    async with Scene(journal=journal).open() as face:
        failed = await see(face, "/history?target=research&since=7d&outcome=failed")
        assert [row[0] for row in table(failed, "Removals")[1:]] == ["experiment-3 alice"]
        chosen = [each.words for each in failed.content.only("form").all("option") if "selected" in each.attributes]
        assert chosen == ["the last 7 days", "research", "Failed to be deleted"]
        links = [each.attributes["href"] for each in failed.content.all("a")]
        assert "/history/removals.csv?target=research&since=7d&outcome=failed" in links
        assert facts(failed.content)["Deleted"] == "2"
        assert facts((await see(face, "/history?target=other&since=&outcome=")).content)["Deleted"] == "1"
        long = await see(face, "/history?since=100d")
        assert facts(long.content)["Deleted"] == "4"
        assert table(long, "Removals by week, from Monday on")[0][0] == "From"
        assert "the last 100 days" in [each.words for each in long.content.all("option") if "selected" in each.attributes]


@pytest.mark.parametrize(
    "query",
    ["since=30", "since=9999d", "since=0s", "outcome=gone", "outcome=unfinished", "page=0", "page=x", "target=a/b", "a=b"],
)
async def test_a_filter_that_means_nothing_is_told(query: str) -> None:
    """By a page that says what is allowed."""
    async with Scene().open() as face:
        seen = await see(face, f"/history?{query}")
        assert (seen.status, seen.heading) == (400, "The request is not valid")


async def test_an_empty_history_says_why() -> None:
    """No sweep yet, too short a time, a dry run, or a sweep that found nothing to do."""
    async with Scene(journal=InMemoryJournal()).open() as face:
        assert "The journal has no sweep yet." in (await see(face, "/history")).content.words
    async with Scene(journal=await journal_with()).open() as face:
        assert "its page says what it did" in (await see(face, "/history")).content.words
        assert "No removal of this choice ended in this time." in (await see(face, "/history")).content.words
        short = (await see(face, "/history?since=1h")).content.words
        assert "Choose a longer time." in short
        assert "No sweep began in this time." in short
    journal = InMemoryJournal()
    await journal.open_run(run_record(dry_run=True))
    async with Scene(journal=journal).open() as face:
        assert "was a dry run, which deletes nothing" in (await see(face, "/history")).content.words


async def test_removals_come_in_pages() -> None:
    """25 on each, with links before and after; a page beyond the last one leads back."""
    journal = await journal_with(*(ended(number, ended_at=ago(minutes=number)) for number in range(1, 61)))
    async with Scene(journal=journal).open() as face:
        for path, first in (("/history", 1), ("/history/run1", 1)):
            one, two, three = [await see(face, f"{path}?page={page}") for page in (1, 2, 3)]
            assert [len(table(each, "Removals")) - 1 for each in (one, two, three)] == [25, 25, 10]
            assert table(two, "Removals")[1][0] == f"experiment-{first + 25} alice"
            links = [
                [each.attributes["rel"] for each in seen.content.all("a") if "rel" in each.attributes]
                for seen in (one, two, three)
            ]
            assert links == [["next"], ["prev", "next"], ["prev"]]
            assert "There are no more removals." in (await see(face, f"{path}?page=4")).content.words


async def test_a_run_shows_its_sweeps_and_all_its_removals() -> None:
    """Those that have not ended too, each outcome at a link of its own."""
    journal = await journal_with(*FIVE, removal(6), kept={"no-policy": 30, "protected": 5}, problem="the cloud was slow")
    async with Scene(journal=journal).open() as face:
        seen = await see(face, "/history/run1")
        assert (seen.status, seen.heading) == (200, "Run run1")
        told = facts(seen.content)
        assert (told["Notebooks seen"], told["Reclaimed"], told["Not ended yet"]) == ("40", "1.1 TB", "1")
        assert "the cloud was slow" in seen.content.words
        assert rows(seen.content.all("table")[0])[1:] == [["No policy matches", "30"], ["Protected", "5"]]
        assert len(table(seen, "Removals")) == 7
        choices = {each.words: each.attributes["href"] for each in seen.content.only("ul").all("a")}
        assert choices["all outcomes: 6"] == "/history/run1#removals"
        only = await see(face, choices["Failed to be deleted: 1"].partition("#")[0])
        assert [row[0] for row in table(only, "Removals")[1:]] == ["experiment-3 alice"]
        unfinished = await see(face, "/history/run1?outcome=unfinished")
        assert [row[0] for row in table(unfinished, "Removals")[1:]] == ["experiment-6 alice"]
        missing = await see(face, "/history/run2")
        assert (missing.status, missing.heading) == (404, "There is nothing here")


async def test_the_tables_are_files_for_spreadsheets() -> None:
    """The same figures, for programs; all removals in one file, however many pages they fill."""
    many = [ended(number, ended_at=ago(days=2, minutes=number), run_id="run2") for number in range(10, 1210)]
    async with Scene(journal=await journal_with(*FIVE, *many)).open() as face:
        periods = [row for row in await lines(face, "/history/periods.csv") if row["deleted"] != "0"]
        assert [row["deleted"] for row in periods] == ["489", "711", "2"]
        assert (await lines(face, "/history/causes.csv"))[0] == {
            "outcome": "failed",
            "removals": "1",
            "cause": "DELETE_FAILED: quota exceeded",
        }
        assert sum(int(row["deletions"]) for row in await lines(face, "/history/durations.csv")) == 1202
        every = await lines(face, "/history/removals.csv")
        assert [row["id"] for row in every] == [f"nb{each}" for each in (5, 4, 3, 2, 1, *range(10, 1210))]
        assert len(await lines(face, "/history/removals.csv?outcome=spared")) == 1
        assert [row["id"] for row in await lines(face, "/history/run1/removals.csv?outcome=failed")] == ["nb3"]
        assert len(await lines(face, "/history/run2/removals.csv")) == 1200
        async with face.session.head(face.url + "/history/removals.csv") as response:
            assert (response.status, await response.read()) == (200, b"")


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", " =", "\t=", "\N{FULLWIDTH EQUALS SIGN}"])
async def test_no_cell_of_a_file_is_a_formula(begin: str) -> None:
    """A spreadsheet would calculate it."""
    async with Scene(journal=await journal_with(ended(1, name=f"{begin}1+1", owner="\n=x"))).open() as face:
        [row] = await lines(face, "/history/removals.csv")
        assert row["name"][0] in ("'", "\N{REPLACEMENT CHARACTER}")
        assert row["owner"] == "\N{REPLACEMENT CHARACTER}=x"


@pytest.mark.parametrize("text", [EVIL, LONG])
async def test_what_others_wrote_is_text(text: str) -> None:
    """Markup is shown as it was written, nothing turns the direction of a line, and the page stays small."""
    mine = [ended(each, State.FAILED, name=text, owner=text, policy=text, end_reason=f"{each}{text}") for each in range(1, 51)]
    journal = await journal_with(*mine, problem=text, overrides=text, kept={text: 1}, started_by=text)
    async with Scene(journal=journal).open() as face:
        for path in ("/history", "/history/run1"):
            seen = await see(face, path)
            assert seen.status == 200
            assert len(seen.source.encode()) < 300_000
            assert len(seen.page.all("script")) == 1
            assert seen.content.all("img") == []
            assert "\N{RIGHT-TO-LEFT OVERRIDE}" not in seen.source


async def test_the_history_speaks_chinese() -> None:
    """Words, numbers and dates, in the charts too; the reasons stay as they were recorded, and say so."""
    async with Scene(journal=await journal_with(*FIVE)).open() as face:
        seen = await see(face, "/history", headers=CHINESE)
        assert seen.heading == "历史"
        assert facts(seen.content)["已回收"] == "1.1 TB"
        assert seen.content.all("svg")[0].all("title")[0].words == "每日删除"
        assert seen.content.words.count("已确认删除") == 2
        assert "proven gone" not in seen.content.words
        assert (await see(face, "/history/run1", headers=CHINESE)).heading == "运行 run1"


async def test_a_refused_sweep_says_why_in_the_language_of_the_reader() -> None:
    """On the pages History, Fleet and Run; a record of an earlier version has the English sentence alone, and shows that."""
    [refusal] = judge_count(3, Brakes(2, None), 10)
    kept = {"outcome": Outcome.REFUSED, "problem": refusal.message}
    english, chinese = "3 notebooks would go", "将删除 3 个 Notebook，而 brakes.max_deletions 最多允许 2 个"
    for path in ("/history", "/history/run1", "/"):
        async with Scene(journal=await journal_with(**kept, statements=(with_sentence(refusal.statement),))).open() as face:
            assert english in (await see(face, path)).content.words
            seen = (await see(face, path, headers=CHINESE)).content.words
            assert (chinese in seen, english in seen) == (True, False)
        async with Scene(journal=await journal_with(**kept)).open() as face:
            assert english in (await see(face, path, headers=CHINESE)).content.words


async def test_why_a_notebook_was_spared_is_in_the_language_of_the_reader() -> None:
    """With what comes before the cause; a record of an earlier version has the English sentence alone, and shows that."""
    cause = Cause(CauseCode.SEEN_IN_USE, params={"status": "RUNNING", "order": "DELETE"})
    sentence, kept = "it was seen RUNNING since our DELETE", encode_cause(cause)
    failed = f"its deletion failed, and now it is kept: {sentence}"
    spared = (
        ended(1, State.SPARED, end_reason=sentence, end_cause=kept),
        ended(2, State.FAILED, end_reason=failed, end_cause=kept),
        ended(3, State.SPARED, end_reason="an earlier run was interrupted before its DELETE"),
        ended(4, State.SPARED, end_reason="used since"),
    )
    async with Scene(journal=await journal_with(*spared)).open() as face:
        found = table(await see(face, "/history/run1", headers=CHINESE), "删除")[1:]
        assert {row[0].split()[0]: row[-1] for row in found} == {
            "experiment-1": "nbsweep 发出删除请求后，实例曾处于 RUNNING 状态",
            "experiment-2": "删除失败，现予保留： nbsweep 发出删除请求后，实例曾处于 RUNNING 状态",
            "experiment-3": "在发送 DELETE 之前，较早的运行被中断",
            "experiment-4": "used since",
        }
        assert sentence in (await see(face, "/history/run1")).content.words


async def test_the_page_of_the_history_is_current_for_a_run_too() -> None:
    """In the navigation."""
    async with Scene(journal=await journal_with()).open() as face:
        for path in ("/history", "/history/run1"):
            marked = [
                each.words for each in (await see(face, path)).page.only("nav").all("a") if "aria-current" in each.attributes
            ]
            assert marked == ["History"]
