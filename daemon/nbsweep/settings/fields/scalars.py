"""Single values of a YAML file: what they are, and what they stand for."""

import re
from typing import Any

import yaml

REFERENCE = re.compile(r"\$\$\{|\$\{(?P<inside>[^}]*)\}|\$\{")
STRING = "tag:yaml.org,2002:str"
INTEGER = "tag:yaml.org,2002:int"
PLAIN_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)")
"""What YAML 1.1, YAML 1.2 and people read alike."""
SCALARS = frozenset(
    f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool", "null", "timestamp", "value", "merge")
)


def tag_of(node: yaml.ScalarNode, text: str) -> str:
    """Read a reference that stands alone and unquoted as if its value had been written there; with others, it is text."""
    if "${" not in node.value:
        return str(node.tag)
    if node.style is not None or not REFERENCE.fullmatch(node.value):
        return STRING
    resolver: Any = yaml.resolver.Resolver()
    return str(resolver.resolve(yaml.ScalarNode, text, (True, False)))


def is_unicode(text: str) -> bool:
    """Return whether a text has no lone surrogates, which YAML and an environment can contain, and UTF-8 cannot encode."""
    return text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text)


def value_of(tag: str, text: str) -> object:
    """Return the value of a scalar; its text if Python cannot convert it."""
    constructor = yaml.constructor.SafeConstructor()
    node = yaml.ScalarNode(tag, text)
    try:
        match tag.rpartition(":")[2]:
            case "null":
                return None
            case "bool":
                return constructor.construct_yaml_bool(node)
            case "int":
                return constructor.construct_yaml_int(node)
            case "float":
                return constructor.construct_yaml_float(node)
    except (ValueError, KeyError):
        # It looks like a number to YAML's grammar, and Python does not convert it: it has thousands of digits.
        return text
    return text
