"""Results as programs get them."""

import json
from collections.abc import Iterator

import msgspec
import pytest
from msgspec import UNSET, UnsetType, field

from nbsweep.cli.text import ascii_json, csv_text, is_utf8, json_pieces, json_text, printable
from nbsweep.documents.base import Document, Series


class Row(Document, frozen=True):
    """One entry of a series."""

    id: str
    deep: dict[str, list[int]] | UnsetType = UNSET


class Whole(Document, frozen=True):
    """A document with a series in it."""

    before: int
    results: Series[Row]
    after: dict[str, list[int]]


class Priced(Document, frozen=True):
    """What becomes a line of CSV."""

    name: str
    gb: int


class Keyword(Document, frozen=True):
    """A key that is a word of Python."""

    given: int = field(name="from")
    left_out: int | UnsetType = UNSET


FLAT: dict[str, object] = {
    "name": 'x\x1b[31m\u2028"\\',
    "none": None,
    "number": 1.5,
    "empty": [],
    "nothing": {},
    "deep": {"a": [1, {"b": 2}]},
}


@pytest.mark.parametrize("rows", [[], [Row("a", {"b": [1, 2]})], [Row("a"), Row("b"), Row("c")]])
def test_a_series_is_laid_out_as_a_list(rows: list[Row]) -> None:
    """Nobody can tell that it was written piece by piece."""
    written = json_text(Whole(1, Series(lambda: iter(rows)), {"more": []}))
    plain = {"before": 1, "results": [msgspec.to_builtins(row) for row in rows], "after": {"more": []}}
    assert written == json.dumps(plain, indent=2)


def test_a_document_has_its_json_names_and_no_key_without_a_value() -> None:
    """As msgspec writes it."""
    assert json_text(Keyword(1)) == '{\n  "from": 1\n}'


@pytest.mark.parametrize("document", [{}, [], [{"a": [1]}, {}], FLAT])
def test_a_document_is_laid_out_as_ever(document: object) -> None:
    """Two blanks for each level, every script as it is, and what acts on a terminal escaped."""
    plain = json.dumps(document, indent=2, ensure_ascii=False)
    assert json_text(document) == plain.replace("\u2028", "\\u2028")
    assert json.loads(json_text(document)) == document


def test_the_documents_of_a_series_are_made_one_by_one() -> None:
    """The report of tens of thousands is never there as a whole."""
    made = 0

    def rows() -> Iterator[Row]:
        nonlocal made
        for made in range(1, 101):
            yield Row(f"nb{made}")

    ids = (piece for piece in json_pieces(Whole(1, Series(rows), {})) if '"id"' in piece)
    for expected, piece in enumerate(ids, start=1):
        assert f'"id": "nb{expected}"\n' in piece
        assert made == expected
    assert made == 100


def test_a_series_can_be_gone_through_again() -> None:
    """A plan is saved in a file, and shown too."""
    rows = [Row("a"), Row("b")]
    series = Series(lambda: iter(rows))
    assert list(series) == list(series) == rows
    assert len(series) == 2
    assert Row("b") in series


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("=1+1", "'=1+1"),
        ("=HYPERLINK(A1)", "'=HYPERLINK(A1)"),
        ("+cmd", "'+cmd"),
        ("-2+3", "'-2+3"),
        ("@SUM(A1)", "'@SUM(A1)"),
        (" =1+1", "' =1+1"),
        ("\t=1", "\ufffd=1"),
        ("\r=1", "\ufffd=1"),
        ("\uff1d1+1", "'\uff1d1+1"),
        ("a=b-c", "a=b-c"),
        ("a\u202eb", "a\ufffdb"),
    ],
)
def test_no_name_is_a_formula_in_a_spreadsheet(name: str, written: str) -> None:
    """An apostrophe makes it text; numbers of our own stay numbers."""
    assert csv_text([Priced(name, -5)], ["name", "gb"]) == f"name,gb\n{written},-5"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("::error::pwned", "\ufffd:error::pwned"),
        ("  ::add-mask::x", "  \ufffd:add-mask::x"),
        ("##[error]x", "\ufffd#[error]x"),
        ("a ##vso[task.setvariable]x", "a \ufffd#vso[task.setvariable]x"),
        ("a::b", "a::b"),
        ("## heading", "## heading"),
        ("a\u200bb\x1b]8;;http://x\x07", "a\ufffdb\ufffd]8;;http://x\ufffd"),
    ],
)
def test_no_name_gives_orders_to_what_shows_it(name: str, shown: str) -> None:
    """Neither to a terminal nor to a CI system that reads the output of a job."""
    assert printable(name) == shown


def test_json_for_other_encodings_is_ascii_and_says_the_same() -> None:
    """Signs beyond the first plane come as two escapes."""
    text = json_text({"name": "na\u00efve \u7b14\U0001f389"})
    assert ascii_json(text).isascii()
    assert json.loads(ascii_json(text)) == json.loads(text)
    assert [is_utf8(name) for name in ("utf-8", "UTF8", "utf_8", "ascii", "latin-1")] == [True, True, True, False, False]
