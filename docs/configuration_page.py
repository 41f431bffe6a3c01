"""Write docs/reference/configuration-keys.md from the JSON Schema of the settings: `python docs/configuration_page.py`."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nbsweep.settings import settings_schema

PAGE = Path(__file__).parent / "reference" / "configuration-keys.md"
HEAD = """# Configuration keys

This page is generated from the settings by `make schema`. Do not edit it.
[Configuration](configuration.md) explains how the keys work together, and
[config/nbsweep.yaml](../../config/nbsweep.yaml) shows each key in its place.

A duration is a whole number with `ms`, `s`, `m`, `h` or `d`, such as `90s`. A rate is a number of calls per `s`, `m` or
`h`, such as `600/m`. Any value may be a reference to an environment variable: `${NAME}` or `${NAME:-default}`.
"""
TYPES = {"integer": "integer", "number": "number", "string": "text", "boolean": "true or false", "null": "null"}
PATTERNS = {"(ms|s|m|h|d)$": "duration", "/(s|m|h)$": "rate"}
"""What a text with such a pattern is called."""


def page() -> str:
    """Return the whole page."""
    schema = settings_schema()
    own = [section(f"`{name}`", schema["$defs"][name], schema) for name in referred(schema, schema, [])]
    return "\n".join([HEAD, section("Top level", schema, schema), *own])


def referred(node: Any, schema: dict[str, Any], found: list[str]) -> list[str]:
    """Return the definitions with keys of their own, in the order in which the schema first refers to them."""
    for name in references(node):
        if name not in found and "properties" in schema["$defs"].get(name, {}):
            found.append(name)
            referred(schema["$defs"][name], schema, found)
    return found


def references(node: Any) -> Iterator[str]:
    """Yield the names of the definitions that a part of the schema refers to."""
    if isinstance(node, dict):
        if "$ref" in node:
            yield node["$ref"].removeprefix("#/$defs/")
        for key, value in node.items():
            if key != "$defs":
                yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def section(heading: str, node: dict[str, Any], schema: dict[str, Any]) -> str:
    """Return one table of keys."""
    required = set(node.get("required", ()))
    lines = [f"## {heading}", "", *described(node), "| key | type | default | meaning |", "| --- | --- | --- | --- |"]
    for key, value in node.get("properties", {}).items():
        default = "required" if key in required else f"`{json.dumps(value['default'])}`" if "default" in value else ""
        meaning = value.get("description") or definition(value, schema).get("description", "")
        lines.append(f"| `{key}` | {cell(kind(value, schema))} | {cell(default)} | {cell(meaning)} |")
    return "\n".join(lines) + "\n"


def described(node: dict[str, Any]) -> list[str]:
    """Return the description of a definition as a paragraph, if it has one."""
    return [" ".join(node["description"].split()), ""] if "description" in node else []


def definition(node: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """Return the definition that a value refers to, or nothing."""
    found: dict[str, Any] = schema["$defs"].get(node.get("$ref", "").removeprefix("#/$defs/"), {})
    return found


def kind(node: dict[str, Any], schema: dict[str, Any]) -> str:
    """Return the type of a value in words, without the variable of the environment that any value may be."""
    if "$ref" in node:
        name = node["$ref"].removeprefix("#/$defs/")
        target = definition(node, schema)
        return f"[`{name}`](#{name.lower()})" if "properties" in target else kind(target, schema)
    if "anyOf" in node or "oneOf" in node:
        parts = [kind(part, schema) for part in node.get("anyOf", node.get("oneOf")) if not is_variable(part)]
        one, *others = dict.fromkeys(part for part in parts if part)
        return f"{one}, or a list of these" if others == [f"list of {one}"] else " or ".join([one, *others])
    if "enum" in node or "const" in node:
        return ", ".join(f"`{value}`" for value in node.get("enum", [node.get("const")]))
    if node.get("type") == "array":
        return f"list of {kind(node.get('items', {}), schema)}"
    if node.get("type") == "object":
        return "mapping"
    called = (name for ending, name in PATTERNS.items() if str(node.get("pattern")).endswith(ending))
    return next(called, TYPES.get(str(node.get("type")), ""))


def is_variable(node: dict[str, Any]) -> bool:
    """Return whether a part of the schema is the `${NAME}` that any value may be."""
    return node.get("$ref") == "#/$defs/Reference"


def cell(text: str) -> str:
    """Return a text as one cell of a table."""
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
