from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from builders import NOON, ago, exemption, mark, removal
from contract.test_inventory import notebook as listed_notebook
from contract.test_inventory import survey
from nbsweep.core.exemptions.model import Exemption, GrantedBy
from nbsweep.core.lifecycle import State
from nbsweep.core.model import Named
from nbsweep.testing import InMemoryJournal
from unit.service.web.pages.reading import Element, Seen, facts, follow, rows, see
from unit.service.web.support import BEARER, VIEWER_BEARER, Face, Scene, explained, token_file, viewer_file

CHINESE = {"Accept-Language": "zh-CN,zh;q=0.9"}
GOOD = {"owner": "alice", "until": "2026-03-15", "reason": "a paper is due"}


@asynccontextmanager
async def opened(tmp_path: Path, *exemptions: Exemption, journal: InMemoryJournal | None = None) -> AsyncIterator[Face]:
    """Open pages with these exemptions, a token of an administrator and one of a viewer."""
    journal = journal or InMemoryJournal()
    for each in exemptions:
        await journal.exemptions.grant(each)
    scene = Scene(journal=journal, token_file=token_file(tmp_path), token_files=(viewer_file(tmp_path),))
    async with scene.open() as face:
        yield face


async def post(face: Face, path: str, fields: dict[str, str], headers: dict[str, str] = BEARER) -> Seen:
    """Send a form as a page of this service does."""
    return await see(face, path, "POST", data=fields, headers={**headers, "Origin": face.url})


async def stored(face: Face) -> list[dict[str, object]]:
    """Return all exemptions, as the API shows them."""
    _, document = await face.ask("GET", "/api/v1/exemptions?all=true")
    assert isinstance(document, dict)
    return list(document["exemptions"])


def tables(seen: Seen) -> list[list[list[str]]]:
    """Return the rows of the tables, without their headings."""
    return [rows(table)[1:] for table in seen.content.all("table")]


async def test_what_ends_within_a_week_stands_on_top(tmp_path: Path) -> None:
    """Seven days count as a week; the first to end comes first."""
    async with opened(
        tmp_path,
        exemption(id="late", until=NOON + timedelta(days=7, seconds=1)),
        exemption(id="week", until=NOON + timedelta(days=7)),
        exemption(id="soon", until=NOON + timedelta(hours=5), owner="bob"),
    ) as face:
        seen = await see(face, "/exemptions")
        soon, others = tables(seen)
        assert [row[0].split()[-1] for row in soon] == ["soon", "week"]
        assert [row[0].split()[-1] for row in others] == ["late"]
        assert [each.words for each in seen.content.all("h2")] == ["Ending within a week", "In force"]
        assert soon[0][:3] == ["all notebooks of bob soon", "1 Mar 2026 17:00 UTC 5 hrs left", "a paper is due"]
        assert others[0][0] == "notebook nb1 whichever notebook has this ID late"
        assert others[0][3] == "by carol on 28 Feb 2026 12:00 UTC"


async def test_at_most_twenty_of_those_that_end_soon_stand_on_top(tmp_path: Path) -> None:
    """The others begin the list, so that none is left out and the page stays small."""
    many = [exemption(id=f"e{number:03d}", until=NOON + timedelta(minutes=1 + number)) for number in range(150)]
    async with opened(tmp_path, *many) as face:
        first, second = await see(face, "/exemptions"), await see(face, "/exemptions?page=2")
        soon, others = tables(first)
        assert [row[0].split()[-1] for row in soon] == [f"e{number:03d}" for number in range(20)]
        assert [row[0].split()[-1] for row in others] == [f"e{number:03d}" for number in range(20, 120)]
        assert [row[0].split()[-1] for row in tables(second)[1]] == [f"e{number:03d}" for number in range(120, 150)]


async def test_a_notebook_that_is_kept_by_its_id_is_shown_with_its_name(tmp_path: Path) -> None:
    """As a survey showed it last: nobody knows a notebook by its ID. The name is text."""
    journal = InMemoryJournal()
    await survey(journal, [listed_notebook("nb1", name="<b>bert</b>")], NOON - timedelta(hours=2))
    async with opened(tmp_path, exemption(id="e1", until=NOON + timedelta(days=20)), journal=journal) as face:
        seen = await see(face, "/exemptions")
        [[row]] = tables(seen)
        assert "<b>bert</b>" in row[0]
        assert seen.content.all("b") == []


async def test_those_that_have_ended_are_a_filter_away(tmp_path: Path) -> None:
    """Revoked ones say by whom and why."""
    revoked = exemption(id="e2", revoked_at=NOON, revoked_by="dave", revoked_reason="left the company", name="exp-*")
    async with opened(tmp_path, exemption(id="e1"), exemption(id="e3", until=ago(hours=1)), revoked) as face:
        [ended] = tables(await see(face, "/exemptions?state=ended"))
        assert [row[0].split()[-1] for row in ended] == ["e2", "e3"]
        assert ended[0][2] == "a paper is due Revoked by dave on 1 Mar 2026 12:00 UTC: left the company"


@pytest.mark.parametrize(("text", "found"), [("ALICE", ["e2"]), ("nb1", ["e1"]), ("paper", ["e1", "e2"]), ("zzz", [])])
async def test_exemptions_are_found_by_text(tmp_path: Path, text: str, found: list[str]) -> None:
    """In what they cover, the reason and the giver, without regard to case."""
    async with opened(tmp_path, exemption(id="e1"), exemption(id="e2", owner="alice")) as face:
        seen = await see(face, f"/exemptions?text={text}")
        assert [row[0].split()[-1] for table in tables(seen) for row in table] == found
        assert found or "No exemption matches these filters." in seen.content.words


async def test_without_exemptions_it_says_how_to_get_one(tmp_path: Path) -> None:
    """Here, by the command, or by the link of a notice."""
    async with opened(tmp_path) as face:
        assert "No exemption is in force. An administrator grants one here" in (await see(face, "/exemptions")).content.words


async def test_an_administrator_grants_an_exemption(tmp_path: Path) -> None:
    """The day is included, the giver is on record with the way, and the next page says what it stops."""
    journal = InMemoryJournal()
    await journal.marks.write([mark(1, version=0), mark(2, version=0, owner_name="bob", owner_id="u2")])
    async with opened(tmp_path, journal=journal) as face:
        done = await post(face, "/exemptions/new", GOOD)
        assert (done.status, done.headers["Location"]) == (303, "/exemptions")
        [granted] = await stored(face)
        assert granted["owner"] == "alice"
        assert granted["until"] == "2026-03-16T00:00:00.000Z"
        assert granted["granted_by"] == "admin token (page)"
        seen = await follow(face, done)
        assert f"Exemption {granted['exemption']} counts until 16 Mar 2026 00:00 UTC. It stops 1 announced deletion." in (
            seen.content.words
        )


async def test_a_notebook_is_kept_as_the_instance_that_its_mark_knows(tmp_path: Path) -> None:
    """A later notebook with the same ID is not covered; the cloud is not asked."""
    journal = InMemoryJournal()
    await journal.marks.write([mark(1, version=0)])
    async with opened(tmp_path, journal=journal) as face:
        fields = {"notebook": "nb1", "until": "2026-03-15", "reason": "r", "next": "/marks?owner=alice"}
        done = await post(face, "/exemptions/new", fields)
        assert (done.status, done.headers["Location"]) == (303, "/marks?owner=alice")
        [granted] = await stored(face)
        assert granted["notebook_created_at"] == "2025-08-13T12:00:00.000Z"
        assert face.control.asked == []


async def test_what_comes_too_late_is_said(tmp_path: Path) -> None:
    """A DELETE that has left cannot be taken back."""
    journal = InMemoryJournal()
    await journal.write([removal(state=State.REQUESTED, requests=1, requested_at=NOON, owner="alice", name="gone")])
    async with opened(tmp_path, journal=journal) as face:
        seen = await follow(face, await post(face, "/exemptions/new", GOOD))
        assert "too late for 1 notebook, whose deletion has begun: gone" in seen.content.words


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"owner": ""}, "请填写 Notebook、所有者或名称的通配模式"),
        ({"notebook": "nb1"}, "豁免单个 Notebook 时，请不要填写所有者和名称"),
        ({"notebook": "nb9", "owner": ""}, "没有目标包含此 Notebook"),
        ({"notebook": "../x", "owner": ""}, "且最多 64 个字符"),
        ({"target": "nowhere"}, "没有此名称的目标"),
    ],
)
async def test_wrong_input_is_described_in_the_language_of_the_reader(
    tmp_path: Path, changes: dict[str, str], told: str
) -> None:
    """Nothing beside the field is marked as English."""
    async with opened(tmp_path) as face:
        seen = await post(face, "/exemptions/new", {**GOOD, **changes}, {**BEARER, **CHINESE})
        [error] = [each for each in seen.content.all("span") if each.attributes.get("class") == "error"]
        assert told in error.words
        assert [each for each in error.all("bdi") if each.attributes.get("lang") == "en"] == []


@pytest.mark.parametrize(
    ("changes", "field", "told"),
    [
        ({"reason": "  "}, "reason", "Give a reason of at most 500 characters."),
        ({"reason": "x" * 501}, "reason", "Give a reason of at most 500 characters."),
        ({"until": "2026-05-31"}, "until", "Choose an end between now and 30 May 2026 12:00 UTC."),
        ({"until": "2026-02-27"}, "until", "Choose an end between now and 30 May 2026 12:00 UTC."),
        ({"until": "soon"}, "until", "neither a duration such as 30d"),
        ({"owner": ""}, "notebook", "name a notebook, an owner, or a glob for names"),
        ({"notebook": "nb1"}, "notebook", "leave out the owner and the name"),
        ({"notebook": "nb9", "owner": ""}, "notebook", "no target has this notebook"),
        ({"notebook": "../x", "owner": ""}, "notebook", "at most 64 characters"),
        ({"owner": "", "name": "exp-["}, "name", "exp-["),
        ({"target": "nowhere"}, "target", "no target has that name"),
        ({"ticket": "x" * 101}, "ticket", "A ticket has at most 100 characters."),
    ],
)
async def test_wrong_input_comes_back_with_what_was_typed(
    tmp_path: Path, changes: dict[str, str], field: str, told: str
) -> None:
    """The field is named and described, nothing is granted, and nothing has to be typed again."""
    typed = {**GOOD, **changes}
    async with opened(tmp_path) as face:
        seen = await post(face, "/exemptions/new", typed)
        assert seen.status == 422
        inputs = {each.attributes.get("id"): each for kind in ("input", "select") for each in seen.content.all(kind)}
        wrong = inputs[field]
        assert wrong.attributes["aria-invalid"] == "true"
        [error] = [
            each for each in seen.content.all("span") if each.attributes.get("id") == wrong.attributes["aria-describedby"]
        ]
        assert told in error.words
        assert inputs["reason"].attributes["value"] == typed["reason"]
        assert inputs["owner"].attributes["value"] == typed["owner"]
        assert await stored(face) == []


async def test_the_form_says_what_the_limits_are(tmp_path: Path) -> None:
    """The last day that ends within the limit of ninety days, and a month as the usual choice."""
    async with opened(tmp_path) as face:
        seen = await see(face, "/exemptions/new?notebook=unknown&target=training", headers=BEARER)
        until = next(each for each in seen.content.all("input") if each.attributes.get("id") == "until")
        assert (until.attributes["min"], until.attributes["max"]) == ("2026-03-01", "2026-05-29")
        assert until.attributes["value"] == "2026-03-31"
        [chosen] = [each for each in seen.content.all("option") if "selected" in each.attributes]
        assert chosen.words == "training"


async def test_the_form_says_which_notebook_is_kept_and_what_happens_to_it(tmp_path: Path) -> None:
    """Name, owner and what would come, so that nobody keeps another one by its ID; also after a mistake. The name is text."""
    journal = InMemoryJournal()
    await survey(journal, [listed_notebook("nb1", name="<b>bert</b>", owner=Named("u1", "bo"))], NOON - timedelta(hours=2))
    async with opened(tmp_path, journal=journal) as face:
        face.control.contexts = ()
        typed = {"notebook": "nb1", "target": "research", "until": "2026-03-20", "reason": " "}
        for seen in (
            await see(face, "/exemptions/new?notebook=nb1&target=research", headers=BEARER),
            await post(face, "/exemptions/new", typed),
        ):
            about = seen.content.only("section")
            assert about.only("h2").words == "<b>bert</b>"
            assert about.only("h2").only("a").attributes["href"] == "/notebooks/nb1"
            told = facts(about)
            assert (told["Owner"], told["Status"], told["ID"], told["Target"]) == ("bo", "STOPPED", "nb1", "research")
            hidden = {each.attributes["name"]: each.attributes["value"] for each in about.all("input")}
            assert hidden == {"notebook": "nb1", "target": "research"}
        face.control.contexts = (explained(),)
        about = (await see(face, "/exemptions/new?notebook=nb1&target=research", headers=BEARER)).content.only("section")
        assert "The next sweep, due at 1 Mar 2026 12:00 UTC, deletes it." in about.words
        assert "policy old: idle 99d 23h (over 30d)" in about.words


async def test_the_form_for_an_owner_or_a_name_is_about_no_single_notebook(tmp_path: Path) -> None:
    """Nothing is asked for it."""
    async with opened(tmp_path) as face:
        for query in ("", "?owner=bo", "?name=exp-*", "?notebook=nb1&owner=bo", "?notebook=a%20b"):
            seen = await see(face, f"/exemptions/new{query}", headers=BEARER)
            assert (seen.status, seen.content.all("section")) == (200, [])
        assert face.control.asked == []


async def test_the_way_back_leads_to_no_other_site(tmp_path: Path) -> None:
    """An address that came with a link may be anything."""
    async with opened(tmp_path) as face:
        for evil in ("https://evil.example/", "//evil.example", "javascript:alert(1)"):
            seen = await see(face, "/exemptions/new", headers=BEARER, params={"next": evil})
            assert "evil" not in "".join(each.attributes["href"] for each in seen.content.all("a"))
            assert "javascript" not in "".join(each.attributes["href"] for each in seen.content.all("a"))
            assert (await post(face, "/exemptions/new", {**GOOD, "next": evil})).headers["Location"] == "/"


async def test_an_exemption_is_revoked_with_name_and_reason(tmp_path: Path) -> None:
    """It stays on record; a second revocation changes nothing."""
    async with opened(tmp_path, exemption(id="e1")) as face:
        done = await post(face, "/exemptions/e1/revoke", {"reason": "no longer needed"})
        assert (done.status, done.headers["Location"]) == (303, "/exemptions")
        assert (await post(face, "/exemptions/e1/revoke", {"reason": "again"})).status == 303
        [revoked] = await stored(face)
        assert (revoked["revoked_by"], revoked["revoked_reason"]) == ("admin token (page)", "no longer needed")
        assert (await post(face, "/exemptions/none/revoke", {})).status == 404


async def test_only_an_administrator_changes_exemptions(tmp_path: Path) -> None:
    """A viewer reads, gets neither form nor buttons, and is refused."""
    async with opened(tmp_path, exemption(id="e1")) as face:
        seen = await see(face, "/exemptions", headers=VIEWER_BEARER)
        assert "need the role admin" in seen.content.words
        assert [each.attributes.get("method") for each in seen.content.all("form")] == ["get"]
        assert (await see(face, "/exemptions/new", headers=VIEWER_BEARER)).status == 403
        assert (await post(face, "/exemptions/new", GOOD, VIEWER_BEARER)).status == 403
        assert (await post(face, "/exemptions/e1/revoke", {}, VIEWER_BEARER)).status == 403
        assert len(await stored(face)) == 1


async def test_it_speaks_chinese(tmp_path: Path) -> None:
    """What is kept, and who granted it."""
    async with opened(tmp_path, exemption(id="e1", owner="alice", granted_as=GrantedBy.OWNER)) as face:
        seen = await see(face, "/exemptions", headers=CHINESE)
        assert seen.heading == "豁免"
        [[row]] = tables(seen)
        assert row[0] == "alice 的所有 Notebook e1"


EVIL = "<script>alert(1)</script>\N{RIGHT-TO-LEFT OVERRIDE}\"'><img src=x onerror=alert(1)>"


async def test_what_others_wrote_is_text_however_long(tmp_path: Path) -> None:
    """In the list and in the form that comes back."""
    long = "x" * 3000
    evil = exemption(id="e1", owner=EVIL, reason=EVIL, granted_by=EVIL, ticket=EVIL)
    async with opened(tmp_path, evil, exemption(id="e2", name=long, reason=long, granted_by=long, ticket=long)) as face:
        seen = await see(face, "/exemptions")
        assert len(seen.page.all("script")) == 1
        assert seen.content.all("img") == []
        assert "\N{RIGHT-TO-LEFT OVERRIDE}" not in seen.content.text
        assert len(seen.source) < 20_000
        form = await post(face, "/exemptions/new", {**GOOD, "owner": EVIL, "reason": EVIL, "until": EVIL})
        assert len(form.page.all("script")) == 1
        assert form.content.all("img") == []
        owner: Element = next(each for each in form.content.all("input") if each.attributes.get("id") == "owner")
        assert owner.attributes["value"] == EVIL
