from datetime import timedelta
from fractions import Fraction

import pytest

from builders import NOON, ago, exemption, mark, told_mark
from nbsweep.core.holdout.model import Holdout
from nbsweep.core.marks.model import ClearCause, Mark, MarkState
from nbsweep.testing import InMemoryJournal
from unit.service.web.pages.reading import Seen, facts, rows, see
from unit.service.web.support import BEARER, FakeControl, Scene, state, token_file

CHINESE = {"Accept-Language": "zh-CN,zh;q=0.9"}
SOON = NOON + timedelta(days=3)


async def journal_of(*marks: Mark) -> InMemoryJournal:
    """Return a journal with these marks."""
    journal = InMemoryJournal()
    await journal.marks.write([mark_of(each) for each in marks])
    return journal


def mark_of(each: Mark) -> Mark:
    """Return a mark as it is before its first write."""
    return type(each)(**{name: getattr(each, name) for name in each.__struct_fields__} | {"version": 0})


def shown(seen: Seen) -> list[list[str]]:
    """Return the rows of the last table, which is that of the marks."""
    return rows(seen.content.all("table")[-1])[1:]


async def four_marks() -> InMemoryJournal:
    """Return a journal with marks of two owners: told, due, one that nobody was told of, and one whose owner cannot be told."""
    return await journal_of(
        told_mark(1, name="train", deadline=SOON),
        told_mark(2, name="old-one", told_at=ago(days=12), deadline=ago(days=1)),
        mark(3, name="fresh", owner_name="bob", owner_id="u2"),
        mark(4, name="lost", owner_name="bob", owner_id="u2", untold="no address is known", untold_at=ago(days=2)),
    )


async def test_each_mark_shows_its_owner_its_state_and_its_deadline() -> None:
    """Owners in order; of one owner the earliest deadline first."""
    async with Scene(journal=await four_marks()).open() as face:
        seen = await see(face, "/marks")
        assert (seen.status, seen.heading) == (200, "Marks")
        told = facts(seen.content)
        assert (told["Open marks"], told["Owners told"]) == ("4", "2")
        assert (told["Deadline passed"], told["Owner cannot be told"]) == ("1", "1")
        due, waiting, fresh, lost = shown(seen)
        assert due[0].startswith("old-one nb2")
        assert due[1:3] == ["alice", "Due told 17 Feb 2026 12:00 UTC"]
        assert due[3] == "28 Feb 2026 12:00 UTC"
        assert waiting[3] == "4 Mar 2026 12:00 UTC"
        assert waiting[4] == "policy old: age 200d (over 1d)"
        assert fresh[1:4] == ["bob", "Nobody told yet", "the owner is told first"]
        assert "no address is known since 27 Feb 2026 12:00 UTC It is not tried again until somebody acts" in lost[2]


async def test_a_notebook_that_was_exempted_is_exempt_until_the_next_sweep_clears_its_mark() -> None:
    """It is neither due nor offered to be kept once more, and where its owner could not be told matters no more."""
    journal = await journal_of(told_mark(1), mark(2, untold="550 no such user"), told_mark(3))
    await journal.exemptions.grant(exemption(id="e1", notebook_id="nb1"))
    await journal.exemptions.grant(exemption(id="e2", notebook_id="nb2"))
    async with Scene(journal=journal).open() as face:
        due, *exempt = sorted(shown(await see(face, "/marks")), key=lambda row: "Exempted" in row[2])
        chinese = await see(face, "/marks", headers=CHINESE)
    note = "It is exempt until then. The next sweep gives the mark up."
    assert due[2].startswith("Due")
    for row in exempt:
        assert row[2].startswith("Exempted")
        assert row[3] == f"10 Mar 2026 12:00 UTC {note}"
        assert "550" not in row[2]
    assert "已豁免至该时间。下次清理将取消此标记。" in chinese.content.words


async def test_a_notebook_of_the_holdout_is_not_shown_as_due() -> None:
    """Its deadline has passed, and it is kept for 30 days more; a told one adds them. The share is nb1 and nb5."""
    control = FakeControl()
    control.held = {"old": Holdout(Fraction(1, 10), timedelta(days=30))}
    journal = await journal_of(
        told_mark(1, deadline=ago(days=1)), told_mark(2, deadline=ago(days=1)), told_mark(5, deadline=SOON)
    )
    async with Scene(control, journal=journal).open() as face:
        held, due, told = shown(await see(face, "/marks"))
        note = "It belongs to the holdout: after its deadline it is kept for 30 days more, to learn who comes back."
        assert held[2].startswith("Held out told")
        assert held[3] == f"31 Mar 2026 12:00 UTC {note}"
        assert due[2].startswith("Due")
        assert told[2].startswith("Told")
        assert told[3] == f"3 Apr 2026 12:00 UTC {note}"


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("owner=ALICE", ["old-one", "train"]),
        ("owner=u2&state=untold", ["lost"]),
        ("state=passed", ["old-one"]),
        ("state=told", ["old-one", "train"]),
        ("state=marked", ["fresh", "lost"]),
        ("state=&owner=&target=", ["old-one", "train", "fresh", "lost"]),
    ],
)
async def test_filters_are_in_the_address(query: str, names: list[str]) -> None:
    """By owner, which may be a name or an ID, and by state."""
    async with Scene(journal=await four_marks()).open() as face:
        seen = await see(face, f"/marks?{query}")
        assert [row[0].split()[0] for row in shown(seen)] == names


async def test_a_filter_that_nothing_matches_says_so() -> None:
    """And the form holds what was asked for."""
    async with Scene(journal=await four_marks()).open() as face:
        seen = await see(face, "/marks?owner=nobody%00")
        assert "No mark matches these filters." in seen.content.words
        [owner] = [each for each in seen.content.all("input") if each.attributes["name"] == "owner"]
        assert owner.attributes["value"] == "nobody\0".replace("\0", "\ufffd") or owner.attributes["value"].startswith("nobody")


async def test_without_marks_the_page_says_why_it_is_empty() -> None:
    """Either nothing is announced yet, or no policy announces anything."""

    class Blunt(FakeControl):
        def graces(self) -> dict[str, object]:  # type: ignore[override]
            return {}

    async with Scene(journal=InMemoryJournal()).open() as face:
        assert "Nothing is announced. The next sweep marks" in (await see(face, "/marks")).content.words
    async with Scene(Blunt(), journal=InMemoryJournal()).open() as face:
        assert "No policy has a grace, so nothing is announced" in (await see(face, "/marks")).content.words


async def test_marks_that_have_ended_say_how() -> None:
    """Why it was given up, and when."""
    ended = mark(1, state=MarkState.CLEARED, cleared=ClearCause.USED, ended_at=NOON)
    async with Scene(journal=await journal_of(ended)).open() as face:
        [row] = shown(await see(face, "/marks?state=cleared"))
        assert row[2] == "Given up it was used 1 Mar 2026 12:00 UTC"


async def test_why_an_owner_cannot_be_told_is_in_the_language_of_the_reader() -> None:
    """As far as the words are those of nbsweep; those of a mail server are marked as English."""
    journal = await journal_of(
        mark(1, untold="file: owners.yaml does not name the owner", untold_at=ago(days=2)),
        mark(2, owner_name="bob", owner_id="u2", untold="mail: 552 mailbox full", untold_at=ago(days=2)),
    )
    async with Scene(journal=journal).open() as face:
        seen = await see(face, "/marks", headers=CHINESE)
        assert "file：owners.yaml 中没有该所有者" in seen.content.words
        english = [each.words for each in seen.content.all("bdi") if each.attributes.get("lang") == "en"]
        assert english == ["mail: 552 mailbox full"]
        assert "file: owners.yaml does not name the owner" in (await see(face, "/marks")).content.words


async def test_an_administrator_can_keep_a_notebook_from_here(tmp_path: object) -> None:
    """Others get no link to a form that refuses them."""
    async with Scene(journal=await four_marks(), token_file=token_file(tmp_path)).open() as face:  # type: ignore[arg-type]
        links = [each.attributes["href"] for each in (await see(face, "/marks", headers=BEARER)).content.all("a")]
        assert "/exemptions/new?notebook=nb1&target=research" in links
        links = [each.attributes["href"] for each in (await see(face, "/marks")).content.all("a")]
        assert not [each for each in links if "exemptions" in each]


async def test_a_long_list_is_in_parts() -> None:
    """A hundred rows each, with links that keep the filters."""
    journal = await journal_of(*(mark(number, owner_name="bob") for number in range(1, 251)))
    async with Scene(FakeControl(state()), journal=journal).open() as face:
        seen = await see(face, "/marks?owner=bob&page=2")
        assert len(shown(seen)) == 100
        assert "101 to 200 of 250" in seen.content.words
        links = {each.attributes["rel"]: each.attributes["href"] for each in seen.content.all("a") if "rel" in each.attributes}
        assert links == {"prev": "/marks?owner=bob", "next": "/marks?owner=bob&page=3"}
        assert (await see(face, "/marks?page=0")).status == 400
        assert "has become shorter" in (await see(face, "/marks?page=9")).content.words


async def test_it_speaks_chinese() -> None:
    """States, dates and the reason."""
    async with Scene(journal=await four_marks()).open() as face:
        seen = await see(face, "/marks", headers=CHINESE)
        assert seen.heading == "标记"
        assert "已到期" in shown(seen)[0][2]


EVIL = '<script>alert(1)</script>\N{RIGHT-TO-LEFT OVERRIDE}"\n<img src=x onerror=alert(1)>'


async def test_names_and_reasons_of_others_are_text_however_long() -> None:
    """Markup is shown as it was written, nothing turns the direction of a line, and 3,000 letters do not fill the page."""
    long = "x" * 3000
    journal = await journal_of(
        mark(1, name=EVIL, owner_name=EVIL, owner_id="", reason=EVIL, untold=EVIL),
        mark(2, name=long, owner_name=long, owner_id=long, reason=long),
    )
    async with Scene(journal=journal).open() as face:
        seen = await see(face, "/marks")
        assert len(seen.page.all("script")) == 1
        assert seen.content.all("img") == []
        assert "<script>alert" in seen.content.text
        assert "\N{RIGHT-TO-LEFT OVERRIDE}" not in seen.content.text
        assert len(seen.source) < 30_000
