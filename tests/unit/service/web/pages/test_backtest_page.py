"""The page Back-test: what is asked, what is said of mistakes, and what the result shows, over a hand-made past."""

import json
from collections.abc import Mapping
from datetime import timedelta
from fractions import Fraction
from io import BytesIO
from pathlib import Path

import anyio
import pytest

from builders import NOON, identity, notebook
from nbsweep.charts.bins import Bins
from nbsweep.core.inventory.model import SurveyRecord
from nbsweep.core.inventory.recording import Changes, Listed, Recorder
from nbsweep.core.model import Named, Scope
from nbsweep.core.reasons.statement import recorded_statement
from nbsweep.documents.past.backtest import RealityDocument
from nbsweep.service.web.access.tokens import Role
from nbsweep.service.web.pages.handlers.backtest import LARGEST_FORM_BYTES, LARGEST_TEXT_BYTES, question_of
from nbsweep.service.web.pages.views.backtest.form import USUAL
from nbsweep.service.web.trying.port import PASTED, Answer, Backtester, NoSurvey, TooMuch, Tried, Unreadable
from nbsweep.service.web.trying.results import MOST_RESULTS
from nbsweep.testing import InMemoryJournal
from unit.reports.test_backtest import COMPARISON, HOSTILE, THRESHOLDS, counts, document, recreated, regret
from unit.service.web.pages.reading import Seen, facts, rows, see
from unit.service.web.pages.trying import Fixed, Here, NoPast, Untouched
from unit.service.web.support import Face, FakeControl, Hands, Scene, role_file, state

OURS = {"Sec-Fetch-Site": "same-origin"}
DAY = timedelta(days=1)
MINE = identity()
PASTE = "policies: [{name: week, match: {status: STOPPED, idle_over: 7d}}]\nbrakes: {max_deletions: null, max_share: null}\n"
ASKED: Mapping[str, str] = {**USUAL, "target": "research", "since": "60d", "horizon": "10d", "thresholds": "7d, 30d"}


def hostile_tried() -> Tried:
    """Return a result whose names are markup, with all parts of the page."""
    markup = HOSTILE[0]
    shown = document(
        policies=PASTED,
        thresholds=THRESHOLDS,
        comparison=COMPARISON,
        reality=RealityDocument(3, [recreated(name=markup, new_name=HOSTILE[3])], counts(10, 2, 2), []),
        deletions=[regret(each, name=name, owner=name, policy=name, reason=name) for each, name in enumerate(HOSTILE)],
    )
    return Tried(
        document=shown,
        regrets=len(HOSTILE),
        returns=Bins((0.0, 86_400.0), (6,)),
        assumptions=(recorded_statement(HOSTILE[0]),),
        no_idle_time=True,
        json=b"",
        report=b"",
    )


async def past() -> InMemoryJournal:
    """Return a journal with a survey on each of 40 days, the last of which is now: nb1 came back on day 25, nb2 did not."""
    journal = InMemoryJournal()
    for day in range(40):
        known = await journal.inventory.open_states(MINE)
        recorder = Recorder(known)
        used = {1: NOON + (25 - 40) * DAY if day >= 25 else NOON - 60 * DAY, 2: NOON - 60 * DAY, 3: NOON}
        for number, last in used.items():
            row = notebook(number, updated_at=last, lease=None, listed=False, name=f"exp-{number}", owner=Named("u1", "wei"))
            recorder.see(row, Scope("0", "NOTEBOOK"), None)
        at = NOON + (day - 40) * DAY
        record = SurveyRecord(MINE.project, "research", MINE.extent, at, True, 3, "c0ffee")  # noqa: FBT003 - complete
        changes = Changes((Listed(recorder, tuple(f"nb{number}" for number in used)),), known, True)  # noqa: FBT003 - complete
        await journal.inventory.record(record, changes)
    return journal


def scene(backtester: Backtester) -> Scene:
    """Return pages with one target."""
    return Scene(control=FakeControl(state()), backtester=backtester, clock=Hands())


async def ask(face: Face, form: Mapping[str, str] = ASKED) -> Seen:
    """Send the form."""
    return await see(face, "/backtest", "POST", data=dict(form), headers=OURS)


async def shown(answer: Answer, language: str = "en") -> Seen:
    """Return the page of an answer."""
    async with scene(Fixed(answer)).open() as face:
        done = await ask(face)
        if "Location" not in done.headers:
            return done
        return await see(face, done.headers["Location"], headers={"Accept-Language": language})


def tables(seen: Seen) -> dict[str, list[list[str]]]:
    """Return the tables of the page by the names of their regions."""
    regions = [each for each in seen.content.all("div") if each.attributes.get("role") == "region"]
    return {each.attributes["aria-label"]: rows(each.only("table")) for each in regions}


async def test_policies_are_tried_and_the_result_is_shown_and_saved() -> None:
    """With 7 days nb1 and nb2 go on the first day; nb1 is used 25 days later, which is beyond the horizon of 10 days."""
    backtester = Here(await past())
    async with scene(backtester).open() as face:
        form = await see(face, "/backtest")
        assert (form.status, form.heading) == (200, "Back-test")
        assert form.content.only("textarea").words == ""
        done = await ask(face, {**ASKED, "policies": PASTE, "max_regret": "2%"})
        assert done.status == 303
        path = done.headers["Location"]
        seen = await see(face, path)
        assert (seen.status, seen.heading) == (200, "Result of the back-test")
        assert "0 of 2 judged deletions would be regretted: 0% (95% interval 0 to 65.8%)." in seen.content.words
        assert facts(seen.content)["Deletions"] == "2"
        assert list(tables(seen)) == [
            *("What if idle_over were", "By week", "By policy", "By owner"),
            *("Compared with the current policies", "What the figures rest on"),
        ]
        assert tables(seen)["By policy"][1][:3] == ["week", "", "2"]
        assert "Nobody came back for a notebook within 10 days" in seen.content.words
        saved = await face.session.get(f"{face.url}{path}/backtest.json")
        assert saved.headers["Content-Disposition"] == 'attachment; filename="backtest.json"'
        found = json.loads(await saved.read())
        assert [each["id"] for each in found["deletions"]] == ["nb1", "nb2"]
        assert found["policies"] == "the pasted policies"
        report = await (await face.session.get(f"{face.url}{path}/backtest.html")).text()
        assert "<h1>Back-test of <bdi>the pasted policies</bdi></h1>" in report
        again = await see(face, f"/backtest?from={path.rpartition('/')[2]}")
        assert again.content.only("textarea").text.strip() == PASTE.strip()
        assert {each.attributes["name"]: each.attributes["value"] for each in again.content.all("input")}["since"] == "60d"
    [question] = backtester.asked
    assert (question.targets, question.since, question.horizon) == (("research",), 60 * DAY, 10 * DAY)
    assert question.thresholds == (("7d", 7 * DAY), ("30d", 30 * DAY))
    assert (question.compared, question.max_regret) == (True, Fraction(1, 50))


async def test_the_current_policies_are_tried_where_nothing_is_pasted() -> None:
    """And are not compared with themselves."""
    async with scene(Here(await past())).open() as face:
        seen = await see(face, (await ask(face)).headers["Location"])
        assert "Tried: the current policies" in seen.content.words
        assert "Compared with the current policies" not in tables(seen)


async def test_what_the_figures_assume_is_in_the_language_of_the_reader() -> None:
    """With lengths of time as the language writes them."""
    async with scene(Here(await past())).open() as face:
        path = (await ask(face)).headers["Location"]
        english = (await see(face, path)).content.words
        chinese = (await see(face, path, headers={"Accept-Language": "zh-CN"})).content.words
    assert "Came back: within 10d the notebook was used" in english
    assert "A sweep takes place at each recorded survey" in english
    assert "返回使用：10 天内，Notebook 被使用、续期" in chinese
    assert "假定每次记录的盘点都进行一次清理" in chinese
    assert ("Came back" in chinese, "takes place" in chinese) == (False, False)


async def test_a_mistake_stands_beside_the_text_with_line_and_column() -> None:
    """What was pasted stays; no variable, no file, no other group is read."""
    text = "policies:\n  - name: <b>x</b>\n    match: {idle_over: soon}\nowners: [{file: /etc/passwd}]\n"
    async with scene(Here(await past())).open() as face:
        seen = await ask(face, {**ASKED, "policies": text})
        assert seen.status == 400
        assert seen.content.only("textarea").text.strip() == text.strip()
        items = [each.words for each in seen.content.only("ol").all("li")]
        assert items[0].startswith("Line 3, column 13 match: {idle_over: soon} policies[0].match.idle_over")
        assert items[1].startswith("Line 4, column 1 owners: [{file: /etc/passwd}] owners cannot be tried here")
        assert "<b>" not in seen.source
        assert seen.content.only("textarea").attributes["aria-describedby"] == "policies-hint mistakes"


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"since": "soon"}, "since"),
        ({"since": ""}, "since"),
        ({"horizon": "9999d"}, "horizon"),
        ({"thresholds": "7d, <script>"}, "thresholds"),
        ({"thresholds": "1d,2d,3d,4d,5d,6d,7d"}, "thresholds"),
        ({"max_regret": "many"}, "max_regret"),
        ({"target": "<script>"}, "target"),
        ({"policies": "é" * (LARGEST_TEXT_BYTES // 2 + 1)}, "policies"),
    ],
)
async def test_a_field_that_means_nothing_is_named(changed: Mapping[str, str], field: str) -> None:
    """Nothing is tried, and nothing that was typed is lost."""
    async with scene(Untouched()).open() as face:
        seen = await ask(face, {**ASKED, **changed})
        assert seen.status == 400
        assert [each.attributes["id"] for each in seen.content.all("span") if "-error" in each.attributes.get("id", "")] == [
            f"{field}-error"
        ]
        assert "<script>" not in seen.source.replace("<script src=", "")


async def test_a_large_form_is_refused_before_it_is_read() -> None:
    """The limit is that of this route: what other forms refuse still passes here, and 16 MB do not."""
    async with scene(NoPast()).open() as face:
        assert (await ask(face, {**ASKED, "policies": "# x\n" * 15_000 + PASTE})).status == 200
        assert (await ask(face, {**ASKED, "policies": "x" * LARGEST_FORM_BYTES})).status == 413

        async def pieces() -> object:
            for _ in range(300):
                yield b"x" * 1024

        kind = {**OURS, "Content-Type": "application/x-www-form-urlencoded"}
        assert (await see(face, "/backtest", "POST", data=pieces(), headers=kind)).status == 413
        huge = BytesIO(b"policies=" + b"x" * 16_000_000)
        assert (await see(face, "/backtest", "POST", data=huge, headers=kind)).status == 413
        assert (await see(face, "/language", "POST", data={"language": "x" * 20_000}, headers=OURS)).status == 413


async def test_without_a_survey_it_says_since_when_there_are_some() -> None:
    """And what to do."""
    async with scene(Here(await past())).open() as face:
        face.clock.wall = NOON + 100 * DAY
        seen = await ask(face)
        assert "The surveys on record are from 20 Jan 2026 12:00 UTC to 28 Feb 2026 12:00 UTC: look further back." in (
            seen.content.words
        )
    assert "with inventory.keep in the configuration" in (await shown(NoSurvey(None, None))).content.words


async def test_one_at_a_time() -> None:
    """Whoever comes second keeps what they typed, and tries again; afterwards it is free."""
    backtester = Here(await past(), go_on=anyio.Event())
    async with scene(backtester).open() as face, anyio.create_task_group() as group:
        group.start_soon(ask, face)
        await backtester.begun.wait()
        second = await ask(face, {**ASKED, "policies": PASTE})
        assert (second.status, second.headers["Retry-After"]) == (429, "10")
        assert "Another back-test is in progress." in second.content.words
        assert second.content.only("textarea").text.strip() == PASTE.strip()
        assert backtester.go_on is not None
        backtester.go_on.set()
    async with scene(backtester).open() as face:
        assert (await ask(face)).status == 303


async def test_what_takes_too_much_is_ended_with_advice() -> None:
    """An unreadable journal is told as everywhere."""
    seen = await shown(TooMuch())
    assert "on a page it may take 50 seconds and 1,024 MB" in seen.content.words
    assert (await shown(Unreadable("the journal is locked"))).status == 503


async def test_only_the_last_results_are_kept() -> None:
    """An older one is gone, and the page says so."""
    async with scene(Fixed(hostile_tried())).open() as face:
        paths = [(await ask(face)).headers["Location"] for _ in range(MOST_RESULTS + 1)]
        assert [(await see(face, path)).status for path in (paths[0], paths[1], paths[-1])] == [404, 200, 200]


@pytest.mark.parametrize("language", ["en", "zh-CN"])
async def test_names_are_only_text(language: str) -> None:
    """Of notebooks, owners and policies; each chart is there with its table, in both languages."""
    seen = await shown(hostile_tried(), language)
    assert seen.status == 200
    assert "alert(1)</script>" not in seen.source.replace("&lt;", "")
    assert [each for each in seen.page.all("script") if "src" not in each.attributes] == []
    assert seen.content.all("img") == []
    assert not any("style" in each.attributes for kind in ("p", "td", "th", "span", "rect") for each in seen.content.all(kind))
    assert "x" * 500 not in seen.source
    assert len([each for each in seen.content.all("svg") if each.attributes.get("role") == "img"]) == 3


async def test_the_result_says_everything_that_the_report_says() -> None:
    """What really happened, the comparison, the thresholds and what was left out."""
    seen = await shown(hostile_tried())
    found = tables(seen)
    assert "Really deleted: 3 notebooks. Created again by their owners: 1." in seen.content.words
    assert found["Created again"][1] == [
        HOSTILE[0],
        "alice",
        "idle",
        "3 Sept 2026",
        "\ufffdgnp.exe\ufffd\ufffd\ufffd[31m",
        "6 Sept 2026",
        "the same name",
    ]
    assert found["Held out"][1][:5] == ["held out", "", "10", "2", "25%"]
    assert [row[0] for row in found["What if idle_over were"][1:]] == ["7 days", "14 days", "30 days"]
    assert [row[2] for row in found["Compared with the current policies"][1:]] == ["4", "10", "40", "40", "50"]
    assert "No other idle times were tried" in seen.content.words
    links = [each.attributes["href"] for each in seen.content.all("a")]
    assert "/notebooks/nb0" in links


async def test_elsewhere_a_back_test_needs_a_role(tmp_path: Path) -> None:
    """Because it reads: any role will do."""
    files = (role_file(tmp_path, Role.VIEWER),)
    async with Scene(listen="192.0.2.1:9464", token_files=files, backtester=NoPast()).open() as face:
        assert (await ask(face)).headers["Location"].startswith("/sign-in")
        bearer = {**OURS, "Authorization": f"Bearer token-of-{Role.VIEWER}"}
        assert (await see(face, "/backtest", "POST", data=dict(ASKED), headers=bearer)).status == 200


def test_a_question_without_a_choice_is_about_all_targets() -> None:
    """An unchecked box is no field of the form."""
    question, errors = question_of({**USUAL, "compare": ""}, ("research", "training"))
    assert (question.targets, question.compared, errors) == (("research", "training"), False, {})
