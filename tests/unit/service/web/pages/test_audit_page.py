"""The page Audit, its verification and its export."""

import json
from datetime import timedelta

import aiohttp
import anyio
import pytest
from msgspec.structs import replace

from builders import NOON, exemption, removal, run_record
from nbsweep.core import lifecycle
from nbsweep.core.audit.chain import Link
from nbsweep.core.errors import JournalError
from nbsweep.core.lifecycle import Removal
from nbsweep.documents.audit import link_document
from nbsweep.testing import InMemoryJournal
from nbsweep.testing.records.trail import InMemoryTrail
from unit.service.web.pages.reading import facts, rows, see
from unit.service.web.support import Hands, Scene

CHINESE = {"Accept-Language": "zh-CN,zh;q=0.9"}
EVIL = '<script>alert(1)</script>\N{RIGHT-TO-LEFT OVERRIDE}"\n<img src=x>'
LONG = "長" * 3000


def way(planned: Removal) -> list[Removal]:
    """Take a removal from its plan to its end: four entries."""
    requested = lifecycle.request(planned, planned.planned_at, timedelta(minutes=30))
    accepted = lifecycle.accept(requested, planned.planned_at, "request-1")
    return [planned, requested, accepted, lifecycle.delete(accepted, planned.planned_at, "proven gone")]


async def journal_of(count: int = 1, started_by: str = "alice (page)", **changes: object) -> InMemoryJournal:
    """Return a journal with so many deletions, four entries each."""
    journal = InMemoryJournal()
    await journal.open_run(run_record(started_by=started_by))
    for number in range(1, count + 1):
        await journal.write(way(replace(removal(number), **changes)))
    return journal


class Tampered(InMemoryTrail):
    """A trail in which one entry was altered."""

    def __init__(self, trail: InMemoryTrail, at: int) -> None:
        """Alter the entry of this number."""
        self.__dict__ |= trail.__dict__
        self._trail, self._at = trail, at

    async def after(self, chain: str, sequence: int, limit: int) -> tuple[Link, ...]:
        """Return the entries, one of which says something else than its digest covers."""
        links = await self._trail.after(chain, sequence, limit)
        return tuple(
            Link(link.entry._replace(reason="something else"), link.digest) if link.entry.sequence == self._at else link
            for link in links
        )


async def test_the_newest_entries_come_first() -> None:
    """Each with its step, its notebook, by whom and why."""
    async with Scene(journal=await journal_of()).open() as face:
        seen = await see(face, "/audit")
        assert (seen.status, seen.heading) == (200, "Audit")
        heading, *entries = rows(seen.content.only("table"))
        assert heading == ["Entry", "Time", "Step", "Notebook, owner", "Target, policy", "By", "Why"]
        assert [row[0] + row[2] for row in entries] == ["4deleted", "3accepted", "2requested", "1decided"]
        assert entries[0][3:] == ["experiment-1 alice", "research old", "alice (page)", "proven gone Run run1"]
        links = [each.attributes["href"] for each in seen.content.only("table").all("a")]
        assert links[:2] == ["/notebooks/nb1", "/history/run1"]
        assert "It has 4 entries." in seen.content.words


async def test_the_filters_are_in_the_address() -> None:
    """Target, notebook by name or id, step, who and since; an empty field chooses everything."""
    journal = await journal_of(3)
    await journal.open_run(run_record("run2", target="other", started_by="cron"))
    await journal.write([removal(9, run_id="run2", target="other", planned_at=NOON - timedelta(days=9))])
    async with Scene(journal=journal).open() as face:

        async def found(query: str) -> list[str]:
            tables = (await see(face, f"/audit?{query}")).content.all("table")
            return [row[0] for table in tables for row in rows(table)[1:]]

        assert await found("target=other") == ["1"]
        assert await found("notebook=EXPERIMENT-2&step=&who=") == ["8", "7", "6", "5"]
        assert await found("notebook=nb3&step=deleted") == ["12"]
        assert await found("who=cron") == ["1"]
        assert await found("who=PAGE&step=decided&since=7d") == ["9", "5", "1"]
        assert await found("who=nobody") == []
        chosen = (await see(face, "/audit?step=deleted&who=alice&target=research")).content.all("form")[0]
        assert [each.words for each in chosen.all("option") if "selected" in each.attributes] == ["deleted", "research"]
        assert [each.attributes["value"] for each in chosen.all("input")] == ["", "alice", ""]


async def test_a_name_of_several_notebooks_is_a_choice() -> None:
    """The page does not guess."""
    async with Scene(journal=await journal_of(2, name="same")).open() as face:
        seen = await see(face, "/audit?notebook=same")
        assert "Several notebooks fit. Choose one:" in seen.content.words
        links = [each.attributes["href"] for each in seen.content.only("ul").all("a")]
        assert sorted(links) == ["/audit?notebook=nb1", "/audit?notebook=nb2"]
        assert seen.content.all("table") == []


async def test_older_entries_have_their_own_address() -> None:
    """Fifty on each page; the filter stays."""
    async with Scene(journal=await journal_of(30)).open() as face:
        first = await see(face, "/audit?who=alice")
        assert [row[0] for row in rows(first.content.only("table"))[1:]] == [str(each) for each in range(120, 70, -1)]
        [older] = [each.attributes["href"] for each in first.content.all("a") if each.words == "Older entries"]
        assert older == "/audit?who=alice&before=71"
        second = await see(face, older)
        assert rows(second.content.only("table"))[1][0] == "70"
        assert "/audit?who=alice" in [each.attributes["href"] for each in second.content.all("a")]
        assert "There are no older entries." in (await see(face, "/audit?before=1")).content.words


async def test_an_empty_page_says_why() -> None:
    """Nothing has happened, or nothing fits."""
    async with Scene(journal=InMemoryJournal()).open() as face:
        assert "The audit trail has no entry yet: nothing has been decided" in (await see(face, "/audit")).content.words
        assert "The audit trail has no entry yet." in (await see(face, "/audit/verify")).content.words
    async with Scene(journal=await journal_of()).open() as face:
        assert "No entry of the audit trail fits this choice." in (await see(face, "/audit?step=failed")).content.words


@pytest.mark.parametrize("query", ["step=gone", "since=7", "before=0", "before=x", "target=a/b", "who=%00", "a=b"])
async def test_a_filter_that_means_nothing_is_told(query: str) -> None:
    """By a page that says what is allowed."""
    async with Scene().open() as face:
        assert (await see(face, f"/audit?{query}")).status == 400


# ---- verification ---------------------------------------------------------------------------------------------------------


async def test_an_unbroken_trail_is_verified_from_its_first_entry_to_its_end() -> None:
    """The page says how much was checked, how long it took, and which head to note."""
    journal = await journal_of(2)
    head = await journal.trail.head("research")
    async with Scene(journal=journal, clock=Hands(0.25)).open() as face:
        seen = await see(face, "/audit/verify")
        assert "The trail is unbroken from its first entry to its end." in seen.content.words
        told = facts(seen.content)
        assert told["Entries that were checked"] == "8"
        assert rows(seen.content.only("table"))[1] == ["research", "8: 1 to 8", "unbroken", f"research={head}"]
        assert told["Removals of the journal"] == "each one has its decision on the trail"
        assert told["Took"] == "0.25 s"


async def test_a_trail_that_was_changed_is_told() -> None:
    """With the place of the first change; also one whose chain was written anew, if its head was noted."""
    journal = await journal_of(2)
    noted = f"research={await journal.trail.head('research')}"
    journal.trail = Tampered(journal.trail, 5)
    async with Scene(journal=journal).open() as face:
        seen = await see(face, "/audit/verify")
        assert "An entry was altered." in seen.content.words
        assert "the digest of entry 5 is not that of its content" in seen.content.words
        assert rows(seen.content.only("table"))[1][:3] == ["research", "4: 1 to 4", "broken"]
    async with Scene(journal=await journal_of(2, owner="mallory")).open() as face:
        rewritten = await see(face, f"/audit/verify?head={noted}")
        assert "The trail is not the one that was noted." in rewritten.content.words
    async with Scene(journal=await journal_of(1)).open() as face:
        assert "The end of the trail is missing." in (await see(face, f"/audit/verify?head={noted}")).content.words
    async with Scene(journal=await journal_of(2)).open() as face:
        same = await see(face, f"/audit/verify?head={noted}")
        assert facts(same.content)["Heads that were noted"] == "1 found again as noted"


async def test_a_long_verification_stops_and_goes_on_from_there() -> None:
    """After five seconds, by a clock that goes on by three at each look: 500 entries and 500 more, and then the rest."""
    journal = await journal_of(300)
    async with Scene(journal=journal, clock=Hands(3)).open() as face:
        part = await see(face, "/audit/verify")
        assert "This part of the trail is unbroken. The verification stopped here" in part.content.words
        assert rows(part.content.only("table"))[1][1:3] == ["1,000: 1 to 1,000", "unbroken"]
        [following] = [each.attributes["href"] for each in part.content.all("a") if each.words == "Go on from here"]
        rest = await see(face, following)
        assert "The trail is unbroken from entry 1,001 of the chain research to its end." in rest.content.words
        assert rows(rest.content.only("table"))[1][1] == "200: 1,001 to 1,200"


async def test_several_chains_are_verified_with_their_heads_and_one_line_for_all() -> None:
    """The line is verified by typing it again; a page that stopped in one chain goes on with the others."""
    journal = await journal_of(2)
    await journal.write(way(removal(9, run_id="run2", target="teaching")))
    await journal.exemptions.grant(exemption(target=""))
    async with Scene(journal=journal, clock=Hands(0.25)).open() as face:
        seen = await see(face, "/audit/verify")
        table = rows(seen.content.only("table"))[1:]
        assert [row[:3] for row in table] == [
            ["no target", "1: 1 to 1", "unbroken"],
            ["research", "8: 1 to 8", "unbroken"],
            ["teaching", "4: 1 to 4", "unbroken"],
        ]
        line = next(each.words for each in seen.content.all("code") if each.words.startswith("all:"))
        assert line.startswith("all:-=1,research=8,teaching=4:")
        same = await see(face, f"/audit/verify?head={line}+{table[1][3]}")
        assert facts(same.content)["Heads that were noted"] == "2 found again as noted"
    async with Scene(journal=journal, clock=Hands(6)).open() as face:
        part = await see(face, "/audit/verify")
        assert [row[0] for row in rows(part.content.only("table"))[1:]] == ["no target"]
        [following] = [each.attributes["href"] for each in part.content.all("a") if each.words == "Go on from here"]
        rest = await see(face, following)
        assert [row[1] for row in rows(rest.content.only("table"))[1:]] == ["0", "8: 1 to 8"]


@pytest.mark.parametrize(
    "query",
    [
        "after=research=4:" + "0" * 64,
        "after=research=9999:" + "a" * 64,
        "after=research=0:" + "a" * 64,
        "after=4:" + "0" * 64,
        "after=all:research=1:" + "0" * 64,
        "head=1",
        "head=" + "1" * 4001,
        "after=x",
    ],
)
async def test_a_beginning_that_is_not_of_the_trail_is_refused(query: str) -> None:
    """Nobody can make the page call a trail verified by sending a link."""
    async with Scene(journal=await journal_of(2)).open() as face:
        assert (await see(face, f"/audit/verify?{query}")).status == 400


async def test_one_verification_at_a_time() -> None:
    """A second click says so, and the first one ends; after it another may begin."""
    begun, go_on = anyio.Event(), anyio.Event()
    journal = await journal_of()

    class Slow(InMemoryTrail):
        def __init__(self, trail: InMemoryTrail) -> None:
            self.__dict__ |= trail.__dict__
            self._trail = trail

        async def after(self, chain: str, sequence: int, limit: int) -> tuple[Link, ...]:
            begun.set()
            await go_on.wait()
            return await self._trail.after(chain, sequence, limit)

    journal.trail = Slow(journal.trail)
    async with Scene(journal=journal).open() as face:
        first: list[int] = []

        async def verify() -> None:
            first.append((await see(face, "/audit/verify")).status)

        async with anyio.create_task_group() as group:
            group.start_soon(verify)
            await begun.wait()
            assert (await see(face, "/audit/verify")).status == 409
            go_on.set()
        assert first == [200]
        assert (await see(face, "/audit/verify")).status == 200


# ---- export, and other people's texts -------------------------------------------------------------------------------------


async def test_the_export_is_the_whole_trail_as_json_lines() -> None:
    """Each entry with its digest, in the order of the chain, so that it can be verified elsewhere."""
    journal = await journal_of(200)
    async with Scene(journal=journal).open() as face, face.session.get(face.url + "/audit/export.jsonl") as response:
        assert response.content_type == "application/jsonl"
        assert response.headers["Content-Disposition"] == 'attachment; filename="audit.jsonl"'
        lines = [json.loads(line) for line in (await response.text()).splitlines()]
        assert lines == [link_document(link) for link in await journal.trail.after("research", 0, 1000)]
        assert len(lines) == 800


class Lost(InMemoryTrail):
    """A trail that cannot be read behind one entry."""

    def __init__(self, trail: InMemoryTrail, behind: int) -> None:
        """Fail behind this entry."""
        self.__dict__ |= trail.__dict__
        self._trail, self._behind = trail, behind

    async def after(self, chain: str, sequence: int, limit: int) -> tuple[Link, ...]:
        """Return the entries, or fail."""
        if sequence >= self._behind:
            raise JournalError("The journal is locked.")
        return await self._trail.after(chain, sequence, limit)


async def test_an_export_that_fails_in_the_middle_is_no_whole_file() -> None:
    """The browser tells a failed download; one that fails at the beginning is a page that says why."""
    journal = await journal_of(200)
    journal.trail = Lost(journal.trail, 500)
    async with Scene(journal=journal).open() as face, face.session.get(face.url + "/audit/export.jsonl") as response:
        assert response.status == 200
        with pytest.raises(aiohttp.ClientPayloadError):
            await response.read()
    journal.trail = Lost(journal.trail, 0)
    async with Scene(journal=journal).open() as face:
        seen = await see(face, "/audit/export.jsonl")
        assert (seen.status, seen.heading) == (503, "The journal cannot be used")


@pytest.mark.parametrize("text", [EVIL, LONG])
async def test_what_others_wrote_is_text(text: str) -> None:
    """Markup is shown as it was written, nothing turns the direction of a line, and the page stays small."""
    journal = await journal_of(20, started_by=text, name=text, owner=text, policy=text, reason=text)
    await journal.exemptions.grant(exemption(name=text, notebook_id=None, reason=text, granted_by=text))
    async with Scene(journal=journal).open() as face:
        seen = await see(face, "/audit")
        assert seen.status == 200
        assert len(seen.source.encode()) < 300_000
        assert len(seen.page.all("script")) == 1
        assert seen.content.all("img") == []
        assert "\N{RIGHT-TO-LEFT OVERRIDE}" not in seen.source


async def test_the_trail_stays_english_on_a_chinese_page() -> None:
    """And says so to screen readers; the words around it are Chinese."""
    async with Scene(journal=await journal_of()).open() as face:
        seen = await see(face, "/audit", headers=CHINESE)
        assert seen.heading == "审计"
        [why] = [each for each in seen.content.all("bdi") if each.words == "proven gone"]
        assert why.attributes["lang"] == "en"
        steps = [each for each in seen.content.all("span") if each.words == "deleted"]
        assert [each.attributes["lang"] for each in steps] == ["en"]
        assert (await see(face, "/audit/verify", headers=CHINESE)).heading == "审计记录校验"
