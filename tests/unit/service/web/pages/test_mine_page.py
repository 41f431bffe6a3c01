from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from ipaddress import ip_network

import pytest

import builders
from builders import NOON, ago, removal
from contract.test_inventory import identity, survey
from nbsweep.core.judging.verdict import Decision, Reason, Verdict, keep
from nbsweep.core.lifecycle import Removal, State
from nbsweep.core.model import Named, Notebook
from nbsweep.core.notices.contacts import Contact, NoContact, Owner, OwnerDirectory
from nbsweep.core.reasons.model import recorded
from nbsweep.service.web.access.proxies import ProxySettings
from nbsweep.service.web.access.tokens import Role
from nbsweep.testing import InMemoryJournal
from unit.service.web.pages.reading import Seen, see
from unit.service.web.support import BEARER, Face, FakeControl, Scene, state, token_file

PROXIES = ProxySettings((ip_network("127.0.0.1"),), roles={"platform": Role.ADMIN})
ALICE = {"X-Auth-Request-User": "alice", "X-Auth-Request-Email": "alice@example.com"}
BOB = {"X-Auth-Request-User": "bob", "X-Auth-Request-Email": "bob@example.com"}
ADMIN = {"X-Auth-Request-User": "root", "X-Auth-Request-Groups": "platform"}
CHINESE = {"Accept-Language": "zh-CN,zh;q=0.9"}
GOOD = {"target": "research", "notebook": "nb1", "until": "2026-03-15", "reason": "a paper is due"}
ADDRESSES = {"u1": "Alice@example.com", "u2": "bob@example.com"}


class Directory:
    """Reaches the owners of `ADDRESSES` by their IDs, or whoever the tag `contact` names."""

    def __init__(self) -> None:
        """Begin without questions."""
        self.asked: list[str] = []

    async def find(self, owner: Owner) -> Contact | NoContact:
        """Return the address."""
        self.asked.append(owner.id)
        address = owner.tags.get("contact") or ADDRESSES.get(owner.id)
        return Contact(address, "file") if address else NoContact("nobody knows")

    async def fallback(self) -> Contact | NoContact:
        """Return everybody's address: a fallback owns nothing."""
        return Contact("alice@example.com", "fallback")


def row(number: int, owner_id: str, owner: str, **changes: object) -> Notebook:
    """Return a notebook of an owner, as a listing shows it."""
    return builders.notebook(number, owner=Named(owner_id, owner), listed=True, **changes)


async def surveyed(*rows: Notebook) -> InMemoryJournal:
    """Return a journal whose last survey of the target `research` showed these notebooks."""
    journal = InMemoryJournal()
    await survey(journal, rows, ago(hours=3), mine=identity("research"))
    return journal


THREE = (row(1, "u1", "alice"), row(2, "u2", "bob"), row(3, "u1", "alice"))


@asynccontextmanager
async def opened(
    *rows: Notebook,
    verdicts: Mapping[str, Verdict] | None = None,
    directory: OwnerDirectory | None = None,
    journal: InMemoryJournal | None = None,
) -> AsyncIterator[Face]:
    """Open the pages behind a proxy, with a survey that shows these notebooks."""
    control = FakeControl(state())
    control.verdicts.update(verdicts or {})
    scene = Scene(
        control, proxies=PROXIES, journal=journal or await surveyed(*(rows or THREE)), directory=directory or Directory()
    )
    async with scene.open() as face:
        yield face


async def post(face: Face, fields: dict[str, str], headers: dict[str, str]) -> Seen:
    """Send the form as the page of the service does."""
    return await see(face, "/mine/keep", "POST", data=fields, headers={**headers, "Sec-Fetch-Site": "same-origin"})


async def exemptions(face: Face) -> list[dict[str, object]]:
    """Return all exemptions, as the API shows them."""
    _, document = await face.ask("GET", "/api/v1/exemptions?all=true", headers=ADMIN)
    assert isinstance(document, dict)
    return list(document["exemptions"])


def ids(seen: Seen) -> list[str]:
    """Return the IDs of the notebooks on the page."""
    return [section.all("code")[0].words for section in seen.content.all("section")]


DELETED = Verdict(Decision.DELETE, Reason.POLICY, "old", recorded("policy old: age 200d (over 1d)"))


# ---- what is shown -----------------------------------------------------------------------------------------------------------


async def test_owners_see_their_own_notebooks_only() -> None:
    """By the address that the directory has of the owner, without regard to case."""
    async with opened() as face:
        assert ids(await see(face, "/mine", headers=ALICE)) == ["nb1", "nb3"]
        assert ids(await see(face, "/mine", headers=BOB)) == ["nb2"]
        assert ids(await see(face, "/mine", headers=ADMIN)) == []


async def test_a_name_that_is_equal_is_not_enough() -> None:
    """The user alice of the proxy and the user alice of the cloud may be two people."""
    async with opened(row(1, "u9", "alice")) as face:
        assert ids(await see(face, "/mine", headers=ALICE)) == []
    async with opened() as face:
        mallory = {"X-Auth-Request-User": "alice", "X-Auth-Request-Email": "mallory@example.com"}
        assert ids(await see(face, "/mine", headers=mallory)) == []


async def test_the_tag_of_one_notebook_says_nothing_about_another() -> None:
    """Bob's notebook names alice as its contact: it is hers, and his others are not."""
    async with opened(row(1, "u2", "bob", tags={"contact": "alice@example.com"}), row(2, "u2", "bob")) as face:
        assert ids(await see(face, "/mine", headers=ALICE)) == ["nb1"]
        assert ids(await see(face, "/mine", headers=BOB)) == ["nb2"]


@pytest.mark.parametrize(
    ("verdict", "told"),
    [
        (DELETED, "It is deleted by the sweep on 1 Mar 2026 12:00 UTC, if it still matches then"),
        (
            Verdict(Decision.KEEP, Reason.TOLD, "old", recorded("told"), until=NOON + timedelta(days=2)),
            "It is deleted after 3 Mar 2026 12:00 UTC, unless it is used or kept before",
        ),
        (keep(Reason.UNANNOUNCED, recorded("no mark")), "A policy matches. You are told before it is deleted"),
        (
            Verdict(Decision.KEEP, Reason.EXEMPT, "exempt", recorded("e1"), until=NOON + timedelta(days=9)),
            "It is kept until 10 Mar 2026 12:00 UTC",
        ),
        (keep(Reason.PROTECTED, recorded("protected by keep")), "It is protected"),
        (keep(Reason.NO_POLICY, recorded("no policy matches")), "It is kept"),
        (None, "It is not known yet what happens to it"),
    ],
)
async def test_each_notebook_says_what_happens_to_it_and_when(verdict: Verdict | None, told: str) -> None:
    """In plain words; the reason stands below."""
    async with opened(THREE[0], verdicts={"nb1": verdict} if verdict else {}) as face:
        seen = await see(face, "/mine", headers=ALICE)
        assert seen.content.all("strong")[0].words == told
        assert verdict is None or verdict.sentence in seen.content.words
        assert "As the notebooks were seen on 1 Mar 2026 09:00 UTC." in seen.content.words


async def test_what_goes_first_stands_on_top() -> None:
    """Then what is kept."""
    async with opened(verdicts={"nb1": keep(Reason.NO_POLICY, recorded("none")), "nb3": DELETED}) as face:
        assert ids(await see(face, "/mine", headers=ALICE)) == ["nb3", "nb1"]


async def test_an_empty_page_says_why(tmp_path: object) -> None:
    """No owner of anything; no survey; a token instead of a person; no directory."""
    async with opened() as face:
        assert "No owner of a notebook is reached" in (await see(face, "/mine", headers=ADMIN)).content.words
    async with opened(journal=InMemoryJournal()) as face:
        assert "No survey is on record yet." in (await see(face, "/mine", headers=ALICE)).content.words
    scene = Scene(FakeControl(state()), token_file=token_file(tmp_path), directory=Directory())  # type: ignore[arg-type]
    async with scene.open() as face:
        assert "You are signed in with a token." in (await see(face, "/mine", headers=BEARER)).content.words
        assert (await see(face, "/mine")).status == 303
    async with Scene(FakeControl(state()), proxies=PROXIES, journal=await surveyed(*THREE)).open() as face:
        assert "no directory of owners" in (await see(face, "/mine", headers=ALICE)).content.words


async def test_the_directory_is_asked_once_for_a_survey() -> None:
    """And again when a target was surveyed anew: an owner may have a new notebook."""
    directory, journal = Directory(), await surveyed(*THREE)
    async with opened(directory=directory, journal=journal) as face:
        for _ in range(3):
            await see(face, "/mine", headers=ALICE)
        assert sorted(directory.asked) == ["u1", "u2"]
        await survey(journal, [*THREE, row(4, "u1", "alice")], NOON, mine=identity("research"))
        assert ids(await see(face, "/mine", headers=ALICE)) == ["nb1", "nb3", "nb4"]


# ---- keeping -----------------------------------------------------------------------------------------------------------------


async def test_an_owner_keeps_a_notebook() -> None:
    """Exactly this instance on this target, as the owner, with name and way on record."""
    async with opened() as face:
        done = await post(face, GOOD, ALICE)
        assert (done.status, done.headers["Location"]) == (303, "/mine")
        [granted] = await exemptions(face)
        assert (granted["notebook_id"], granted["target"], granted["until"]) == ("nb1", "research", "2026-03-16T00:00:00.000Z")
        assert granted["notebook_created_at"] == "2025-08-13T12:00:00.000Z"
        assert (granted["granted_as"], granted["granted_by"], granted["reason"]) == ("owner", "alice (page)", "a paper is due")


@pytest.mark.parametrize(
    "fields",
    [
        {"notebook": "nb2"},
        {"notebook": "nb"},
        {"notebook": "nb11"},
        {"notebook": "nb9"},
        {"notebook": "nb1", "target": "training"},
        {"notebook": "nb1", "target": ""},
        {"notebook": "NB1"},
    ],
)
async def test_nobody_keeps_a_notebook_of_others(fields: dict[str, str]) -> None:
    """Another's, the beginning of an ID, one that does not exist, the wrong target: the answer is always the same."""
    async with opened() as face:
        refused = await post(face, {**GOOD, **fields}, ALICE)
        assert refused.status == 404
        assert "there is no such notebook among yours" in refused.content.words
        assert await exemptions(face) == []


@pytest.mark.parametrize("headers", [{}, ADMIN, {"X-Auth-Request-User": "u1"}, {"X-Auth-Request-User": "nb1"}])
async def test_who_is_no_owner_keeps_nothing_here(headers: dict[str, str]) -> None:
    """Not even an administrator, who has another page for it."""
    async with opened() as face:
        assert (await post(face, GOOD, headers)).status in (303, 401, 404)
        assert await exemptions(face) == []


async def test_a_notebook_that_was_created_again_belongs_to_its_new_owner() -> None:
    """Alice saw the page before: what the last survey showed counts."""
    journal = await surveyed(*THREE)
    async with opened(journal=journal) as face:
        await see(face, "/mine", headers=ALICE)
        again = row(1, "u2", "bob", created_at=ago(hours=2))
        await survey(journal, [again, *THREE[1:]], ago(hours=1), mine=identity("research"))
        assert (await post(face, GOOD, ALICE)).status == 404
        assert (await post(face, GOOD, BOB)).status == 303


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"reason": " "}, "Give a reason of at most 500 characters."),
        ({"until": "2026-03-31"}, "Choose a day within the limit."),
        ({"until": "2026-02-01"}, "Choose a day within the limit."),
        ({"until": "never"}, "Choose a day within the limit."),
    ],
)
async def test_wrong_input_comes_back_with_what_was_typed(changes: dict[str, str], told: str) -> None:
    """In the form of that notebook, which is open then; owners may keep for thirty days."""
    async with opened() as face:
        typed = {**GOOD, **changes}
        seen = await post(face, typed, ALICE)
        assert seen.status == 422
        [form] = [each for each in seen.content.all("details") if "open" in each.attributes]
        assert told in form.words
        values = {each.attributes["name"]: each.attributes["value"] for each in form.all("input")}
        assert (values["reason"], values["until"], values["notebook"]) == (typed["reason"], typed["until"], "nb1")
        assert await exemptions(face) == []


async def test_the_form_says_how_long() -> None:
    """Thirty days ahead, of which the last whole day is the latest."""
    async with opened(THREE[0]) as face:
        seen = await see(face, "/mine", headers=ALICE)
        [until] = [each for each in seen.content.all("input") if each.attributes["name"] == "until"]
        assert (until.attributes["min"], until.attributes["max"]) == ("2026-03-01", "2026-03-30")
        assert "At most 30 days from now." in seen.content.words


@pytest.mark.parametrize(
    ("last", "told", "can_keep"),
    [
        (removal(state=State.DELETED, ended_at=ago(hours=1)), "nbsweep deleted it on 1 Mar 2026 11:00 UTC", False),
        (removal(state=State.ACCEPTED), "It is being deleted now", False),
        (removal(state=State.SPARED, ended_at=ago(hours=1)), "You are told before it is deleted", True),
        (removal(), "You are told before it is deleted", True),
    ],
)
async def test_a_removal_counts_for_more_than_the_survey_before_it(last: Removal, told: str, *, can_keep: bool) -> None:
    """A notebook that was deleted after the survey is not promised a notice, and cannot be kept any more."""
    journal = await surveyed(THREE[0])
    await journal.write([last])
    marked = {"nb1": keep(Reason.MARKED, recorded("the notebook is not announced yet"))}
    async with opened(verdicts=marked, journal=journal) as face:
        seen = await see(face, "/mine", headers=ALICE)
        assert told in seen.content.words
        assert bool(seen.content.all("form")) is can_keep
        assert ("the notebook is not announced yet" in seen.content.words) is can_keep


async def test_many_notebooks_are_shown_in_parts() -> None:
    """What goes first stands on top of the first part, wherever its name would be."""
    many = [row(number, "u1", "alice", name=f"experiment-{number:03d}") for number in range(1, 151)]
    async with opened(*many, verdicts={"nb150": DELETED}) as face:
        first, second = await see(face, "/mine", headers=ALICE), await see(face, "/mine?page=2", headers=ALICE)
        assert ids(first) == ["nb150", *(f"nb{number}" for number in range(1, 100))]
        assert ids(second) == [f"nb{number}" for number in range(100, 150)]
        assert "1 to 100 of 150" in first.content.words
        assert ids(await see(face, "/mine?page=3", headers=ALICE)) == []


async def test_a_form_that_was_refused_is_on_the_page_that_says_so() -> None:
    """Also if the notebook is not among the first hundred."""
    many = [row(number, "u1", "alice", name=f"experiment-{number:03d}") for number in range(1, 151)]
    async with opened(*many) as face:
        seen = await post(face, {**GOOD, "notebook": "nb140", "reason": ""}, ALICE)
        assert seen.status == 422
        assert ids(seen)[0] == "nb140"


async def test_it_speaks_chinese() -> None:
    """Also what happens to a notebook."""
    async with opened(THREE[0], verdicts={"nb1": DELETED}) as face:
        seen = await see(face, "/mine", headers={**ALICE, **CHINESE})
        assert seen.heading == "我的 Notebook"
        assert "若届时仍符合策略" in seen.content.words


EVIL = '<script>alert(1)</script>\N{RIGHT-TO-LEFT OVERRIDE}"\n<img src=x onerror=alert(1)>'


async def test_names_of_others_are_text_however_long() -> None:
    """And so are reasons."""
    rows = (row(1, "u1", EVIL, name=EVIL), row(2, "u1", "x" * 3000, name="x" * 3000, tags={EVIL: EVIL}))
    verdicts = {"nb1": keep(Reason.NO_POLICY, recorded(EVIL)), "nb2": keep(Reason.NO_POLICY, recorded("x" * 3000))}
    async with opened(*rows, verdicts=verdicts) as face:
        seen = await see(face, "/mine", headers=ALICE)
        assert ids(seen) == ["nb1", "nb2"] or ids(seen) == ["nb2", "nb1"]
        assert len(seen.page.all("script")) == 1
        assert seen.content.all("img") == []
        assert "\N{RIGHT-TO-LEFT OVERRIDE}" not in seen.content.text
        assert len(seen.source) < 20_000
