"""The text of the owners' file in, rows out: YAML and CSV, with the line of each row."""

import codecs
import csv
import io
from collections.abc import Iterator
from typing import Any

import yaml

from nbsweep.adapters.owners.rows import FIELDS, FileMistake, Row, quoted

OWNER = "owner"
"""The column of a CSV file that holds the IAM name or id."""
WIDE = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
SEPARATORS = {";": "semicolons", "\t": "tabs"}
LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The loader in C is about ten times as fast, and may be missing."""
DEEPEST = 8
EXAMPLE = "alice: {email: alice@example.com}"

Item = Row | FileMistake


class UnreadableFile(Exception):
    """The file as a whole cannot be read."""

    def __init__(self, line: int | None, problem: str) -> None:
        """Store what is wrong, and where."""
        super().__init__(problem)
        self.mistake = FileMistake(line, problem)


def decode(content: bytes) -> str:
    """Return the text of a file; a byte order mark of UTF-8, which spreadsheets write, is left out.

    Raises:
        UnreadableFile: it is not UTF-8.
    """
    if content.startswith(WIDE):
        raise UnreadableFile(None, "the file is UTF-16; save it as UTF-8 (in a spreadsheet: `CSV UTF-8`)")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
    problem = "the file is not UTF-8 text; save it as UTF-8 (in a spreadsheet: `CSV UTF-8`)"
    try:
        content.decode("gbk")
    except UnicodeDecodeError:
        raise UnreadableFile(line, problem) from None
    raise UnreadableFile(line, f"{problem}; it seems to be GBK, which spreadsheets write as plain `CSV`")


def read_csv(text: str) -> Iterator[Item]:
    """Yield the rows of a CSV file, whose first line names the columns.

    Raises:
        UnreadableFile: it is not CSV, or its header is wrong.
    """
    lines = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = [cell.strip().casefold() for cell in next(lines, [])]
        _require_header(header)
        for cells in lines:
            if any(cell.strip() for cell in cells):
                yield _csv_row(header, cells, lines.line_num)
    except csv.Error as error:
        raise UnreadableFile(lines.line_num, f"the file is not CSV: {error}") from None


def _require_header(header: list[str]) -> None:
    known = f"the columns are {OWNER}, {', '.join(FIELDS)}"
    for separator, named in SEPARATORS.items():
        if len(header) == 1 and separator in header[0]:
            raise UnreadableFile(1, f"the columns are separated by {named}; separate them by commas")
    if OWNER not in header:
        raise UnreadableFile(1, f"the first line must name the columns, and one of them must be {OWNER}; {known}")
    for column in header:
        if column not in (OWNER, *FIELDS):
            raise UnreadableFile(1, f"{quoted(column)} is not known; {known}")
        if header.count(column) > 1:
            raise UnreadableFile(1, f"the column {column} is there twice")


def _csv_row(header: list[str], cells: list[str], line: int) -> Item:
    if len(cells) > len(header):
        return FileMistake(line, f"has {len(cells)} cells, and the first line names {len(header)} columns")
    fields = dict(zip(header, cells, strict=False))
    return Row(line, fields.pop(OWNER).strip(), fields)


def read_yaml(text: str) -> Iterator[Item]:
    """Yield the entries of a YAML file: a mapping from the owner to their fields, or to their mail address alone.

    Raises:
        UnreadableFile: it is not YAML, or not a mapping.
    """
    node = _root(text)
    if not isinstance(node, yaml.MappingNode):
        raise UnreadableFile(_line(node), f"the file must be a mapping of owners, such as `{EXAMPLE}`")
    for key, value in node.value:
        yield _yaml_row(key, value)


def _root(text: str) -> yaml.Node:
    try:
        _require_shallow(text)
        node: yaml.Node | None = yaml.compose(text, Loader=LOADER)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise UnreadableFile(mark.line + 1 if mark else None, "the file is not YAML here, or just before") from None
    except yaml.YAMLError:
        raise UnreadableFile(None, "the file is not YAML: it holds a character that YAML does not allow") from None
    if node is None:
        raise UnreadableFile(None, f"the file is empty; it must hold a mapping of owners, such as `{EXAMPLE}`")
    return node


def _require_shallow(text: str) -> None:
    """Check the depth first, because the library goes down by recursion, and in C that ends the process."""
    depth = 0
    for event in yaml.parse(text, Loader=LOADER):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            raise UnreadableFile(event.start_mark.line + 1 if event.start_mark else None, "the file is nested too deeply")


def _yaml_row(key: yaml.Node, value: yaml.Node) -> Item:
    line = _line(key)
    if not isinstance(key, yaml.ScalarNode) or key.tag.endswith(":merge"):
        return FileMistake(line, "the owner must be text")
    if isinstance(value, yaml.ScalarNode):
        # The text as it is written: YAML would read 0123 as another number.
        return Row(line, key.value, {"email": value.value})
    if not isinstance(value, yaml.MappingNode):
        return FileMistake(line, f"must be a mail address, or a mapping such as `{EXAMPLE}`")
    fields: dict[str, str] = {}
    for name, field in value.value:
        if not isinstance(name, yaml.ScalarNode) or not isinstance(field, yaml.ScalarNode):
            return FileMistake(_line(name), "must be a key with one value")
        if name.value in fields:
            return FileMistake(_line(name), f"{quoted(name.value)} is given twice")
        fields[name.value] = field.value
    return Row(line, key.value, fields)


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1
