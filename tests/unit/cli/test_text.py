"""Results as programs get them."""

import json
from collections.abc import Iterator

import pytest

from nbsweep.cli.documents import Document, Series
from nbsweep.cli.text import json_pieces, json_text

FLAT: Document = {
    "name": 'x\x1b[31m\u2028"\\',
    "none": None,
    "number": 1.5,
    "empty": [],
    "nothing": {},
    "deep": {"a": [1, {"b": 2}]},
}


def series(documents: list[Document]) -> Series:
    """Give a series of them."""
    return Series(lambda: iter(documents))


@pytest.mark.parametrize("documents", [[], [{"id": "a", "deep": {"b": [1, 2]}}], [{"id": "a"}, {}, {"id": "c"}]])
def test_a_series_is_laid_out_as_a_list(documents: list[Document]) -> None:
    """Nobody can tell that it was written piece by piece."""
    written = json_text({"before": 1, "results": series(documents), "after": {"more": []}})
    assert written == json.dumps({"before": 1, "results": documents, "after": {"more": []}}, indent=2)


@pytest.mark.parametrize("document", [{}, [], [{"a": [1]}, {}], FLAT])
def test_a_document_is_laid_out_as_ever(document: object) -> None:
    """Two blanks for each level, every script as it is, and what acts on a terminal escaped."""
    plain = json.dumps(document, indent=2, ensure_ascii=False)
    assert json_text(document) == plain.replace("\u2028", "\\u2028")
    assert json.loads(json_text(document)) == document


def test_the_documents_of_a_series_are_made_one_by_one() -> None:
    """The report of tens of thousands is never there as a whole."""
    made = 0

    def documents() -> Iterator[Document]:
        nonlocal made
        for made in range(1, 101):
            yield {"number": made}

    numbers = (piece for piece in json_pieces({"results": Series(documents)}) if '"number"' in piece)
    for expected, piece in enumerate(numbers, start=1):
        assert f'"number": {expected}\n' in piece
        assert made == expected
    assert made == 100


def test_a_series_can_be_gone_through_again() -> None:
    """A plan is saved in a file, and shown too."""
    document = {"items": series([{"id": "a"}])}
    assert json_text(document) == json_text(document)
