"""The base class of all groups of the configuration, and the types of names."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, StrictStr

from nbsweep.settings.fields.types import Written

LONGEST_LABEL = 100


class Group(BaseModel):
    """A group of keys, immutable and without unknown keys."""

    # What was given stays out of every error text, because it may be a secret.
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


def _label(text: str) -> str:
    if not text.isprintable() or text != text.strip() or not 1 <= len(text) <= LONGEST_LABEL:
        raise ValueError(f"must be one line of 1 to {LONGEST_LABEL} characters, without spaces at its ends")
    return text


Name = Annotated[
    StrictStr,
    Written(
        r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$",
        "must be made of letters, digits, '.', '_' and '-', begin with a letter or digit, and have at most 64 of them",
    ),
]
"""It becomes a part of logs, metrics and the journal."""

Label = Annotated[StrictStr, AfterValidator(_label)]
"""One short line for people."""
