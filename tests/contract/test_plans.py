"""What the approved plans of every journal keep to, by the port's own words; the journal for tests too."""

import asyncio
from datetime import timedelta

import pytest
from hypothesis import given
from msgspec.structs import replace

from builders import NOON, ago
from contract.conftest import Opener
from contract.records import any_of, examples
from nbsweep.core.audit.entries import AuditEntry
from nbsweep.core.ports import Journal
from nbsweep.core.saved_plan.approval import ApprovedPlan
from trails import whole_trail

A_DAY = timedelta(days=1)
DOCUMENT = b"\x00\xff the document"


def approved(**changes: object) -> ApprovedPlan:
    """Return a plan of two notebooks that alice has approved at noon, and that is valid for a day."""
    plain = ApprovedPlan(
        plan_id="p1",
        target="research",
        digest="sha256:12",
        created_at=ago(hours=1),
        expires_at=NOON + A_DAY,
        notebooks=2,
        approved_at=NOON,
        approved_by="alice (page)",
    )
    return replace(plain, **changes)


async def entries(journal: Journal) -> list[AuditEntry]:
    """Return the entries of the trail, which must be unbroken."""
    links = await whole_trail(journal)
    return [link.entry for link in links]


@examples
@given(plan=any_of(ApprovedPlan))
async def test_an_approved_plan_comes_back_as_it_was_written(opener: Opener, plan: ApprovedPlan) -> None:
    """With its document, byte by byte; every field survives."""
    async with opener() as journal:
        if await journal.plans.approve(plan, DOCUMENT):
            assert await journal.plans.find(plan.plan_id) == plan
            assert await journal.plans.document(plan.plan_id) == DOCUMENT


async def test_plans_are_listed_with_the_newest_first(opener: Opener) -> None:
    """Of all targets or of one, up to a number."""
    first, second, third = approved(), approved(plan_id="p2", approved_at=NOON + A_DAY), approved(plan_id="p3", target="b")
    async with opener() as journal:
        for plan in (first, second, third):
            assert await journal.plans.approve(plan, DOCUMENT)
        assert await journal.plans.plans(10) == (second, third, first)
        assert await journal.plans.plans(1) == (second,)
        assert await journal.plans.plans(10, "research") == (second, first)


async def test_a_plan_is_approved_once(opener: Opener) -> None:
    """The second approval changes nothing, the trail neither."""
    async with opener() as journal:
        assert await journal.plans.approve(approved(), DOCUMENT)
        assert not await journal.plans.approve(approved(approved_by="mallory"), b"another")
        assert await journal.plans.find("p1") == approved()
        assert await journal.plans.document("p1") == DOCUMENT
        assert len(await entries(journal)) == 1


async def test_a_plan_is_carried_out_once(opener: Opener) -> None:
    """Of ten that begin it at the same time, one does; who and by which run is on record."""
    async with opener() as journal:
        await journal.plans.approve(approved(), DOCUMENT)
        at = NOON + timedelta(hours=1)
        answers = await asyncio.gather(*(journal.plans.begin("p1", at, "bob (page)", f"run{each}") for each in range(10)))
        assert sum(answers) == 1
        found = await journal.plans.find("p1")
        assert found == approved(carried_out_at=at, carried_out_by="bob (page)", run_id=f"run{answers.index(True)}")
        assert not found.is_open(at)


@pytest.mark.parametrize("at", [NOON + A_DAY, NOON + 2 * A_DAY])
async def test_an_expired_plan_is_not_carried_out(opener: Opener, at: object) -> None:
    """From the very moment of its end."""
    async with opener() as journal:
        await journal.plans.approve(approved(), DOCUMENT)
        assert not await journal.plans.begin("p1", at, "bob", "run1")  # type: ignore[arg-type]
        assert not await journal.plans.begin("unknown", NOON, "bob", "run1")
        assert await journal.plans.find("p1") == approved()


async def test_approval_and_begin_are_on_the_audit_trail(opener: Opener) -> None:
    """Who did it, which plan it was, and the run."""
    async with opener() as journal:
        await journal.plans.approve(approved(), DOCUMENT)
        await journal.plans.begin("p1", NOON, "bob (api)", "run1")
        first, second = await entries(journal)
        assert (first.what, first.target, first.started_by, first.run_id) == ("approved", "research", "alice (page)", "")
        assert (second.what, second.target, second.started_by, second.run_id) == (
            "carried_out",
            "research",
            "bob (api)",
            "run1",
        )
        for entry in (first, second):
            assert entry.reason == (
                "plan p1 of 2 notebooks, sha256:12, made at 2026-03-01 11:00Z, valid until 2026-03-02 12:00Z, "
                "approved by alice (page)"
            )


async def test_plans_that_expired_long_ago_are_forgotten(opener: Opener) -> None:
    """The trail still has their entries."""
    async with opener() as journal:
        await journal.plans.approve(approved(), DOCUMENT)
        await journal.plans.approve(approved(plan_id="p2", expires_at=NOON + 2 * A_DAY), DOCUMENT)
        await journal.plans.forget(NOON + 2 * A_DAY)
        assert await journal.plans.find("p1") is None
        assert await journal.plans.document("p1") is None
        assert await journal.plans.find("p2") is not None
        assert len(await entries(journal)) == 2


async def test_a_moment_without_a_zone_is_refused(opener: Opener) -> None:
    """It could be anywhere."""
    async with opener() as journal:
        with pytest.raises(ValueError, match="zone"):
            await journal.plans.approve(approved(expires_at=NOON.replace(tzinfo=None)), DOCUMENT)
