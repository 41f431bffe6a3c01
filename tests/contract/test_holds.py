"""What the holds of every journal keep to, by the port's own words; the journal for tests too."""

from datetime import timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from msgspec.structs import replace

from builders import NOON, ago
from contract.conftest import Opener
from contract.records import any_of, examples
from nbsweep.core.holdout.model import Hold

LATER = NOON + timedelta(days=60)


def hold(notebook_id: str = "nb1", **changes: object) -> Hold:
    """Return a hold that began at noon."""
    plain = Hold("p1", notebook_id, ago(days=90), NOON, NOON + timedelta(days=30), "research", "idle", "bert", "alice", 50)
    return replace(plain, **changes)


@examples
@given(held=any_of(Hold))
async def test_a_hold_comes_back_as_it_was_stored(opener: Opener, held: Hold) -> None:
    """Every field survives."""
    held = replace(held, project=str(uuid4()))
    async with opener() as journal:
        await journal.holds.add([held])
        assert await journal.holds.latest(held.project) == {held.notebook_id: held}
        assert held in await journal.holds.since(held.since)


async def test_the_latest_hold_of_each_notebook_of_a_project_counts(opener: Opener) -> None:
    """A notebook that came back, and was idle again, has several."""
    again = hold(since=LATER)
    async with opener() as journal:
        await journal.holds.add([hold(), hold("nb2"), hold("nb3", project="p2")])
        await journal.holds.add([again])
        assert await journal.holds.latest("p1") == {"nb1": again, "nb2": hold("nb2")}
        assert await journal.holds.latest("p3") == {}
        assert await journal.holds.latest("p1", ["nb1", "nb3"]) == {"nb1": again}
        assert await journal.holds.latest("p1", []) == {}


async def test_a_hold_survives_a_restart_and_is_stored_once(opener: Opener) -> None:
    """What was stored first stays: a hold never ends earlier because of a later write."""
    async with opener() as journal:
        await journal.holds.add([hold()])
        await journal.holds.add([])
    async with opener() as journal:
        await journal.holds.add([hold(until=ago(days=1))])
        assert await journal.holds.latest("p1") == {"nb1": hold()}


async def test_holds_are_found_by_their_beginning_and_target(opener: Opener) -> None:
    """In the order of their beginnings."""
    later, other = hold("nb2", since=LATER), hold("nb3", target="lab", since=NOON + timedelta(days=1))
    async with opener() as journal:
        await journal.holds.add([later, other, hold()])
        assert await journal.holds.since(NOON) == (hold(), other, later)
        assert await journal.holds.since(NOON + timedelta(microseconds=1)) == (other, later)
        assert await journal.holds.since(NOON, "research") == (hold(), later)


async def test_a_moment_without_a_zone_is_refused(opener: Opener) -> None:
    """And nothing is stored."""
    async with opener() as journal:
        with pytest.raises(ValueError, match="without a time zone"):
            await journal.holds.add([hold("nb2"), hold(since=NOON.replace(tzinfo=None))])
        assert await journal.holds.latest("p1") == {}
