"""Maps pydantic's errors to messages in the words of the configuration file. No message holds a value: it may be a secret."""

import re
from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from typing import Any, get_args

from msgspec import Struct
from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from nbsweep.settings.descriptions import descriptions
from nbsweep.settings.fields.base import Group
from nbsweep.settings.fields.units import kind
from nbsweep.settings.file import Settings

Location = tuple[int | str, ...]
MANY = 4


class Problem(Struct, frozen=True):
    """One thing that is wrong."""

    location: Location
    """Keys and positions, from the top of the file; may hold names of alternatives that are not in the file."""
    message: str


def problems(error: ValidationError) -> Iterator[Problem]:
    """Yield what is wrong, and what is right."""
    for found in error.errors(include_url=False):
        if found["type"] == "too_short" and found["input"]:
            # It counts what is right in a list, and what is not is reported by itself.
            continue
        say = MESSAGES.get(found["type"], _as_it_is)
        yield Problem(found["loc"], say(found))


def _as_it_is(found: ErrorDetails) -> str:
    reason = found.get("ctx", {}).get("error", found["msg"])
    return str(reason)


def _missing(found: ErrorDetails) -> str:
    *_, key = found["loc"]
    return f"must be given. {descriptions(group_at(found['loc'][:-1]))[str(key)]}"


def _unknown_key(found: ErrorDetails) -> str:
    key = str(found["loc"][-1])
    known = list(keys_of(group_at(found["loc"][:-1])))
    return f"is not a key that exists here. {suggestion(key, known)}"


def suggestion(word: str, known: list[str]) -> str:
    """Name what may have been meant, or else everything there is."""
    near = [key for key in known if key.startswith(f"{word}.")] or get_close_matches(word, known, n=1, cutoff=0.6)
    return f"Did you mean {' or '.join(near)}?" if near else f"There are: {', '.join(known)}"


def _one_of(found: ErrorDetails) -> str:
    choices: list[str] = re.findall(r"'([^']+)'", found["ctx"]["expected"])
    given = found["input"]
    near = get_close_matches(given.casefold(), [choice.casefold() for choice in choices], n=1) if isinstance(given, str) else []
    hint = next((f"; did you mean {choice}?" for choice in choices if choice.casefold() in near), "")
    return f"must be {' or '.join(choices) if len(choices) < MANY else 'one of ' + ', '.join(choices)}{hint}"


def _must_be(what: str) -> Callable[[ErrorDetails], str]:
    def say(found: ErrorDetails) -> str:
        quotes = "; put it in quotes" if what == "text" and kind(found["input"]) in ("a number", "true or false") else ""
        return f"must be {what}, not {kind(found['input'])}{quotes}"

    return say


def _whole_number(found: ErrorDetails) -> str:
    return (
        "must be a whole number"
        if kind(found["input"]) == "a number"
        else f"must be a whole number, not {kind(found['input'])}"
    )


MESSAGES: Mapping[str, Callable[[ErrorDetails], str]] = {
    "missing": _missing,
    "extra_forbidden": _unknown_key,
    "literal_error": _one_of,
    "enum": _one_of,
    "string_type": _must_be("text"),
    "int_type": _whole_number,
    "bool_type": _must_be("true or false"),
    "tuple_type": _must_be("a list"),
    "dict_type": _must_be("a mapping"),
    "mapping_type": _must_be("a mapping"),
    "model_type": _must_be("a mapping"),
    "too_short": lambda _: "must not be empty",
    "greater_than_equal": lambda found: f"must be at least {found['ctx']['ge']}",
    "less_than_equal": lambda found: f"must be at most {found['ctx']['le']}",
}
"""By pydantic's name for what it found; everything else brings its own sentence."""


def group_at(location: Location) -> type[Group]:
    """Find the group of keys at a place of the file."""
    group: type[Group] = Settings
    for step in location:
        field = keys_of(group).get(str(step))
        group = next(_groups_in(field.annotation), group) if field else group
    return group


def keys_of(group: type[Group]) -> dict[str, FieldInfo]:
    """List the keys of a group as the file has them."""
    return {field.alias or name: field for name, field in group.model_fields.items()}


def _groups_in(annotation: Any) -> Iterator[type[Group]]:
    if isinstance(annotation, type) and issubclass(annotation, Group):
        yield annotation
    for part in get_args(annotation):
        yield from _groups_in(part)
