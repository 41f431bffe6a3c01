"""`notify`: the events that operators are told of, and where."""

from collections.abc import Iterator, Mapping
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, StrictStr, TypeAdapter

from nbsweep.core.notices.addresses import is_address
from nbsweep.core.notices.operators import OperatorEvent
from nbsweep.settings.fields.base import Group, Name
from nbsweep.settings.fields.types import OneOrMore


def _address(text: str) -> str:
    if not is_address(text):
        raise ValueError("must be one mail address, such as operators@example.com")
    return text


class PlaceSettings(Group):
    """A channel that takes addresses, and the address of the operators."""

    channel: Name
    """The name of the channel."""
    to: Annotated[StrictStr, AfterValidator(_address)]
    """The address of the operators."""


_NAME: TypeAdapter[str] = TypeAdapter(Name)


def _place(value: object) -> object:
    """Check a place as what it looks like: an error inside a union would be about every way at once."""
    if isinstance(value, Mapping):
        return PlaceSettings.model_validate(value)
    return value if isinstance(value, PlaceSettings) else _NAME.validate_python(value)


Notify = Mapping[OperatorEvent, OneOrMore[Annotated[Name | PlaceSettings, BeforeValidator(_place)]]]
"""For each event the channels, by name; a channel that takes addresses gets one, or uses that of the fallback in `owners`."""


def places_of(notify: Notify) -> Iterator[tuple[OperatorEvent, str, str]]:
    """Yield each event with the name of a channel and its address; the address is empty if none is given."""
    for event, places in notify.items():
        for place in places:
            yield (event, place, "") if isinstance(place, str) else (event, place.channel, place.to)
