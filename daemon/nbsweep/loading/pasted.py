"""Policies that somebody pasted into a page, as text in, Settings out.

The text is other people's: no variable of the environment is put into it, and no file that it names is opened.
"""

from collections.abc import Iterator, Mapping

import yaml
from msgspec.structs import replace
from pydantic import ValidationError

from nbsweep.core.errors import ConfigurationError, Mistake
from nbsweep.loading.nodes import line_of, root_node
from nbsweep.loading.reader import Location, Reader, path_of
from nbsweep.settings import Settings, problems
from nbsweep.settings.fields.scalars import REFERENCE
from nbsweep.settings.pasted import PASTED, with_pasted

SOURCE = "the pasted text"
LARGEST_BYTES = 65_536
NO_RULE = f"cannot be tried here: the text may hold only {', '.join(PASTED)}"
NO_VARIABLE = "holds a ${...}: variables are not put into pasted text. Write the value itself, or $${ for the signs"
NO_FILE = "names a file, and no file is read for pasted text: write the days as extra_closed and extra_open"
NO_NULL = "must not be null: leave the key out to try what is in force"
EMPTY = "is empty: paste at least one policy, under the key policies"
DAYS_FILE = ("calendar", "file")


def read_pasted(text: str, current: Settings) -> Settings:
    """Return the configuration in force with the groups of the text in place of its own; only good for trying its rules.

    Raises:
        ConfigurationError: the text cannot be used; holds every mistake that was found, with line and column.
    """
    if len(text.encode("utf-8", "replace")) > LARGEST_BYTES:
        raise _error(Mistake("", None, f"the text is larger than {LARGEST_BYTES} bytes"))
    try:
        node = root_node(SOURCE, text)
        reader = Reader(SOURCE, {}, needs_credentials=False)
        # A text with references is not read: without variables, each of them would be a mistake of another kind.
        references = list(_references(node))
        given = None if references else reader.read(node)
    except ConfigurationError as error:
        raise _error(*map(_of_text, error.mistakes)) from None
    if references:
        raise _error(*references)
    columns = dict(_columns(node))
    values = given if isinstance(given, Mapping) else {}
    return _settled(values, current, reader, columns)


def _settled(values: Mapping[str, object], current: Settings, reader: Reader, columns: Mapping[str, int]) -> Settings:
    """Return the settings if there is no mistake at all.

    Raises:
        ConfigurationError: there is one.
    """
    made: Settings | None = None
    found = [*reader.mistakes, *_strange(values, reader.lines)]
    try:
        made = with_pasted(current, _allowed(values))
    except ValidationError as error:
        found += reader.placed(problems(error))
    if made is not None and not found:
        return made
    # What is missing is told where the group begins that lacks it.
    placed = [replace(each, column=columns.get(each.path, columns.get(each.path.rpartition(".")[0]))) for each in found]
    raise _error(*sorted(placed, key=lambda mistake: mistake.line or 0))


def _strange(values: Mapping[str, object], lines: Mapping[str, int]) -> Iterator[Mistake]:
    """Yield the keys that have no place in pasted text."""
    if not values:
        yield Mistake("", None, f"the text {EMPTY}")
    for key in values:
        if values[key] is None:
            yield Mistake(path_of((key,)), lines.get(path_of((key,))), NO_NULL)
        if key not in PASTED:
            yield Mistake(path_of((key,)), lines.get(path_of((key,))), NO_RULE)
    calendar = values.get(DAYS_FILE[0])
    if isinstance(calendar, Mapping) and DAYS_FILE[1] in calendar:
        yield Mistake(path_of(DAYS_FILE), lines.get(path_of(DAYS_FILE)), NO_FILE)


def _allowed(values: Mapping[str, object]) -> Mapping[str, object]:
    """Return the groups of rules, without the name of a file."""
    allowed = {key: value for key, value in values.items() if key in PASTED}
    calendar = allowed.get(DAYS_FILE[0])
    if isinstance(calendar, Mapping):
        allowed[DAYS_FILE[0]] = {key: value for key, value in calendar.items() if key != DAYS_FILE[1]}
    return allowed


def _references(node: yaml.Node) -> Iterator[Mistake]:
    """Yield each value or key with a reference to a variable. A node that several aliases name is looked at once."""
    seen: set[int] = set()
    waiting = [node]
    while waiting:
        each = waiting.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        if isinstance(each, yaml.ScalarNode):
            if any(found[0] != "$${" for found in REFERENCE.finditer(each.value)):
                yield Mistake("", line_of(each), f"the text {NO_VARIABLE}", _column_of(each))
        elif isinstance(each, yaml.MappingNode):
            waiting += [part for pair in reversed(each.value) for part in reversed(pair)]
        else:
            waiting += reversed(each.value)


def _columns(node: yaml.Node, at: Location = ()) -> Iterator[tuple[str, int]]:
    """Yield the column of each place. The reader has been through all of them, and has refused what grows too large."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode):
                yield path_of((*at, key.value)), _column_of(key)
                yield from _columns(value, (*at, key.value))
    elif isinstance(node, yaml.SequenceNode):
        for place, item in enumerate(node.value):
            yield path_of((*at, place)), _column_of(item)
            yield from _columns(item, (*at, place))


def _column_of(node: yaml.Node) -> int:
    return int(node.start_mark.column) + 1


def _of_text(mistake: Mistake) -> Mistake:
    """Return a mistake in the words for a text; it may be the empty one."""
    if mistake.line is None and "empty" in mistake.problem:
        return replace(mistake, problem=f"the text {EMPTY}")
    return replace(mistake, problem=mistake.problem.replace("the file", "the text")) if not mistake.path else mistake


def _error(*mistakes: Mistake) -> ConfigurationError:
    return ConfigurationError(SOURCE, mistakes)
