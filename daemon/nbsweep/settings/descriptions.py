"""What each key is for, as it stands below the key in the code.

Pydantic would read that itself (`use_attribute_docstrings`), but at every start, which makes a quarter of the settings' import.
"""

import ast
from inspect import cleandoc, getsource
from itertools import pairwise

from nbsweep.settings.fields.base import Group


def descriptions(group: type[Group]) -> dict[str, str]:
    """Give the text below each key of a group, by the keys' names in the file; those of the groups it extends included."""
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
