"""Writes documents as CSV for spreadsheets: one line for each, and no cell is a formula."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence

from nbsweep.documents.base import Document, members

FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""Characters that start a formula in spreadsheets; the last four are the wide forms of the first."""


def one_line(value: object) -> str:
    """Return a value as text on one line, without characters that control the display."""
    written = str(value)
    return written if written.isprintable() else "".join(each if each.isprintable() else "\ufffd" for each in written)


def csv_pieces(items: Iterable[Document], columns: Sequence[str], written: Callable[[object], str] = one_line) -> Iterator[str]:
    """Yield a header, and then a line for each item; `written` returns a value as text on one line."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    yield _taken(stream)
    for item in items:
        writer.writerow({key: "" if value is None else _field(value, written) for key, value in members(item)})
        yield _taken(stream)


def _taken(stream: io.StringIO) -> str:
    text = stream.getvalue()
    stream.seek(0)
    stream.truncate()
    return text


def _field(value: object, written: Callable[[object], str]) -> str:
    """Return a value for a spreadsheet: a text that looks like a formula gets an apostrophe, which makes it text."""
    text = written(value)
    return f"'{text}" if isinstance(value, str) and text.lstrip().startswith(FORMULA) else text
