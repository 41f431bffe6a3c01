"""What the statistics of every journal keep to, by the port's own words; those for tests too."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from builders import identity, removal
from contract.conftest import Opener
from contract.records import any_of, examples
from nbsweep.core.lifecycle import Removal, State
from nbsweep.core.runs import TRIED
from nbsweep.core.statistics.model import CauseCount, DurationCount, EndCount, RemovalQuery, SentCount, sent_of

SINCE = datetime(2026, 3, 1, tzinfo=UTC)
UNTIL = datetime(2026, 3, 2, tzinfo=UTC)


def ended(number: int, at: datetime, state: State = State.DELETED, /, **changes: object) -> Removal:
    """Return a removal that has ended."""
    return replace(removal(number), state=state, ended_at=at, **changes)


async def test_ends_are_counted_by_quarter_of_an_hour_and_outcome(opener: Opener) -> None:
    """Of all runs and targets, and the gigabytes of what was deleted."""
    rows = [
        ended(1, SINCE),
        ended(2, SINCE + timedelta(minutes=14, seconds=59), run_id="run2", target="other", capacity_gb=7),
        ended(3, SINCE + timedelta(minutes=14, seconds=59), capacity_gb=None),
        ended(4, SINCE + timedelta(minutes=1), State.FAILED),
        ended(5, SINCE + timedelta(minutes=15), State.TIMED_OUT),
        ended(6, SINCE + timedelta(minutes=15), State.SPARED),
        removal(7),
    ]
    async with opener() as journal:
        await journal.write(rows)
        assert await journal.statistics.ends(SINCE, UNTIL) == (
            EndCount(SINCE, "deleted", 3, 57),
            EndCount(SINCE, "failed", 1, 0),
            EndCount(SINCE + timedelta(minutes=15), "timed_out", 1, 0),
        )


async def test_the_first_moment_is_included_and_the_last_is_not(opener: Opener) -> None:
    """So that neighbouring times count nothing twice."""
    microsecond = timedelta(microseconds=1)
    async with opener() as journal:
        await journal.write([ended(number, SINCE + number * microsecond) for number in (-1, 0)])
        await journal.write([ended(number, UNTIL + (number - 10) * microsecond) for number in (9, 10)])
        assert [one.count for one in await journal.statistics.ends(SINCE, UNTIL)] == [1, 1]
        assert await journal.statistics.ends(UNTIL, UNTIL) == ()


@examples
@given(rows=st.lists(any_of(Removal), max_size=8))
async def test_every_tried_removal_is_counted_once(opener: Opener, rows: list[Removal]) -> None:
    """Whatever it holds; the counts of any two halves of time are those of the whole."""
    begin, middle, end = (datetime(year, 1, 1, tzinfo=UTC) for year in (1970, 2030, 2201))
    async with opener() as journal:
        before = sum(one.count for one in await journal.statistics.ends(begin, end))
        new = {(row.run_id, row.target, row.notebook_id): row for row in rows}
        known = [
            one for key in new for one in await journal.removals(key[0]) if (one.run_id, one.target, one.notebook_id) == key
        ]
        await journal.write(rows)
        found = [
            sum(one.count for one in await journal.statistics.ends(*part))
            for part in ((begin, middle), (middle, end), (begin, end))
        ]
    assert found[0] + found[1] == found[2]
    assert found[2] - before == sum(map(_counts, new.values())) - sum(map(_counts, known))


def _counts(row: Removal) -> bool:
    return row.state in TRIED and row.ended_at is not None


# ---- durations, causes, and the removals themselves -----------------------------------------------------------------------


def took(number: int, seconds: float, state: State = State.DELETED, /, **changes: object) -> Removal:
    """Return a removal whose DELETE was accepted so many seconds before its end."""
    end = SINCE + timedelta(hours=1)
    return ended(number, end, state, accepted_at=end - timedelta(seconds=seconds), **changes)


async def test_deletions_are_counted_by_how_long_they_took(opener: Opener) -> None:
    """In seconds, from ten minutes on in minutes, from ten hours on in hours; a clock that was set back counts as 0."""
    rows = [
        *(took(number, seconds) for number, seconds in enumerate((20, 20.9, 599.9, 600, 659, 36_000, 39_599, -5), 1)),
        took(9, 20, State.FAILED),
        took(10, 20, target="other"),
        ended(11, SINCE, accepted_at=None, sent_at=SINCE - timedelta(seconds=7)),
        ended(12, SINCE, accepted_at=None, sent_at=None),
    ]
    async with opener() as journal:
        await journal.write(rows)
        pairs = [(0, 1), (7, 1), (20, 2), (599, 1), (600, 2), (36_000, 2)]
        expected = tuple(DurationCount(*pair) for pair in pairs)
        assert await journal.statistics.durations(SINCE, UNTIL, "research") == expected
        assert await journal.statistics.durations(SINCE, UNTIL, "other") == (DurationCount(20, 1),)
        assert await journal.statistics.durations(UNTIL, UNTIL) == ()


async def test_the_most_frequent_causes_of_failures_come_first(opener: Opener) -> None:
    """Failures and timeouts, by the reason of the end; what was deleted or spared is none."""
    rows = [
        ended(1, SINCE, State.FAILED, end_reason="quota"),
        ended(2, SINCE, State.TIMED_OUT, end_reason="no end"),
        ended(3, SINCE, State.TIMED_OUT, end_reason="no end"),
        ended(4, SINCE, State.TIMED_OUT, end_reason="a lock"),
        ended(5, SINCE, State.DELETED, end_reason="no end"),
        ended(6, SINCE, State.SPARED, end_reason="no end"),
        ended(7, SINCE, State.FAILED, end_reason="no end", target="other"),
    ]
    async with opener() as journal:
        await journal.write(rows)
        causes = await journal.statistics.causes(SINCE, UNTIL, 10, "research")
        assert causes == (
            CauseCount("timed_out", "no end", 2),
            CauseCount("failed", "quota", 1),
            CauseCount("timed_out", "a lock", 1),
        )
        assert await journal.statistics.causes(SINCE, UNTIL, 1, "research") == causes[:1]
        assert sum(one.count for one in await journal.statistics.causes(SINCE, UNTIL, 10)) == 5


async def test_ended_removals_are_listed_the_latest_first_in_parts(opener: Opener) -> None:
    """By target and outcome; the parts that follow each other hold each removal once, also those of the same moment."""
    rows = [
        ended(1, SINCE),
        ended(2, SINCE + timedelta(minutes=5), State.SPARED),
        *(ended(number, SINCE + timedelta(minutes=1)) for number in (3, 4, 5)),
        ended(6, SINCE + timedelta(minutes=2), State.FAILED, target="other"),
        ended(7, UNTIL),
        removal(8),
    ]
    async with opener() as journal:
        await journal.write(rows)
        await journal.write([ended(3, SINCE + timedelta(minutes=1), run_id="run2")])
        every, found = RemovalQuery(SINCE, UNTIL), list[Removal]()
        while part := await journal.statistics.removals(every, 2, after=found[-1] if found else None):
            found += part
        places = [(one.run_id, one.notebook_id) for one in found]
        in_run2 = [("run2", "nb3")]
        assert places == [("run1", "nb2"), ("run1", "nb6"), *in_run2, *(("run1", f"nb{each}") for each in (5, 4, 3, 1))]
        assert await journal.statistics.removals(every, 3, offset=2) == tuple(found[2:5])
        failed = await journal.statistics.removals(RemovalQuery(SINCE, UNTIL, outcome="failed"), 9)
        assert [one.notebook_id for one in failed] == ["nb6"]
        other = await journal.statistics.removals(RemovalQuery(SINCE, UNTIL, "other"), 9)
        assert [one.notebook_id for one in other] == ["nb6"]


async def test_sent_deletes_are_counted_by_what_decides_to_which_target_they_belong(opener: Opener) -> None:
    """From the asked moment on, of these projects and of none; a removal without a DELETE does not count."""
    project = identity().project

    def sent(number: int, at: datetime, /, **changes: object) -> Removal:
        return replace(removal(number), **{"requests": 1, "requested_at": at, "sent_at": at, "project": project, **changes})

    rows = [
        sent(1, SINCE),
        ended(2, UNTIL, requests=2, sent_at=SINCE, requested_at=SINCE, project=project),
        sent(3, SINCE, workspace_id="w2", feature="DEFAULT"),
        sent(4, SINCE, project="", target="lab"),
        sent(5, SINCE - timedelta(microseconds=1)),
        sent(6, SINCE, project="https://other.example/v1/p"),
        sent(7, SINCE, requests=0),
        removal(8, project=project),
    ]
    async with opener() as journal:
        assert await journal.statistics.sent([project], SINCE) == ()
        await journal.write(rows)
        plain = removal(1)
        assert set(await journal.statistics.sent([project], SINCE)) == {
            SentCount("research", project, plain.workspace_id, plain.feature, 2),
            SentCount("research", project, "w2", "DEFAULT", 1),
            SentCount("lab", "", plain.workspace_id, plain.feature, 1),
        }


MINE = identity(workspaces=("w1",))
SENT = st.fixed_dictionaries(
    {
        "project": st.sampled_from([MINE.project, "", "https://other.example/v1/p"]),
        "target": st.sampled_from(["research", "lab"]),
        "workspace_id": st.sampled_from(["w1", "w2"]),
        "feature": st.sampled_from(["NOTEBOOK", "DEFAULT"]),
        "requests": st.integers(0, 2),
        "sent_at": st.none() | st.sampled_from([SINCE - timedelta(microseconds=1), SINCE, UNTIL]),
    }
)


@examples
@given(changes=st.lists(SENT, max_size=8), run_id=st.uuids())
async def test_what_was_sent_for_a_target_is_what_its_history_counts(
    opener: Opener, changes: list[dict[str, object]], run_id: UUID
) -> None:
    """Whatever decides to which target a removal belongs."""
    rows = [replace(removal(number, run_id=str(run_id)), **each) for number, each in enumerate(changes)]
    async with opener() as journal:
        await journal.write(rows)
        counts = await journal.statistics.sent([MINE.project], SINCE)
        for target in ("research", "lab"):
            assert sent_of(target, MINE, counts) == (await journal.history(target, MINE, SINCE, SINCE)).requested


async def test_ends_of_one_target(opener: Opener) -> None:
    """Only those under its name."""
    async with opener() as journal:
        await journal.write([ended(1, SINCE), ended(2, SINCE, target="other")])
        assert await journal.statistics.ends(SINCE, UNTIL, "other") == (EndCount(SINCE, "deleted", 1, 50),)
        assert (await journal.statistics.ends(SINCE, UNTIL))[0].count == 2
