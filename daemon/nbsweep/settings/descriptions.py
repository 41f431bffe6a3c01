"""The descriptions of the configuration keys: the docstring below each key in the code.

Pydantic can read them itself (`use_attribute_docstrings`), but does so at each start: about 50 ms, a third of the import of the
settings. Only `nbsweep schema` and some error messages need them.
"""

import ast
from inspect import cleandoc, getsource
from itertools import pairwise

from nbsweep.settings.fields.base import Group


def descriptions(group: type[Group]) -> dict[str, str]:
    """Return the description of each key of a group and of its base groups, by the name that the key has in the file."""
    texts: dict[str, str] = {}
    for part in reversed(group.__mro__):
        if issubclass(part, Group):
            texts |= _written_in(part)
    return {field.alias or name: texts[name] for name, field in group.model_fields.items()}


def _written_in(group: type[Group]) -> dict[str, str]:
    [definition] = ast.parse(getsource(group)).body
    lines = definition.body if isinstance(definition, ast.ClassDef) else []
    return {
        key.id: cleandoc(text)
        for line, below in pairwise(lines)
        if isinstance(line, ast.AnnAssign) and isinstance(key := line.target, ast.Name) and (text := _text(below))
    }


def _text(line: ast.stmt) -> str:
    match line:
        case ast.Expr(value=ast.Constant(value=str(text))):
            return text
        case _:
            return ""
