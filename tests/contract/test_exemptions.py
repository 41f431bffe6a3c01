"""What the exemptions of every journal keep to, by the port's own words; the journal for tests too."""

import asyncio
from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from msgspec.structs import replace

from builders import NOON, removal
from contract.conftest import Opener
from contract.records import any_of, examples
from nbsweep.core import lifecycle
from nbsweep.core.audit.entries import AuditEntry
from nbsweep.core.errors import ExemptionsChanged, JournalError
from nbsweep.core.exemptions.model import Exemption, GrantedBy, Selector
from nbsweep.core.ports import Journal
from notice_builders import exemption
from trails import whole_trail

HOUR = timedelta(hours=1)
LATER = NOON + HOUR
ALWAYS = 1_000_000


async def entries(journal: Journal) -> list[AuditEntry]:
    """Return the entries of the trail, which must be unbroken."""
    links = await whole_trail(journal)
    return [link.entry for link in links]


@examples
@given(granted=any_of(Exemption))
async def test_an_exemption_comes_back_as_it_was_granted(opener: Opener, granted: Exemption) -> None:
    """Every field survives, those of the selector too."""
    granted = replace(granted, id=str(uuid4()))
    async with opener() as journal:
        await journal.exemptions.grant(granted)
        assert granted in await journal.exemptions.all(ALWAYS)


async def test_a_text_that_holds_a_nul_does_not_keep_an_exemption_from_being_granted(opener: Opener) -> None:
    """Not every database takes this letter, and a sign in its place will do."""
    async with opener() as journal:
        await journal.exemptions.grant(exemption(reason="a\0b", selector=Selector(name="n\0")))
        [found] = await journal.exemptions.all(10)
        assert found.reason in ("a\0b", "a\ufffdb")
        [entry] = await entries(journal)
        assert entry.name == "n\ufffd"


async def test_an_id_is_granted_once(opener: Opener) -> None:
    """The second grant is refused, and leaves no entry."""
    async with opener() as journal:
        await journal.exemptions.grant(exemption())
        with pytest.raises(JournalError, match="exemption e1 already"):
            await journal.exemptions.grant(exemption(reason="another"))
        assert await journal.exemptions.all(10) == (exemption(),)
        assert len(await entries(journal)) == 1


async def test_an_exemption_without_a_time_zone_is_refused(opener: Opener) -> None:
    """Nothing of it is stored."""
    naive = datetime(2026, 3, 1)  # noqa: DTZ001  # that it is naive is the point
    async with opener() as journal:
        with pytest.raises(ValueError, match="time zone"):
            await journal.exemptions.grant(exemption(until=naive))
        await journal.exemptions.grant(exemption())
        with pytest.raises(ValueError, match="time zone"):
            await journal.exemptions.revoke("e1", naive, "li")
        assert await journal.exemptions.all(10) == (exemption(),)
        assert len(await entries(journal)) == 1


async def test_those_in_force_have_not_ended_and_were_not_revoked(opener: Opener) -> None:
    """The oldest first; all of them stay on record, the newest first."""
    async with opener() as journal:
        for number, until in ((2, NOON + HOUR), (1, NOON + 2 * HOUR), (3, NOON + 3 * HOUR), (4, NOON + 3 * HOUR)):
            await journal.exemptions.grant(exemption(number, until=until))
        await journal.exemptions.revoke("e3", NOON, "li")
        in_force = {hours: [one.id for one in await journal.exemptions.in_force(NOON + hours * HOUR)] for hours in (0, 1, 2, 3)}
        assert in_force == {0: ["e1", "e2", "e4"], 1: ["e1", "e4"], 2: ["e4"], 3: []}
        assert [one.id for one in await journal.exemptions.all(10)] == ["e4", "e3", "e2", "e1"]
        assert [one.id for one in await journal.exemptions.all(2)] == ["e4", "e3"]


async def test_those_of_a_time_are_all_that_could_keep_a_notebook_then(opener: Opener) -> None:
    """Revoked ones too, with when that was; not those that had ended, or were granted later."""
    async with opener() as journal:
        await journal.exemptions.grant(exemption(1, until=NOON))
        await journal.exemptions.grant(exemption(2, until=NOON + HOUR))
        await journal.exemptions.grant(exemption(3, granted_at=LATER, until=NOON + 9 * HOUR))
        await journal.exemptions.grant(exemption(4, granted_at=LATER + HOUR, until=NOON + 9 * HOUR))
        await journal.exemptions.revoke("e3", LATER, "li")
        found = await journal.exemptions.between(NOON, LATER)
    assert [(one.id, one.revoked_at) for one in found] == [("e2", None), ("e3", LATER)]


async def test_a_revocation_is_final(opener: Opener) -> None:
    """The first one stays, with who did it; there is nothing to revoke where there is no exemption."""
    revoked = exemption(revoked_at=LATER, revoked_by="bo")
    async with opener() as journal:
        await journal.exemptions.grant(exemption())
        assert await journal.exemptions.revoke("e1", LATER, "bo") == revoked
        assert await journal.exemptions.revoke("e1", LATER + HOUR, "li") == revoked
        assert await journal.exemptions.revoke("e9", LATER, "li") is None
        assert await journal.exemptions.all(10) == (revoked,)
        assert [entry.what for entry in await entries(journal)] == ["exempted", "revoked"]


async def test_of_two_that_revoke_one_does(opener: Opener) -> None:
    """Through two journals that are open at the same time; both see the same end."""
    async with opener() as one, opener() as other:
        await one.exemptions.grant(exemption())
        found = await asyncio.gather(one.exemptions.revoke("e1", LATER, "bo"), other.exemptions.revoke("e1", LATER, "li"))
        assert found[0] == found[1]
        assert [entry.what for entry in await entries(one)] == ["exempted", "revoked"]


async def test_grants_and_revocations_are_on_the_trail(opener: Opener) -> None:
    """With selector, end, reason, ticket and giver, and without secrets."""
    selector = Selector(notebook_id="nb1", notebook_created_at=NOON, owner="alice", name="exp-*")
    granted = exemption(selector=selector, target="research", ticket="T-7", granted_as=GrantedBy.OWNER, reason="token=abc")
    async with opener() as journal:
        await journal.exemptions.grant(granted)
        await journal.exemptions.revoke("e1", LATER, "bo")
        described = "exemption e1 (notebook nb1, owner alice, name exp-*) until 2026-03-02 12:00Z: token=***"
        noon_us = 1_772_366_400_000_000
        nothing = (0, "", None, None, None, None, None, "")
        covered = ("nb1", "exp-*", "alice", "")
        assert await entries(journal) == [
            (
                1,
                noon_us,
                "exempted",
                "research",
                "",
                "li",
                *covered,
                f"{described} ticket T-7; granted by li as owner",
                *nothing,
            ),
            (2, noon_us + 3_600_000_000, "revoked", "research", "", "bo", *covered, f"{described} revoked by bo", *nothing),
        ]


# ---- versions -------------------------------------------------------------------------------------------------------------


async def test_the_version_grows_with_each_change(opener: Opener) -> None:
    """By a grant and by a revocation, and by nothing else."""
    async with opener() as journal:
        versions = [await journal.exemptions.version()]
        await journal.exemptions.grant(exemption(1))
        versions.append(await journal.exemptions.version())
        await journal.exemptions.grant(exemption(2))
        versions.append(await journal.exemptions.version())
        await journal.exemptions.revoke("e1", LATER, "li")
        versions.append(await journal.exemptions.version())
        assert versions == sorted(set(versions))
        await journal.exemptions.revoke("e1", LATER, "li")
        await journal.write([removal()])
        assert await journal.exemptions.version() == versions[-1]


async def test_a_removal_is_written_while_the_exemptions_are_as_they_were_read(opener: Opener) -> None:
    """With its entries, as without a version."""
    async with opener() as journal:
        await journal.exemptions.grant(exemption())
        version = await journal.exemptions.version()
        await journal.write([removal()], exemptions_version=version)
        await journal.write([lifecycle.request(removal(), LATER, HOUR)], exemptions_version=version)
        assert [entry.what for entry in await entries(journal)] == ["exempted", "decided", "requested"]


@pytest.mark.parametrize("change", ["grant", "revoke"])
async def test_a_removal_is_not_written_after_a_change_of_the_exemptions(opener: Opener, change: str) -> None:
    """By another process too: neither it, nor its entry. Without a version, it is."""
    requested = lifecycle.request(removal(), LATER, HOUR)
    async with opener() as one, opener() as other:
        await other.exemptions.grant(exemption(1))
        version = await one.exemptions.version()
        await one.write([removal()])
        if change == "grant":
            await other.exemptions.grant(exemption(2))
        else:
            await other.exemptions.revoke("e1", LATER, "li")
        with pytest.raises(ExemptionsChanged):
            await one.write([requested], exemptions_version=version)
        assert await one.removals("run1") == (removal(),)
        assert "requested" not in [entry.what for entry in await entries(one)]
        await one.write([requested])
        assert await one.removals("run1") == (requested,)


async def test_a_refused_removal_does_not_harm_others_in_its_commit(opener: Opener) -> None:
    """Those with the present version, and those without."""
    async with opener() as journal:
        await journal.exemptions.grant(exemption())
        versions = {1: 0, 2: 1, 3: None, 4: 0, 5: 1}
        results = await asyncio.gather(
            *(journal.write([removal(number)], exemptions_version=version) for number, version in versions.items()),
            return_exceptions=True,
        )
        assert [isinstance(result, ExemptionsChanged) for result in results] == [True, False, False, True, False]
        assert {one.notebook_id for one in await journal.removals("run1")} == {"nb2", "nb3", "nb5"}


async def test_no_order_follows_a_grant_that_it_does_not_know(opener: Opener) -> None:
    """On the trail, whose order is that of the commits, while two processes write as fast as they can."""
    refused = 0

    async def sweep(journal: Journal, version: int, numbers: range) -> None:
        nonlocal refused
        for number in numbers:
            try:
                await journal.write([removal(number)], exemptions_version=version)
            except ExemptionsChanged:
                refused += 1

    async with opener() as one, opener() as other:
        version = await one.exemptions.version()
        async with asyncio.TaskGroup() as tasks:
            for start in range(0, 60, 3):
                tasks.create_task(sweep(one if start % 2 else other, version, range(start, start + 3)))
            await asyncio.sleep(0)
            tasks.create_task(other.exemptions.grant(exemption()))
        steps = [entry.what for entry in await entries(one)]
        assert steps[-1] == "exempted"
        assert steps.count("decided") == 60 - refused < 60


async def test_an_exemption_is_found_by_its_id(opener: Opener) -> None:
    """Also one that was revoked, with the reason, or that has ended; None for an unknown id."""
    async with opener() as journal:
        await journal.exemptions.grant(exemption(1))
        await journal.exemptions.grant(exemption(2, until=NOON + timedelta(seconds=2)))
        revoked = await journal.exemptions.revoke("e1", LATER, "bo", "the paper is out")
        assert revoked == exemption(1, revoked_at=LATER, revoked_by="bo", revoked_reason="the paper is out")
        assert await journal.exemptions.find("e1") == revoked
        assert await journal.exemptions.find("e2") == exemption(2, until=NOON + timedelta(seconds=2))
        assert await journal.exemptions.find("e3") is None
        assert (await entries(journal))[-1].reason.endswith("revoked by bo: the paper is out")
