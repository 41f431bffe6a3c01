from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from builders import NOON
from nbsweep.core.listing.snapshot import OVERLAP, Snapshot, pages_for
from nbsweep.core.model import MalformedRow, Notebook, Page, Status


def row(number: int, minutes: int | None = None) -> Notebook:
    """Return a notebook; the higher its number, the younger it is, unless its minute is named."""
    created_at = NOON - timedelta(days=9) + timedelta(minutes=number if minutes is None else minutes)
    return Notebook(id=f"nb{number}", status=Status.DELETING, created_at=created_at)


def rows(*numbers: int) -> list[Notebook | MalformedRow]:
    """Return several values."""
    return [row(number) for number in numbers]


@dataclass
class Shelf:
    """A listing from which rows vanish, and to which they are added, between two pages."""

    rows: list[Notebook | MalformedRow]
    offsets: list[int] = field(default_factory=list)
    size: int = 50

    def page(self, offset: int) -> Page:
        """Cut one page of fifty."""
        self.offsets.append(offset)
        return Page(tuple(self.rows[offset : offset + self.size]), len(self.rows), oldest_first=True)

    def vanish(self, *numbers: int) -> None:
        """Let rows vanish."""
        gone = {f"nb{number}" for number in numbers}
        self.rows = [kept for kept in self.rows if kept.id not in gone]


def read(shelf: Shelf, wanted: Sequence[int], *between: Sequence[int]) -> Snapshot:
    """Read a whole listing; after each page the next of these vanish."""
    snapshot, steps = Snapshot([f"nb{number}" for number in wanted], shelf.size), iter(between)
    while not snapshot.complete and not snapshot.flaw:
        snapshot.take(shelf.page(snapshot.offset))
        shelf.vanish(*next(steps, ()))
    return snapshot


def test_who_is_on_no_page_is_gone() -> None:
    """Of 120 rows 7 and 99 were gone before: three pages prove it, and show the others that were asked about."""
    shelf = Shelf(rows(*(number for number in range(120) if number not in (7, 99))))
    snapshot = read(shelf, [7, 8, 99, 100])
    assert snapshot.gone == {"nb7", "nb99"}
    assert set(snapshot.seen) == {"nb8", "nb100"}
    assert shelf.offsets == [0, 45, 90]


def test_nothing_is_proven_before_the_last_page() -> None:
    """A notebook that is missing from the first page may stand on the next."""
    shelf = Shelf(rows(*range(60)))
    snapshot = Snapshot(["nb55", "nb70"])
    snapshot.take(shelf.page(0))
    assert (snapshot.complete, snapshot.gone) == (False, frozenset())


def test_an_empty_listing_proves_all_gone() -> None:
    """One page, no row, and a count of nothing."""
    assert read(Shelf([]), [1, 2]).gone == {"nb1", "nb2"}


def test_rows_that_vanish_between_two_pages_hide_nobody() -> None:
    """Three rows of the first page vanish before the second is read: the overlap of five still meets."""
    shelf = Shelf(rows(*range(80)))
    snapshot = read(shelf, [3, 48, 52, 90], [10, 11, 12])
    assert snapshot.complete
    assert snapshot.gone == {"nb90"}
    assert set(snapshot.seen) == {"nb3", "nb48", "nb52"}
    assert shelf.offsets == [0, 45]


def test_pages_that_do_not_meet_are_read_again_from_further_back() -> None:
    """Ten rows vanish before the second page, which then begins behind the first one's end: a step of twenty back finds it."""
    shelf = Shelf(rows(*range(100)))
    snapshot = read(shelf, [52, 53, 54, 120], range(10))
    assert shelf.offsets[:3] == [0, 45, 25]
    assert snapshot.gone == {"nb120"}
    assert set(snapshot.seen) == {"nb52", "nb53", "nb54"}


def test_a_listing_that_shrinks_below_the_next_page_is_followed_back() -> None:
    """Between the pages seventy of ninety rows vanish: the second page is empty, and that proves nothing by itself."""
    shelf = Shelf(rows(*range(90)))
    snapshot = read(shelf, [15, 95], range(20, 90))
    assert snapshot.complete
    assert snapshot.gone == {"nb95"}


def test_a_joint_within_one_moment_of_creation_is_none() -> None:
    """Sixty rows share a date: their order may be any at each page, so no page within them can be joined to another."""
    shelf = Shelf([row(number, minutes=0) for number in range(60)])
    snapshot = read(shelf, [70])
    assert (snapshot.complete, snapshot.gone) == (False, frozenset())
    assert not snapshot.hopeless


def test_a_listing_that_vanishes_faster_than_it_is_read_proves_nothing() -> None:
    """Sixty rows go and sixty come between any two of its pages: after fifteen pages it is left alone."""
    shelf = Shelf(rows(*range(200)))
    snapshot = Snapshot(["nb1"])
    for turn in range(15):
        assert snapshot.flaw == ""
        snapshot.take(shelf.page(snapshot.offset))
        shelf.rows = [*shelf.rows[60:], *rows(*range(200 + 60 * turn, 260 + 60 * turn))]
    snapshot.take(shelf.page(snapshot.offset))
    assert snapshot.flaw == "its rows vanish faster than they can be read"
    assert (snapshot.hopeless, snapshot.gone) == (False, frozenset())


@pytest.mark.parametrize(
    ("page", "flaw"),
    [
        (Page(tuple(rows(1, 2)), 2), "the cloud does not sort it"),
        (Page(tuple(rows(2, 1)), 2, oldest_first=True), "it is not in the order of creation"),
        (Page((row(1), MalformedRow(None, None, "x")), 2, oldest_first=True), "a row has no id"),
        (Page((replace(row(1), created_at=None),), 1, oldest_first=True), "a row has no date of creation"),
    ],
)
def test_without_a_sure_order_nothing_is_proven(page: Page, flaw: str) -> None:
    """Another reading would prove no more."""
    snapshot = Snapshot(["nb9"])
    snapshot.take(page)
    assert (snapshot.flaw, snapshot.hopeless, snapshot.gone) == (flaw, True, frozenset())


def test_fewer_rows_than_the_cloud_counts_prove_nothing() -> None:
    """The second page shows one row of its own too few: the count of 51 gives it away."""
    snapshot = Snapshot(["nb50"])
    snapshot.take(Page(tuple(rows(*range(50))), 51, oldest_first=True))
    snapshot.take(Page((*rows(*range(45, 50)), row(49)), 51, oldest_first=True))
    assert snapshot.flaw == "50 rows were read, and the cloud counts 51"
    assert (snapshot.hopeless, snapshot.gone) == (False, frozenset())


def test_a_page_rounded_down_proves_nothing() -> None:
    """From row 45 the cloud shows the first page again, while one of 51 vanishes: 50 ids are as many as it counts then."""
    snapshot = Snapshot(["nb50"])
    snapshot.take(Page(tuple(rows(*range(50))), 51, oldest_first=True))
    snapshot.take(Page(tuple(rows(*range(1, 51))), 50, oldest_first=True))
    assert snapshot.flaw == "its pages do not begin at the requested rows"
    assert (snapshot.hopeless, snapshot.gone) == (True, frozenset())


def test_small_pages_are_joined_likewise() -> None:
    """Pages of ten overlap by five: 32 rows take seven of them, and prove who is gone."""
    shelf = Shelf(rows(*(number for number in range(33) if number != 20)), size=10)
    snapshot = read(shelf, [20, 21])
    assert (set(snapshot.gone), set(snapshot.seen)) == ({"nb20"}, {"nb21"})
    assert shelf.offsets == [0, 5, 10, 15, 20, 25]
    assert pages_for(32, 10) == 6


def test_an_empty_page_where_rows_are_counted_proves_nothing() -> None:
    """A cloud that counts rows and shows none is not believed."""
    snapshot = Snapshot(["nb9"])
    snapshot.take(Page((), 3, oldest_first=True))
    assert snapshot.flaw == "a page is empty where the cloud counts more rows"
    assert snapshot.gone == frozenset()


def test_a_row_that_cannot_be_read_is_there_all_the_same() -> None:
    """Its id is enough to know that it has not gone."""
    listing: list[Notebook | MalformedRow] = [row(1), MalformedRow("nb2", "x", "status is not one of the API's")]
    snapshot = read(Shelf(listing), [2, 3])
    assert snapshot.gone == {"nb3"}
    assert not snapshot.seen


@pytest.mark.parametrize(("count", "pages"), [(0, 1), (50, 1), (51, 2), (95, 2), (96, 3), (1000, 23)])
def test_the_pages_of_a_snapshot_are_counted_beforehand(count: int, pages: int) -> None:
    """Each page after the first brings fifty rows less the overlap."""
    shelf = Shelf(rows(*range(count)))
    read(shelf, [])
    assert (pages_for(count), len(shelf.offsets), OVERLAP) == (pages, pages, 5)


def change(shelf: Shelf, dice: Random, most: int, reach: int) -> None:
    """Let some rows among the first so many vanish, and perhaps a younger one join."""
    for _ in range(min(dice.randint(0, most), len(shelf.rows))):
        del shelf.rows[dice.randrange(min(reach, len(shelf.rows)))]
    if dice.random() < 0.3:
        shelf.rows.append(row(1000 + len(shelf.offsets)))


@given(st.integers(0, 260), st.integers(0, 12), st.integers(1, 260), st.integers(0, 2**32), st.sampled_from([1, 1, 3, 30]))
def test_nobody_who_is_there_is_ever_called_gone(count: int, rate: int, reach: int, seed: int, tie: int) -> None:
    """Whatever vanishes, joins and swaps places within one date while it is read: gone are only those who are."""
    dice = Random(seed)  # noqa: S311  # repeatable, not secret
    shelf = Shelf([row(number, minutes=number // tie) for number in range(count)])
    start = dice.randrange(max(1, count))
    snapshot = Snapshot([f"nb{number}" for number in range(start, count + 40)])
    while not snapshot.complete and not snapshot.flaw:
        change(shelf, dice, rate, reach)
        shelf.rows.sort(key=lambda one: (getattr(one, "created_at", NOON), dice.random()))
        snapshot.take(shelf.page(snapshot.offset))
    there = {one.id for one in shelf.rows}
    assert not snapshot.gone & there
    if snapshot.complete:
        assert {f"nb{number}" for number in range(start, count)} & there <= snapshot.seen.keys()
