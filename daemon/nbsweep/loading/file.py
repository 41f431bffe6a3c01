"""The configuration file and the environment in, Settings out; or every mistake at once, each with its place.

A `${NAME}` is replaced after the YAML has been read, so that what a variable holds cannot change the file's structure.
No mistake quotes a value: it may be a secret.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

import yaml
from pydantic import ValidationError

from nbsweep.core.errors import ConfigurationError, Mistake
from nbsweep.loading.vendor import with_vendor_names
from nbsweep.settings import Problem, Settings, problems
from nbsweep.settings.fields.paths import at_home
from nbsweep.settings.fields.scalars import INTEGER, PLAIN_NUMBER, REFERENCE, SCALARS, is_unicode, tag_of, value_of

Location = tuple[int | str, ...]

USUAL_PLACES = (Path("nbsweep.yaml"), Path("/etc/nbsweep/nbsweep.yaml"))
LARGEST_BYTES = 1_048_576
DEEPEST = 40
MOST_NODES = 50_000
"""Of the file with its aliases followed, so that a few lines cannot fill the memory."""

INSIDE = re.compile(r"(?P<name>[A-Za-z_][A-Za-z0-9_]*)(:-(?P<default>.*))?", re.DOTALL)


def find_config(option: Path | None, environment: Mapping[str, str]) -> Path:
    """Return the configuration file: from the option, the environment, or the first that exists in the usual places.

    Raises:
        ConfigurationError: none is named, and none is there.
    """
    named = option or environment.get("NBSWEEP_CONFIG")
    if named:
        with suppress(ValueError):
            return Path(at_home(str(named)))
        return Path(named)
    for path in USUAL_PLACES:
        if _is_there(path):
            return path
    places = " and ".join(str(path) for path in USUAL_PLACES)
    problem = f"there is no file: looked for {places}; write one, or name it with --config or in $NBSWEEP_CONFIG"
    raise ConfigurationError("the configuration", (Mistake("", None, problem),))


def _is_there(path: Path) -> bool:
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        # It may be there and unreadable; passing over it would quietly take another one.
        return True
    return True


def load_settings(path: Path, environment: Mapping[str, str]) -> Settings:
    """Read the file, put the environment in, and check everything.

    Raises:
        ConfigurationError: it cannot be used; holds every mistake that was found.
    """
    return read_settings(str(path), _text(path), environment)


def read_settings(source: str, text: str, environment: Mapping[str, str]) -> Settings:
    """Read the text of a configuration, put the environment in, and check everything; `source` is its name in mistakes.

    Raises:
        ConfigurationError: it cannot be used; holds every mistake that was found.
    """
    reader = _Reader(source, environment)
    made = _validated(with_vendor_names(reader.read(_root(source, text)), environment))
    if isinstance(made, Settings) and not reader.mistakes:
        return made
    found = [] if isinstance(made, Settings) else reader.placed(made)
    raise ConfigurationError(source, tuple(sorted([*reader.mistakes, *found], key=lambda mistake: mistake.line or 0)))


def _validated(values: object) -> Settings | list[Problem]:
    """Return what is wrong instead of raising it: pydantic's error holds all that was given, secrets included."""
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        return list(problems(error))


# ---- the file --------------------------------------------------------------------------------------------------------------


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_BYTES + 1)
    except OSError as error:
        raise _refusal(str(path), None, f"the file cannot be read: {error.strerror or 'unknown reason'}") from error
    if len(content) > LARGEST_BYTES:
        raise _refusal(str(path), None, f"the file is larger than {LARGEST_BYTES} bytes, and no configuration is")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise _refusal(str(path), line, "the file is not UTF-8 text; save it as UTF-8") from None


def _root(source: str, text: str) -> yaml.MappingNode:
    try:
        node = _Loader(text).get_single_node()
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise _refusal(source, line, "the file holds a control character, which YAML does not allow") from None
    except yaml.MarkedYAMLError as error:
        raise _not_yaml(source, text, error) from None
    if node is None:
        raise _refusal(source, None, "the file is empty; it needs targets and policies at the least")
    if not isinstance(node, yaml.MappingNode):
        raise _refusal(source, _line(node), "the file must be a mapping with keys such as targets and policies")
    return node


class _Loader(yaml.SafeLoader):
    """Reads YAML into nodes, and not too deep, because PyYAML goes down by recursion."""

    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        self.depth += 1
        if self.depth > DEEPEST:
            raise yaml.composer.ComposerError(None, None, "it is nested too deeply", parent.start_mark if parent else None)
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


def _not_yaml(source: str, text: str, error: yaml.MarkedYAMLError) -> ConfigurationError:
    words = ", ".join(part for part in (error.context, error.problem) if part)
    # Longer quotations are names of anchors and tags, and a secret without quotation marks can look like one.
    words = re.sub(r" '(?![<\\])[^']{2,}'", "", words)
    mark = error.problem_mark or error.context_mark
    if mark is None:
        return _refusal(source, None, f"the file is not YAML: {words}")
    around = text.splitlines()[mark.line : mark.line + 1]
    hint = '; inside {...} and [...] put quotes around "${NAME}"' if any("${" in line for line in around) else ""
    hint = "; indent with spaces, not with tabs" if r"'\t'" in words else hint
    return _refusal(source, mark.line + 1, f"the file is not YAML at column {mark.column + 1}: {words}{hint}")


def _refusal(source: str, line: int | None, problem: str) -> ConfigurationError:
    return ConfigurationError(source, (Mistake("", line, problem),))


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


# ---- its values ------------------------------------------------------------------------------------------------------------


class _Reader:
    """Turns nodes into values, and remembers where each stands and what was wrong with it."""

    def __init__(self, source: str, environment: Mapping[str, str]) -> None:
        self.mistakes: list[Mistake] = []
        self._source = source
        self._environment = environment
        self._lines: dict[Location, int] = {(): 1}
        self._spoiled: set[Location] = set()
        self._incomplete: set[Location] = set()
        self._nodes = 0

    def placed(self, found: Iterable[Problem]) -> Iterator[Mistake]:
        """Find the lines of problems, leaving out values whose mistake is known already."""
        for problem in found:
            at, line = self._place(problem.location)
            spoiled = any(at[:length] in self._spoiled for length in range(1, len(at) + 1))
            if not spoiled and at not in self._incomplete:
                yield Mistake(_path(at), line, problem.message)

    def _place(self, location: Location) -> tuple[Location, int]:
        at: Location = ()
        line = self._lines[at]
        for step in location:
            line = self._lines.get((*at, step), line)
            # A position that is not in the file belongs to a single value that stands for a list.
            if isinstance(step, str) or (*at, step) in self._lines:
                at = (*at, step)
        return at, line

    def read(self, node: yaml.Node, at: Location = ()) -> object:
        self._nodes += 1
        if self._nodes > MOST_NODES or len(at) > DEEPEST:
            raise _refusal(self._source, _line(node), "the file grows too large or too deep when its aliases (*) are followed")
        match node:
            case yaml.MappingNode(tag="tag:yaml.org,2002:map"):
                return {key: self.read(value, (*at, key)) for key, value in self._entries(node, at)}
            case yaml.SequenceNode(tag="tag:yaml.org,2002:seq"):
                return [self.read(item, (*at, place)) for place, item in self._items(node, at)]
            case yaml.ScalarNode(tag=tag) if tag in SCALARS:
                return self._scalar(node, at)
        self._spoil(at, "has a tag (!), which means nothing here")
        return None

    def _items(self, node: yaml.SequenceNode, at: Location) -> Iterator[tuple[int, yaml.Node]]:
        for place, item in enumerate(node.value):
            self._lines[(*at, place)] = _line(item)
            yield place, item

    def _entries(self, node: yaml.MappingNode, at: Location) -> Iterator[tuple[str, yaml.Node]]:
        for key, value in node.value:
            place = (*at, key.value if isinstance(key, yaml.ScalarNode) else "")
            if not isinstance(key, yaml.ScalarNode) or not is_unicode(key.value):
                self._drop_entry(at, _line(key), "has a key that is no text")
            elif key.tag == "tag:yaml.org,2002:merge":
                self._drop_entry(at, _line(key), "has a merge key (<<), which is not read here; write the keys out")
            elif place in self._lines:
                self._note(place, _line(key), f"is given twice; the first time is line {self._lines[place]}")
            else:
                self._lines[place] = _line(key)
                yield key.value, value

    def _scalar(self, node: yaml.ScalarNode, at: Location) -> object:
        failures: list[str] = []
        text = REFERENCE.sub(lambda found: self._variable(found, failures), node.value)
        if not failures and not text and node.style is None:
            failures.append("has no value; give one, or leave the key out, or write null where that is allowed")
        if not is_unicode(text):
            failures.append("is no Unicode text: it holds half a character")
        tag = tag_of(node, text)
        if tag == INTEGER and not failures and not PLAIN_NUMBER.fullmatch(text):
            failures.append(
                "is a number that is not written in plain decimal digits: to YAML 010 is octal, and 1:40 counts in sixties; "
                "write it in plain decimal digits, or put it in quotes where text is meant"
            )
        for failure in failures:
            self._spoil(at, failure)
        return None if failures else value_of(tag, text)

    def _variable(self, found: re.Match[str], failures: list[str]) -> str:
        if found[0] == "$${":
            return "${"
        inside = INSIDE.fullmatch(found["inside"] or "")
        if inside is None or "${" in (inside["default"] or ""):
            failures.append(
                "holds a ${ that is no reference; write ${NAME} or ${NAME:-default}, or $${ for the signs themselves"
            )
            return ""
        value, default = self._environment.get(inside["name"]), inside["default"]
        if value is None and default is None:
            failures.append(f"the environment variable {inside['name']} is not set")
        return value or default or ""

    def _drop_entry(self, at: Location, line: int, problem: str) -> None:
        self._incomplete.add(at)
        self._note(at, line, problem)

    def _spoil(self, at: Location, problem: str) -> None:
        self._spoiled.add(at)
        self._note(at, self._lines[at], problem)

    def _note(self, at: Location, line: int, problem: str) -> None:
        self.mistakes.append(Mistake(_path(at), line, problem))


def _path(location: Location) -> str:
    steps = (f"[{step}]" if isinstance(step, int) else f".{_key(step)}" for step in location)
    return "".join(steps).removeprefix(".")


def _key(text: str) -> str:
    """Return a key for an error message, masked if it looks like an address, which may contain a password."""
    return "***" if any(sign in text for sign in ("@", "://", "password=")) else text
