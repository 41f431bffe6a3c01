import pytest

from nbsweep.core.listing.paging import Offsets, Paging, judge_number, judge_offset
from nbsweep.core.model import MalformedRow, Notebook, Page, Status


def page(*numbers: int, total: int = 120) -> Page:
    """Return a page with these rows."""
    return Page(tuple(Notebook(f"nb{number}", Status.STOPPED) for number in numbers), total)


FIRST = page(*range(50))


@pytest.mark.parametrize(
    ("later", "meaning"),
    [
        (page(*range(25, 75)), Offsets.ROWS),
        (page(*range(28, 78), total=117), Offsets.ROWS),
        (page(*range(50)), Offsets.WHOLE_PAGES),
        (page(*range(3, 53), total=117), Offsets.WHOLE_PAGES),
        (page(), Offsets.PAGE_NUMBERS),
        (page(*range(1250, 1300), total=5000), Offsets.PAGE_NUMBERS),
        (page(total=0), Offsets.UNKNOWN),
    ],
)
def test_the_page_in_the_middle_of_the_first_one_tells_what_an_offset_means(later: Page, meaning: Offsets) -> None:
    """Rows that vanish meanwhile move it by a few, and change nothing; a listing that has vanished tells nothing."""
    assert judge_offset(FIRST, later, 25) is meaning


@pytest.mark.parametrize(
    ("second", "found"),
    [
        (page(*range(50, 100)), Paging(Offsets.PAGE_NUMBERS, 50, 0)),
        (page(*range(50)), Paging(Offsets.PAGE_NUMBERS, 50, 1)),
        (page(), Paging()),
        (page(*range(1, 51)), Paging()),
    ],
)
def test_page_numbers_begin_with_0_or_with_1(second: Page, found: Paging) -> None:
    """Offset 1 shows the second page, or the first one; where it shows neither, offsets are no page numbers."""
    assert judge_number(Paging(), FIRST, second) == found


def test_rows_without_an_id_tell_nothing_by_themselves() -> None:
    """The first row that both pages name is what counts."""
    nameless = MalformedRow(None, None, "odd")
    first = Page((nameless, *FIRST.rows[1:]), 120)
    assert judge_offset(first, Page((nameless, *FIRST.rows[26:]), 120), 25) is Offsets.ROWS
    assert judge_offset(first, first, 25) is Offsets.WHOLE_PAGES


@pytest.mark.parametrize(
    ("paging", "sent"),
    [
        (Paging(), [0, 20, 45, 100]),
        (Paging(Offsets.ROWS, 20), [0, 20, 45, 100]),
        (Paging(Offsets.WHOLE_PAGES, 20), [0, 20, 45, 100]),
        (Paging(Offsets.PAGE_NUMBERS, 20), [0, 1, 2, 5]),
        (Paging(Offsets.PAGE_NUMBERS, 20, 1), [1, 2, 3, 6]),
    ],
)
def test_a_row_becomes_what_the_cloud_takes_for_an_offset(paging: Paging, sent: list[int]) -> None:
    """A page number, where it takes those."""
    assert [paging.offset_of(row) for row in (0, 20, 45, 100)] == sent
