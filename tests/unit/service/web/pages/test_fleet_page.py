from nbsweep.core.control.requests import Pause
from nbsweep.service.control import Phase
from unit.service.web.pages.reading import facts, rows, see
from unit.service.web.support import EARLIER, FakeControl, Scene, state

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
        assert facts(training)["Next sweep"] == "not before the target is resumed"
        assert "This target has not been swept yet." in training.words


async def test_the_brakes_stand_beside_their_limits() -> None:
    """What was planned last is held against each limit."""
    async with Scene().open() as face:
        research = (await see(face, "/")).content.all("section")[0]
        brakes, lanes = (rows(table) for table in research.all("table"))
        assert brakes[0] == ["Brake", "Limit", "Last figure"]
        assert [row[0] for row in brakes[1:]] == [
            "max_deletions",
            "max_share",
            "max_per_owner",
            "max_per_day",
            "max_failures",
            "max_fleet_drop",
        ]
        assert brakes[1][1] == "100 notebooks"
        assert brakes[2][1] == "25%"
        assert brakes[3][1:] == ["no limit", "–"]
        assert brakes[4][1:] == ["no limit", "0 notebooks"]
        assert lanes[1:] == [["Delete", "5", "2.5", "150/m"], ["All calls", "–", "4", "4/s"]]


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
