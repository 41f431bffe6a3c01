"""Writes results as plain text, JSON and CSV. Tables for people are in `views`, which needs rich."""

import codecs
import json
import re
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from nbsweep.documents import spreadsheet
from nbsweep.documents.base import Document, Series, members

INDENT = "  "


ORDER_TO_CI = re.compile(r"^(\s*):(?=:)|#(?=#[\w.]*\[)")
"""Commands that GitHub Actions (`::name::`, `##[name]`) and Azure Pipelines (`##vso[name]`) execute when a job prints them."""


def printable(text: object) -> str:
    """Replace characters that would control a terminal or a CI system: names come from other people."""
    written = str(text)
    if not written.isprintable():
        written = "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in written)
    if "::" in written or "##" in written:
        return ORDER_TO_CI.sub("\\1\N{REPLACEMENT CHARACTER}", written)
    return written


def json_text(document: object) -> str:
    """Return a document as JSON, with terminal control characters escaped."""
    return "".join(json_pieces(document))


def json_pieces(document: object) -> Iterator[str]:
    """Yield a document as `json_text` writes it, piece by piece, so that a long series is never in memory at once."""
    if not isinstance(document, Document):
        yield _dumped(document)
        return
    begin = "{"
    for key, value in members(document):
        yield f"{begin}\n{INDENT}{_dumped(key)}: "
        yield from _list(value) if isinstance(value, Series) else (_deeper(_dumped(value), 1),)
        begin = ","
    yield "\n}"


def _list(series: Series[Document]) -> Iterator[str]:
    begin = "["
    for document in series:
        yield f"{begin}\n{INDENT * 2}{_deeper(_dumped(document), 2)}"
        begin = ","
    yield "[]" if begin == "[" else f"\n{INDENT}]"


def _deeper(text: str, levels: int) -> str:
    return text.replace("\n", f"\n{INDENT * levels}")


def _dumped(value: object) -> str:
    text = msgspec.json.format(msgspec.json.encode(value), indent=len(INDENT)).decode()
    # JSON strings hold no line ends, so each line can be checked separately; few lines need escapes.
    lines = text.split("\n")
    if "".join(lines).isprintable():
        return text
    return "\n".join(line if line.isprintable() else _escaped(line) for line in lines)


def _escaped(line: str) -> str:
    return "".join(each if each.isprintable() else json.dumps(each)[1:-1] for each in line)


def is_utf8(encoding: str) -> bool:
    """Return whether the name is one of the names of UTF-8."""
    return codecs.lookup(encoding).name == "utf-8"


def ascii_json(piece: str) -> str:
    """Escape non-ASCII characters for streams whose encoding is not UTF-8, because JSON must be UTF-8."""
    return piece if piece.isascii() else "".join(each if each.isascii() else json.dumps(each)[1:-1] for each in piece)


def ascii_html(page: str) -> str:
    """Replace non-ASCII characters by references for streams whose encoding is not UTF-8, because the page says that it is."""
    return page.encode("ascii", "xmlcharrefreplace").decode()


def csv_text(items: Iterable[Document], columns: Sequence[str]) -> str:
    """Return the items of a plan as CSV with a header; every item is one line, and no cell is a formula."""
    return "".join(csv_pieces(items, columns)).rstrip("\n")


def csv_pieces(items: Iterable[Document], columns: Sequence[str]) -> Iterator[str]:
    """Yield items as `csv_text` writes them, line by line."""
    return spreadsheet.csv_pieces(items, columns, printable)
