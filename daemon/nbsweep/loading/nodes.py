"""The text of a configuration file in, YAML nodes out; or the mistake that keeps it from being YAML."""

import re

import yaml

from nbsweep.core.errors import ConfigurationError, Mistake

DEEPEST = 40


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
    around = text.splitlines()[mark.line : mark.line + 1]
    hint = '; inside {...} and [...] put quotes around "${NAME}"' if any("${" in line for line in around) else ""
    hint = "; indent with spaces, not with tabs" if r"'\t'" in words else hint
    return refusal(source, mark.line + 1, f"the file is not YAML at column {mark.column + 1}: {words}{hint}")


def refusal(source: str, line: int | None, problem: str) -> ConfigurationError:
    """Return the error for a file that cannot be read at all."""
    return ConfigurationError(source, (Mistake("", line, problem),))


def line_of(node: yaml.Node) -> int:
    """Return the line on which a node begins, counted from 1."""
    return int(node.start_mark.line) + 1
