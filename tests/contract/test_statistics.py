"""What the statistics of every journal keep to, by the port's own words; those for tests too."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from builders import removal
from contract.conftest import Opener
from contract.records import any_of, examples
from nbsweep.core.lifecycle import Removal, State
from nbsweep.core.runs import TRIED
from nbsweep.core.statistics.model import EndCount

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
