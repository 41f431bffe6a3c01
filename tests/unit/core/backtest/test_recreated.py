"""Which notebooks owners created again after their deletion."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from builders import NOON, ago, notebook, removal, searching
from nbsweep.core.backtest.recreated import WITHIN, Created, Deleted, Recreated, Resemblance, find_recreated
from nbsweep.core.lifecycle import Removal, State
from nbsweep.core.model import Image, Named, Notebook

OTHER_IMAGE = Image("i2", "tensorflow")


def deleted(number: int = 1, at: datetime = NOON, **facts: object) -> Deleted:
    """Return a notebook of alice that nbsweep deleted."""
    gone = removal(number, state=State.DELETED, project="p1", requested_at=at, ended_at=at + timedelta(minutes=1))
    return Deleted(gone, notebook(number, **facts))


def created(number: int, days: float = 1, **facts: object) -> Created:
    """Return a notebook of alice that was created so many days after noon."""
    return Created("p1", notebook(number, created_at=NOON + timedelta(days=days), **facts))


def pairs(found: tuple[Recreated, ...]) -> list[tuple[str, str, Resemblance]]:
    """Return the old ids, the new ids, and what they have in common."""
    return [(each.removal.notebook_id, each.notebook.id, each.by) for each in found]


def test_the_same_owner_with_the_same_name_or_image_within_two_weeks() -> None:
    """A notebook with another name and image is not the same again."""
    by_name = created(2, name="experiment-1", image=OTHER_IMAGE)
    by_image = created(3)
    assert pairs(find_recreated([deleted()], [by_name])) == [("nb1", "nb2", Resemblance.NAME)]
    assert pairs(find_recreated([deleted()], [by_image])) == [("nb1", "nb3", Resemblance.IMAGE)]
    assert find_recreated([deleted()], [created(4, image=OTHER_IMAGE)]) == ()


@pytest.mark.parametrize(
    "new",
    [
        created(2, days=14.001),
        created(2, days=-0.001),
        created(2, owner=Named("u2", "alice")),
        created(1),
        replace(created(2), project="p2"),
        Created("p1", notebook(2, created_at=None)),
    ],
    ids=["too late", "before", "another owner with the name", "the same id", "another project", "no date of creation"],
)
def test_what_is_no_new_one_of_the_same_owner(new: Created) -> None:
    """In doubt nothing is claimed."""
    assert find_recreated([deleted()], [new]) == ()


def test_the_end_of_the_time_counts() -> None:
    """Exactly two weeks are within."""
    assert len(find_recreated([deleted()], [created(2, days=14)])) == 1
    assert timedelta(days=14) == WITHIN


def test_each_is_counted_once_and_a_name_before_an_image() -> None:
    """Two were deleted, and two came, of which one has the name of the second."""
    new = [created(3, days=1), created(4, days=2, name="experiment-2")]
    assert pairs(find_recreated([deleted(1), deleted(2)], new)) == [
        ("nb1", "nb3", Resemblance.IMAGE),
        ("nb2", "nb4", Resemblance.NAME),
    ]
    assert len(find_recreated([deleted(1), deleted(2)], [created(3)])) == 1
    assert len(find_recreated([deleted(1)], [created(3), created(4)])) == 1


def test_without_an_inventory_the_removal_says_owner_and_name() -> None:
    """Nobody knows the image then."""
    without = Deleted(deleted().removal, None)
    assert pairs(find_recreated([without], [created(2, name="experiment-1")])) == [("nb1", "nb2", Resemblance.NAME)]
    assert find_recreated([without], [created(2)]) == ()


def test_an_unknown_owner_is_nobodys() -> None:
    """Two notebooks without an owner have nothing in common."""
    assert find_recreated([deleted(owner=Named())], [created(2, owner=Named())]) == ()


@searching
@given(ages=st.lists(st.floats(0, 30), max_size=6), news=st.lists(st.floats(-30, 30), max_size=6))
def test_no_notebook_is_in_two_pairs_and_all_are_in_time(ages: list[float], news: list[float]) -> None:
    """Whatever was deleted and created."""
    old = [deleted(number, ago(days=age)) for number, age in enumerate(ages, 1)]
    found = find_recreated(old, [created(100 + number, days) for number, days in enumerate(news)])
    for ids in ([each.removal.notebook_id for each in found], [each.notebook.id for each in found]):
        assert len(set(ids)) == len(ids)
    assert all(timedelta(0) < each.created_at - _asked(each.removal) <= WITHIN for each in found)


def _asked(gone: Removal) -> datetime:
    assert gone.requested_at
    return gone.requested_at


def test_facts_of_the_inventory_are_newer_than_the_removal() -> None:
    """The name that the notebook had last counts."""
    renamed: Notebook = notebook(1, name="bert")
    found = find_recreated([Deleted(deleted().removal, renamed)], [created(2, name="bert", image=OTHER_IMAGE)])
    assert pairs(found) == [("nb1", "nb2", Resemblance.NAME)]
