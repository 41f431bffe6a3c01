"""YAML nodes and the environment in, plain values out; each mistake is kept with its place.

A `${NAME}` is replaced after the YAML has been read, so that what a variable holds cannot change the file's structure.
"""

import re
from collections.abc import Iterable, Iterator, Mapping

import yaml

from nbsweep.core.errors import Mistake
from nbsweep.loading.nodes import DEEPEST, line_of, refusal
from nbsweep.settings import Problem
from nbsweep.settings.fields.scalars import INTEGER, PLAIN_NUMBER, REFERENCE, SCALARS, is_unicode, tag_of, value_of

Location = tuple[int | str, ...]

MOST_NODES = 50_000
"""Of the file with its aliases followed, so that a few lines cannot fill the memory."""

INSIDE = re.compile(r"(?P<name>[A-Za-z_][A-Za-z0-9_]*)(:-(?P<default>.*))?", re.DOTALL)
UNUSED_CREDENTIALS = {"iam_endpoint": "https://iam.invalid", "agency": "metadata", "url": "https://unset.invalid"}
"""What stands for a variable that is not set, where no credentials are needed; for the other keys it is the variable's name."""


class Unreadable:
    """Stands for a value that could not be read: no field accepts it, so that no other field is judged by it."""


class Reader:
    """Turns nodes into values, and remembers where each stands and what was wrong with it."""

    def __init__(self, source: str, environment: Mapping[str, str], *, needs_credentials: bool = True) -> None:
        """Take the name of the file for mistakes, and the variables that it may refer to."""
        self.mistakes: list[Mistake] = []
        self._source = source
        self._environment = environment
        self._needs_credentials = needs_credentials
        self._lines: dict[Location, int] = {(): 1}
        self._spoiled: set[Location] = set()
        self._incomplete: set[Location] = set()
        self._from_variables: set[Location] = set()
        self._nodes = 0

    @property
    def lines(self) -> dict[str, int]:
        """The line of each place that was read."""
        return {path_of(location): line for location, line in self._lines.items()}

    def placed(self, found: Iterable[Problem]) -> Iterator[Mistake]:
        """Find the lines of problems, leaving out values whose mistake is known already."""
        for problem in found:
            at, line = self._place(problem.location)
            spoiled = any(at[:length] in self._spoiled for length in range(1, len(at) + 1))
            # Where an entry was dropped, keys that are missing may be in it.
            dropped = at in self._incomplete or (at[:-1] in self._incomplete and at not in self._lines)
            if not spoiled and not dropped:
                given = None if at in self._from_variables else problem.given
                yield Mistake(path_of(at), line, f"{given} {problem.message}" if given else problem.message)

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
        """Return the value of a node; `Unreadable` where there is a mistake.

        Raises:
            ConfigurationError: the file is too large with its aliases followed.
        """
        self._nodes += 1
        if self._nodes > MOST_NODES or len(at) > DEEPEST:
            raise refusal(self._source, line_of(node), "the file grows too large or too deep when its aliases (*) are followed")
        match node:
            case yaml.MappingNode(tag="tag:yaml.org,2002:map"):
                return {key: self.read(value, (*at, key)) for key, value in self._entries(node, at)}
            case yaml.SequenceNode(tag="tag:yaml.org,2002:seq"):
                return [self.read(item, (*at, place)) for place, item in self._items(node, at)]
            case yaml.ScalarNode(tag=tag) if tag in SCALARS:
                return self._scalar(node, at)
        self._spoil(at, "has a tag (!), which means nothing here")
        return Unreadable()

    def _items(self, node: yaml.SequenceNode, at: Location) -> Iterator[tuple[int, yaml.Node]]:
        for place, item in enumerate(node.value):
            self._lines[(*at, place)] = line_of(item)
            yield place, item

    def _entries(self, node: yaml.MappingNode, at: Location) -> Iterator[tuple[str, yaml.Node]]:
        for key, value in node.value:
            place = (*at, key.value if isinstance(key, yaml.ScalarNode) else "")
            if not isinstance(key, yaml.ScalarNode) or not is_unicode(key.value):
                self._drop_entry(at, line_of(key), "has a key that is no text")
            elif key.tag == "tag:yaml.org,2002:merge":
                self._drop_entry(at, line_of(key), "has a merge key (<<), which is not read here; write the keys out")
            elif place in self._lines:
                self._note(place, line_of(key), f"is given twice; the first time is line {self._lines[place]}")
            else:
                self._lines[place] = line_of(key)
                yield key.value, value

    def _scalar(self, node: yaml.ScalarNode, at: Location) -> object:
        failures: list[str] = []
        if "${" in node.value:
            self._from_variables.add(at)
        text = REFERENCE.sub(lambda found: self._variable(found, at, failures), node.value)
        if not failures and not text and node.style is None:
            failures.append(
                "has no value; give one, indent the lines that belong to it, leave the key out, or write null if allowed"
            )
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
        return Unreadable() if failures else value_of(tag, text)

    def _variable(self, found: re.Match[str], at: Location, failures: list[str]) -> str:
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
            if not self._needs_credentials and (at[::2][:2] == ("targets", "credentials") or at[0] == "channels"):
                return UNUSED_CREDENTIALS.get(str(at[-1]), inside["name"])
            failures.append(f"the environment variable {inside['name']} is not set")
        return value or default or ""

    def _drop_entry(self, at: Location, line: int, problem: str) -> None:
        self._incomplete.add(at)
        self._note(at, line, problem)

    def _spoil(self, at: Location, problem: str) -> None:
        self._spoiled.add(at)
        self._note(at, self._lines[at], problem)

    def _note(self, at: Location, line: int, problem: str) -> None:
        self.mistakes.append(Mistake(path_of(at), line, problem))


def path_of(location: Location) -> str:
    """Return a place as messages name it, such as `policies[0].match`."""
    steps = (f"[{step}]" if isinstance(step, int) else f".{_key(step)}" for step in location)
    return "".join(steps).removeprefix(".")


def _key(text: str) -> str:
    """Return a key for an error message, masked if it looks like an address, which may contain a password."""
    return "***" if any(sign in text for sign in ("@", "://", "password=")) else text
