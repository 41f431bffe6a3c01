"""What every journal's audit trail keeps to, by the port's own words; the one for tests too."""

import asyncio
from datetime import datetime, timedelta

import pytest

from builders import NOON, removal, run_record
from contract.conftest import Opener
from nbsweep.core import lifecycle
from nbsweep.core.audit.chain import Head
from nbsweep.core.audit.entries import AuditQuery
from nbsweep.core.audit.steps import AuditStep
from nbsweep.core.control.requests import Pause, Resumption, SweepRequest
from nbsweep.core.lifecycle import Removal, State
from nbsweep.core.ports import Journal
from notice_builders import exemption
from trails import whole_trail

HALF_AN_HOUR = timedelta(minutes=30)


def way(planned: Removal) -> list[Removal]:
    """Take a removal from its plan to its end, a minute for each step."""
    requested = lifecycle.request(planned, planned.planned_at + timedelta(minutes=1), HALF_AN_HOUR)
    accepted = lifecycle.accept(requested, planned.planned_at + timedelta(minutes=2), "request-1")
    return [planned, requested, accepted, lifecycle.delete(accepted, planned.planned_at + timedelta(minutes=3), "proven gone")]


async def whole(journal: Journal) -> list[tuple[str, str]]:
    """Return the notebook and step of each entry of the trail, which must be unbroken."""
    links = await whole_trail(journal)
    return [(link.entry.notebook_id, link.entry.what) for link in links]


async def test_a_new_journals_trail_is_empty(opener: Opener) -> None:
    """Its head is what every chain begins with."""
    async with opener() as journal:
        assert await whole(journal) == []
        assert (await journal.trail.heads(), await journal.trail.chains()) == ({}, ())
        assert await journal.trail.head("research") is None
        assert await journal.trail.latest(AuditQuery(), 10) == ()
        assert await journal.trail.coverage() == ()


async def test_every_step_of_a_removal_is_on_the_trail(opener: Opener) -> None:
    """Each with its facts, in the order in which they were written."""
    async with opener() as journal:
        await journal.open_run(run_record(started_by="li"))
        for step in way(removal()):
            await journal.write([step])
        assert await whole(journal) == [("nb1", what) for what in ("decided", "requested", "accepted", "deleted")]
        decided, requested, accepted, deleted = (link.entry for link in await whole_trail(journal))
        noon_us = 1_772_366_400_000_000
        assert decided == (
            *(
                1,
                noon_us,
                "decided",
                "research",
                "run1",
                "li",
                "nb1",
                "experiment-1",
                "alice",
                "old",
                "age 200d (over 1d)",
                0,
                "",
            ),
            *("STOPPED", "0", "NOTEBOOK", 50, "EVS", ""),
        )
        assert requested[:3] == (2, noon_us + 60_000_000, "requested")
        assert (accepted.request_id, accepted.started_by) == ("request-1", "li")
        assert (deleted.reason, deleted.sequence) == ("proven gone", 4)


async def test_one_write_of_many_steps_has_an_entry_for_each(opener: Opener) -> None:
    """Of several removals, and of one removal several times, in the order of the write."""
    async with opener() as journal:
        await journal.write([*way(removal(1))[:2], removal(2), *way(removal(1))[2:]])
        expected = [("nb1", "decided"), ("nb1", "requested"), ("nb2", "decided"), ("nb1", "accepted"), ("nb1", "deleted")]
        assert await whole(journal) == expected


async def test_what_is_written_again_is_told_once(opener: Opener) -> None:
    """In the same write and in another."""
    planned, requested, *_ = way(removal())
    async with opener() as journal:
        await journal.write([planned, planned, requested])
        await journal.write([requested])
        assert await whole(journal) == [("nb1", "decided"), ("nb1", "requested")]


async def test_the_same_notebook_in_another_run_or_target_has_its_own_way(opener: Opener) -> None:
    """What was written of one is no earlier step of the other; each has who started its own run."""
    async with opener() as journal:
        await journal.open_run(run_record(started_by="li"))
        await journal.open_run(run_record("run2"))
        await journal.write([removal(), removal(run_id="run2"), removal(target="teaching")])
        assert await whole(journal) == [("nb1", "decided")] * 3
        assert [link.entry.started_by for link in await whole_trail(journal)] == ["li", "cron", ""]


async def test_each_target_has_a_chain_of_its_own(opener: Opener) -> None:
    """Numbered from 1, also where one write has removals of several; the order of all chains is that of the writes."""
    async with opener() as journal:
        await journal.write([removal(1), removal(2, target="teaching"), removal(3)])
        await journal.write([removal(4, target="teaching")])
        await journal.exemptions.grant(exemption(target=""))
        links = await whole_trail(journal)
        numbers = [(link.chain, link.entry.sequence, link.position) for link in links]
        assert numbers == [
            *(("research", 1, 1), ("teaching", 1, 2), ("research", 2, 3)),
            *(("teaching", 2, 4), ("", 1, 5)),
        ]
        heads = await journal.trail.heads()
        assert await journal.trail.chains() == ("", "research", "teaching")
        assert heads["teaching"] == await journal.trail.head("teaching") == Head(2, links[3].digest)
        assert [link.entry.notebook_id for link in await journal.trail.after("teaching", 1, 10)] == ["nb4"]
        assert await journal.trail.after("elsewhere", 0, 10) == ()


async def test_a_write_that_is_refused_leaves_no_entry(opener: Opener) -> None:
    """Neither the removals nor what the trail would have said of them."""
    broken = removal(2, planned_at=datetime(2026, 1, 1))  # noqa: DTZ001  # that it is naive is the point
    async with opener() as journal:
        with pytest.raises(ValueError, match="time zone"):
            await journal.write([removal(1), broken])
        assert await whole(journal) == []
        assert await journal.removals("run1") == ()


async def test_a_text_that_holds_a_nul_breaks_no_chain(opener: Opener) -> None:
    """Not every database takes this letter, and digests are of what is stored: a sign stands in its place."""
    async with opener() as journal:
        await journal.write([removal(notebook_id="n\0", name="a\0b", category="\0")])
        assert await whole(journal) == [("n\ufffd", "decided")]
        [link] = await whole_trail(journal)
        assert (link.entry.name, link.entry.category) == ("a\ufffdb", "\ufffd")


async def test_the_trail_goes_on_when_the_journal_is_opened_again(opener: Opener) -> None:
    """Numbers, chain, and what is known of the removals."""
    planned, requested, accepted, deleted = way(removal())
    async with opener() as journal:
        await journal.write([planned, requested])
    async with opener() as journal:
        await journal.write([requested])
        await journal.write([accepted, deleted])
        assert [what for _, what in await whole(journal)] == ["decided", "requested", "accepted", "deleted"]


async def test_writers_at_once_do_not_fork_the_chain(opener: Opener) -> None:
    """Through two journals that are open at the same time; each removal's steps are in their order."""

    async def writer(journal: Journal, number: int) -> None:
        for step in way(removal(number, run_id=f"run{number % 3}")):
            await journal.write([step])

    async with opener() as one, opener() as other:
        async with asyncio.TaskGroup() as tasks:
            for number in range(40):
                tasks.create_task(writer(one if number % 2 else other, number))
        found = await whole(one)
        assert await whole(other) == found
    for number in range(40):
        steps = [what for notebook_id, what in found if notebook_id == f"nb{number}"]
        assert steps == ["decided", "requested", "accepted", "deleted"]


async def test_the_trail_is_read_in_parts(opener: Opener) -> None:
    """Each goes on where the one before ended."""
    async with opener() as journal:
        await journal.write([removal(number) for number in range(7)])
        parts = [await journal.trail.after("research", last, 3) for last in (0, 3, 6, 7)]
        assert [[link.entry.sequence for link in part] for part in parts] == [[1, 2, 3], [4, 5, 6], [7], []]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (AuditQuery(), [8, 7, 6, 5, 4, 3, 2, 1]),
        (AuditQuery(target="teaching"), [8]),
        (AuditQuery(run_id="run1"), [8, 4, 3, 2, 1]),
        (AuditQuery(notebook_id="nb2"), [6, 5]),
        (AuditQuery(policy="failed"), [7]),
        (AuditQuery(what=AuditStep.REQUESTED), [6, 2]),
        (AuditQuery(since=NOON + timedelta(minutes=2)), [8, 7, 6, 5, 4, 3]),
        (AuditQuery(run_id="run1", what=AuditStep.DECIDED, target="research"), [1]),
        (AuditQuery(notebook_id="unknown"), []),
    ],
)
async def test_the_latest_that_are_wanted_come_newest_first(opener: Opener, query: AuditQuery, expected: list[int]) -> None:
    """Each condition holds, alone and with others; only the latest come where there are too many."""
    day = NOON + timedelta(days=1)
    async with opener() as journal:
        await journal.write(way(removal()))
        await journal.write(way(removal(2, run_id="run2", planned_at=day))[:2])
        await journal.write([removal(3, run_id="run2", planned_at=day, policy="failed")])
        await journal.write([removal(4, target="teaching", planned_at=day)])
        assert [link.position for link in await journal.trail.latest(query, 10)] == expected
        assert [link.position for link in await journal.trail.latest(query, 2)] == expected[:2]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (AuditQuery(who="ALICE"), [2]),
        (AuditQuery(who="(page)"), [2]),
        (AuditQuery(who="Ä"), [3]),
        (AuditQuery(who="%"), [1]),
        (AuditQuery(who="_"), []),
        (AuditQuery(before=3), [2, 1]),
        (AuditQuery(before=3, who="alice"), [2]),
        (AuditQuery(before=1), []),
    ],
)
async def test_entries_by_who_and_before_another_entry(opener: Opener, query: AuditQuery, expected: list[int]) -> None:
    """A part of the name is enough, in any case of ASCII letters, and no character of it is a wildcard."""
    async with opener() as journal:
        for number, who in enumerate(("100% cron", "Alice (page)", "Ärzte"), 1):
            await journal.open_run(run_record(f"run{number}", started_by=who))
            await journal.write([removal(number, run_id=f"run{number}")])
        assert [link.position for link in await journal.trail.latest(query, 10)] == expected


async def test_every_removal_that_was_written_is_covered(opener: Opener) -> None:
    """Whatever state it was first written in."""
    async with opener() as journal:
        await journal.write([removal(number, state=state) for number, state in enumerate(State)])
        assert await journal.trail.coverage() == ()


async def test_what_people_do_to_targets_is_on_the_trail_with_who_did_it(opener: Opener) -> None:
    """Pauses with end and reason, their ends, and requests for sweeps; the end of a pause that is none is no entry."""
    later = NOON + HALF_AN_HOUR
    async with opener() as journal:
        await journal.control.resume(Resumption("research", NOON, "wei (api)"))
        await journal.control.pause(Pause("research", NOON, "wei (page)", "moving\0house", later))
        same = await journal.control.pause_of("research")
        assert same is not None
        await journal.control.pause(same)
        await journal.control.resume(Resumption("research", later, "lin (page)"))
        await journal.control.request_sweep(SweepRequest("research", NOON, "alice"))
        await journal.control.note_request(SweepRequest("research", later, "wei (page)"))
        assert await whole(journal) == [("", what) for what in ("paused", "resumed", "sweep_requested", "sweep_requested")]
        assert [request.by for request in await journal.control.sweep_requests()] == ["alice"]
        entries = [link.entry for link in await whole_trail(journal)]
    assert [entry.started_by for entry in entries] == ["wei (page)", "lin (page)", "alice", "wei (page)"]
    assert {entry.target for entry in entries} == {"research"}
    since, until = "2026-03-01 12:00Z", "2026-03-01 12:30Z"
    assert [entry.reason for entry in entries] == [
        f"target research is paused by wei (page) since {since}, until {until}: moving\ufffdhouse",
        "target research is resumed",
        *["a sweep of target research"] * 2,
    ]


async def test_a_moment_without_a_zone_leaves_no_trace(opener: Opener) -> None:
    """Neither the pause nor its entry."""
    naive = NOON.replace(tzinfo=None)
    async with opener() as journal:
        with pytest.raises(ValueError, match="zone"):
            await journal.control.pause(Pause("research", naive, "wei"))
        with pytest.raises(ValueError, match="zone"):
            await journal.control.note_request(SweepRequest("research", naive, "wei"))
        assert await journal.control.pauses() == ()
        assert await whole(journal) == []
