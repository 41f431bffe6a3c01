"""`groups`: named groups of owners, which `owner` in a rule names as `@team`."""

from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from typing import Annotated, Any

from pydantic import AfterValidator, ValidationInfo, ValidatorFunctionWrapHandler
from pydantic_core import InitErrorDetails, PydanticCustomError

from nbsweep.core.matching.globs import Glob
from nbsweep.core.matching.owner_groups import PREFIX, OwnerGroup
from nbsweep.settings.fields.base import Name
from nbsweep.settings.fields.types import OneOrMore, validated_with
from nbsweep.settings.rules.match import OneGlob

Location = tuple[int | str, ...]
ESCAPE = f"An owner whose own name begins with {PREFIX} is written [{PREFIX}]name"
NESTED = ("match", "any", "all", "not")


def _owner(text: str) -> str:
    if text.startswith(PREFIX):
        raise ValueError(f"must be an owner: a group cannot hold other groups. {ESCAPE}")
    return text


Groups = Mapping[Name, OneOrMore[Annotated[OneGlob, AfterValidator(_owner)]]]
"""The owners of each group, by the name of the group."""


def to_owner_groups(groups: Groups) -> Mapping[str, OwnerGroup]:
    """Convert the groups to those of the core; owners are matched without regard to case."""
    return {name: OwnerGroup(name, tuple(Glob(owner, ignore_case=True) for owner in owners)) for name, owners in groups.items()}


def check_group_names(value: object, handler: ValidatorFunctionWrapHandler, info: ValidationInfo) -> object:
    """Refuse rules that name a group that does not exist, together with everything else that is wrong in them."""
    # Without valid groups nothing is known about a name.
    known = info.data.get("groups")
    return validated_with(value, handler, () if known is None else _unknown(value, known), "groups")


def _unknown(value: object, known: Groups) -> Iterator[InitErrorDetails]:
    for location, name in _references(value, ()):
        if name not in known:
            message = f"is not a group of owners. {_suggestion(name, known)} {ESCAPE}"
            problem = PydanticCustomError("unknown_group", "{message}", {"message": message})
            yield InitErrorDetails(type=problem, loc=location, input=f"{PREFIX}{name}")


def _suggestion(name: str, known: Iterable[str]) -> str:
    near = get_close_matches(name, known, n=1)
    if near:
        return f"Did you mean {PREFIX}{near[0]}?"
    return f"There are: {', '.join(f'{PREFIX}{each}' for each in known)}." if known else "There are no groups."


def unused_groups(groups: Groups, *rules: object) -> tuple[str, ...]:
    """Return the names of the groups that no rule names; the rules are as in the file."""
    used = {name for rule in rules for _, name in _references(rule, ())}
    return tuple(name for name in groups if name not in used)


def _references(value: Any, location: Location) -> Iterator[tuple[Location, str]]:
    """Yield the place and the name of each group in rules that are not validated yet."""
    if isinstance(value, list | tuple):
        for place, part in enumerate(value):
            yield from _references(part, (*location, place))
    if isinstance(value, Mapping):
        for key in NESTED:
            yield from _references(value.get(key), (*location, key))
        yield from _of_owners(value.get("owner"), (*location, "owner"))


def _of_owners(value: Any, location: Location) -> Iterator[tuple[Location, str]]:
    texts = enumerate(value) if isinstance(value, list | tuple) else [(0, value)]
    for place, text in texts:
        if isinstance(text, str) and text.startswith(PREFIX):
            yield (*location, place), text.removeprefix(PREFIX)
