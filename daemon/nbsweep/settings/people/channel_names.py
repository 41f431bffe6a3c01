"""Checks the names of channels, and the targets that they name."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from pydantic import (
    ValidationInfo,
    ValidatorFunctionWrapHandler,
)
from pydantic_core import InitErrorDetails

from nbsweep.settings.fields.types import validated_with
from nbsweep.settings.people.channels import channel_problem

RESERVED = frozenset({"fallback", "owner"})
"""No names of channels."""


def check_targets_of_channels(value: object, handler: ValidatorFunctionWrapHandler, info: ValidationInfo) -> object:
    """Refuse channels with a reserved name or a target that does not exist, together with all else that is wrong in them."""
    # Without valid targets nothing is known about a name.
    targets = info.data.get("targets")
    unknown = () if targets is None else _unknown(value, [each.name for each in targets])
    return validated_with(value, handler, [*_reserved(value), *unknown], "channels")


def _reserved(value: Any) -> Iterator[InitErrorDetails]:
    """Yield a mistake for each channel that is called like somebody who is told: messages of both could not be told apart."""
    for name in sorted(RESERVED & set(value)) if isinstance(value, Mapping) else ():
        yield channel_problem((name,), f"must have another name: {name} means a person in grace")


def _unknown(value: Any, known: list[str]) -> Iterator[InitErrorDetails]:
    for name, channel in value.items() if isinstance(value, Mapping) else ():
        target = channel.get("target") if isinstance(channel, Mapping) else None
        if isinstance(target, str) and target not in known:
            near = get_close_matches(target, known, n=1)
            hint = f"Did you mean {near[0]}?" if near else f"There are: {', '.join(known)}"
            yield channel_problem((name, str(channel.get("kind")), "target"), f"is not the name of a target. {hint}")
