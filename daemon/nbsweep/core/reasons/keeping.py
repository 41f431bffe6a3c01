"""Keeps causes as JSON in the journal, from which any later version can render them."""

from msgspec import DecodeError, json
from msgspec.structs import replace

from nbsweep.core.reasons.english import describe
from nbsweep.core.reasons.model import Cause, recorded


def encode_cause(cause: Cause) -> str:
    """Return a cause as JSON, with its English sentence for versions that do not know its code any more."""
    return json.encode(replace(cause, text=describe(cause))).decode()


def decode_cause(text: str, sentence: str) -> Cause:
    """Return the cause from its JSON; if that cannot be read, a cause with the English sentence that is kept beside it."""
    try:
        return json.decode(text, type=Cause)
    except (DecodeError, RecursionError):
        return recorded(sentence)
