"""Results as plain text, JSON and CSV, for whatever reads them. Tables for people are in `render`, which brings rich."""

import codecs
import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from nbsweep.documents.reports import Document, Series

INDENT = "  "


ORDER_TO_CI = re.compile(r"^(\s*):(?=:)|#(?=#[\w.]*\[)")
"""What GitHub Actions (`::name::`, `##[name]`) and Azure Pipelines (`##vso[name]`) carry out when a job prints it."""
FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What spreadsheets take the beginning of a formula for; the last four are the wide forms of the first."""


def printable(text: object) -> str:
    """Replace what would act on a terminal or a CI system rather than be seen: names come from other people."""
    written = str(text)
    if not written.isprintable():
        written = "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in written)
    if "::" in written or "##" in written:
        return ORDER_TO_CI.sub("\\1\N{REPLACEMENT CHARACTER}", written)
    return written


def json_text(document: object) -> str:
    """Write a document, readable in any script; what would act on a terminal is escaped."""
    return "".join(json_pieces(document))


def json_pieces(document: object) -> Iterator[str]:
    """Write a document as `json_text` does, but piece by piece: what a series holds is never there as a whole."""
    if not isinstance(document, dict):
        yield _dumped(document)
        return
    begin = "{"
    for key, value in document.items():
        yield f"{begin}\n{INDENT}{_dumped(key)}: "
        yield from _list(value) if isinstance(value, Series) else (_deeper(_dumped(value), 1),)
        begin = ","
    yield "\n}" if document else "{}"


def _list(series: Series) -> Iterator[str]:
    begin = "["
    for document in series:
        yield f"{begin}\n{INDENT * 2}{_deeper(_dumped(document), 2)}"
        begin = ","
    yield "[]" if begin == "[" else f"\n{INDENT}]"


def _deeper(text: str, levels: int) -> str:
    return text.replace("\n", f"\n{INDENT * levels}")


def _dumped(value: object) -> str:
    text = msgspec.json.format(msgspec.json.encode(value), indent=len(INDENT)).decode()
    # Line ends are never inside of a string, so every line can be looked at by itself, and hardly any needs more than a look.
    lines = text.split("\n")
    if "".join(lines).isprintable():
        return text
    return "\n".join(line if line.isprintable() else _escaped(line) for line in lines)


def _escaped(line: str) -> str:
    return "".join(each if each.isprintable() else json.dumps(each)[1:-1] for each in line)


def is_utf8(encoding: str) -> bool:
    """Tell whether that is one of the names of UTF-8."""
    return codecs.lookup(encoding).name == "utf-8"


def ascii_json(piece: str) -> str:
    """Escape what is not ASCII, for a stream of another encoding than UTF-8, in which no JSON may be."""
    return piece if piece.isascii() else "".join(each if each.isascii() else json.dumps(each)[1:-1] for each in piece)


def csv_text(items: Iterable[Document], columns: Sequence[str]) -> str:
    """Write the items of a plan as CSV with a head line; every item is one line, and none holds a formula."""
    return "".join(csv_pieces(items, columns)).rstrip("\n")


def csv_pieces(items: Iterable[Document], columns: Sequence[str]) -> Iterator[str]:
    """Write items as `csv_text` does, but line by line."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    yield _taken(stream)
    for item in items:
        writer.writerow({key: "" if value is None else _field(value) for key, value in item.items()})
        yield _taken(stream)


def _taken(stream: io.StringIO) -> str:
    text = stream.getvalue()
    stream.seek(0)
    stream.truncate()
    return text


def _field(value: object) -> str:
    """Write a value for a spreadsheet: a name that looks like a formula gets an apostrophe, which makes it text."""
    written = printable(value)
    return f"'{written}" if isinstance(value, str) and written.lstrip().startswith(FORMULA) else written
