"""Write docs/reference/simulator.md from the options of the simulated cloud: `python docs/simulator_page.py`."""

import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from textwrap import fill
from typing import Any, get_args

import msgspec

from nbsweep.simulator import descriptions, options
from nbsweep.simulator.vocabulary import DELETION_FAULTS, PAGE_FAULTS, REQUEST_FAULTS, Kind

PAGE = Path(__file__).parent / "reference" / "simulator.md"
HEAD = """# Options of the simulated cloud

This page is generated from the simulator by `make schema`. Do not edit it.

`nbsweep simulator --options FILE` reads a JSON object with the keys of the first table. Every key may be left out, and an
unknown key is an error. Durations are seconds, shares lie between 0 and 1, and dates are milliseconds since 1970. `--seed` and
`--notebooks` replace the values of the file. For example, a cloud of 40 notebooks that takes 2 DELETE calls a second, and in
which every tenth deletion fails:

```json
{
  "fleet": {"notebooks": 40},
  "limits": {"per_api": {"delete": {"calls": 2}}},
  "faults": {"rates": {"delete": {"delete_failed": 0.1}}}
}
```

"""
FIELD = re.compile(r"    (?P<name>\w+): (?P<type>.+?)(?: = .*)?")
TYPES = {
    "Share": "share",
    "Count": "whole number",
    "Positive": "whole number from 1",
    "Seconds": "number",
    "Annotated[float, Meta(gt=0)]": "number above 0",
    "Annotated[int, Meta(ge=0, le=2)]": "0, 1 or 2",
    "int": "whole number",
    "str": "text",
    "bool": "true or false",
    "Kind": "kind of call",
    "FaultName": "fault",
}
"""The annotations of the code in words."""


def page() -> str:
    """Return the whole page."""
    kinds, faults = (
        ", ".join(f"`{word}`" for word in words)
        for words in (get_args(Kind), (*REQUEST_FAULTS, *DELETION_FAULTS, *PAGE_FAULTS))
    )
    meaning = "`..._before`: nothing was done. `..._after`: the work is done, and only the answer is lost or wrong."
    words = [fill(f"The kinds of calls are {kinds}.", 128), "", fill(f"The faults are {faults}. {meaning}", 128), ""]
    groups = [group for module in (options, descriptions) for group in vars(module).values() if is_group(group, module)]
    groups.sort(key=lambda group: group is not options.SimulatorOptions)
    return "\n".join([HEAD, *words, *map(section, groups)])


def is_group(value: object, module: object) -> bool:
    """Return whether a value is a group of keys that this module defines, and not one of changes."""
    named = isinstance(value, type) and issubclass(value, msgspec.Struct) and value is not descriptions.NotebookChange
    return named and inspect.getmodule(value) is module


def section(group: type[msgspec.Struct]) -> str:
    """Return one table of keys."""
    lines = [f"## {group.__name__}", "", *(group.__doc__ or "").split("\n\n")[0].splitlines(), ""]
    lines += ["| key | type | default | meaning |", "| --- | --- | --- | --- |"]
    defaults = dict(zip(group.__struct_fields__, (field.default for field in msgspec.structs.fields(group)), strict=True))
    for name, kind, meaning in keys(group):
        lines.append(f"| `{name}` | {cell(typed(kind))} | {cell(shown(group, name, defaults[name]))} | {cell(meaning)} |")
    return "\n".join(lines) + "\n"


def keys(group: type[msgspec.Struct]) -> Iterator[tuple[str, str, str]]:
    """Yield the name, the type and the comment of each key as they are in the code."""
    comment: list[str] = []
    for line in inspect.getsource(group).splitlines():
        found = FIELD.fullmatch(line.removesuffix("("))
        if line.startswith("    #: "):
            comment.append(line.removeprefix("    #: "))
        elif found and found["name"] in group.__struct_fields__:
            yield found["name"], found["type"].removesuffix(" = field").strip(), " ".join(comment)
            comment = []


def typed(kind: str) -> str:
    """Return a type in words; a group of keys becomes a link."""
    if kind.endswith(" | None"):
        return f"{typed(kind.removesuffix(' | None'))} or `null`"
    if found := re.fullmatch(r"tuple\[(.+), \.\.\.\]", kind):
        return f"list of {typed(found[1])}"
    if found := re.fullmatch(r"Literal\[(.+)\]", kind):
        return ", ".join(f"`{word.strip()}`" for word in found[1].replace('"', "").split(","))
    if any(is_group(vars(module).get(kind), module) for module in (options, descriptions)):
        return f"[`{kind}`](#{kind.lower()})"
    return TYPES.get(kind, "mapping" if kind.startswith("dict[") else kind)


def shown(group: type[msgspec.Struct], name: str, default: Any) -> str:
    """Return a default as JSON; nothing for a key that must be given or that is a group of keys."""
    field = next(field for field in msgspec.structs.fields(group) if field.name == name)
    if field.required or isinstance(default, msgspec.Struct):
        return "required" if field.required else ""
    value = default if default is not msgspec.NODEFAULT else field.default_factory()
    if any(isinstance(each, msgspec.Struct) for each in (value if isinstance(value, tuple) else ())):
        return "one of these"
    return f"`{msgspec.json.encode(value).decode()}`"


def cell(text: str) -> str:
    """Return a text as one cell of a table."""
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
