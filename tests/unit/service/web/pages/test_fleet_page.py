from datetime import timedelta
from fractions import Fraction
from pathlib import Path

import pytest
from msgspec.structs import replace

from builders import NOON, exemption, mark, told_mark
from nbsweep.core.control.requests import Pause
from nbsweep.core.holdout.model import Holdout
from nbsweep.service.control import Phase
from nbsweep.service.web.access.tokens import Role
from nbsweep.testing import InMemoryJournal
from unit.service.web.pages.reading import facts, rows, see
from unit.service.web.support import BEARER, EARLIER, FakeControl, Scene, role_file, state, token_file

CHINESE = {"Accept-Language": "zh-CN,zh;q=0.9"}


async def test_the_first_page_shows_each_target_with_its_state_and_its_last_sweep() -> None:
    """The figures are those of the journal: forty notebooks seen, two planned, one deleted, one spared, one not ended."""
    async with Scene().open() as face:
        seen = await see(face, "/")
        assert (seen.status, seen.heading) == (200, "Fleet")
        research, training = seen.content.all("section")
        assert research.only("h2").words == "research"
        assert "Waiting" in research.words
        told = facts(research)
        assert told["Next sweep"] == "1 Mar 2026 12:00 UTC"
        assert told["Last success"] == "28 Feb 2026 03:00 UTC"
        assert told["Who sweeps it"] == "nobody at present"
        assert training.only("h2").words == "training"
        assert "Paused by alice since 28 Feb 2026 03:00 UTC: moving house" in training.words
        assert training.all("span")[0].words == "Paused"
        assert "Waiting" not in training.words
        assert facts(training)["Next sweep"] == "not before the target is resumed"
        assert "This target has not been swept yet." in training.words


async def test_the_brakes_stand_beside_their_limits() -> None:
    """What was planned last is held against each limit; plain words come before the key of the configuration."""
    async with Scene().open() as face:
        research = (await see(face, "/")).content.all("section")[0]
        brakes, lanes = (rows(table) for table in research.all("table"))
        assert brakes[0] == ["Brake", "Limit", "Last figure"]
        assert [row[0] for row in brakes[1:]] == [
            "Deletions in one sweep max_deletions",
            "Share of the notebooks in one sweep max_share",
            "Deletions of one owner in one sweep max_per_owner",
            "Deletions in 24 hours max_per_day",
            "Share of removals that fail max_failures",
            "Notebooks that are gone since the last sweep max_fleet_drop",
        ]
        assert brakes[1][1] == "100 notebooks"
        assert brakes[2][1] == "25%"
        assert brakes[3][1:] == ["no limit", "–"]
        assert brakes[4][1:] == ["no limit", "0 notebooks"]
        assert lanes[1:] == [["Delete", "5", "2.5", "150/m"], ["All calls", "–", "4", "4/s"]]


async def test_a_target_that_waits_for_its_turn_says_how_many_accounts_have_waited_longer(tmp_path: Path) -> None:
    """In both languages; the sweep comes by itself, so there is no button for it."""
    for ahead, english in (
        (0, "Waiting for its turn: it is next"),
        (1, "Waiting for its turn: 1 other account has waited longer"),
        (3, "Waiting for its turn: 3 other accounts have waited longer"),
    ):
        control = FakeControl(state(phase=Phase.WAITING_FOR_TURN, accounts_ahead=ahead))
        async with Scene(control, token_file=token_file(tmp_path)).open() as face:
            seen = await see(face, "/", headers=BEARER)
            assert english in seen.content.words
            assert [form.attributes["action"] for form in seen.content.all("form")] == ["/targets/research/pause"]
            assert "正在排队等待清理" in (await see(face, "/", headers=CHINESE)).content.words


@pytest.mark.parametrize(
    ("phase", "shown"),
    [
        (Phase.WAITING, "Paused"),
        (Phase.BACKING_OFF, "Paused"),
        (Phase.HELD_ELSEWHERE, "Paused"),
        (Phase.SWEEPING, "Sweeping now"),
        (Phase.STARTING, "Starting: the removals of an earlier process are followed to their end"),
    ],
)
async def test_a_paused_target_is_called_paused_unless_it_is_still_at_work(phase: Phase, shown: str) -> None:
    """Nothing waits or is tried again in a pause; a sweep that had begun, and the follow-up of an earlier one, go on."""
    async with Scene(FakeControl(state(phase=phase, pause=Pause("research", EARLIER, "alice")))).open() as face:
        assert (await see(face, "/")).content.all("span")[0].words == shown


async def test_what_will_be_deleted_stands_above_the_last_sweep_and_leads_to_it() -> None:
    """The announced notebooks, those past their deadline, the next deadline still to come, and the plan."""
    journal = InMemoryJournal()
    told = [told_mark(1, deadline=NOON + timedelta(days=3)), told_mark(2, deadline=NOON - timedelta(days=1))]
    await journal.marks.write([replace(each, version=0) for each in (*told, mark(3, target="training"), mark(4))])
    async with Scene(journal=journal).open() as face:
        research = (await see(face, "/")).content.all("section")[0]
        assert [each.words for each in research.all("h3")][:2] == ["What will be deleted", "Last sweep"]
        told_now = facts(research)
        assert told_now["Announced to be deleted"] == "3 notebooks"
        assert told_now["Of these, the deadline has passed"] == "1 notebook"
        assert told_now["Next deadline"] == "4 Mar 2026 12:00 UTC"
        links = {each.words: each.attributes["href"] for each in research.all("a")}
        assert links["3 notebooks"] == "/marks?target=research"
        assert links["1 notebook"] == "/marks?target=research&state=passed"
        assert links["The plan of research: what a sweep would delete now"] == "/plan/research"


async def test_what_a_holdout_or_an_exemption_keeps_is_counted_apart() -> None:
    """Of five whose deadline has passed, a sweep would delete three. The share is nb1."""
    control, journal = FakeControl(), InMemoryJournal()
    control.held = {"old": Holdout(Fraction(1, 10), timedelta(days=30))}
    await journal.marks.write([replace(told_mark(number), version=0) for number in (1, 2, 3, 4, 6)])
    await journal.exemptions.grant(exemption(notebook_id="nb3"))
    async with Scene(control, journal=journal).open() as face:
        research = facts((await see(face, "/")).content.all("section")[0])
    assert research["Of these, the deadline has passed"] == "5 notebooks"
    assert research["Passed, but kept by the holdout"] == "1 notebook"
    assert research["Passed, but exempt"] == "1 notebook"


async def test_of_very_many_marks_whose_deadline_has_passed_only_some_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that the page is quick; it then says that there may be more."""
    monkeypatch.setattr("nbsweep.service.web.pages.handlers.fleet.MOST_PASSED", 2)
    journal = InMemoryJournal()
    await journal.marks.write([replace(told_mark(number), version=0) for number in (1, 2, 3)])
    await journal.exemptions.grant(exemption(owner="alice"))
    async with Scene(journal=journal).open() as face:
        research = facts((await see(face, "/")).content.all("section")[0])
    assert research["Of these, the deadline has passed"] == "3 notebooks"
    assert research["Passed, but exempt"] == "at least 2 notebooks"


async def test_without_announcements_the_fleet_says_why_and_leads_to_the_plan() -> None:
    """Either nothing is announced now, or no policy announces anything."""

    class Blunt(FakeControl):
        def graces(self) -> dict[str, object]:  # type: ignore[override]
            return {}

    async with Scene(journal=InMemoryJournal()).open() as face:
        assert "Nothing is announced now." in (await see(face, "/")).content.words
    async with Scene(Blunt(), journal=InMemoryJournal()).open() as face:
        assert "notebooks are deleted as soon as a policy matches" in (await see(face, "/")).content.words


async def test_it_speaks_chinese() -> None:
    """Words, dates and the language of the document."""
    async with Scene().open() as face:
        seen = await see(face, "/", headers=CHINESE)
        assert seen.heading == "总览"
        assert seen.page.only("html").attributes["lang"] == "zh-CN"
        assert facts(seen.content.all("section")[0])["下次清理"] == "2026年3月1日 12:00 UTC"


async def test_what_is_wrong_with_the_service_stands_on_top() -> None:
    """Why it is not ready, as the probe says it."""
    control = FakeControl()
    control.problems = ("research: the cloud cannot be reached",)
    async with Scene(control).open() as face:
        assert "research: the cloud cannot be reached" in (await see(face, "/")).content.words


async def test_names_and_reasons_of_others_are_text() -> None:
    """Markup in a reason is shown as it was written, and a name cannot turn the direction of the line."""
    evil = '<script>alert(1)</script>\N{RIGHT-TO-LEFT OVERRIDE}"\n<img src=x>'
    control = FakeControl(state(phase=Phase.BACKING_OFF, problem=evil, pause=Pause("research", EARLIER, evil, evil)))
    async with Scene(control).open() as face:
        seen = await see(face, "/")
        assert "<script>alert" not in seen.source
        assert len(seen.page.all("script")) == 1
        assert seen.content.all("img") == []
        assert "\N{RIGHT-TO-LEFT OVERRIDE}" not in "".join(each.text for each in seen.content.all("p") if "Paused" in each.text)


async def test_without_targets_it_says_what_to_do() -> None:
    """An empty page explains itself."""
    control = FakeControl()
    control.states = {}
    async with Scene(control).open() as face:
        assert "The configuration has no target." in (await see(face, "/")).content.words


async def test_who_may_not_change_anything_sees_no_buttons(tmp_path: Path) -> None:
    """Neither without signing in, nor with a role that only reads."""
    async with Scene(token_files=(role_file(tmp_path, Role.VIEWER),)).open() as face:
        for headers in ({}, {"Authorization": "Bearer token-of-viewer"}):
            assert (await see(face, "/", headers=headers)).content.all("form") == []


async def test_an_administrator_pauses_a_target_for_a_time_and_says_why(tmp_path: Path) -> None:
    """The page says what was done, and the pause says who did it by which way."""
    async with Scene(token_file=token_file(tmp_path)).open() as face:
        forms = (await see(face, "/", headers=BEARER)).content.all("section")[0].all("form")
        assert [form.attributes["action"] for form in forms] == ["/targets/research/pause", "/targets/research/sweep"]
        form = {"lasts": "8h", "reason": " moving\n house "}
        done = await see(face, "/targets/research/pause", "POST", data=form, headers=BEARER)
        assert (done.status, done.headers["Location"]) == (303, "/")
        pause = face.control.states["research"].pause
        assert pause == Pause("research", NOON, "admin token (page)", "moving house", NOON + timedelta(hours=8))
        after = await see(face, "/", headers={**BEARER, "Cookie": done.headers["Set-Cookie"].split(";")[0]})
        assert "research is paused. A sweep that is in progress continues to its end." in after.content.words
        forms = after.content.all("section")[0].all("form")
        assert [form.attributes["action"] for form in forms] == ["/targets/research/resume"]


async def test_an_administrator_resumes_and_sweeps(tmp_path: Path) -> None:
    """Each answer of the service is told."""
    async with Scene(token_file=token_file(tmp_path)).open() as face:

        async def told(path: str) -> str:
            done = await see(face, path, "POST", headers=BEARER)
            assert (done.status, done.headers["Location"]) == (303, "/")
            seen = await see(face, "/", headers={"Cookie": done.headers["Set-Cookie"].split(";")[0]})
            return seen.content.all("p")[0].words

        assert await told("/targets/training/sweep") == "training is paused: resume it first."
        assert await told("/targets/training/resume") == "training is resumed."
        assert await told("/targets/training/sweep") == "A sweep of training begins."
        face.control.willing = False
        assert await told("/targets/training/sweep") == "A sweep of training is in progress or requested already."
        assert set(face.control.by) == {"admin token (page)"}


@pytest.mark.parametrize(
    ("path", "form", "status"),
    [
        ("/targets/nobody/sweep", {}, 404),
        ("/targets/nobody/pause", {}, 404),
        ("/targets/research/pause", {"lasts": "99d"}, 400),
        ("/targets/research/pause", {"reason": "x" * 501}, 400),
        ("/targets/research/pause", {"reason": "a\x00b"}, 400),
        ("/targets/research/pause", {"until": "tomorrow"}, 400),
    ],
)
async def test_what_cannot_be_done_is_a_page_that_says_why(
    tmp_path: Path, path: str, form: dict[str, str], status: int
) -> None:
    """And changes nothing."""
    async with Scene(token_file=token_file(tmp_path)).open() as face:
        seen = await see(face, path, "POST", data=form, headers=BEARER)
        assert seen.status == status
        assert seen.content.all("p")[0].words
        assert face.control.asked == []
