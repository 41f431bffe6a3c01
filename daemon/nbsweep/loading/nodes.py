"""The text of a configuration file in, YAML nodes out; or the mistake that keeps it from being YAML."""

import re
from collections.abc import Sequence

import yaml

from nbsweep.core.errors import ConfigurationError, Mistake

DEEPEST = 40
LONGEST_SHOWN = 120
SENSITIVE = re.compile(r"(?i)secret|token|passw|credential|access_key|journal|proxy|://|@|:-|\b(ak|sk)\b|\w{20,}")
"""What is in a line that may hold a secret, or in the line that such a line belongs to."""
INSTEAD = (
    'a value that begins with * must be in quotes, such as "*" or "*-gpu"',
    "the indentation is wrong: keys of one group, and the dashes of one list, begin in the same column",
    "the indentation is wrong, or a value that contains a colon needs quotes",
)
"""Hints that say more than the words of the YAML library, and take their place."""
HINTS = {
    "alias": INSTEAD[0],
    "<block end>": INSTEAD[1],
    "mapping values": INSTEAD[2],
    r"'\t'": "indent with spaces, not with tabs",
    "cannot start any token": "put the value in quotes",
}
"""What to do about a mistake, by what the YAML library says."""


def root_node(source: str, text: str) -> yaml.MappingNode:
    """Return the mapping that the file holds.

    Raises:
        ConfigurationError: the text is not YAML, or not a mapping.
    """
    try:
        node = _Loader(text).get_single_node()
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise refusal(source, line, "the file holds a control character, which YAML does not allow") from None
    except yaml.MarkedYAMLError as error:
        raise _not_yaml(source, text, error) from None
    if node is None:
        raise refusal(source, None, "the file is empty; it needs targets and policies at the least")
    if not isinstance(node, yaml.MappingNode):
        raise refusal(source, line_of(node), "the file must be a mapping with keys such as targets and policies")
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
        return refusal(source, None, f"the file is not YAML: {words}")
    lines = text.splitlines()
    hint = _hint(words, lines[mark.line] if mark.line < len(lines) else "")
    shown = showable_line(lines, mark.line)
    return refusal(
        source,
        mark.line + 1,
        f"the file is not YAML at column {mark.column + 1}: {hint or words}" + (f"; the line is `{shown}`" if shown else ""),
        mark.column + 1,
    )


def _hint(words: str, line: str) -> str | None:
    """Return what to do about a mistake; None where the words of the YAML library have to do."""
    found = next((hint for sign, hint in HINTS.items() if sign in words), None)
    if found is None and "${" in line:
        found = 'inside {...} and [...] put quotes around "${NAME}"'
    return f"{words}; {found}" if found and found not in INSTEAD else found


def showable_line(lines: Sequence[str], place: int) -> str | None:
    """Return a line of the file for a message; None where it, or a line that it belongs to, may hold a secret."""
    if place >= len(lines) or not (line := lines[place].rstrip()).strip() or len(line) > LONGEST_SHOWN:
        return None
    near, indentation = [line, lines[place - 1] if place else ""], _indentation(line)
    for above in reversed(lines[:place]):
        if above.strip() and _indentation(above) < indentation:
            near.append(above)
            indentation = _indentation(above)
    return None if any(SENSITIVE.search(each) for each in near) else line.replace("\t", r"\t")


def _indentation(line: str) -> int:
    return len(line) - len(line.lstrip(" -"))


def refusal(source: str, line: int | None, problem: str, column: int | None = None) -> ConfigurationError:
    """Return the error for a file that cannot be read at all."""
    return ConfigurationError(source, (Mistake("", line, problem, column),))


def line_of(node: yaml.Node) -> int:
    """Return the line on which a node begins, counted from 1."""
    return int(node.start_mark.line) + 1
