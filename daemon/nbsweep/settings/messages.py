"""Maps pydantic's errors to messages in the words of the configuration file. No message holds a value that may be a secret."""

import re
from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from typing import Any, get_args, get_origin

from msgspec import Struct
from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from nbsweep.core.model import Status
from nbsweep.settings.descriptions import descriptions
from nbsweep.settings.fields.base import Group
from nbsweep.settings.fields.units import kind
from nbsweep.settings.file import Settings
from nbsweep.settings.rules.match import statuses_of

Location = tuple[int | str, ...]
MANY = 4
SECRET_KEYS = frozenset({"channels", "credentials", "journal", "owners", "proxy"})
"""Groups and keys whose values may be secrets or addresses of people."""
LONGEST_GIVEN = 32
SEPARATORS = re.compile(r"[ _.:/%*?,-]+")
HARMLESS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+|[0-9]{1,12}[a-z]{0,7}")
"""A word, or a number with its unit."""


class Problem(Struct, frozen=True):
    """One thing that is wrong."""

    location: Location
    """Keys and positions, from the top of the file; may hold positions that are not in the file."""
    message: str
    given: str | None = None
    """The wrong value, in quotes if it is text; None if it is no single value, or may be a secret."""


def problems(error: ValidationError) -> Iterator[Problem]:
    """Yield what is wrong, and what is right."""
    for found in error.errors(include_url=False):
        if found["type"] == "too_short" and found["input"]:
            # It counts what is right in a list, and what is not is reported by itself.
            continue
        say = MESSAGES.get(found["type"], _as_it_is)
        _, place = _followed(found["loc"])
        key = (_discriminator(found),) if found["type"].startswith("union_tag") else ()
        yield Problem((*place, *key), say(found), _given(found))


def _given(found: ErrorDetails) -> str | None:
    value = found["input"]
    if found["type"] in ("missing", "extra_forbidden") or SECRET_KEYS.intersection(found["loc"]):
        return None
    if isinstance(value, str):
        return f'"{value}"' if _is_harmless(value) else None
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _is_harmless(text: str) -> bool:
    """Return whether a text is short, and made of words and numbers; a key or a good password is not."""
    words = [word for word in SEPARATORS.split(text) if word]
    return bool(words) and len(text) <= LONGEST_GIVEN and all(HARMLESS.fullmatch(word) for word in words)


def _as_it_is(found: ErrorDetails) -> str:
    reason = found.get("ctx", {}).get("error", found["msg"])
    return str(reason)


def _missing(found: ErrorDetails) -> str:
    *_, key = found["loc"]
    return f"must be given. {descriptions(group_at(found['loc'][:-1]))[str(key)]}"


def _unknown_key(found: ErrorDetails) -> str:
    key, place = str(found["loc"][-1]), found["loc"][:-1]
    known = keys_of(group_at(place))
    if inside := [
        name for name, field in known.items() if any(key in keys_of(group) for group in _groups_in(field.annotation))
    ]:
        return f"is not a key that exists here. It belongs under {' or '.join(inside)}"
    if key in keys_of(group_at(place[:-1])):
        return f"is not a key that exists here. It belongs beside {place[-1]}, not under it"
    return f"is not a key that exists here. {suggestion(key, list(known))}"


def suggestion(word: str, known: list[str]) -> str:
    """Name what may have been meant, or else everything there is."""
    near = [key for key in known if key.startswith(f"{word}.")] or get_close_matches(word, known, n=1, cutoff=0.6)
    return f"Did you mean {' or '.join(near)}?" if near else f"There are: {', '.join(known)}"


def _one_of(found: ErrorDetails) -> str:
    choices: list[str] = re.findall(r"'([^']+)'", found["ctx"]["expected"])
    if set(choices) == set(Status):
        choices = list(statuses_of(group_at(found["loc"])))
    given = found["input"]
    near = get_close_matches(given.casefold(), [choice.casefold() for choice in choices], n=1) if isinstance(given, str) else []
    hint = next((f"; did you mean {choice}?" for choice in choices if choice.casefold() in near), "")
    return f"must be {' or '.join(choices) if len(choices) < MANY else 'one of ' + ', '.join(choices)}{hint}"


def _discriminator(found: ErrorDetails) -> str:
    """Return the key that says which group of keys applies; pydantic quotes it."""
    return str(found["ctx"]["discriminator"]).strip("'")


def _one_of_kinds(found: ErrorDetails) -> str:
    choices: list[str] = re.findall(r"'([^']+)'", found["ctx"]["expected_tags"])
    near = get_close_matches(str(found["ctx"]["tag"]).casefold(), choices, n=1)
    return f"must be one of {', '.join(choices)}{f'; did you mean {near[0]}?' if near else ''}"


def _missing_kind(found: ErrorDetails) -> str:
    kinds = (_kind_of(group) for group in _groups_at(found["loc"]))
    return f"must be given; one of {', '.join(kind for kind in kinds if kind)}"


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
    "union_tag_invalid": _one_of_kinds,
    "union_tag_not_found": _missing_kind,
    "enum": _one_of,
    "string_type": _must_be("text"),
    "int_type": _whole_number,
    "bool_type": _must_be("true or false"),
    "tuple_type": _must_be("a list"),
    "dict_type": _must_be("a mapping"),
    "mapping_type": _must_be("a mapping"),
    "model_type": _must_be("a mapping"),
    "model_attributes_type": _must_be("a mapping"),
    "too_short": lambda _: "must not be empty",
    "greater_than_equal": lambda found: f"must be at least {found['ctx']['ge']}",
    "less_than_equal": lambda found: f"must be at most {found['ctx']['le']}",
}
"""By pydantic's name for what it found; everything else brings its own sentence."""


def group_at(location: Location) -> type[Group]:
    """Find the group of keys at a place of the file; the first if several are possible."""
    return _groups_at(location)[0]


def _groups_at(location: Location) -> tuple[type[Group], ...]:
    """Find the groups that are possible at a place: for a channel, one of each kind as long as the place names no kind."""
    groups, _ = _followed(location)
    return groups


def _followed(location: Location) -> tuple[tuple[type[Group], ...], Location]:
    """Follow a place from the top of the file; return the groups that are possible there, and the place without kinds."""
    groups: tuple[type[Group], ...] = (Settings,)
    in_file: Location = ()
    steps = iter(location)
    for step in steps:
        if of_kind := tuple(group for group in groups if _kind_of(group) == step):
            groups = of_kind
            continue
        in_file = (*in_file, step)
        if field := keys_of(groups[0]).get(str(step)):
            groups = tuple(_groups_in(field.annotation)) or groups
            if get_origin(field.annotation) is Mapping:
                # The next step is a name that the file gives, which may be that of a kind.
                in_file = (*in_file, *([name] if (name := next(steps, None)) is not None else []))
    return groups, in_file


def _kind_of(group: type[Group]) -> str:
    """Return the only value that the key `kind` of a group may have; empty if it has no such key."""
    field = group.model_fields.get("kind")
    choices = get_args(field.annotation) if field else ()
    return str(choices[0]) if choices else ""


def keys_of(group: type[Group]) -> dict[str, FieldInfo]:
    """List the keys of a group as the file has them."""
    return {field.alias or name: field for name, field in group.model_fields.items()}


def _groups_in(annotation: Any) -> Iterator[type[Group]]:
    if isinstance(annotation, type) and issubclass(annotation, Group):
        yield annotation
    for part in get_args(annotation):
        yield from _groups_in(part)
